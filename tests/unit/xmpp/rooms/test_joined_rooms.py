"""The bot keeps itself in rooms whose service answers late, or wrongly, or not at all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.errors import CannotEnterRoom
from filebot.model import BareJid
from filebot.protocol.disco import INFO, ITEMS
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream_setup import build
from filebot.xmpp.rooms import occupants
from filebot.xmpp.rooms.joined_rooms import JoinedRooms
from filebot.xmpp.rooms.keeper import MOST_NOWHERE
from filebot.xmpp.rooms.trust import DESCRIPTION_LIMIT_S
from filebot.xmpp.xml import OCCUPANT_ID, STANZA_IDS
from tests.support.virtual_time import in_virtual_time, seconds

TEA = "tea@rooms.example.org"
COFFEE = "coffee@rooms.example.org"
ROOM_WITH_IDS = f"<feature var='{OCCUPANT_ID}'/><feature var='{STANZA_IDS}'/>"
SERVICE = "<identity category='conference' type='text'/>"
OWNER = "{http://jabber.org/protocol/muc#owner}"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


class Stays:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.on_left: Callable[[], Awaitable[None]] | None = None

    async def switch(self, room: BareJid, *, is_on: bool) -> None: ...

    async def entering(self, room: BareJid) -> None:
        self.told.append("entering")

    async def entered(self, room: BareJid) -> None:
        self.told.append("entered")

    async def left(self, room: BareJid) -> None:
        self.told.append("left")
        if self.on_left is not None:
            await self.on_left()

    async def forget(self, room: BareJid) -> None:
        self.told.append("forget")


class World:
    """A server with rooms, and a bot that wants to be in them."""

    def __init__(self, *rooms: BareJid) -> None:
        settings = SessionSettings("bot@example.org", "secret", host="127.0.0.1", port=1, rooms=rooms)
        self.stream = build(settings)
        self.stream.boundjid.full = "bot@example.org/filebot"
        self.stream._session_started = True
        self.stream.encrypted = lambda: True  # type: ignore[method-assign]
        self.stream.send = self._sent  # type: ignore[method-assign]
        self.stays = Stays()
        self.answers: dict[str, list[str]] = {"rooms.example.org": [SERVICE]}
        """Answers of each address to disco#info, in order; the last one repeats. An empty string means no
        answer, one without a bracket an error."""
        self.created: set[str] = set()
        self.destroyed: list[str] = []
        self.said: Counter[tuple[str, str]] = Counter()
        self.rooms = JoinedRooms(self.stream, settings, self.stays, self._shut_out)

    async def _shut_out(self, room: BareJid, destroyed: bool) -> None:
        self.stays.told.append("shut out")

    def _sent(self, data: StanzaBase | str, use_filters: bool = True) -> None:
        assert isinstance(data, StanzaBase)
        asyncio.get_running_loop().call_soon(self._react, data.xml)

    def _react(self, stanza: Element) -> None:
        to, name = stanza.get("to", ""), stanza.tag.partition("}")[2]
        if name == "presence":
            kind = stanza.get("type", "available")
            self.said[(to.partition("/")[0], kind)] += 1
            if kind == "available":
                self._let_in(to)
        elif stanza[0].tag == f"{{{ITEMS}}}query":
            self._answer(stanza, "cancel service-unavailable")
        elif stanza[0].tag == f"{{{INFO}}}query":
            answers = self.answers.get(to, [""])
            self._answer(stanza, answers.pop(0) if len(answers) > 1 else answers[0])
        elif stanza.get("type") == "set":
            if stanza.find(f"{OWNER}query/{OWNER}destroy") is not None:
                self.destroyed.append(to)
            self._answer(stanza, "<done/>")

    def _answer(self, asked: Element, words: str) -> None:
        if not words:
            return
        about = {"id": asked.get("id", ""), "from": asked.get("to", ""), "to": "bot@example.org/filebot"}
        iq = Element("{jabber:client}iq", {"type": "result" if "<" in words else "error", **about})
        if "<" in words:
            iq.append(fromstring(f"<query xmlns='{INFO}'>{words}</query>"))
        else:
            kind, _, condition = words.partition(" ")
            error = SubElement(iq, "{jabber:client}error", {"type": kind})
            SubElement(error, f"{{{STANZAS}}}{condition}")
        self.stream._spawn_event(iq)

    def _let_in(self, occupant: str) -> None:
        room = occupant.partition("/")[0]
        new = "<status code='201'/>" if room in self.created else ""
        self.rooms.presence(
            room,
            fromstring(
                f"<presence xmlns='jabber:client' from='{occupant}'>"
                "<x xmlns='http://jabber.org/protocol/muc#user'>"
                f"<item affiliation='none' role='participant'/><status code='110'/>{new}</x></presence>"
            ),
        )


@asynccontextmanager
async def world_with(*rooms: BareJid) -> AsyncIterator[World]:
    made = World(*rooms)
    try:
        yield made
    finally:
        made.stays.on_left = None
        await made.rooms.forget()
        await made.stream.close(0.0)


@pytest.mark.parametrize("silence", ["", "cancel remote-server-timeout", "wait resource-constraint"])
def test_a_room_that_does_not_say_what_it_is_is_not_entered_without_its_ids(silence: str) -> None:
    @in_virtual_time
    async def stay() -> None:
        async with world_with(TEA) as world:
            world.answers[TEA] = [silence, ROOM_WITH_IDS]
            await world.rooms.enter()
            await world.rooms.settled(60.0)
            await asyncio.sleep(0.1)
            assert world.rooms.joined() == {TEA}
            assert world.rooms.tells_apart(TEA)
            assert world.stays.told == ["left", "entering", "entered"]

    stay()


@in_virtual_time
async def test_a_room_whose_live_messages_carry_no_archive_id_is_not_caught_up_with() -> None:
    async with world_with(TEA) as world:
        world.answers[TEA] = [f"<feature var='{OCCUPANT_ID}'/>"]
        await world.rooms.enter()
        await world.rooms.settled(60.0)
        await asyncio.sleep(0.1)
        assert world.rooms.joined() == {TEA}
        assert world.stays.told == ["left", "forget"]


@in_virtual_time
async def test_a_room_that_refuses_to_say_what_it_is_is_entered() -> None:
    async with world_with(TEA) as world:
        world.answers[TEA] = ["cancel service-unavailable"]
        await world.rooms.enter()
        await world.rooms.settled(60.0)
        assert world.rooms.joined() == {TEA}
        assert not world.rooms.tells_apart(TEA)


@in_virtual_time
async def test_a_room_that_was_just_made_is_made_again_if_it_does_not_say_what_it_is() -> None:
    async with world_with(TEA) as world:
        world.created = {TEA}
        world.answers[TEA] = ["cancel item-not-found", "", ROOM_WITH_IDS]
        await world.rooms.enter()
        await asyncio.sleep(DESCRIPTION_LIMIT_S + 0.1)
        assert world.said[(TEA, "unavailable")] == 1
        assert world.rooms.joined() == frozenset()
        await world.rooms.settled(60.0)
        assert world.rooms.tells_apart(TEA)


@in_virtual_time
async def test_who_sends_the_bot_into_a_silent_room_hears_so_at_once() -> None:
    async with world_with() as world:
        world.answers[TEA] = [""]

        async def join() -> None:
            with pytest.raises(CannotEnterRoom) as raised:
                await world.rooms.join(TEA, "")
            assert raised.value.reason == "silent"

        assert await seconds(join()) <= 3 * DESCRIPTION_LIMIT_S
        assert world.rooms.joined() == frozenset()


@in_virtual_time
async def test_who_wants_to_say_something_in_a_room_waits_for_it() -> None:
    async with world_with(TEA, COFFEE) as world:
        world.answers[TEA] = ["", "", ROOM_WITH_IDS]
        world.answers[COFFEE] = [""]
        await world.rooms.enter()
        assert await world.rooms.until_in(TEA, 60.0)
        assert world.rooms.joined() == {TEA}
        assert await seconds(world.rooms.until_in(COFFEE, 60.0)) == pytest.approx(60.0)
        assert not await world.rooms.until_in(COFFEE, 0.0)
        assert await seconds(world.rooms.until_in("milk@rooms.example.org", 60.0)) == 0.0
        assert not await world.rooms.until_in("milk@rooms.example.org", 60.0)


@in_virtual_time
async def test_a_room_that_is_being_entered_is_found_once_the_bot_is_in_it() -> None:
    async with world_with(TEA, COFFEE) as world:
        world.answers[TEA] = ["", ROOM_WITH_IDS]
        world.answers[COFFEE] = [""]
        await world.rooms.enter()
        assert world.rooms.joined() == frozenset()
        assert await world.rooms.joined_room(f"xmpp:{TEA}?join") == TEA
        assert await world.rooms.joined_room(COFFEE) is None
        assert await seconds(world.rooms.joined_room("milk@rooms.example.org")) == 0.0


@in_virtual_time
async def test_an_error_in_a_stay_does_not_end_it() -> None:
    async with world_with(TEA) as world:
        world.answers[TEA] = [ROOM_WITH_IDS]
        failures = [RuntimeError("a bug")]
        entered = world.stays.entered

        async def failing(room: BareJid) -> None:
            if failures:
                raise failures.pop()
            await entered(room)

        world.stays.entered = failing  # type: ignore[method-assign]
        await world.rooms.enter()
        await asyncio.sleep(30)
        assert world.stays.told == ["left", "entering", "entered"]
        assert world.said[(TEA, "available")] == 1
        # It is still noticed if the room puts the bot out.
        world.rooms.bounced(TEA, "not-acceptable")
        await asyncio.sleep(30)
        assert world.stays.told[3:] == ["left", "entering", "entered"]


@in_virtual_time
async def test_who_is_told_that_there_is_no_such_room_is_out_of_it_and_comes_back() -> None:
    async with world_with(TEA) as world:
        world.answers[TEA] = [ROOM_WITH_IDS]
        await world.rooms.enter()
        await world.rooms.settled(60.0)
        world.rooms.bounced(TEA, "item-not-found")
        assert world.rooms.joined() == frozenset()
        await world.rooms.settled(60.0)
        assert world.rooms.joined() == {TEA}


@in_virtual_time
async def test_after_the_end_of_a_room_an_error_does_not_bring_the_bot_back() -> None:
    async with world_with(TEA) as world:
        world.answers[TEA] = [ROOM_WITH_IDS]
        failures = [RuntimeError("a bug")]
        forget = world.stays.forget

        async def failing(room: BareJid) -> None:
            if failures:
                raise failures.pop()
            await forget(room)

        world.stays.forget = failing  # type: ignore[method-assign]
        await world.rooms.enter()
        await world.rooms.settled(60.0)
        gone = (
            f"<presence xmlns='jabber:client' type='unavailable' from='{TEA}/filebot'>"
            "<x xmlns='http://jabber.org/protocol/muc#user'><destroy/><status code='110'/></x></presence>"
        )
        world.rooms.presence(TEA, fromstring(gone))
        await asyncio.sleep(60)
        assert world.stays.told[-2:] == ["forget", "shut out"]
        assert world.said[(TEA, "available")] == 1


@in_virtual_time
async def test_a_room_may_come_while_the_others_are_left() -> None:
    async with world_with(TEA) as world:

        async def come() -> None:
            world.rooms.expect(COFFEE, "")

        world.stays.on_left = come
        await world.rooms.forget()
        assert COFFEE in world.rooms.addresses


@in_virtual_time
async def test_room_that_is_not_there_any_more_is_asked_for_some_hours_and_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with world_with() as world:
        world.answers[TEA] = ["cancel item-not-found"]
        world.rooms.expect(TEA, "")
        await world.rooms.enter()
        await asyncio.sleep(3600)
        assert TEA in world.rooms.addresses
        await asyncio.sleep(12 * 3600)
        assert TEA not in world.rooms.addresses
        assert world.stays.told[-2:] == ["forget", "shut out"]
        [line] = [each for each in caplog.messages if "forgotten" in each]
        assert TEA in line
        assert str(MOST_NOWHERE) in line
        assert (TEA, "available") not in world.said


@in_virtual_time
async def test_room_that_comes_back_in_time_is_entered() -> None:
    async with world_with() as world:
        world.answers[TEA] = [*["cancel item-not-found"] * (MOST_NOWHERE - 1), ROOM_WITH_IDS]
        world.rooms.expect(TEA, "")
        await world.rooms.enter()
        await asyncio.sleep(12 * 3600)
        assert world.rooms.joined() == {TEA}


@in_virtual_time
async def test_room_that_went_before_the_bot_came_is_not_made_again() -> None:
    async with world_with() as world:
        world.created = {TEA}
        world.answers[TEA] = [ROOM_WITH_IDS]
        with pytest.raises(CannotEnterRoom) as raised:
            await world.rooms.join(TEA, "")
        await asyncio.sleep(0)
        assert raised.value.reason == "none"
        assert world.destroyed == [TEA]
        assert world.said[(TEA, "unavailable")] >= 1


@in_virtual_time
async def test_while_the_server_is_down_no_room_has_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with world_with(TEA) as world:
        world.answers[TEA] = [ROOM_WITH_IDS]
        world.stream._session_started = False
        await world.rooms.enter()
        await asyncio.sleep(3600)
        assert "refused" not in caplog.text
        assert "trying again" not in caplog.text
        world.stream._set_session_start(None)
        await world.rooms.settled(60.0)
        assert world.rooms.joined() == {TEA}


@in_virtual_time
async def test_room_that_does_not_answer_has_not_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with world_with(TEA) as world:
        world.answers[TEA] = [""]
        await world.rooms.enter()
        await asyncio.sleep(60)
        assert f"not in room {TEA} (no answer)" in caplog.text
        assert "refused" not in caplog.text


async def test_the_rolls_of_all_rooms_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occupants, "SMALL_BYTES", 10_000)
    monkeypatch.setattr(occupants, "MOST_OF_ALL_BYTES", 30_000)
    async with world_with(TEA, COFFEE) as world:
        for room in (TEA, COFFEE):
            for number in range(100):
                item = "<x xmlns='http://jabber.org/protocol/muc#user'><item jid='a@example.org/x'/></x>"
                world.rooms.presence(
                    room, fromstring(f"<presence from='{room}/{number}'>{item}</presence>")
                )
        sizes = [room.occupants.size_bytes for room in world.rooms._rooms.values()]
        assert 20_000 < sizes[0] <= 30_000
        assert sizes[1] <= 10_000
