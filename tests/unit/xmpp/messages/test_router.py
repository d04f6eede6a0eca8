"""Handlers of messages at the end of a session, and which messages reach them."""

import asyncio
from typing import Any, cast
from unittest.mock import Mock
from xml.etree.ElementTree import Element, fromstring

import pytest

from filebot.concurrency.tasks import Tasks
from filebot.model import Address, IncomingMessage, Sender
from filebot.protocol.archive_cursor import id_of
from filebot.xmpp.handlers import Handlers
from filebot.xmpp.messages.router import MessageRouter
from tests.support.virtual_time import in_virtual_time
from tests.unit.xmpp.conftest import SentStanzas

MESSAGE = IncomingMessage(Sender(Address("anna@example.org"), "anna@example.org"), "ls")
OWN = "bot@example.org"


class Positions:
    """Catch-up that notes which messages are handled."""

    is_on = True

    def __init__(self) -> None:
        self.handled_ids: list[str] = []

    def name(self, key: str | None) -> str | None:
        return key

    def live(self, archive_id: str | None, **_: object) -> bool:
        return True

    def look(self) -> None:
        """Nothing is read here."""

    def handled(self, key: str | None, *, save: bool = True) -> None:
        self.handled_ids.append(id_of(key or ""))


class Everything:
    """Reader that takes every stanza for the same message of Anna's."""

    def __init__(self) -> None:
        self.given: list[tuple[Element, bool]] = []

    def archive_id(self, stanza: Element, archive: str) -> str | None:
        return "id"

    def was_kept_back(self, stanza: Element) -> bool:
        return False

    def is_past(self, stanza: Element) -> bool:
        return False

    def read(self, stanza: Element, *, is_copy: bool = False) -> IncomingMessage:
        self.given.append((stanza, is_copy))
        return MESSAGE


class World:
    """A router between fakes."""

    def __init__(self, handlers: Handlers, stream: Any) -> None:
        self.positions, self.reader = Positions(), Everything()
        self.bounces, self.messenger, self.sent = Mock(), Mock(), Mock()
        self.rooms, self.room_catch_ups = Mock(addresses={"tea@rooms.example.org"}), Mock()
        self.room_catch_ups.of.return_value = None
        self.router = MessageRouter(
            stream,
            cast("Any", self.reader),
            self.rooms,
            self.messenger,
            bounces=self.bounces,
            catch_up=cast("Any", self.positions),
            room_catch_ups=self.room_catch_ups,
            times=Mock(),
            sent=self.sent,
            tasks=Tasks(10),
            handlers=handlers,
        )


def message(
    inner: str = "<body>ls</body>", sender: str = "anna@example.org/phone", **extra: str
) -> Element:
    given = " ".join(f"{name}='{value}'" for name, value in {"type": "chat", "id": "1", **extra}.items())
    return fromstring(
        f"<message xmlns='jabber:client' from='{sender}' to='{OWN}' {given}>{inner}</message>"
    )


async def closed_after(answered: asyncio.Event, *, answer: bool) -> list[str]:
    """Close while a handler waits for an answer that has come, or has not; return the handled messages."""

    async def handle(_: Any) -> None:
        await answered.wait()
        for _ in range(5):
            await asyncio.sleep(0)

    stream = Mock(archive_queries={})
    world = World(Handlers(message=handle, is_served=lambda _: True), stream)
    world.router.live(message())
    await asyncio.sleep(0)
    if answer:
        answered.set()
    await world.router.close()
    return world.positions.handled_ids


@in_virtual_time
async def test_message_that_was_answered_counts_as_handled_at_a_stop() -> None:
    assert await closed_after(asyncio.Event(), answer=True) == ["id"]


@in_virtual_time
async def test_message_that_is_not_answered_yet_does_not() -> None:
    assert await closed_after(asyncio.Event(), answer=False) == []


@pytest.fixture
def world(outbox: SentStanzas) -> World:
    return World(
        Handlers(message=lambda _: None, is_served=lambda jid: jid.startswith("anna")), outbox.stream
    )


REQUEST = "<request xmlns='urn:xmpp:receipts'/>"


async def test_error_is_no_message(world: World) -> None:
    world.router.live(message(type="error"))
    assert world.bounces.bounced.call_count == 1
    assert world.reader.given == []


@pytest.mark.parametrize("forged", [False, True])
async def test_result_of_an_archive_is_taken_by_its_query_and_a_forged_one_is_read_like_any(
    world: World, *, forged: bool
) -> None:
    taken: list[Element] = []

    def take(stanza: Element) -> bool:
        taken.append(stanza)
        return not forged

    world.router._stream.archive_queries["q"] = take
    world.router.live(message("<result xmlns='urn:xmpp:mam:2' queryid='q'/>"))
    assert len(taken) == 1
    assert len(world.reader.given) == forged
    world.router.live(message("<result xmlns='urn:xmpp:mam:2' queryid='other'/>"))
    assert len(taken) == 1
    assert len(world.reader.given) == forged + 1


COPY = (
    "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message "
    f"xmlns='jabber:client' from='bert@example.org/x' to='{OWN}/other' type='chat' id='2'>{REQUEST}"
    "<body>rm</body></message></forwarded></received>"
)


@pytest.mark.parametrize(("sender", "opened"), [(OWN, True), ("anna@example.org/phone", False)])
async def test_copy_is_opened_only_if_the_own_account_sent_it(
    world: World, sender: str, *, opened: bool
) -> None:
    world.router.live(message(COPY, sender))
    [(stanza, is_copy)] = world.reader.given
    assert (stanza.get("id") == "2", is_copy) == (opened, opened)
    assert world.messenger.acknowledge.call_count == 0


@pytest.mark.parametrize(
    ("sender", "acknowledged"),
    [
        ("anna@example.org/phone", True),
        ("eve@example.org/phone", False),
        ("tea@rooms.example.org/anna", False),
    ],
)
async def test_only_people_who_are_served_learn_that_a_message_arrived(
    world: World, sender: str, *, acknowledged: bool
) -> None:
    world.router.live(message(f"<body>ls</body>{REQUEST}", sender))
    assert world.messenger.acknowledge.call_count == acknowledged
    world.router.live(message(f"<body>ls</body>{REQUEST}", sender, type="groupchat"))
    assert world.messenger.acknowledge.call_count == acknowledged


async def test_what_a_room_tells_is_noted_as_said(world: World) -> None:
    world.router.live(message(sender="tea@rooms.example.org/anna", type="groupchat", id="7"))
    world.sent.told_in_room.assert_called_once_with("7")
    world.router.live(message(sender="tea@rooms.example.org/anna", id="8"))
    world.sent.told_in_room.assert_called_once_with("7")
