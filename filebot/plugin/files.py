"""The files as one person sees them: found by what people type, changed by who may change them."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Final

from filebot.delivery.context import DeliveryRequest
from filebot.delivery.diagnostics import Diagnosis
from filebot.delivery.worker import Waiting
from filebot.errors import (
    AmbiguousName,
    DuplicateName,
    NoSuchEntry,
    NoSuchRecipient,
    NoSuchTransfer,
    NotAllowed,
    TooManyFiles,
)
from filebot.filenames import UNNAMED, name_from_url, plain_text, safe_name
from filebot.files.access import unknown
from filebot.files.intake import Destination, Received
from filebot.files.selection import Selection, select
from filebot.files.transfers import Direction, Transfer
from filebot.model import (
    Address,
    AddressKind,
    BareJid,
    Entry,
    Identity,
    Method,
    Offer,
    Scope,
    Sender,
    Usage,
)
from filebot.plugin.command_syntax import names_in
from filebot.ports import StreamOffer
from filebot.rooms.claims import Claim, Claimed
from filebot.services import Services

WILDCARD_LIMIT: Final = 10
"""Files that one wildcard sends at once."""

SUGGESTIONS: Final = 3

_ID = re.compile(r"#?([0-9]{1,15})")
_WILDCARD = re.compile(r"[*?]")
_JID = re.compile(r"[^\s/@\"&'<>:]{1,1023}@[^\s/@\"&'<>]{1,1023}")


class Files:
    """What one sender may see and do, where that sender is speaking.

    In a private chat that is the person's own files; in a room, or in a private message through it, the
    room's. Only what is to be sent is looked for among the person's own files, too, if the room has none of
    that name. Who is not served can own files of a room all the same, as whoever the room says they are.
    """

    def __init__(self, services: Services, sender: Sender, language: str | None = None) -> None:
        self._services = services
        self._sender = sender
        self._language = language
        self._owner: BareJid | None = sender.jid if services.access.serves(sender.jid) else None

    # --- finding --------------------------------------------------------------------------------

    async def page(self, *, limit: int, before: int | None = None) -> list[Entry]:
        """The newest files here, below the id ``before``."""
        return await self._services.ports.catalog.page(self._here(), limit=limit, before=before)

    async def count(self) -> int:
        """How many files there are here."""
        return await self._services.ports.catalog.count(self._here())

    async def search(self, words: str, *, limit: int, before: int | None = None) -> list[Entry]:
        """Files here with all of these words in their name or caption, newest first."""
        return await self._services.ports.catalog.search(
            self._here(), words.split(), limit=limit, before=before
        )

    async def one(self, wanted: str) -> Entry:
        """The one file here that is meant by a name in any case, an id, or the beginning of a name.

        Of several of one name the newest. Raises NoSuchEntry (with the nearest names) or AmbiguousName.
        """
        return await self._one(wanted, (self._here(),), in_public=self._sender.in_public)

    async def exactly(self, wanted: str) -> Entry:
        """The one file here of this id or whole name: what is done to it cannot be undone.

        Spelling decides between names that differ in case alone. Raises NoSuchEntry (with names that begin
        so, or the nearest), or SameName if several are called so.
        """
        catalog, here, wanted = self._services.ports.catalog, self._here(), plain_text(wanted)
        newest = await catalog.find_by_name(here, wanted)
        beginning = await catalog.find_by_prefix(here, wanted, limit=50) if wanted else []
        if newest is not None:
            called = [entry for entry in beginning if entry.name == newest.name]
            if len(called) > 1:
                raise DuplicateName(newest.name, ids=tuple(entry.id for entry in called))
            return newest
        entry = await self._by_id(wanted, in_public=self._sender.in_public)
        if entry is not None:
            return entry
        names = tuple(dict.fromkeys(each.name for each in beginning))[:SUGGESTIONS]
        raise NoSuchEntry(wanted, suggestions=names or await self._nearest(wanted))

    async def _one(self, wanted: str, scopes: Iterable[Scope], *, in_public: bool) -> Entry:
        wanted = plain_text(wanted)
        entry = await self._called(wanted, scopes, in_public=in_public) or await self._by_prefix(wanted)
        if entry is None:
            raise NoSuchEntry(wanted, suggestions=await self._nearest(wanted))
        return entry

    async def _called(self, wanted: str, scopes: Iterable[Scope], *, in_public: bool) -> Entry | None:
        """Return the file of this whole name in any case, or of this id."""
        for scope in scopes:
            entry = await self._services.ports.catalog.find_by_name(scope, wanted)
            if entry is not None:
                return entry
        return await self._by_id(wanted, in_public=in_public)

    async def _nearest(self, wanted: str) -> tuple[str, ...]:
        return tuple(await self._services.ports.catalog.nearest(self._here(), wanted, SUGGESTIONS))

    async def some(self, wanted: str) -> Selection:
        """The files to be sent: one, as by :meth:`one`, those here that fit a wildcard, or several that are
        named by their whole names or ids.

        In a room, it may be one that the sender may see and the room may not: :meth:`send_here` gives it to
        them alone. Nothing is to be said of it in public.

        Raises TooManyFiles if the wildcard fits more than are sent at once.
        """
        if not _WILDCARD.search(wanted):
            return await self._one_or_several(wanted)
        entries = await self._services.ports.catalog.find_by_glob(
            self._here(), plain_text(wanted), WILDCARD_LIMIT + 1
        )
        if not entries:
            raise NoSuchEntry(wanted)
        if len(entries) > WILDCARD_LIMIT:
            raise TooManyFiles(count=len(entries), limit=WILDCARD_LIMIT, wildcard=wanted)
        return Selection(entries)

    async def _one_or_several(self, wanted: str) -> Selection:
        scopes = tuple(self._scopes())
        try:
            return Selection([await self._one(wanted, scopes, in_public=False)])
        except NoSuchEntry:
            names = [plain_text(name) for name in names_in(wanted)]
            if not 1 < len(names) <= WILDCARD_LIMIT:
                raise
            with suppress(NoSuchEntry):
                return await select(names, partial(self._called, scopes=scopes, in_public=False))
            raise

    async def usage(self) -> Usage:
        """How much the person stores and may store. Raises NotAllowed for whom nobody can tell apart."""
        return await self._services.quota.usage(self._own_here())

    async def diagnose(self) -> Diagnosis:
        """Test by which ways files reach the person; takes some seconds.

        Raises NotAllowed, ExaminationUnderWay or StorageError.
        """
        address = self._sender.address
        client = address if address.kind is AddressKind.CHAT else None
        return await self._services.diagnostics.examine(self._own(), client)

    # --- the room's archive ---------------------------------------------------------------------

    async def opt_out(self) -> int:
        """As :meth:`filebot.rooms.auto_archive.Archive.opt_out`, in the room spoken in."""
        return await self._services.archive.opt_out(self._sender)

    async def opt_in(self) -> None:
        """As :meth:`filebot.rooms.auto_archive.Archive.opt_in`."""
        await self._services.archive.opt_in(self._sender)

    # --- claiming -------------------------------------------------------------------------------

    def begin_claim(self) -> Claim:
        """A code by which an occupant shows, in a private chat, to be the one who writes there.

        Raises NotAllowed if the room does not tell its occupants apart.
        """
        if self._sender.occupant is None:
            raise unknown(self._sender)
        return self._services.claims.begin(self._sender.occupant)

    async def claim(self, code: str) -> Claimed:
        """Make the files of the occupant who was given this code the sender's.

        Raises NotAllowed, NoSuchClaim, NoRoomForClaim or StorageError.
        """
        return await self._services.claims.redeem(code, self._own())

    async def claim_here(self) -> Claimed:
        """As :meth:`claim`, where the room itself says who the occupant is.

        Raises NotAllowed, NoRoomForClaim or StorageError.
        """
        owner = self._own()
        if self._sender.occupant is None:
            raise unknown(self._sender)
        return await self._services.claims.hand_over(self._sender.occupant, owner)

    # --- changing -------------------------------------------------------------------------------

    async def keep(
        self,
        offer: Offer,
        *,
        caption: str = "",
        in_room: bool = False,
        source_message: str | None = None,
        in_burst: bool = False,
    ) -> Received:
        """Take a file in, for the person or, with ``in_room``, into the room spoken in.

        It may have to wait for others that are on their way: FileQueued tells of that; ``in_burst`` of the
        first that waits only, where one act of a person brings many files.

        What is in the catalog with this ``source_message`` (see ``NewEntry``) is not fetched again.

        Raises NotAllowed, and whatever :meth:`filebot.files.intake.Intake.fetch` raises.
        """
        room = self._sender.room if in_room else None
        may_own = self._own if room is None else partial(self._speaking_in, room)
        destination = Destination(may_own(), room, caption, source_message=source_message, recheck=may_own)
        in_private = not self._sender.in_public
        async with self._moving(offer, Method.HTTP, in_burst=in_burst) as transfer:
            received = await self._services.intake.fetch(offer, destination, transfer)
        if in_private and not received.already_known:
            self._services.announcer.add(received.entry)  # said to everybody otherwise
        return received

    def expires_at(self, entry: Entry) -> datetime | None:
        """When a file goes by itself, because its room wants it so; in UTC. None for never."""
        return self._services.retention.expires_at(entry)

    async def receive(self, stream: StreamOffer) -> Received:
        """Take in a file that the person's client sends by a stream.

        Raises NotAllowed, and whatever :meth:`filebot.files.intake.Intake.receive` raises.
        """
        destination = Destination(self._own())
        async with self._moving(stream.offer, Method.SOCKS5, in_burst=True) as transfer:
            return await self._services.intake.receive(stream, destination, transfer)

    async def rename(self, entry: Entry, name: str) -> Entry:
        """Give a file another name, cleaned as any name. Raises NotAllowed or NoSuchEntry."""
        self._must_be_changeable(entry)
        renamed = await self._services.ports.catalog.rename(
            entry.id, safe_name(name), self._services.ports.clock()
        )
        if renamed is None:
            raise NoSuchEntry(entry.name)
        return renamed

    async def remove(self, entry: Entry) -> None:
        """Remove a file; its bytes go with the last row that has them. Raises NotAllowed."""
        self._must_be_changeable(entry)
        await self._services.removal.remove(entry, lambda: self._must_be_changeable(entry))

    # --- sending --------------------------------------------------------------------------------

    async def send_here(self, entry: Entry, method: Method | None = None) -> Method | None:
        """Send the file where the person speaks; returns how it went, or None if it waits for them.

        In a room, what is not the room's goes to them in private: to share is to :meth:`send_to` the room.
        Without a ``method`` it is a link; where that cannot be, it goes by a stream to a client of the
        person's that takes such, or waits until one is online. FileGoes, FileSent and FileWaits tell of it.
        Raises NotAllowed, NoTransferMethod, AlreadySending, TooManyWaiting, TransferError or StorageError.
        """
        if not self._sender.in_public or entry.room == self._sender.room:
            return await self._send(entry, self._sender.address, method)
        return await Files(self._services, self._sender.privately, self._language).send_here(entry, method)

    async def send_to(self, entry: Entry, target: str) -> Method | None:
        """Post the file into a room that both the person and the bot are in, or send it to somebody.

        Only people whom the bot serves are sent anything: it is no way to bother strangers. Returns and
        raises as :meth:`send_here`; NoSuchRecipient, too.
        """
        sender, room = self._own(), await self._services.ports.rooms.joined_room(target)
        if room is None:
            address = Address(self._recipient(target))
        elif self._services.ports.rooms.room_role(room, sender) is None:
            raise NoSuchRecipient(target)
        else:
            address = Address(room, AddressKind.ROOM)
        self._must_be_for(entry, address)
        return await self._send(entry, address, None)

    def transfers(self) -> Sequence[Transfer]:
        """The person's files that are moving just now. Raises NotAllowed."""
        return self._services.transfers.of(self._own_here())

    async def waiting(self) -> Sequence[Waiting]:
        """What the person asked for and what waits for somebody to be online. Raises NotAllowed."""
        return await self._services.worker.waiting(self._own())

    async def cancel(self, number: int) -> Waiting | None:
        """Stop a file that moves, which tells of it by itself, or drop one that waits, and return that.

        Raises NotAllowed or NoSuchTransfer.
        """
        try:
            self._services.transfers.cancel(self._own_here(), number)
        except NoSuchTransfer:
            return await self._services.worker.drop(self._own(), number)
        return None

    async def _send(self, entry: Entry, to: Address, method: Method | None) -> Method | None:
        becomes_shared = to.kind is AddressKind.ROOM and entry.room != to.jid
        if becomes_shared and entry.owner != self._owner:
            raise NotAllowed(reason="owner")
        if to.kind is AddressKind.ROOM:
            self._must_be_postable(entry, to.jid)
        if becomes_shared:  # before anything is uploaded; what counts is the moment of sharing
            async with self._services.quota.share(entry.owner, to.jid, entry.blob.size):
                pass

        async def ready() -> None:
            self._must_be_for(entry, to)
            if becomes_shared:
                # Before the room hears of it: whoever asks for it then must find it.
                await self._services.sharing.share(
                    entry, to.jid, lambda: self._must_have_voice(to.jid, self._own())
                )

        order = DeliveryRequest(self._sender, self._language, entry, to, method, ready)
        used = await self._services.worker.send(order)
        if used is not None:
            await self._services.events.tell(order.sent(used))
        return used

    def _must_be_postable(self, entry: Entry, room: BareJid) -> None:
        """The bot may speak there, and somebody else's file is for all who are present."""
        if not self._services.ports.rooms.has_voice(room):
            raise NotAllowed(reason="mute")
        if (
            entry.owner not in self._sender.identities
            and self._services.room_settings.of(room).members_only
        ):
            raise NotAllowed(reason="members")

    @asynccontextmanager
    async def _moving(self, offer: Offer, method: Method, *, in_burst: bool) -> AsyncIterator[Transfer]:
        """A file that comes in, shown to its person, when its turn has come."""
        name, direction = name_of(offer) or UNNAMED, Direction.TO_BOT
        shown = self._services.transfers.running(
            self._sender, self._language, name, direction, method, offer.size
        )
        with shown as transfer:
            async with self._services.slots.taken(transfer, self._sender.room, in_burst=in_burst):
                yield transfer

    def _recipient(self, target: str) -> BareJid:
        bare = target.split("/", 1)[0].lower()
        if not _JID.fullmatch(bare) or not self._services.access.serves(bare):
            raise NoSuchRecipient(target)
        return bare

    # --- what the sender may see ----------------------------------------------------------------

    def _here(self) -> Scope:
        """The scope spoken in."""
        if self._sender.room is None:
            return Scope(owner=self._own())
        if not self._may_read(self._sender.room):
            raise NotAllowed(reason="members")
        return Scope(room=self._sender.room)

    def _scopes(self) -> list[Scope]:
        scopes = [self._here()]
        if self._owner is not None and self._sender.room is not None:
            scopes.append(Scope(owner=self._owner))
        return scopes

    async def _by_id(self, wanted: str, *, in_public: bool) -> Entry | None:
        match = _ID.fullmatch(wanted)
        entry = await self._services.ports.catalog.entry(int(match[1])) if match else None
        return entry if entry is not None and self._may_see(entry, in_public=in_public) else None

    async def _by_prefix(self, wanted: str) -> Entry | None:
        if not wanted:
            return None
        # Only here: in public, the beginning of a name must not bring up a private file.
        entries = await self._services.ports.catalog.find_by_prefix(self._here(), wanted, limit=50)
        names = list(dict.fromkeys(entry.name for entry in entries))
        if len({name.casefold() for name in names}) > 1:
            raise AmbiguousName(wanted, candidates=tuple(names[:SUGGESTIONS]))
        return entries[0] if entries else None

    def _may_see(self, entry: Entry, *, in_public: bool) -> bool:
        if any(scope.covers(entry) for scope in self._scopes()):
            return True
        if self._owner is None or in_public:
            return False
        return entry.owner == self._owner or (entry.room is not None and self._may_read(entry.room))

    def _may_read(self, room: BareJid) -> bool:
        """Whether the room's files are for the sender; asked when acting.

        In the room spoken in, being there is enough, also for people of whom it tells nothing, unless its
        admins want otherwise.
        """
        if room == self._sender.room and not self._services.room_settings.of(room).members_only:
            return True
        return self._services.access.is_admin(self._sender.jid) or any(
            self._services.room_settings.lets_read(room, each) for each in self._sender.identities
        )

    def _own(self) -> BareJid:
        """Whose private files these are."""
        if self._owner is None:
            raise unknown(self._sender) if self._sender.jid is None else NotAllowed(reason="unserved")
        return self._owner

    def _own_here(self) -> Identity:
        """As whom the sender owns files where they speak."""
        if self._sender.room is None:
            return self._own()
        identity = self._sender.identity
        if identity is None:
            raise unknown(self._sender)
        if self._services.access.denies(self._sender):
            raise NotAllowed(reason="unserved")
        return identity

    def _speaking_in(self, room: BareJid) -> Identity:
        """As whom the sender puts files into the room."""
        identity = self._own_here()
        self._must_have_voice(room, identity)
        return identity

    def _must_have_voice(self, room: BareJid, who: Identity) -> None:
        room_role = self._services.ports.rooms.room_role(room, who)
        if room_role is None or not room_role.has_voice:
            raise NotAllowed(reason="voice")

    def _must_be_for(self, entry: Entry, to: Address) -> None:
        """Called again right before the file goes: whoever asked may have been put out meanwhile."""
        if to.kind is AddressKind.ROOM and entry.room != to.jid:
            self._must_have_voice(to.jid, self._own())
        elif to.kind is not AddressKind.ROOM and not self._may_see(entry, in_public=self._sender.in_public):
            raise NoSuchEntry(entry.name)

    def _must_be_changeable(self, entry: Entry) -> None:
        """Called right before the change: affiliations of the moment when somebody spoke may be gone."""
        access, rooms = self._services.access, self._services.ports.rooms
        if entry.room is not None and access.manages(rooms, self._sender, entry.room):
            return
        self._own_here()
        if not access.may_change(self._sender, entry):
            raise NotAllowed(reason="owner")


def name_of(offer: Offer) -> str:
    """What to call a file of which no byte has come yet; empty if nobody named it."""
    offered = offer.name or (name_from_url(offer.urls[0]) if offer.urls else None)
    return safe_name(offered) if offered else ""
