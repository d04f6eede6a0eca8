"""Files as one sender sees them: the API of plugins over the file services."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from filebot.concurrency.bounded_call import not_counted
from filebot.delivery.worker import Waiting
from filebot.errors import NoSuchTransfer
from filebot.events.facts import Actor, RemovalReason
from filebot.filenames import plain_text
from filebot.files.intake import Destination, IntakeResult
from filebot.files.lookup import Lookup
from filebot.files.selection import Selection
from filebot.files.shown_lists import ShownLists
from filebot.files.transfers import Transfer
from filebot.files.visible_entries import VisibleEntries
from filebot.model import (
    Address,
    BareJid,
    Entry,
    EntryFilter,
    Identity,
    IncomingMessage,
    Method,
    Offer,
    Sender,
    StorageUsage,
)
from filebot.plugin.commands import names_in
from filebot.plugin.file_content import FileContent
from filebot.plugin.file_services import FileServices
from filebot.plugin.finding import Finding
from filebot.ports import StreamOffer
from filebot.rooms.setting_types import RoomSetting
from filebot.rooms.unasked_files import Wanted


class Files(FileContent):
    """Files that one sender may see and change, depending on where the sender speaks.

    In a private chat these are the person's own files; in a room, or in a private message through it, the
    room's. A file to be sent is also looked for among the person's own files, if the room has none of that
    name.
    """

    def __init__(
        self,
        services: FileServices,
        sender: Sender,
        language: str | None = None,
        plugin: str = "",
        finding: Finding | None = None,
        shown_lists: ShownLists | None = None,
    ) -> None:
        """``plugin`` is whose attachments and details they are; ``finding`` asks plugins for files.
        ``shown_lists`` tells what the places of lists mean; without it, numbers are ids.
        """
        self._shown_lists = shown_lists
        self._services = services
        self._content = services.content
        self._plugin = plugin
        self._finding = finding
        self._loaded = frozenset() if finding is None else finding.plugins
        self._access = services.access(sender)
        self._stored = services.stored
        self._outgoing = services.outgoing
        self._of_rooms = services.of_rooms
        self._sender = sender
        self._by = Actor(sender, language)

    @cached_property
    def _visible_entries(self) -> VisibleEntries:
        return VisibleEntries(self._stored.entries, self._access)

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(
            self._stored.entries, self._access, self._visible_entries, self._resolved, self._at_place
        )

    def _at_place(self, place: int) -> int | None:
        return None if self._shown_lists is None else self._shown_lists.at(self._sender, place)

    # --- finding --------------------------------------------------------------------------------

    async def page(self, *, limit: int, before: int | None = None) -> list[Entry]:
        """Return the newest files here, below the id ``before``."""
        return await self._visible_entries.page(limit, before)

    async def oldest(self, *, limit: int) -> list[Entry]:
        """Return the first files here, oldest first."""
        return await self._visible_entries.oldest(limit)

    async def matching(self, pattern: str, *, limit: int) -> list[Entry]:
        """Return the newest files here whose whole name fits a pattern of ``*`` and ``?``."""
        return await self._visible_entries.by_glob(plain_text(pattern), limit)

    async def count(self) -> int:
        """Return how many files there are here."""
        return await self._visible_entries.count()

    async def search(self, words: str, *, limit: int, before: int | None = None) -> list[Entry]:
        """Return the files here with all of these words in their name or caption, newest first.

        In private also those of the rooms that the person is in.

        Words such as ``tag:invoice`` are filters, if a plugin has one of this name. Raises BadValue for a
        wrong one.
        """
        plain, filters = words.split(), list[EntryFilter]()
        if self._finding is not None:
            plain, filters = await self._finding.filters_in(words, self._sender, self._by.language)
        return await self._visible_entries.search(plain, limit, before, filters)

    async def _resolved(self, wanted: str) -> Entry | None:
        """Return the file that a plugin takes a name for."""
        if self._finding is None:
            return None
        return await self._finding.resolved(wanted, self._sender, self._by.language)

    async def one(self, wanted: str) -> Entry:
        """Return the file here with this name in any case, this id, or a name that begins so.

        If several have the name, it is the newest. Raises NoSuchEntry (with similar names) or
        AmbiguousName.
        """
        return await self._lookup.one(wanted)

    async def named(self, wanted: str, *, to_send: bool = False, whole: bool = False) -> Entry | None:
        """Return the file of a name in any case, of a number, or of which ``wanted`` is the beginning; None
        if there is none.

        ``whole``: no beginnings. ``to_send``: in a room, also a private file of the sender's. Raises
        AmbiguousName.
        """
        return await self._lookup.named(wanted, to_send=to_send, whole=whole)

    async def has_link(self, entry: Entry) -> bool:
        """Tell whether the bot has given a link to this file, which may work for longer than the file is
        kept.
        """
        return await self._stored.links.link(entry.blob.digest, entry.name) is not None

    async def with_id(self, entry_id: int) -> Entry:
        """Return the file of this id, if the sender may see it here. Raises NoSuchEntry."""
        return await self._lookup.with_id(entry_id)

    async def with_ids(self, ids: Sequence[int], *, to_send: bool = False) -> Selection:
        """Return the files of these ids that the sender may see here; ``missing`` has the other numbers.

        ``to_send``: in a room, also private files of the sender's, as :meth:`some`. Raises NoSuchEntry if
        there are none.
        """
        return await self._lookup.with_ids(ids, in_public=self._sender.in_public and not to_send)

    async def exactly(self, wanted: str) -> Entry:
        """Return the file here with this id or whole name, for changes that cannot be undone.

        Names that differ in case alone are told apart. Raises NoSuchEntry (with names that begin so, or
        similar ones), or DuplicateName if several have the name.
        """
        return await self._lookup.exactly(wanted)

    async def some(self, wanted: str) -> Selection:
        """Return the files to send: one as by :meth:`one`, all that match a wildcard, or several by whole
        names or ids.

        In a room they may include a private file of the sender's, which :meth:`send_here` sends to the
        sender alone; do not mention it in public. Raises NoSuchEntry, AmbiguousName, or TooManyFiles if the
        wildcard matches too many.
        """
        return await self._lookup.some(wanted, names_in(wanted))

    async def some_exactly(self, wanted: str) -> Selection:
        """Return the files here of these whole names or ids, for changes that cannot be undone.

        A wildcard matches files that the sender may change, 100 at most; ask with ``ctx.confirm`` what
        was found ``by_pattern``. Raises NoSuchEntry, DuplicateName, TooManyFiles, or NotAllowed if a
        wildcard matches files of others alone.
        """
        return await self._lookup.some_exactly(wanted, names_in(wanted), self._access.must_be_changeable)

    # --- changing -------------------------------------------------------------------------------

    async def keep(
        self,
        offer: Offer,
        *,
        caption: str = "",
        in_room: bool = False,
        source_message: str | None = None,
        came_late: bool = True,
        in_burst: bool = False,
    ) -> IntakeResult:
        """Store a file for the person or, with ``in_room``, for the room spoken in; FileStored is emitted.

        It may have to wait for other files, and FileQueued is emitted then. With ``in_burst``, for one of
        many files sent at once, that is so for the first one that waits only. A file that is in the catalog
        with this ``source_message`` (see ``NewEntry``) is not fetched again, if that ``came_late``.

        Raises NotAllowed, FileGone if the file of this message was removed since, and the errors of a file
        that cannot be fetched or kept, such as TransferError and QuotaExceeded.
        """
        destination = replace(
            self._destination(in_room=in_room, caption=caption),
            source_message=source_message,
            came_late=came_late,
        )
        with not_counted():
            return await self._stored.drops.fetch(offer, destination, in_burst=in_burst)

    async def receive(self, stream: StreamOffer) -> IntakeResult:
        """Store a file that the person's client sends by a stream; FileStored is emitted.

        Raises NotAllowed, and the errors of a file that cannot be had or kept, as :meth:`keep`.
        """
        return await self._stored.drops.receive(stream, Destination(self._access.own(), self._by))

    async def rename(self, entry: Entry, name: str) -> Entry:
        """Rename a file; FileRenamed is emitted. The name is made safe as any other.

        Raises NotAllowed or NoSuchEntry.
        """
        self._access.must_be_changeable(entry)
        return await self._stored.renaming.rename(
            entry, name, self._by, lambda: self._access.must_be_changeable(entry)
        )

    async def remove(self, entry: Entry) -> None:
        """Remove a file; FileRemoved is emitted. Its bytes are removed with the last entry that has them.

        Raises NotAllowed.
        """
        self._access.must_be_changeable(entry)
        is_owner = entry.owner in self._sender.identities
        reason = RemovalReason.OWNER if is_owner else RemovalReason.ADMIN
        await self._stored.removal.remove(
            entry, reason, self._by, lambda: self._access.must_be_changeable(entry)
        )

    def owner(self) -> BareJid:
        """Return the address that owns the sender's private files.

        Raises NotAllowed for people whom the bot does not serve.
        """
        return self._access.own()

    async def change_owner(self, former_owner: Identity) -> int:
        """Make all files of an identity the sender's, private ones and those of rooms; return how many.

        From then on the sender is known to be that occupant, and may send files into the room from a
        private chat. Nobody is asked: be sure that the two are one person, or that the former owner wants
        it. OwnerChanged is emitted for each. Raises NotAllowed, QuotaExceeded or StorageError.
        """
        await self._access.prove(former_owner)
        return await self._stored.handover.hand_over(former_owner, self._access.own(), self._by)

    @property
    def max_file_bytes(self) -> int:
        """Bytes of the largest file that the bot keeps."""
        return self._stored.quota.max_file_bytes

    async def usage(self) -> StorageUsage:
        """Return how much the person stores and may store. Raises NotAllowed for people without an
        identity.
        """
        return await self._stored.quota.usage(self._access.own_here())

    # --- what nobody asked for ------------------------------------------------------------------

    async def keep_unasked(
        self,
        post: IncomingMessage,
        number: int,
        *,
        under: RoomSetting[bool],
        wanted: Wanted,
        from_history: bool = False,
    ) -> IntakeResult | None:
        """Keep a file that somebody posted in a room, as theirs; FileAutoArchived is emitted.

        ``number`` is its place in ``post.offers``. It is kept only while the setting ``under``, which needs
        consent, is on in that room, and if ``wanted`` returns True: it is given the SHA-256 of the file, or
        None where that is not known yet, and asked again when the file is there; it has ten seconds each
        time. Returns None for a file that is not kept. All this does not count as the listener's time.

        Say ``from_history`` if it was posted before the room agreed; the event says so, too. Raises
        whatever :meth:`filebot.files.intake.Intake.fetch` raises.
        """
        with not_counted():
            return await self._of_rooms.unasked.keep(
                post, number, under.key, wanted, from_history=from_history
            )

    async def kept_unasked(self, *, limit: int = 100) -> Sequence[Entry]:
        """Return files of the person that were kept unasked in the room spoken in, 100 at most.

        Raises NotAllowed if the room does not say who the person is.
        """
        return await self._of_rooms.unasked.of(self._sender, limit)

    async def remove_unasked(self, entry: Entry) -> None:
        """Remove a file of :meth:`kept_unasked`, because the person objects; FileRemoved is emitted.

        Raises NotAllowed.
        """
        await self._of_rooms.unasked.remove(entry, self._by)

    # --- sending --------------------------------------------------------------------------------

    async def send_here(self, entry: Entry, method: Method | None = None) -> Method | None:
        """Send the file where the person speaks; return the method used, or None if the file waits for
        them.

        In a room, a file that is not the room's is sent to the person in private; use :meth:`send_to` to
        share it. Without a ``method`` it is sent as a link. If that is impossible, it goes by a stream to
        one of the person's clients, or waits until one is online that takes streams. DeliveryStarted,
        FileDelivered and DeliveryQueued are emitted. Raises NotAllowed, NoTransferMethod, AlreadySending,
        TooManyWaiting, TransferError or StorageError.
        """
        if self._sender.in_public and entry.room != self._sender.room:
            return await self._in_private().send_here(entry, method)
        return await self._outgoing.sending.send(
            self._access, self._by, entry, self._sender.address, method
        )

    async def send_in_chat(self, entry: Entry) -> Method | None:
        """Send the file to the person's own address, where it can go by a stream, and not through the room.

        What is told of it is told there. Returns and raises as :meth:`send_here`.
        """
        person = self._access.own()
        self._access.must_be_sendable(entry, Address(person))
        by = Actor(Sender(Address(person), person), self._by.language)
        return await self._outgoing.sending.send(self._access, by, entry, Address(person))

    def _in_private(self) -> "Files":
        return Files(self._services, self._sender.privately, self._by.language)

    async def recipient(self, target: str) -> Address:
        """Return the room or person that a name or an address stands for, to send something there.

        Only people whom the bot serves are sent anything, so that nobody can bother strangers. Raises
        NotAllowed or NoSuchRecipient.
        """
        return await self._access.destination(target)

    async def send_to(self, entry: Entry, target: str) -> Method | None:
        """Post the file into a room that both the person and the bot are in, or send it to somebody.

        FileShared is emitted for a file that became a room's. Returns and raises as :meth:`send_here`, and
        raises as :meth:`recipient`.
        """
        to = await self.recipient(target)
        room = self._sender.room
        if self._sender.in_public and room not in {
            entry.room,
            to.jid,
        }:  # nothing of it is the room's to read
            return await self._in_private().send_to(entry, target)
        self._access.must_be_sendable(entry, to)
        return await self._outgoing.sending.send(self._access, self._by, entry, to)

    def neighbour(self, name: str) -> str | None:
        """Return the address on the person's own server that a mere name may stand for.

        None for an address, the name of a room that the bot is in, and people whom it does not serve.
        Ask before anything goes there.
        """
        return self._access.neighbour(name)

    def transfers(self) -> Sequence[Transfer]:
        """Return the person's transfers, both running and waiting for a slot. Raises NotAllowed."""
        return self._outgoing.transfers.of(self._access.own_here())

    async def waiting(self) -> Sequence[Waiting]:
        """Return the person's deliveries that wait for their recipient to be online. Raises NotAllowed."""
        return await self._outgoing.worker.waiting(self._access.own())

    async def cancel(self, number: int) -> Waiting | None:
        """Cancel a transfer or a waiting delivery by its number; return the waiting delivery.

        A cancelled transfer reports that by itself. Raises NotAllowed or NoSuchTransfer.
        """
        try:
            self._outgoing.transfers.cancel(self._access.own_here(), number)
        except NoSuchTransfer:
            return await self._outgoing.worker.drop(self._access.own(), number)
        return None
