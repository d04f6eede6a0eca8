"""Unacknowledged stanzas, and their fate when the server does not resume the session."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp.stanza import Message
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.model import Address, AddressKind
from filebot.xmpp.connection.resend import MOST_TOLD
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import ClientStream
from filebot.xmpp.connection.stream_setup import build
from filebot.xmpp.messages.messenger import StreamMessenger
from filebot.xmpp.rooms.room_sender import RoomSender
from tests.support.waiting import loop_turns
from tests.unit.xmpp.rooms.test_room_sender import always_in

ANNA = Address("anna@example.org/phone")
SM = "{urn:xmpp:sm:3}"


class World:
    """A stream without a server, and what it would send."""

    def __init__(self) -> None:
        stream = build(SessionSettings("bot@example.org", "secret", host="127.0.0.1", port=1))
        assert isinstance(stream, ClientStream)
        self.stream = stream
        self.stream.encrypted = lambda: True  # type: ignore[method-assign]
        self.stream.send_raw = lambda data: None  # type: ignore[method-assign]
        self.stream.send = self._sent  # type: ignore[method-assign]
        self.management: Any = stream.plugin["xep_0198"]
        self.said: list[str] = []
        self.given_up: list[str] = []
        self.stream.on_unsent = lambda message: self.given_up.append(message["id"])
        self.messenger = StreamMessenger(stream, _nobody, lambda _: True, RoomSender(always_in))
        self.begin()

    def _sent(self, data: StanzaBase | str, use_filters: bool = True) -> None:
        assert isinstance(data, StanzaBase)
        self.management._handle_outgoing(data)
        if isinstance(data, Message):
            self.said.append(data["id"])

    def begin(self) -> None:
        """A new session, with stream management."""
        self.stream.event("session_bind")
        self.stream.event("session_start")
        self.management._handle_outgoing(self.management.stanza.Enable(self.stream))
        self.management.sm_id = "a session to come back to"
        self.stream.event("stream_negotiated")

    def end(self, *, h: str | None = None, complaint: str = "") -> None:
        """The connection breaks, and the server does not resume the session.

        With a ``complaint`` it is the server who ends it.
        """
        if complaint:
            error = Element(f"{{{self.stream.stream_ns}}}error")
            SubElement(error, f"{{urn:ietf:params:xml:ns:xmpp-streams}}{complaint}")
            self.stream._spawn_event(error)
        self.stream.event("disconnected")
        self.said.clear()
        self.stream._spawn_event(Element(f"{SM}failed", {} if h is None else {"h": h}))
        self.stream.event("session_end")

    async def acknowledge(self, count: int) -> None:
        """The server has heard so many more, each as soon as it is asked."""
        for _ in range(count):
            await loop_turns()
            ack = self.management.stanza.Ack(self.stream)
            ack["h"] = self.management.last_ack + 1
            self.management._handle_ack(ack)
        await loop_turns()


async def _nobody(jid: str) -> bool:
    return False


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.stream.close(0.0)


async def say_three(world: World) -> list[str]:
    return [await world.messenger.say(ANNA, str(number)) for number in range(3)]


async def test_what_was_not_acknowledged_is_said_again_in_order_and_with_its_ids(world: World) -> None:
    said = await say_three(world)
    world.end()
    assert world.said == []
    world.begin()
    assert world.said == said
    # Once: the new session has acknowledged nothing yet, and is counted anew.
    assert [number for number, _ in world.management.unacked_queue] == [1, 2, 3]
    assert [stanza["id"] for _, stanza in world.management.unacked_queue] == said
    world.end()
    world.begin()
    assert world.said == said


@pytest.mark.parametrize(("h", "again"), [("2", 1), ("3", 0), ("0", 3), ("4", 3), ("x", 3)])
async def test_what_the_server_says_that_it_heard_is_not_said_again(
    world: World, h: str, again: int
) -> None:
    said = await say_three(world)
    world.end(h=h)
    world.begin()
    assert world.said == said[3 - again :]


async def test_where_no_session_can_be_resumed_nothing_is_lost_either(world: World) -> None:
    said = await say_three(world)
    world.stream.event("disconnected")
    world.said.clear()
    world.begin()
    assert world.said == said


async def test_what_has_passed_or_may_be_for_somebody_else_by_now_is_not_said_again(world: World) -> None:
    occupant = Address("room@muc.example.org/anna", AddressKind.ROOM_PRIVATE)
    await world.messenger.composing(ANNA, active=True)
    await world.messenger.say(occupant, "yours")
    world.stream.make_presence(pto="anna@example.org").send()
    world.stream.make_iq_get("jabber:iq:version", ito="anna@example.org").send(  # type: ignore[no-untyped-call]
        timeout=1
    )
    world.end()
    world.begin()
    assert world.said == []


async def test_a_message_on_which_two_sessions_ended_is_given_up_and_no_other(world: World) -> None:
    before, deadly, after = await say_three(world)
    world.end(complaint="policy-violation")
    world.begin()
    await world.acknowledge(1)  # the first one passes, and the next kills this session, too
    assert world.said == [before, deadly]
    world.end(complaint="policy-violation")
    world.begin()
    await world.acknowledge(1)
    assert world.said == [after]
    assert world.given_up == [deadly]
    world.end()
    world.begin()
    assert world.said == []


async def test_a_connection_that_breaks_between_two_complaints_brings_no_other_under_suspicion(
    world: World,
) -> None:
    deadly, after = [await world.messenger.say(ANNA, str(number)) for number in range(2)]
    world.end(complaint="policy-violation")
    world.begin()
    await loop_turns()
    world.end()  # the complaint did not come through
    world.begin()
    await loop_turns()
    assert world.said == [deadly]
    world.end(complaint="policy-violation")
    world.begin()
    await loop_turns()
    assert (world.said, world.given_up) == ([after], [deadly])


async def test_after_a_complaint_messages_are_repeated_one_by_one(world: World) -> None:
    said = await say_three(world)
    world.end(complaint="policy-violation")
    world.begin()
    await loop_turns()
    assert world.said == said[:1]
    await world.acknowledge(2)
    assert world.said == said
    assert world.given_up == []


async def test_a_session_that_the_server_ended_for_a_stanza_is_not_resumed(world: World) -> None:
    await say_three(world)
    error = Element(f"{{{world.stream.stream_ns}}}error")
    SubElement(error, "{urn:ietf:params:xml:ns:xmpp-streams}policy-violation")
    world.stream._spawn_event(error)
    assert world.management.sm_id is None


@pytest.mark.parametrize("complaint", ["", "system-shutdown", "reset"])
async def test_ends_that_say_little_of_a_message_do_not_lose_it_soon(world: World, complaint: str) -> None:
    said = await say_three(world)
    for _ in range(9):
        world.end(complaint=complaint)
        world.begin()
        assert world.said == said
    world.end(complaint=complaint)
    world.begin()
    assert world.said == []
    assert world.given_up == said


async def test_in_a_session_without_a_predecessor_acknowledgements_are_counted_anew(world: World) -> None:
    [*_, last] = await say_three(world)
    await world.acknowledge(2)
    world.stream.event("disconnected")
    world.said.clear()
    world.begin()
    assert world.said == [last]
    await world.acknowledge(1)
    assert not world.management.unacked_queue


async def test_what_is_said_again_has_a_bound_in_characters(world: World) -> None:
    for number in range(5):
        await world.messenger.say(ANNA, str(number) * 1000)
    said = [*world.said]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("filebot.xmpp.connection.resend.MOST_CHARACTERS", 2500)
        world.end()
    world.begin()
    assert world.said == said[-2:]


@pytest.mark.parametrize(("h", "again"), [(None, [1]), ("2", [2])])
async def test_without_a_count_only_what_no_archive_has_is_said_again(
    world: World, h: str | None, again: list[int]
) -> None:
    """Where the server tells a count, that is believed, and nothing is asked."""
    said = await say_three(world)

    async def find_lost(messages: Sequence[Message]) -> list[Message]:
        await asyncio.sleep(0)
        return [each for each in messages if each["id"] == said[1]]

    world.stream.resender.find_lost = find_lost
    world.end(h=h)
    world.begin()
    for _ in range(3):
        await asyncio.sleep(0)
    assert world.said == [said[number] for number in again]


async def test_a_session_that_ends_while_archives_are_asked_loses_nothing(world: World) -> None:
    said, asked = await say_three(world), asyncio.Event()

    async def find_lost(messages: Sequence[Message]) -> list[Message]:
        if not asked.is_set():
            asked.set()
            await asyncio.Event().wait()
        return [*messages]

    world.stream.resender.find_lost = find_lost
    world.end()
    world.begin()
    await asked.wait()
    world.end()
    world.begin()
    for _ in range(3):
        await asyncio.sleep(0)
    assert world.said == said


async def test_what_is_said_of_a_message_that_was_given_up_does_not_end_sessions_for_ever(
    world: World,
) -> None:
    """The server ends the stream for whatever goes to Anna."""
    told = list[asyncio.Task[str]]()

    def tell(message: Message) -> None:
        told.append(asyncio.create_task(world.messenger.say(ANNA, "that was not said")))

    world.stream.on_unsent = tell
    await world.messenger.say(ANNA, "1")
    for _ in range(20):
        world.end(complaint="policy-violation")
        world.begin()
        await loop_turns()
    assert len(told) == MOST_TOLD
    assert world.said == []
