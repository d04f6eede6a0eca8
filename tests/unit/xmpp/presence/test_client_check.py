"""Whether a client that wrote is still there."""

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest
from slixmpp.jid import JID

from filebot.model import Address
from filebot.xmpp.messages.messenger import StreamMessenger
from filebot.xmpp.presence import client_check
from filebot.xmpp.presence.client_check import ClientCheck
from filebot.xmpp.rooms.room_sender import RoomSender
from tests.unit.xmpp.conftest import Mode, SentStanzas
from tests.unit.xmpp.messages.test_messenger import URL, entry
from tests.unit.xmpp.rooms.test_room_sender import always_in

ANNA = JID("anna@example.org/phone")


class Clients:
    """Clients that answer; ``asked`` has every question."""

    def __init__(self, *there: str) -> None:
        self.there = set(there)
        self.asked: list[str] = []
        self.asked_from: list[str] = []

    async def query(
        self, stream: object, jid: str, namespace: str, limit_s: float, *, own: str = ""
    ) -> Element | None:
        self.asked.append(jid)
        self.asked_from.append(own)
        await asyncio.sleep(0)
        return Element("query") if jid in self.there else None


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    made = Clients(ANNA.full)
    monkeypatch.setattr(client_check, "PAUSE_S", 0.0)
    monkeypatch.setattr(client_check, "query", made.query)
    return made


async def test_a_client_is_asked_once_and_its_answer_counts_for_a_while(
    outbox: SentStanzas, clients: Clients
) -> None:
    check = ClientCheck(outbox.stream, lambda _: 0.5)
    assert await asyncio.gather(*(check.is_there(ANNA) for _ in range(3))) == [True] * 3
    assert clients.asked == [ANNA.full]
    check.gone(ANNA.full)
    clients.there.clear()
    assert [await check.is_there(ANNA) for _ in range(3)] == [False] * 3
    assert clients.asked == [ANNA.full] * 2


async def test_who_has_been_online_for_a_moment_is_not_asked(outbox: SentStanzas, clients: Clients) -> None:
    assert await ClientCheck(outbox.stream, lambda _: 1.5).is_there(ANNA)
    assert clients.asked == []


async def test_without_a_session_nobody_is_waited_for(outbox: SentStanzas, clients: Clients) -> None:
    outbox.stream._session_started = False
    assert await ClientCheck(outbox.stream, lambda _: 0.5).is_there(ANNA)
    assert clients.asked == []


@pytest.mark.parametrize(
    ("client", "to"),
    [("phone", "anna@example.org/phone"), ("cli-8f3a", "anna@example.org")],
    ids=["is there", "has left"],
)
async def test_the_answer_goes_to_the_client_that_is_there_and_else_to_the_person(
    outbox: SentStanzas, clients: Clients, client: str, to: str
) -> None:
    async def corrects_nothing(jid: str) -> bool:
        return False

    messenger = StreamMessenger(
        outbox.stream,
        corrects_nothing,
        lambda _: True,
        RoomSender(always_in),
        ClientCheck(outbox.stream, lambda _: 0.5).is_there,
    )
    address = Address(f"anna@example.org/{client}")
    await messenger.say(address, "Hallo")
    await messenger.send_file(address, entry(), URL)
    assert [message.get("to") for message in outbox.sent] == [to, to]


async def test_a_component_asks_from_the_address_that_the_client_wrote_to(
    outbox_of: Callable[[Mode], SentStanzas], clients: Clients
) -> None:
    async def corrects_nothing(jid: str) -> bool:
        return False

    outbox = outbox_of("component")
    messenger = StreamMessenger(
        outbox.stream,
        corrects_nothing,
        lambda _: True,
        RoomSender(always_in),
        ClientCheck(outbox.stream, lambda _: 0.5).is_there,
        lambda person: "known@files.example.org" if person.startswith("bob") else "",
    )
    clients.there.add("bob@example.org/phone")
    await messenger.say(Address(ANNA.full, own="box@files.example.org"), "Hallo")
    await messenger.say(Address("bob@example.org/phone"), "Hallo")
    assert clients.asked_from == ["box@files.example.org/filebot", "known@files.example.org/filebot"]
