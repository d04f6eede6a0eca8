"""What the inside needs from the rim: tiny protocols, each with its contract.

Every implementation of a port passes the suite in ``tests/contract`` that has its name, the fakes in
``filebot.testing`` included. All methods may be called from many tasks at once. Cancelling a call is
always allowed and leaves nothing half done that a reader could see.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from filebot.model import (
    Address,
    ArchivePosition,
    BareJid,
    BlobRef,
    Client,
    Digest,
    Entry,
    FileKind,
    HistoryImport,
    HistoryPage,
    Identity,
    Invitation,
    Link,
    MessageRef,
    Method,
    NewEntry,
    Offer,
    QueuedDelivery,
    RememberedRoom,
    RoomRole,
    RoomSettings,
    Scope,
    Sender,
    Slot,
    StreamMethod,
)
from filebot.proxy_state import ProxyState

Data = bytes | bytearray | memoryview

MOST_LANGUAGES_OF_ROOM: Final = 1000
MOST_UNWANTED_OF_ROOM: Final = 10_000


class BlobWriter(Protocol):
    """Takes the bytes of one blob in order. Made by :meth:`BlobStore.create`, used by one task."""

    @property
    def size(self) -> int:
        """Bytes taken so far."""

    async def write(self, data: Data) -> None:
        """Take some bytes; ``data`` must not change afterwards. Waits while too much is in flight.

        Raises StorageFull, now or at a later call, when the disk has no room.
        """

    async def seal(self) -> Mapping[str, bytes]:
        """Wait until all bytes are on disk and return their digests by XEP-0300 name.

        ``sha-256`` is always among them, and every algorithm asked for at creation. Nothing can be
        written afterwards. The blob is not visible yet.
        """

    def keep(self) -> None:
        """Leave the bytes so far for a later writer of the same ``partial`` name, unless committed.

        Without such a name it does nothing.
        """

    async def commit(self) -> BlobRef:
        """Make the sealed blob visible under its digest, durably: after the return it survives a power
        cut. If it is there already, these bytes take its place. The ``partial`` name is free then.
        """


class BlobStore(Protocol):
    """Bytes by what they are. A blob never changes and is visible only whole."""

    def create(
        self, algorithms: Sequence[str] = (), partial: str | None = None, resume_at_most: int = 0
    ) -> AbstractAsyncContextManager[BlobWriter]:
        """Open a writer; leaving the context without ``commit`` or ``keep`` leaves nothing behind.

        ``algorithms`` are further XEP-0300 hash names to compute beside sha-256; each must be one of
        ``filebot.protocol.hashes.KNOWN``. With a ``partial`` name (letters and digits) what is written can
        be kept under it, and a crash keeps it, too. The writer then begins with the first
        ``resume_at_most`` bytes, or fewer, of what is there from before: its ``size`` is where to go on;
        what goes beyond is thrown away. While one of that name is open, another begins empty and keeps
        nothing.
        """

    def read(self, digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from ``offset`` on, in large pieces, never more than a few in memory.

        They are given as they are, whole or not. Raises BlobCorrupt if there is no such blob. Whoever stops
        early closes it.
        """

    def local_file(self, digest: Digest) -> AbstractAsyncContextManager[Path]:
        """A file with the blob's bytes, to read only, for as long as the context is open.

        Raises as :meth:`verify`.
        """

    async def verify(self, digest: Digest) -> None:
        """Raise BlobCorrupt unless there is such a blob and it has its digest.

        Its bytes are read for that, which takes its time, unless that was done lately and nothing speaks
        for a change since.
        """

    async def delete(self, digest: Digest) -> None:
        """Forget the bytes, also where they are set aside. A blob that is not there is not an error."""

    def digests(self, prefix: str = "") -> AsyncIterator[Digest]:
        """All blobs whose digests begin so, in no order.

        Those added or deleted meanwhile may be missing or present.
        """

    async def set_aside(self, digest: Digest) -> None:
        """Take a blob out of use, durably, but keep its bytes. One that is not there is not an error."""

    async def bring_back(self, digest: Digest) -> bool:
        """Take a blob into use again, durably, that was set aside. Return whether it was."""

    async def aside(self) -> Sequence[Digest]:
        """Return all blobs that are set aside, in no order."""

    async def expired(self, older_than_s: float) -> Sequence[Digest]:
        """Return the blobs that were set aside longer ago than this, as far as the clock can be trusted.

        To be asked every hour or so; after a long time without, ages count from then.
        """

    async def forget_aside(self, digest: Digest) -> None:
        """Remove a blob that is set aside. One that is not there is not an error."""

    async def forget_partials(self, older_than_s: float) -> None:
        """Remove the bytes that were kept, or last written, longer ago than this."""

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        """Leave at most so many bytes under names that begin so: the oldest go first.

        What is being written stays.
        """

    async def free_bytes(self) -> int:
        """Room left where the blobs are."""


class ArchivePositions(Protocol):
    """How far message archives have been dealt with. Raises and keeps as the :class:`Catalog`."""

    async def position(self, archive: BareJid) -> ArchivePosition | None:
        """What was saved last for this archive."""

    async def save_position(self, position: ArchivePosition) -> None:
        """Keep it in place of the one before."""

    async def forget_position(self, archive: BareJid) -> None:
        """Know nothing of this archive any more; one that is not known is no mistake."""


class Subscriptions(Protocol):
    """Subscriptions to the presence of an external component, each to one of its addresses.

    An account's server keeps that by itself. Raises and keeps as the :class:`Catalog`.
    """

    async def subscriptions(self) -> Sequence[tuple[BareJid, BareJid]]:
        """Pairs of a person and an address of the bot's, the oldest first."""

    async def keep_subscription(self, person: BareJid, own: BareJid) -> None:
        """Keep a pair; one that is there already stays where it is."""

    async def forget_subscription(self, person: BareJid, own: BareJid) -> None:
        """Know nothing of the pair any more; one that is not known is no mistake."""


class Catalog(ArchivePositions, Subscriptions, Protocol):
    """What is known of each file, and the little that is remembered of people and links.

    Every method that changes something returns only after the change would survive a power cut. All
    raise CatalogUnavailable when the database cannot be used. Names are compared without case and in
    Unicode NFC. Every list is newest first (by id) and has at most ``limit`` rows; the next page begins
    below the id of the last row (``before``).
    """

    async def add(self, new: NewEntry) -> Entry: ...

    async def entry(self, entry_id: int) -> Entry | None: ...

    async def find_by_digest(self, scope: Scope, owner: Identity, digest: Digest) -> Entry | None:
        """The newest entry of this owner in this scope with these bytes."""

    async def find_by_source_message(self, scope: Scope, owner: Identity, message: str) -> Entry | None:
        """The newest entry of this owner in this scope that was made with this ``source_message``."""

    async def find_by_name(self, scope: Scope, name: str) -> Entry | None:
        """The newest entry of this name: of one spelled like that, else of one that differs in case."""

    async def find_by_prefix(self, scope: Scope, prefix: str, limit: int) -> list[Entry]:
        """Entries whose names begin so."""

    async def find_by_glob(self, scope: Scope, pattern: str, limit: int) -> list[Entry]:
        """Entries whose whole name fits a pattern of ``*`` (any run) and ``?`` (one character)."""

    async def page(self, scope: Scope, *, limit: int, before: int | None = None) -> list[Entry]: ...

    async def count(self, scope: Scope) -> int: ...

    async def search(
        self, scope: Scope, words: Sequence[str], *, limit: int, before: int | None = None
    ) -> list[Entry]:
        """Entries with every word somewhere in the name or the caption, as a substring.

        The words are plain text, whatever signs they hold. No words find nothing.
        """

    async def nearest(self, scope: Scope, name: str, limit: int) -> list[str]:
        """Names that somebody who typed ``name`` may have meant, likeliest first, none twice."""

    async def rename(self, entry_id: int, name: str, at: datetime) -> Entry | None:
        """The entry as it is now; None if it is gone."""

    async def remove(self, entry_id: int) -> Entry | None:
        """The entry as it was; None if it is gone already."""

    async def archived(self, room: BareJid, owner: Identity, limit: int) -> list[Entry]:
        """The owner's entries in this room that were kept unasked."""

    async def adopt(self, entry_id: int) -> None:
        """From now on the entry was asked for. One that is gone is not an error."""

    async def has_opted_out(self, room: BareJid, who: Identity) -> bool:
        """Whether this person wants nothing kept unasked in this room."""

    async def set_opted_out(self, room: BareJid, who: Identity, *, out: bool) -> None: ...

    async def count_opted_out(self, room: BareJid) -> int:
        """How many want nothing kept unasked in this room."""

    async def is_unwanted(self, room: BareJid, digest: Digest) -> bool:
        """Whether these bytes came from somebody who wants nothing kept unasked in this room."""

    async def add_unwanted(self, room: BareJid, digest: Digest, who: Identity) -> None:
        """Remember that they came from this person: of each room the last ``MOST_UNWANTED_OF_ROOM``."""

    async def forget_unwanted(self, room: BareJid, who: Identity) -> None:
        """The person does not mind any more."""

    async def has_uploaded(self, urls: Sequence[str]) -> bool:
        """Whether one of these addresses is that of a :class:`Link`; of at most some dozens."""

    async def room_settings(self) -> Mapping[BareJid, RoomSettings]:
        """Those of all rooms of which some were saved."""

    async def save_room_settings(self, room: BareJid, settings: RoomSettings) -> None: ...

    async def history_imports(self) -> list[HistoryImport]:
        """All that are under way, in the order of the rooms."""

    async def save_history_import(self, history_import: HistoryImport) -> None:
        """Keep it, in place of what was known of the same room."""

    async def forget_history_import(self, room: BareJid) -> None:
        """One that is not known is not an error."""

    async def referenced_digests(self, digests: Sequence[Digest]) -> set[Digest]:
        """Which of these (at most 500) some entry refers to."""

    async def is_used(self, digest: Digest) -> bool:
        """Tell whether some entry refers to these bytes: asked before they are deleted.

        A damaged index alone does not make it False. Costs more than :meth:`in_use`.
        """

    async def digests(self, prefix: str) -> set[Digest]:
        """Return the digests that begin so (two digits or more) and that some entry refers to."""

    async def damage(self) -> str | None:
        """Examine the whole database; return the first fault, in words, or None. May take minutes."""

    async def used_by(self, owner: Identity) -> tuple[int, int]:
        """How many entries somebody owns, and their bytes, the same bytes counted once."""

    async def used_in(self, room: BareJid) -> tuple[int, int]:
        """How many entries a room has, and their bytes, the same bytes counted once."""

    async def oldest(self, scope: Scope, limit: int) -> list[Entry]:
        """The entries that were there first; unlike all others, this list begins with the oldest."""

    async def hand_over(self, owner: Identity, to: Identity, limit: int) -> Sequence[Entry]:
        """Make the oldest entries of one owner another's; return them as they are now.

        The owner has no more of them when fewer than ``limit`` are returned.
        """

    async def release(self, room: BareJid, limit: int) -> Sequence[tuple[Entry, Entry | None]]:
        """Make the oldest entries of a room private ones of their owners; return each before and after.

        An owner who has the same bytes by the same name in private has them once: then the room's entry is
        removed, and there is None after it. The room has no more entries when fewer than ``limit`` are
        returned.
        """

    async def clear_room(self, room: BareJid) -> None:
        """Forget the room's settings, the wishes of its people, the languages of those whom only the room
        tells apart, and the import of its history.
        """

    async def used_in_all(self) -> tuple[int, int]:
        """Number and bytes of all entries, the same bytes counted once."""

    async def link(self, digest: Digest, name: str) -> Link | None:
        """The newest upload of these bytes under this name."""

    async def save_link(self, link: Link) -> None: ...

    async def forget_links(self, digest: Digest) -> None: ...

    async def language(self, person: Identity) -> str | None:
        """The language that this person chose."""

    async def set_language(self, person: Identity, language: str | None) -> None:
        """Remember a choice, or with None that there is none.

        Of those whom nothing but a room tells apart, at most ``MOST_LANGUAGES_OF_ROOM`` of each room are
        remembered: a room's service can make up any number. Whose first choice is the oldest makes way.
        """

    async def deliveries(self) -> list[QueuedDelivery]:
        """All of them, the lowest number first. A parcel goes with its entry when that is removed."""

    async def add_delivery(self, delivery: QueuedDelivery) -> bool:
        """Keep a parcel whose number no other has; False, and nothing is kept, if its entry is gone."""

    async def count_tries(self, number: int, tries: int) -> None:
        """Set how often a parcel was tried. One that is gone stays gone."""

    async def remove_delivery(self, number: int) -> bool:
        """Whether it was there."""

    async def rooms(self) -> list[RememberedRoom]:
        """All of them, in the order of their addresses."""

    async def remember_room(self, room: RememberedRoom) -> None:
        """Keep it, in place of what was known of the same address."""

    async def forget_room(self, jid: BareJid) -> None:
        """One that is not known is not an error."""


class Queue(Protocol):
    """Deliveries that are under way or wait, as far as the removal of files must know of them."""

    def forget_entry(self, entry_id: int) -> None:
        """The catalog has removed an entry, and with it its deliveries."""


class Download(Protocol):
    """A file on its way to us, by whatever method."""

    @property
    def size(self) -> int | None:
        """Bytes of the whole file, as announced by the other side."""

    @property
    def name(self) -> str | None:
        """The name that the other side gives the file, raw."""

    @property
    def media_type(self) -> str | None: ...

    @property
    def late_hashes(self) -> Mapping[str, bytes]:
        """Hashes of the whole file that came after or beside the bytes, as in ``Offer.hashes``.

        To be read after the last chunk (XEP-0234, ``checksum``). Empty where a method knows no such thing,
        and where the peer sent none in time.
        """

    def chunks(self) -> AsyncGenerator[Data, None]:
        """The bytes in order, each once; a piece belongs to the taker and does not change any more.

        While none is asked for, none is read from the network beyond a bound. Whoever stops early closes
        it. Raises PeerGone, TransferTimeout, Refused, SizeMismatch or PeerProtocolError.
        """


class StreamOffer(Protocol):
    """A file that a peer wants to send by a stream (XEP-0095, XEP-0096). Answer it exactly once."""

    @property
    def sender(self) -> Sender:
        """Who offers it; the address is the full JID of the client."""

    @property
    def offer(self) -> Offer:
        """What is said of the file. It has no URLs."""

    @property
    def language(self) -> str | None: ...

    @property
    def resumable(self) -> bool:
        """Whether the peer can begin at an offset (XEP-0096, ranged transfers)."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Take the file, from ``offset`` on; its chunks begin there. The stream is negotiated on entering.

        Leaving the context ends the session and frees all; by then the bytes are checked against their
        hashes, so leaving it without an exception means that the file has arrived. Raises TransferError.
        """

    async def refuse(self, text: str) -> None:
        """Decline (XEP-0096, forbidden), with words for the person."""


class FileRequest(Protocol):
    """A file that a peer asks for (XEP-0234, "Requesting a File"). Answer it exactly once."""

    @property
    def sender(self) -> Sender:
        """Who asks; the address is the full JID of the client."""

    @property
    def offer(self) -> Offer:
        """What is said of the file: its name, hashes, or both. Nothing in it is checked."""

    @property
    def language(self) -> str | None: ...

    async def send(self, file: Path, entry: Entry, progress: Callable[[int], None]) -> Method:
        """Send it, or the part that was asked for; as :meth:`Streams.send`."""

    async def refuse(self, text: str) -> None:
        """Decline, with words for the person."""


class Streams(Protocol):
    """Sending files by streams to clients that are online."""

    async def clients(self, jid: BareJid) -> Sequence[Client]:
        """The person's clients that take files by a stream, the likeliest to be used first.

        Each with the streams that the bot can do as well; none for who is offline or whose presence the
        bot does not see.
        """

    async def present(self, jid: BareJid) -> Sequence[Client]:
        """All of the person's clients that the bot sees online, in the same order.

        Those that take no files by a stream have none.
        """

    def addresses(self) -> Sequence[str]:
        """The hosts at which clients can reach the bot directly, as its operator named them; maybe none."""

    async def proxies(self) -> Mapping[str, ProxyState]:
        """The SOCKS5 proxies of the bot's server by JID, and whether each let the bot in just now.

        Takes some seconds at most. Never raises TransferError.
        """

    async def in_band_rate(self, to: str) -> float:
        """Measure for a few seconds how fast bytes go to a client in-band, in bytes per second.

        ``to`` is the full JID of a client that is online: of one that has left, its server would be
        measured. Nothing is shown there, and not much is sent. Raises PeerGone, TransferTimeout if nothing
        comes back, or PeerProtocolError.
        """

    async def send(
        self, to: str, file: Path, entry: Entry, way: StreamMethod, progress: Callable[[int], None]
    ) -> Method:
        """Offer the file to one client and send it; waits for the person to accept.

        ``to`` is a full JID. SOCKS5 may end up in-band, within the same session, where the client can do
        that: returns by which method the file went. ``progress`` is told how far in the file it is, now
        and then; it begins where the client asks, which may have a part already. Returns when the client
        has the last byte, as far as the method can tell. Raises TransferError: Refused(403) if the person
        declines, PeerGone, TransferTimeout, PeerProtocolError.
        """


class HttpTransfer(Protocol):
    """Moves files by HTTP under the address policy. Raises TransferError and what is under it."""

    def get(
        self, url: str, offset: int = 0, *, hashed: bool = False
    ) -> AbstractAsyncContextManager[Download]:
        """Open a download, following redirects that the policy allows.

        Its chunks begin at ``offset``, whether or not the server can begin there (RFC 9110 section 14);
        its size is that of the whole file. Raises PeerProtocolError if the file is shorter than that.

        What comes after a break is joined to what came before only if the server shows that it is of the
        same file, or if the caller checks a hash over the whole: ``hashed``, which an offset implies. Else
        the chunks raise Unresumable.
        """

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = ...
    ) -> None:
        """Upload a file, which must not change meanwhile; returns when the server has it (any 2xx).

        ``moved`` is told all bytes sent so far, now and then.
        """

    async def alive(self, url: str, size: int) -> bool:
        """Whether a file of this size is still there, as far as can be told without reading it.

        Never raises TransferError.
        """


class UploadService(Protocol):
    """HTTP file upload of the bot's server (XEP-0363)."""

    async def size_limit(self) -> int | None:
        """The largest file in bytes; None if the service names no limit. Raises NoUploadService."""

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        """Ask for a place. ``name`` is a safe display name.

        Raises NoUploadService, TooLargeForService, ServiceQuotaReached or ServiceRefused.
        """

    def hosts(self) -> frozenset[str]:
        """Host names known to serve this service's files; they grow as slots are given."""


class Messenger(Protocol):
    """Says things to addresses. Returns when the stanza is handed to the stream, which delivers it or,
    under stream management, keeps it for the next connection. Never raises for a peer's sake.
    """

    async def say(
        self,
        to: Address,
        text: str,
        *,
        language: str | None = None,
        replaces: str | None = None,
        answers: MessageRef | None = None,
    ) -> str:
        """Say something and return an id for it.

        A long text goes in several messages, and the id is that of the last one; a correction is cut to
        one. ``replaces`` corrects what has that id (XEP-0308); ``answers`` is what it replies to
        (XEP-0461).
        What is said to a room waits its turn if there is too much of it, and until the bot is back if it is
        out of the room; after ten minutes it is given up.
        """

    async def shows_corrections(self, to: Address) -> bool:
        """Whether every client of the person that is online shows a correction in place."""

    async def send_file(self, to: Address, entry: Entry, url: str) -> None:
        """A message that every client shows as a file (XEP-0066, 0447, 0385)."""

    async def composing(self, to: Address, active: bool) -> None:
        """Show, or stop showing, that an answer is being worked on (XEP-0085)."""


class Rooms(Protocol):
    """The rooms that the bot is in, as the server describes them."""

    @property
    def prefix(self) -> str:
        """The signs before a command there, beside the bot's name."""

    def joined(self) -> frozenset[BareJid]: ...

    def configured(self) -> frozenset[BareJid]:
        """Those that the operator wrote into the config."""

    def address_in(self, target: str) -> BareJid | None:
        """The address of a room in what people write, such as ``xmpp:team@muc.example.org?join``."""

    async def join(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> RememberedRoom:
        """Be in this room from now on, in later sessions as well; ``password`` may be empty.

        ``invited_by`` is for whose sake; None for those who run the bot. They vouch for the room's service:
        only then, or if it is the bot's own server's, are the real JIDs that it shows believed. Where the
        bot is, or wants to be, for somebody's sake already, nobody but those who run it takes that over.

        Returns when the bot is in it, which takes seconds, with what is to be remembered; if it is in
        already, a password of those who run it is for the next time. Raises RoomClosed, and tries no more
        then unless it wanted to be there before.
        """

    async def leave(self, room: BareJid) -> None:
        """Leave it, and do not come back. A room that the bot is not in is not an error."""

    def decline(self, invitation: Invitation, words: str) -> None:
        """Have a mediated invitation's room tell the inviter why the bot does not come."""

    def room_role(self, room: BareJid, who: Identity) -> RoomRole | None:
        """What somebody may do in a room; None if the room does not show them among those present.

        It is as the room says it at this moment (XEP-0045 sections 5 and 7.2.3): ask when acting, not when
        somebody speaks. With several clients in it, a person has the least that one of them has.
        """

    async def show_archiving(self, room: BareJid, *, is_on: bool) -> None:
        """Let the bot's presence there say, now and in later sessions, whether it keeps what is posted."""

    def has_voice(self, room: BareJid) -> bool:
        """Whether the bot may speak to everybody there (XEP-0045 section 5.1)."""

    def tells_apart(self, room: BareJid) -> bool:
        """Whether the room gives its occupants ids: later, they tell who posted what (XEP-0421)."""

    async def joined_room(self, target: str) -> BareJid | None:
        """Return the joined room with this address, or None.

        Waits some seconds for a room that the bot is just entering, as it is after each start.
        """


class Histories(Protocol):
    """What was said in rooms before, as they keep it."""

    async def page(self, room: BareJid, after: str, since: datetime | None) -> HistoryPage:
        """The messages after this id, or from this moment on; some dozens at most, and fewer large ones.

        What the bot posted, or another filebot, is not among the posts.

        One page of a room is read at a time. Raises NoHistory, TransferTimeout if nothing is answered, or
        PeerGone if the bot is not in the room.
        """


class Inspector(Protocol):
    """Tells what a file is from its content."""

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        """Never raises for the content's sake. ``claimed`` is the sender's media type, a mere hint."""
