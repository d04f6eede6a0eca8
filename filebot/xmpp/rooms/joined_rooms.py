"""The rooms that the bot keeps itself in (XEP-0045), and the ``Rooms`` port.

slixmpp's own plugin is not used: it announces PEP features that nothing here serves, does not come back
from a kick, waits for a room's subject, and keeps the real JIDs of a room after its stream is gone. Rights
depend on those JIDs, so they are kept in ``occupants``, which forgets them in time; ``trust`` tells which
services are believed about them, and ``keeper`` joins the rooms.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import CannotEnterRoom
from filebot.model import Address, BareJid, Identity, Invitation, Occupant, RememberedRoom, RoomRole
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.rooms.keeper import ENTRIES, NOWHERE, SILENT, KeptRoom, RoomKeeper, Stays
from filebot.xmpp.rooms.occupants import Change, OccupantList, RoomChange
from filebot.xmpp.rooms.trust import RoomTrust, service_of
from filebot.xmpp.xml import MUC_USER, jid_or_none

log = logging.getLogger(__name__)

ENTERING_LIMIT_S: Final = 10.0
"""How long a command about a room waits until the bot has entered it."""

MOST_ROOMS: Final = 500
MOST_INVITED: Final = 200
"""Most rooms by invitation, so that some are left for the people who run the bot."""
MOST_INVITED_BY_ONE: Final = 10

OUTSIDE: Final = frozenset({"not-acceptable", "item-not-found"})
"""The answer to who speaks in a room without being there (section 7.4), or where there is no room."""

# Section 7.2: by which conditions a room says why it lets nobody in.
_CLOSED: Final = {
    "forbidden": "banned",
    "registration-required": "members",
    "not-authorized": "password",
    "gone": "none",
    NOWHERE: "none",
    SILENT: "silent",
    "remote-server-not-found": "silent",
    "remote-server-timeout": "silent",
}


class JoinedRooms:
    """The ``Rooms`` port; also what the reader of messages asks."""

    def __init__(
        self,
        stream: Stream,
        settings: SessionSettings,
        stays: Stays,
        on_shut_out: Callable[[BareJid, bool], Awaitable[None]],
    ) -> None:
        """``on_shut_out`` is told of rooms to which the bot does not come back, and whether they were
        destroyed.
        """
        self._stream = stream
        self._settings = settings
        self._stays = stays
        self._rooms = {jid: KeptRoom(self._new_list(jid)) for jid in _addresses(settings.rooms)}
        self.addresses: Final[Collection[BareJid]] = self._rooms.keys()
        """Rooms that the bot is in or wants to be in, at any time."""
        self._configured = frozenset(self._rooms)
        self._shut_out = on_shut_out
        self._changing = KeyedLocks[asyncio.Lock](asyncio.Lock)
        self._trust = RoomTrust(stream, self._named)
        self._keeper = RoomKeeper(stream, settings, stays, self._trust, self._configured, self._ended)

    # --- what others ask ------------------------------------------------------------------------

    @property
    def prefix(self) -> str:
        """Characters before a command in a room; they may be replaced."""
        return self._keeper.prefix

    @prefix.setter
    def prefix(self, prefix: str) -> None:
        self._keeper.prefix = prefix

    def joined(self) -> frozenset[BareJid]:
        return frozenset(jid for jid, room in self._rooms.items() if room.occupants.present)

    def configured(self) -> frozenset[BareJid]:
        return self._configured

    def address_in(self, target: str) -> BareJid | None:
        address = jid_or_none(target.strip().removeprefix("xmpp:").partition("?")[0])
        return address.bare if address is not None and address.node else None

    def room_role(self, room: BareJid, who: Identity) -> RoomRole | None:
        return self._occupants(room).room_role(who)

    def nick_of(self, room: BareJid, who: Identity) -> str:
        return self._occupants(room).nick_of(who)

    async def joined_room(self, target: str) -> BareJid | None:
        address = self.address_in(target)
        return address if address and await self.until_in(address, ENTERING_LIMIT_S) else None

    def nick_in(self, room: BareJid) -> str:
        """Return the bot's nick there now; empty for a room that is none of ours."""
        return self._occupants(room).nick

    def believes(self, room: BareJid) -> bool:
        """Whether what the room's service says of real JIDs counts, whether or not the bot is there."""
        return self._trust.believes(room)

    def occupant(self, room: BareJid, nick: str) -> Occupant:
        """Return the occupant with this nick; nobody while the bot is not in the room."""
        return self._occupants(room).occupant(nick)

    def is_filebot(self, room: BareJid, nick: str) -> bool:
        return self._occupants(room).is_filebot(nick)

    def gives_stanza_ids(self, room: BareJid) -> bool:
        return self._occupants(room).has_stanza_ids

    def author(self, room: BareJid, stanza: Element) -> Occupant | None:
        """Return the author of a message out of the room's archive, by the id that the room gave it."""
        return self._occupants(room).author(stanza)

    def is_ours_in(self, room: BareJid, stanza: Element) -> bool:
        """Whether the bot wrote a message out of the room's archive."""
        return self._occupants(room).is_ours(stanza)

    async def follow(self, room: BareJid, note: str) -> None:
        # Also if nothing changes: a crash may have come between the setting and what follows from it.
        await self._stays.switch(room, is_on=bool(note))
        if self._keeper.notes.get(room, "") == note:
            return
        self._keeper.notes[room] = note
        if not note:
            del self._keeper.notes[room]
        if room in self.joined():
            self._keeper.show_status(self._rooms[room])

    def has_voice(self, room: BareJid) -> bool:
        return self._occupants(room).has_voice

    def tells_apart(self, room: BareJid) -> bool:
        return self._occupants(room).has_ids

    def is_same_occupant(self, address: Address) -> bool:
        """Whether a nick still belongs to whom it belonged to; those without an identity are all alike."""
        room, _, nick = address.jid.partition("/")
        return self.occupant(room, nick).identity == address.occupant

    def _occupants(self, room: BareJid) -> OccupantList:
        """Return the occupants of a room; an empty list for one that is none of ours."""
        return self._rooms[room].occupants if room in self._rooms else OccupantList(room, "")

    def _new_list(self, room: BareJid) -> OccupantList:
        """Return an empty list; the lists of all rooms share one memory limit."""
        return OccupantList(
            room,
            self._settings.nick,
            lambda: sum(each.occupants.size_bytes for each in self._rooms.values()),
        )

    # --- being told to come and go --------------------------------------------------------------

    def expect(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> None:
        """Be in this room as well, from the next session on."""
        self._rooms.setdefault(room, KeptRoom(self._new_list(room), password, invited_by))

    async def join(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> RememberedRoom:
        """See the port."""
        async with self._changing(room):
            known = self._rooms.get(room)
            if known is not None:
                password = password or known.password
                invited_by = known.invited_by if invited_by is not None else None
            if known is None or not known.occupants.present:
                await self._must_be_a_room(room)
                try:
                    known = await self._try(room, password, invited_by)
                finally:
                    self._judge()
            elif invited_by is None:
                known.invited_by = None
                known.password = password
                self._judge()
            return RememberedRoom(room, known.password, known.invited_by)

    async def _must_be_a_room(self, room: BareJid) -> None:
        # Before anything from there is taken for a room's: a person's address, given as a room's, would
        # make the bot deaf to them, and let their client say who is who. Here their server answers.
        if not await self._trust.kinds_of_rooms(service_of(room)):
            raise CannotEnterRoom(room, reason="service")

    async def _try(self, room: BareJid, password: str, invited_by: BareJid | None) -> KeptRoom:
        self._must_not_be_too_many(room, invited_by)
        known = self._rooms.get(room)
        kept = KeptRoom(self._new_list(room), password, invited_by)
        kept.wanted = False
        if known is not None:
            await known.stop()
        self._rooms[room] = kept
        try:
            await self._enter_or_raise(kept)
        except BaseException:
            self._keeper.leave(kept)
            if known is not None and (known.wanted or room in self._configured):
                self._rooms[room] = known
                self._keeper.keep(known)
            else:
                del self._rooms[room]
            raise
        kept.wanted = kept.entered = True
        self._keeper.keep(kept)
        return kept

    def _must_not_be_too_many(self, room: BareJid, invited_by: BareJid | None) -> None:
        """Rooms that are being tried count as well: nobody gets around the limits by haste."""
        others = [each for jid, each in self._rooms.items() if jid != room]
        invited = [each for each in others if each.invited_by is not None]
        own = sum(each.invited_by == invited_by for each in invited)
        if invited_by is not None and own >= MOST_INVITED_BY_ONE:
            raise CannotEnterRoom(room, reason="own limit")
        if len(others) >= MOST_ROOMS or (invited_by is not None and len(invited) >= MOST_INVITED):
            raise CannotEnterRoom(room, reason="limit")

    async def _enter_or_raise(self, room: KeptRoom) -> None:
        change = await self._keeper.enter(room)
        if change.change is Change.DESTROYED:
            await self._shut_out(room.jid, True)
        if change.change not in ENTRIES:
            raise CannotEnterRoom(room.jid, reason=_CLOSED.get(change.reason, "other"))

    async def leave(self, room: BareJid) -> None:
        """See the port."""
        async with self._changing(room):
            kept = self._rooms.pop(room, None)
            if kept is not None:
                await kept.stop()
                self._keeper.leave(kept)
                await self._stays.left(room)
                await self._stays.forget(room)
                self._judge()

    def decline(self, invitation: Invitation, words: str) -> None:
        """See the port."""
        stanza = self._stream.make_message(invitation.room, mfrom=self._stream.boundjid)
        x = SubElement(stanza.xml, f"{{{MUC_USER}}}x")
        decline = SubElement(x, f"{{{MUC_USER}}}decline", {"to": invitation.mediated_for})
        SubElement(decline, f"{{{MUC_USER}}}reason").text = words
        stanza.send()

    # --- what the session does ------------------------------------------------------------------

    async def enter(self) -> None:
        """Enter all rooms in the background, and again after being put out. For a new session."""
        await self.forget()
        await self._trust.find_own_services()
        for room in tuple(self._rooms.values()):
            self._keeper.keep(room)

    async def settled(self, limit_s: float) -> None:
        """Wait until the bot is in all rooms, at most so long."""
        try:
            async with asyncio.timeout(limit_s):
                while self._missing():
                    self._keeper.changed.clear()
                    await self._keeper.changed.wait()
        except TimeoutError:
            log.warning("not in all rooms yet: %s", ", ".join(sorted(self._missing())))

    async def until_in(self, room: BareJid, limit_s: float) -> bool:
        """Wait until the bot is in one room, at most so long; whether it is. None of its rooms: at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while room in self._rooms and not self._rooms[room].occupants.present:
                    self._keeper.changed.clear()
                    await self._keeper.changed.wait()
        return room in self.joined()

    async def forget(self) -> None:
        """The session is over, and with it what the rooms told in it."""
        rooms = tuple(self._rooms.values())  # others come and go meanwhile
        await asyncio.gather(*(room.stop() for room in rooms))
        for room in rooms:
            room.forget()
            await self._stays.left(room.jid)

    async def say_goodbye(self, words: str) -> None:
        """Leave all rooms with some last words (section 7.14)."""
        for jid in self.joined():
            self._keeper.leave(self._rooms[jid], words)
        await self.forget()

    def presence(self, room: BareJid, stanza: Element) -> None:
        """Take a presence from a room."""
        change = self._rooms[room].occupants.presence(stanza)
        if change is not None:
            self._keeper.tell(self._rooms[room], change)

    def bounced(self, room: BareJid, condition: str) -> None:
        """A message to the room came back; ``OUTSIDE`` says that the bot is out, ``forbidden`` that it may
        only listen.
        """
        kept = self._rooms[room]
        if condition == "forbidden":
            log.info("room %s does not let the bot speak", room)
            kept.occupants.mute()
        if condition in OUTSIDE and kept.occupants.present:
            kept.occupants.leave()
            self._keeper.tell(kept, RoomChange(Change.PUT_OUT, condition))

    # --- inside ---------------------------------------------------------------------------------

    def _named(self) -> Iterator[BareJid]:
        """Return the rooms that the operator or an admin of the bot named."""
        for jid, room in self._rooms.items():
            if jid in self._configured or (room.wanted and room.invited_by is None):
                yield jid

    def _judge(self) -> None:
        """Apply a change in what is believed to all rooms."""
        services = self._trust.services()
        for jid, room in self._rooms.items():
            room.occupants.believed = service_of(jid) in services

    def _missing(self) -> set[BareJid]:
        return {jid for jid, room in self._rooms.items() if room.wanted and not room.occupants.present}

    async def _ended(self, room: KeptRoom, destroyed: bool) -> None:
        await self._shut_out(room.jid, destroyed)
        if room.jid not in self._configured and self._rooms.get(room.jid) is room:
            del self._rooms[room.jid]
            self._judge()


def _addresses(rooms: tuple[str, ...]) -> Iterator[BareJid]:
    for each in rooms:
        jid = jid_or_none(each)
        if jid is None:
            log.error("%r is no address of a room", each)
        else:
            yield jid.bare
