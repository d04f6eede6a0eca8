"""Every deliberate exception of filebot, on one screen.

A class exists only if somebody catches it differently or the person reads other words. The words are
in ``templates/errors/<class name in snake case>``; they may use the public attributes named here, and
never ``str(exc)``, which is for the log.
"""

from collections.abc import Collection
from datetime import datetime


class FilebotError(Exception):
    """Root of all errors that filebot raises on purpose."""

    @property
    def kind(self) -> str:
        """The class's own name: for templates that name several causes, and for the log."""
        return type(self).__name__


# --- the person can act -------------------------------------------------------------------------


class UserError(FilebotError):
    """The request cannot be served as it stands; the reply says what to do instead."""


class FileTooLarge(UserError):
    """A file is over the bot's own limit, or ``of_room`` over that of a room."""

    def __init__(self, *, size_bytes: int | None, limit_bytes: int, of_room: bool = False) -> None:
        super().__init__(f"{size_bytes} bytes, limit {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        self.of_room = of_room


class EmptyFile(UserError):
    """A file of no bytes: there is nothing to keep."""


class QuotaExceeded(UserError):
    """The owner's share of the storage is used up."""

    def __init__(self, *, size_bytes: int, used_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"{used_bytes} + {size_bytes} of {limit_bytes} bytes")
        self.size_bytes = size_bytes
        self.used_bytes = used_bytes
        self.limit_bytes = limit_bytes


class RoomQuotaExceeded(UserError):
    """A room has as much as it may have; sizes in bytes."""

    def __init__(self, *, size_bytes: int, used_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"{used_bytes} + {size_bytes} of {limit_bytes} bytes")
        self.size_bytes = size_bytes
        self.used_bytes = used_bytes
        self.limit_bytes = limit_bytes


class TooManyFiles(UserError):
    """One message holds more files than are handled at once, or ``wildcard`` fits more.

    In the latter case nobody has counted beyond the limit: ``count`` is the least that it can be.
    """

    def __init__(self, *, count: int, limit: int, wildcard: str = "") -> None:
        super().__init__(f"{count} files, limit {limit}")
        self.count = count
        self.limit = limit
        self.wildcard = wildcard


class DiagnosticsRunning(UserError):
    """The person's ways are being tested already."""


class TooManyRequests(UserError):
    """The person asks faster than the bot answers."""


class MessageTooLong(UserError):
    """The text of a message is longer than any command."""

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(f"{length} characters, limit {limit}")
        self.length = length
        self.limit = limit


class PostTooLarge(UserError):
    """Somebody's post in a room takes more memory than is kept of it."""

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"over {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class NoSuchEntry(UserError):
    """Nothing that the person may see has that name, id or pattern."""

    def __init__(self, wanted: str, *, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.suggestions = suggestions


class AmbiguousName(UserError):
    """A prefix fits several files and no name exactly."""

    def __init__(self, wanted: str, *, candidates: tuple[str, ...]) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.candidates = candidates


class NotAllowed(UserError):
    """The person may see the thing but not do this to it.

    ``reason`` is one of ``hidden`` (the room hides who it is), ``strange`` (the room says who it is, but
    its word does not count), ``unserved`` (not one of the people whose files are kept), ``owner`` (it is
    somebody else's), ``voice`` (nobody may speak in that room who is only a visitor there), ``mute`` (the
    bot is one), ``members`` (it is for the room's members), ``left`` (it is for people in a room where they
    are no more), ``room`` (it is for its owners and admins), ``unseen`` (it is, and the room
    does not show who is one), ``leave`` (it is for them and for those who
    brought the bot there) or ``admin`` (it is for those who run the bot).
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DuplicateName(UserError):
    """Several files are called so, and what was asked for is for one alone; ``ids`` are theirs, the newest
    first.
    """

    def __init__(self, name: str, *, ids: tuple[int, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.ids = ids


class NoSuchRecipient(UserError):
    """A file cannot be sent to this address: not an address, not served, or a room without the bot."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


class NoSuchRoom(UserError):
    """No address of a room, or of one that the bot is not in."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


class NoSuchClaim(UserError):
    """No occupant of a room was given this code, or it is used or too old."""


class ClaimExceedsQuota(UserError):
    """The files that somebody claims do not fit beside what they store; sizes in bytes."""

    def __init__(self, *, size_bytes: int, used_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes claimed, {used_bytes} of {limit_bytes} used")
        self.size_bytes = size_bytes
        self.used_bytes = used_bytes
        self.limit_bytes = limit_bytes


class NoHistory(UserError):
    """What was posted in a room before cannot be gone through.

    ``reason`` is one of ``away`` (the room does not answer just now, or the bot is out of it), ``closed``
    (it keeps no history, or shows it to others only), ``off`` (its archive is), ``busy`` (that is being
    done already), ``idle`` (nothing is being done), ``ids`` (the room does not tell who posted what) or
    ``lost`` (the room has forgotten where the bot was).
    """

    def __init__(self, room: str, *, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason


class TooManyOptOuts(UserError):
    """So many people of a room want nothing kept unasked there that one more wish is not noted."""


class BadRoomSetting(UserError):
    """There is no such setting of a room, or it cannot have this value, or its plugin is switched off.

    ``available`` has the names of all that can be set.
    """

    def __init__(self, key: str, value: str, *, known: bool, available: Collection[str]) -> None:
        super().__init__(f"{key} {value}")
        self.key = key
        self.value = value
        self.known = known
        self.available = available


class RoomConfigured(UserError):
    """A room of the config cannot be left by a command: the next start would undo it."""

    def __init__(self, room: str) -> None:
        super().__init__(room)
        self.room = room


class CannotEnterRoom(UserError):
    """The room does not let the bot in.

    ``reason`` is one of ``banned``, ``members`` (only they may enter), ``password`` (missing or wrong),
    ``limit`` (the bot is in as many rooms as it can be), ``own limit`` (the person has brought it into as
    many as one may), ``none`` (there is no such room), ``service`` (there are no rooms at that address),
    ``silent`` (no answer) or ``other``.
    """

    def __init__(self, room: str, *, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason


class BadCommand(UserError):
    """A known command with words that do not fit its usage; with none at all if they are ``missing``."""

    def __init__(self, *, command: str, usage: tuple[str, ...], missing: bool = False) -> None:
        super().__init__(command)
        self.command = command
        self.usage = usage
        self.missing = missing


class UnknownCommand(UserError):
    """The first word is no command."""

    def __init__(self, word: str, *, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(word)
        self.word = word
        self.suggestions = suggestions


class NoSuchTransfer(UserError):
    """None of the person's running transfers has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number


class TransferCancelled(UserError):
    """The person stopped a transfer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class AlreadySending(UserError):
    """The same file is going to the same person at this moment, because the same person asked."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number


class TooManyWaiting(UserError):
    """No more files can be on their way to people, or wait for them: the asker's, or all together.

    ``own`` tells whether it is the asker who has too many.
    """

    def __init__(self, *, limit: int, own: bool) -> None:
        super().__init__(f"limit {limit}, own: {own}")
        self.limit = limit
        self.own = own


class DeliveryExpired(UserError):
    """A file waited for somebody who did not come online with a client that takes it."""

    def __init__(self, *, target: str, days: int) -> None:
        super().__init__(f"{days} days for {target}")
        self.target = target
        self.days = days


class NoTransferMethod(UserError):
    """None of the person's clients takes a file by the method asked for, or by any that could be used.

    ``method`` is what people type (``socks5``), or None if they named none. Where it is ``through_room``,
    no stream can be at all.
    """

    def __init__(self, *, method: str | None, through_room: bool = False) -> None:
        super().__init__(str(method))
        self.method = method
        self.through_room = through_room


# --- this attempt failed, another may work ------------------------------------------------------


class TransferError(FilebotError):
    """Moving bytes failed for a reason outside of filebot."""


class PeerProtocolError(TransferError):
    """The other side broke the protocol or its own promise."""


class SizeMismatch(PeerProtocolError):
    """Fewer or more bytes came than were announced."""

    def __init__(self, *, announced_bytes: int, received_bytes: int) -> None:
        super().__init__(f"announced {announced_bytes}, received {received_bytes} bytes")
        self.announced_bytes = announced_bytes
        self.received_bytes = received_bytes


class DigestMismatch(PeerProtocolError):
    """The bytes do not have the announced hash.

    ``resumed`` tells that they were put together from two attempts. Then a hash that was promised and did
    not come is one, too: nothing proves the bytes to be one file. ``algorithm`` is empty in that case.
    """

    def __init__(self, *, algorithm: str = "", resumed: bool = False) -> None:
        super().__init__(f"{algorithm or 'no hash came'}{', after a resumption' if resumed else ''}")
        self.algorithm = algorithm
        self.resumed = resumed


class PeerGone(TransferError):
    """The connection could not be made, or broke and could not be resumed."""


class NotLetIn(PeerGone):
    """A stream host was reached, and knows nothing of the session."""


class Unresumable(PeerGone):
    """The connection broke, and nothing proves that what would come next is of the same file.

    Beginning anew may help.
    """


class TransferTimeout(TransferError):
    """Nothing moved for the idle limit."""

    def __init__(self, *, idle_s: float) -> None:
        super().__init__(f"idle for {idle_s} s")
        self.idle_s = idle_s


class Refused(TransferError):
    """The other side answered with a clear no."""

    def __init__(self, *, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class ForbiddenTarget(TransferError):
    """The address policy does not let the bot connect there.

    ``reason`` is one of ``scheme`` (not http or https), ``insecure`` (plain http), ``private`` (a
    loopback, private or reserved address), ``redirects`` (too many) or ``malformed``.
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooSlowInBand(TransferError):
    """A client takes files only inside of the XMPP stream, and that would take too long."""

    def __init__(self, *, seconds: float) -> None:
        super().__init__(f"about {seconds:.0f} s")
        self.seconds = seconds


class NotDelivered(TransferError):
    """Nothing that was tried brought a file to somebody.

    ``causes`` has each cause once, in the order in which they showed; ``target`` is a bare JID, or None
    for the asker.
    """

    def __init__(self, name: str, causes: tuple[FilebotError, ...], *, target: str | None = None) -> None:
        super().__init__("; ".join(f"{each.kind}: {each}" for each in causes))
        self.name = name
        self.causes = causes
        self.target = target


class NoUploadService(TransferError):
    """The bot's server offers no HTTP file upload (XEP-0363), or it does not answer."""


class TooLargeForService(TransferError):
    """The upload service takes no files of this size (XEP-0363 section 6, file-too-large)."""

    def __init__(self, *, size_bytes: int, limit_bytes: int | None) -> None:
        super().__init__(f"{size_bytes} bytes, service limit {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class ServiceQuotaReached(TransferError):
    """The upload service takes nothing more for now (XEP-0363 section 6, resource-constraint)."""

    def __init__(self, *, retry_at: datetime | None) -> None:
        super().__init__(f"retry at {retry_at}")
        self.retry_at = retry_at


class ServiceRefused(TransferError):
    """The upload service gives no slot: not permitted, or it does not take such a file."""


# --- ours ---------------------------------------------------------------------------------------


class StorageError(FilebotError):
    """The bot's own storage failed."""


class StorageFull(StorageError):
    """The disk or the configured total is full."""


class NoDescriptors(StorageError):
    """The process, or the whole machine, can open no more files and connections just now."""


class BlobCorrupt(StorageError):
    """Stored bytes are missing or no longer have their digest.

    ``name`` is that of the file, where it is known.
    """

    def __init__(self, message: str = "", *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class CatalogUnavailable(StorageError):
    """The catalog cannot be read or written."""


class CatalogDamaged(CatalogUnavailable):
    """The file of the catalog holds something else than what was written."""


class ConfigError(FilebotError):
    """The configuration does not hold; ``mistakes`` has one line for each, with its remedy."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class PluginError(FilebotError):
    """A plugin cannot be loaded: its own mistake, told to the operator."""


class LoginFailed(FilebotError):
    """The server does not let the bot in; retrying with the same account is useless."""

    def __init__(self, condition: str) -> None:
        """``condition`` is the server's word for it (RFC 6120 section 6.5)."""
        super().__init__(
            f"The server refuses the account or its password ({condition}); look at xmpp.jid and password"
        )


class LocalProtocolError(FilebotError):
    """filebot itself used a protocol machine wrongly: a bug."""
