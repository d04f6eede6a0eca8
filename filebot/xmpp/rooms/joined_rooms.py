"""The rooms that the bot keeps itself in (XEP-0045), and the ``Rooms`` port.

slixmpp's own plugin is not used: it announces PEP features that nothing here serves, does not come back
from a kick, waits for a room's subject, and keeps the real JIDs of a room after its stream is gone. Rights
depend on those JIDs, so they are kept in ``occupancy``, which forgets them in time.

Whom to believe about them: the room services of the bot's own server, and those with a room that the
operator or an admin of the bot named. To an invitation anybody's service will do, and that may say what it
likes. A gateway to another network is never believed, whoever runs it: people there choose what it shows
as their JIDs.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, Protocol
from weakref import WeakValueDictionary
from xml.etree.ElementTree import Element, SubElement

from slixmpp.stanza import Presence

from filebot.concurrency.supervisor import run_supervised
from filebot.concurrency.tasks import Tasks
from filebot.errors import CannotEnterRoom
from filebot.model import Address, BareJid, Identity, Invitation, Occupant, RememberedRoom, RoomRole
from filebot.xmpp.connection.disco import features_of, items, kinds_of_rooms, server_of
from filebot.xmpp.connection.ping import ping
from filebot.xmpp.connection.reconnect import wait_s
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.rooms.occupants import Change, OccupantList, RoomChange
from filebot.xmpp.rooms.room_creation import unlock, unmake
from filebot.xmpp.xml import MUC, MUC_USER, OCCUPANT_ID, STANZA_IDS, jid_or_none

log = logging.getLogger(__name__)

ANSWER_LIMIT_S: Final = 15.0
DESCRIPTION_LIMIT_S: Final = 5.0
ENTERING_LIMIT_S: Final = 10.0
"""How long a command about a room waits until the bot has entered it."""
MOST_NICKS: Final = 5
"""How many names are tried where others have taken them."""

STABLE_AFTER_S: Final = 60.0
"""Who stayed this long in a room was welcome: the next wait is short again."""
KICKED_FOR_S: Final = 300.0
"""How long the bot stays away after somebody put it out; longer each time that they do so again soon."""
LONGEST_ABSENCE_S: Final = 86_400.0
SELF_PING_S: Final = 300.0
"""How often the bot asks whether it still is in a room (XEP-0410)."""
SELF_PING_LIMIT_S: Final = 30.0

# XEP-0410 section 3.1: the room knows the bot, or nobody knows; anything else means that it is out.
_STILL_IN: Final = frozenset({"service-unavailable", "feature-not-implemented", "item-not-found"})
_UNKNOWN: Final = frozenset({"remote-server-not-found", "remote-server-timeout"})

MOST_ROOMS: Final = 500
MOST_INVITED: Final = 200
"""Of them by invitation, so that there are some left for those who run the bot."""
MOST_INVITED_BY_ONE: Final = 10
ENTRIES: Final = frozenset({Change.ENTERED, Change.CREATED})

OUTSIDE: Final = frozenset({"not-acceptable", "item-not-found"})
"""The answer to who speaks in a room without being there (section 7.4), or where there is no room."""

_FOR_GOOD: Final = frozenset({Change.SHUT_OUT, Change.DESTROYED, Change.VANISHED})

MOST_NOWHERE: Final = 24
"""Answers in a row that there is no such room, after which it is forgotten: about five hours of them. A
service that is just starting may say so, too."""
NOWHERE_PAUSE_S: Final = 1800.0
"""The longest pause between two of them."""

_SILENT: Final = "no answer"
_NOWHERE: Final = "no such room"
# Section 7.2: by which conditions a room says why it lets nobody in.
_CLOSED: Final = {
    "forbidden": "banned",
    "registration-required": "members",
    "not-authorized": "password",
    "gone": "none",
    _NOWHERE: "none",
    _SILENT: "silent",
    "remote-server-not-found": "silent",
    "remote-server-timeout": "silent",
}

_TEXT: Final = "text"


class Stays(Protocol):
    """Listener for the bot's stays in rooms, such as ``archive.room_catchups.RoomCatchUps``."""

    async def switch(self, room: BareJid, *, is_on: bool) -> None: ...

    async def entering(self, room: BareJid) -> None: ...

    async def entered(self, room: BareJid) -> None: ...

    async def left(self, room: BareJid) -> None: ...

    async def forget(self, room: BareJid) -> None: ...


class _Room:
    """One room: its roll, and what its presences mean for the task that keeps the bot in it."""

    def __init__(
        self, occupants: OccupantList, password: str = "", invited_by: BareJid | None = None
    ) -> None:
        self.occupants = occupants
        self.jid = occupants.room
        self.password = password
        self.invited_by = invited_by
        """None if those who run the bot want it there."""
        self.wanted = True
        """False while :meth:`JoinedRooms.join` tries it, and once it does not want the bot."""
        self.entered = False
        """The bot has come in, and :attr:`news` did not yet tell its keeper that it is out."""
        self.task = Tasks(limit=1)
        self.ending = asyncio.Lock()
        """Held while others are told that the bot does not come back: that is not cut off."""
        self.events: asyncio.Queue[RoomChange] = asyncio.Queue(maxsize=32)

    async def stop(self) -> None:
        """No longer see to it that the bot is there."""
        async with self.ending:
            await self.task.close()


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
        self._rooms = {jid: _Room(self._roll(jid)) for jid in _addresses(settings.rooms)}
        self._configured = frozenset(self._rooms)
        self._archiving: set[BareJid] = set()
        self._shut_out = on_shut_out
        self._changed = asyncio.Event()
        self._changing: WeakValueDictionary[BareJid, asyncio.Lock] = WeakValueDictionary()
        self._own_services: frozenset[str] = frozenset()
        self._gateways: set[str] = set()

    # --- what others ask ------------------------------------------------------------------------

    @property
    def prefix(self) -> str:
        return self._settings.command_prefix

    def joined(self) -> frozenset[BareJid]:
        return frozenset(jid for jid, room in self._rooms.items() if room.occupants.present)

    def configured(self) -> frozenset[BareJid]:
        return self._configured

    def address_in(self, target: str) -> BareJid | None:
        address = jid_or_none(target.strip().removeprefix("xmpp:").partition("?")[0])
        return address.bare if address is not None and address.node else None

    def room_role(self, room: BareJid, who: Identity) -> RoomRole | None:
        return self._occupants(room).room_role(who)

    async def joined_room(self, target: str) -> BareJid | None:
        address = self.address_in(target)
        return address if address and await self.until_in(address, ENTERING_LIMIT_S) else None

    def is_ours(self, jid: BareJid) -> bool:
        """Whether it is a room that the bot is in or wants to be in."""
        return jid in self._rooms

    def nick_in(self, room: BareJid) -> str:
        """The bot's nick there now."""
        return self._occupants(room).nick

    def believes(self, room: BareJid) -> bool:
        """Whether what the room's service says of real JIDs counts, whether or not the bot is there."""
        return _service(room) in self._believed_services()

    def occupant(self, room: BareJid, nick: str) -> Occupant:
        """Who the room says has this nick; nobody while the bot is not in the room."""
        return self._occupants(room).occupant(nick)

    def is_filebot(self, room: BareJid, nick: str) -> bool:
        return self._occupants(room).is_filebot(nick)

    def gives_stanza_ids(self, room: BareJid) -> bool:
        return self._occupants(room).has_stanza_ids

    def author(self, room: BareJid, stanza: Element) -> Occupant | None:
        """Who wrote a message out of the room's archive, by the id that the room gave it."""
        return self._occupants(room).author(stanza)

    def is_ours_in(self, room: BareJid, stanza: Element) -> bool:
        """Whether the bot wrote a message out of the room's archive."""
        return self._occupants(room).is_ours(stanza)

    async def show_archiving(self, room: BareJid, *, is_on: bool) -> None:
        # Also if nothing changes: a crash may have come between the setting and what follows from it.
        await self._stays.switch(room, is_on=is_on)
        if (room in self._archiving) == is_on:
            return
        (self._archiving.add if is_on else self._archiving.discard)(room)
        if room in self.joined():
            self._presence(self._rooms[room], status=self._status(room)).send()

    def has_voice(self, room: BareJid) -> bool:
        return self._occupants(room).has_voice

    def tells_apart(self, room: BareJid) -> bool:
        return self._occupants(room).has_ids

    def is_same_occupant(self, address: Address) -> bool:
        """Whether a nick still belongs to whom it belonged to; those without an identity are all alike."""
        room, _, nick = address.jid.partition("/")
        return self.occupant(room, nick).identity == address.occupant

    def _occupants(self, room: BareJid) -> OccupantList:
        """The roll of a room; of one that is none of ours, an empty one."""
        return self._rooms[room].occupants if room in self._rooms else OccupantList(room, "")

    def _roll(self, room: BareJid) -> OccupantList:
        """An empty one; those of all rooms share their memory."""
        return OccupantList(
            room,
            self._settings.nick,
            lambda: sum(each.occupants.size_bytes for each in self._rooms.values()),
        )

    # --- being told to come and go --------------------------------------------------------------

    def expect(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> None:
        """Be in this room as well, from the next session on."""
        self._rooms.setdefault(room, _Room(self._roll(room), password, invited_by))

    async def join(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> RememberedRoom:
        """See the port."""
        async with self._alone_with(room):
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
        if not await self._kinds_of_rooms(_service(room)):
            raise CannotEnterRoom(room, reason="service")

    async def _try(self, room: BareJid, password: str, invited_by: BareJid | None) -> _Room:
        self._must_not_be_too_many(room, invited_by)
        known = self._rooms.get(room)
        kept = _Room(self._roll(room), password, invited_by)
        kept.wanted = False
        if known is not None:
            await known.stop()
        self._rooms[room] = kept
        try:
            await self._enter_or_raise(kept)
        except BaseException:
            self._presence(kept, kind="unavailable", status="").send()
            if known is not None and (known.wanted or room in self._configured):
                self._rooms[room] = known
                self._keep_in(known)
            else:
                del self._rooms[room]
            raise
        kept.wanted = kept.entered = True
        self._keep_in(kept)
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

    async def _enter_or_raise(self, room: _Room) -> None:
        events = await self._enter(room)
        if events.change is Change.DESTROYED:
            await self._shut_out(room.jid, True)
        if events.change not in ENTRIES:
            raise CannotEnterRoom(room.jid, reason=_CLOSED.get(events.reason, "other"))

    async def leave(self, room: BareJid) -> None:
        """See the port."""
        async with self._alone_with(room):
            kept = self._rooms.pop(room, None)
            if kept is not None:
                await kept.stop()
                self._presence(kept, kind="unavailable", status="").send()
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

    @asynccontextmanager
    async def _alone_with(self, room: BareJid) -> AsyncIterator[None]:
        """One change of a room at a time; one that does not answer holds up no other."""
        lock = self._changing.setdefault(room, asyncio.Lock())
        async with lock:
            yield

    # --- what the session does ------------------------------------------------------------------

    async def enter(self) -> None:
        """Enter all rooms in the background, and again after being put out. For a new session."""
        await self.forget()
        await self._find_own_services()
        for room in tuple(self._rooms.values()):
            self._keep_in(room)

    async def settled(self, limit_s: float) -> None:
        """Wait until the bot is in all rooms, at most so long."""
        try:
            async with asyncio.timeout(limit_s):
                while self._missing():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            log.warning("not in all rooms yet: %s", ", ".join(sorted(self._missing())))

    async def until_in(self, room: BareJid, limit_s: float) -> bool:
        """Wait until the bot is in one room, at most so long; whether it is. None of its rooms: at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while room in self._rooms and not self._rooms[room].occupants.present:
                    self._changed.clear()
                    await self._changed.wait()
        return room in self.joined()

    async def forget(self) -> None:
        """The session is over, and with it what the rooms told in it."""
        rooms = tuple(self._rooms.values())  # others come and go meanwhile
        await asyncio.gather(*(room.stop() for room in rooms))
        for room in rooms:
            room.entered = False
            room.occupants.leave()
            while not room.events.empty():
                room.events.get_nowait()
            await self._stays.left(room.jid)

    async def say_goodbye(self, words: str) -> None:
        """Leave all rooms with some last words (section 7.14)."""
        for jid in self.joined():
            self._presence(self._rooms[jid], kind="unavailable", status=words).send()
        await self.forget()

    def presence(self, room: BareJid, stanza: Element) -> None:
        """Take a presence from a room."""
        events = self._rooms[room].occupants.presence(stanza)
        if events is not None:
            self._tell(self._rooms[room], events)

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
            self._tell(kept, RoomChange(Change.PUT_OUT, condition))

    # --- one room -------------------------------------------------------------------------------

    def _believed_services(self) -> frozenset[str]:
        named = {
            _service(jid)
            for jid, each in self._rooms.items()
            if jid in self._configured or (each.wanted and each.invited_by is None)
        }
        # An account is no room, even if somebody named it and it behaves like one.
        return (self._own_services | named) - self._gateways - {server_of(self._stream)}

    def _judge(self) -> None:
        services = self._believed_services()
        for jid, room in self._rooms.items():
            room.occupants.believed = _service(jid) in services

    async def _find_own_services(self) -> None:
        """Those that the bot's server lists and that are below it.

        A list alone does not say whose they are: operators point to services of others in it. A name alone
        does not either: in a large domain many have a subdomain of their own.
        """
        server = server_of(self._stream)
        listed = await items(self._stream, server, DESCRIPTION_LIMIT_S)
        below = [each.lower() for each in listed if each.lower().endswith(f".{server}")]
        kinds = await asyncio.gather(*map(self._kinds_of_rooms, below))
        self._own_services |= {service for service, kind in zip(below, kinds, strict=True) if _TEXT in kind}

    async def _kinds_of_rooms(self, service: str) -> frozenset[str]:
        """As :func:`kinds_of_rooms`; what is a gateway is remembered.

        COMPAT(biboumi, 9): the JID that it shows of somebody on IRC is their user name and host there, and
        both can be chosen so that they are an admin's address.
        """
        kinds = await kinds_of_rooms(self._stream, service, DESCRIPTION_LIMIT_S)
        if kinds:
            (self._gateways.discard if _TEXT in kinds else self._gateways.add)(service)
        return kinds

    def _tell(self, room: _Room, events: RoomChange) -> None:
        self._changed.set()
        log.info("room %s: %s %s", room.jid, events.change.value, events.reason)
        try:
            room.events.put_nowait(events)
        except asyncio.QueueFull:
            log.warning("room %s changes faster than it can be followed", room.jid)

    def _missing(self) -> set[BareJid]:
        return {jid for jid, room in self._rooms.items() if room.wanted and not room.occupants.present}

    def _keep_in(self, room: _Room) -> None:
        if room.wanted:
            room.task.start(self._keep(room), f"room {room.jid}")

    async def _keep(self, room: _Room) -> None:
        """Keep the bot in a room until that does not want it any more."""
        name = f"the stay in room {room.jid}"
        end = await run_supervised(partial(self._stay, room), name)
        if end.change is Change.VANISHED:
            log.warning("room %s is not there any more (asked %d times); forgotten", room.jid, MOST_NOWHERE)
        else:
            log.error("room %s does not want the bot (%s); not trying again", room.jid, end.reason)
        room.wanted = False
        self._changed.set()
        # Whatever fails now, the bot does not enter again: what is there next is another room.
        await run_supervised(partial(self._end, room, end), f"the end of {name}")

    async def _end(self, room: _Room, events: RoomChange) -> None:
        async with room.ending:
            await self._stays.forget(room.jid)
            await self._shut_out(room.jid, events.change is Change.DESTROYED)
        if room.jid not in self._configured and self._rooms.get(room.jid) is room:
            del self._rooms[room.jid]
            self._judge()

    async def _stay(self, room: _Room) -> RoomChange:
        """Be in the room, again and again; how that ended for good."""
        loop = asyncio.get_running_loop()
        failures, kicks, nowhere = 0, 0, 0
        while True:
            await self._stream.session()  # while the server is down, no room has refused anything
            events = RoomChange(Change.ENTERED) if room.entered else await self._enter(room)
            began = loop.time()
            if events.change in ENTRIES:
                room.entered = True
                if room.occupants.can_be_caught_up:
                    await self._stays.entered(room.jid)
                events = await self._until_out(room)
                room.entered = False
                await self._stays.left(room.jid)
                if loop.time() - began > STABLE_AFTER_S:
                    failures, kicks = 0, 0
            if events.change in _FOR_GOOD:
                return events
            nowhere = nowhere + 1 if events.reason == _NOWHERE else 0
            if nowhere == MOST_NOWHERE:
                return RoomChange(Change.VANISHED, _NOWHERE)
            if events.change is Change.KICKED:
                wait = min(KICKED_FOR_S * 2.0 ** min(kicks, 16), LONGEST_ABSENCE_S)
                kicks += 1
            elif nowhere:
                wait = min(2.0**nowhere, NOWHERE_PAUSE_S) * (0.5 + random.random() / 2)  # noqa: S311  # as there
            else:
                failures += 1
                wait = wait_s(failures + 1, random.random())  # noqa: S311  # spreads load, hides nothing
            log.warning("not in room %s (%s); trying again in %.1f s", room.jid, _why(events), wait)
            await asyncio.sleep(wait)

    async def _until_out(self, room: _Room) -> RoomChange:
        """Wait until the bot is out, whether the room tells or only a ping shows it."""
        while True:
            try:
                async with asyncio.timeout(SELF_PING_S):
                    return await room.events.get()
            except TimeoutError:
                if await self._is_still_in(room) or not room.occupants.present:
                    continue  # a word of the room that came meanwhile waits in the queue
            room.occupants.leave()
            log.info("room %s does not know the bot any more", room.jid)
            return RoomChange(Change.PUT_OUT, "self-ping")

    async def _is_still_in(self, room: _Room) -> bool:
        """Ping the bot's own occupant (XEP-0410 section 3). Silence tells nothing."""
        answer = await ping(self._stream, f"{room.jid}/{room.occupants.nick}", SELF_PING_LIMIT_S)
        return not answer or answer in _STILL_IN | _UNKNOWN

    async def _enter(self, room: _Room) -> RoomChange:
        """Try the nick and then variants of it (section 7.2.9)."""
        # Before the first presence comes: who speaks at once is known at once.
        try:
            is_somewhere = await self._describe(room)
        except TimeoutError:
            # Not a room without ids: a stay in the belief of that would keep nothing of what is posted.
            return RoomChange(Change.UNREACHED, _SILENT)
        if room.jid not in self._configured and not is_somewhere:
            # To enter would make it: of a mistyped address, or in place of one that was destroyed.
            return RoomChange(Change.REFUSED, _NOWHERE)
        if room.occupants.can_be_caught_up:
            await self._stays.entering(room.jid)
        elif is_somewhere:
            # Otherwise, with ids one day, all that came without would be met as new.
            await self._stays.forget(room.jid)
        for attempt in range(MOST_NICKS):
            room.occupants.nick = self._settings.nick + "_" * attempt
            self._join_presence(room).send()
            try:
                # Not wait_for: until Python 3.12 it may swallow the cancellation of this task.
                async with asyncio.timeout(ANSWER_LIMIT_S):
                    events = await room.events.get()
            except TimeoutError:
                return RoomChange(Change.UNREACHED, _SILENT)
            if events.change is Change.CREATED:
                return await self._make(room, events)
            if events.change is not Change.NICK_TAKEN:
                return events
        return RoomChange(Change.NICK_TAKEN, "conflict")

    async def _describe(self, room: _Room) -> bool:
        """Learn what the room and its service are; False if the service says that there is no such room.

        Raises TimeoutError if nobody says anything.
        """
        if not self._own_services:
            await self._find_own_services()
        if _service(room.jid) not in self._own_services:
            await self._kinds_of_rooms(_service(room.jid))
        room.occupants.believed = self.believes(room.jid)
        features = await features_of(self._stream, room.jid, DESCRIPTION_LIMIT_S)
        room.occupants.has_ids = OCCUPANT_ID in (features or ())
        room.occupants.has_stanza_ids = STANZA_IDS in (features or ())
        return features is not None

    async def _make(self, room: _Room, created: RoomChange) -> RoomChange:
        """Go on with a room that did not exist before; out of one that does not say what it is, and of one
        that went between the question whether it is there and the entry.
        """
        if room.jid not in self._configured:
            room.occupants.leave()
            unmake(self._stream, room.jid)
            self._presence(room, kind="unavailable", status="").send()
            return RoomChange(Change.REFUSED, _NOWHERE)
        await unlock(self._stream, room.jid, ANSWER_LIMIT_S)
        try:
            await self._describe(room)
        except TimeoutError:
            self._presence(room, kind="unavailable", status="").send()
            room.occupants.leave()
            return RoomChange(Change.UNREACHED, _SILENT)
        return created

    def _join_presence(self, room: _Room) -> Presence:
        stanza = self._presence(room, status=self._status(room.jid))
        x = SubElement(stanza.xml, f"{{{MUC}}}x")
        # Nobody asked the bot anything before it came.
        SubElement(x, f"{{{MUC}}}history", {"maxstanzas": "0"})
        if room.password:
            SubElement(x, f"{{{MUC}}}password").text = room.password  # section 7.2.6
        return stanza

    def _status(self, room: BareJid) -> str:
        return self._settings.archiving if room in self._archiving else self._settings.status

    def _presence(self, room: _Room, *, kind: str | None = None, status: str) -> Presence:
        sender = self._stream.boundjid if self._stream.is_component else None
        to = f"{room.jid}/{room.occupants.nick}"
        return self._stream.make_presence(pshow=kind, pto=to, pfrom=sender, pstatus=status)


def _why(events: RoomChange) -> str:
    return events.reason if events.reason in {_NOWHERE, _SILENT} else events.change.value


def _service(room: BareJid) -> str:
    return room.partition("@")[2]


def _addresses(rooms: tuple[str, ...]) -> Iterator[BareJid]:
    for each in rooms:
        jid = jid_or_none(each)
        if jid is None:
            log.error("%r is no address of a room", each)
        else:
            yield jid.bare
