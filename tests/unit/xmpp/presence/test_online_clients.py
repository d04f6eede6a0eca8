"""Notices of clients that come online, one for each; and whether a client that wrote is still there."""

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring

import pytest

from filebot.model import Address
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.jid import parse_jid
from filebot.xmpp.messages.messenger import StreamMessenger
from filebot.xmpp.presence import online_clients
from filebot.xmpp.presence.online_clients import OnlineClients
from filebot.xmpp.rooms.room_sender import RoomSender
from tests.unit.xmpp.conftest import Mode, SentStanzas
from tests.unit.xmpp.messages.test_messenger import URL, entry
from tests.unit.xmpp.rooms.test_room_sender import always_in

ANNA = "anna@example.org"


def presence(sender: str, kind: str | None = None, caps: str = "") -> str:
    kind_of = f" type='{kind}'" if kind else ""
    c = f"<c xmlns='http://jabber.org/protocol/caps' node='n' ver='{caps}'/>" if caps else ""
    return f"<presence xmlns='jabber:client' from='{sender}'{kind_of}>{c}</presence>"


def told(outbox: SentStanzas, *presences: str) -> list[str]:
    online: list[str] = []
    resources = OnlineClients(outbox.stream, lambda jid: not jid.startswith("eve"), on_online=online.append)
    for each in presences:
        resources.presence(fromstring(each))
    return online


def test_each_client_that_comes_is_told_and_each_that_comes_back(outbox: SentStanzas) -> None:
    phone, desktop = f"{ANNA}/phone", f"{ANNA}/desktop"
    come, go = presence(phone, caps="1"), presence(phone, "unavailable")
    assert told(outbox, come, presence(desktop, caps="1"), go, come) == [ANNA] * 3


def test_who_only_changes_status_is_not_but_who_changes_features_is(outbox: SentStanzas) -> None:
    first, other = presence(f"{ANNA}/phone", caps="1"), presence(f"{ANNA}/phone", caps="2")
    assert told(outbox, first, first, first) == [ANNA]
    assert told(outbox, first, other) == [ANNA] * 2


@pytest.mark.parametrize(
    "stanza",
    [
        presence("eve@example.org/x", caps="1"),
        presence(ANNA, caps="1"),
        presence(f"{ANNA}/x", "unavailable"),
        presence(f"{ANNA}/x", "error"),
        presence(f"{ANNA}/x", "probe"),
        presence("bot@example.org/other", caps="1"),
    ],
)
def test_strangers_and_what_is_no_coming_are_not(outbox: SentStanzas, stanza: str) -> None:
    assert told(outbox, stanza) == []


def test_of_what_a_client_says_of_itself_only_so_much_is_kept(outbox: SentStanzas) -> None:
    resources = OnlineClients(outbox.stream, lambda _: True)
    show = f"<presence xmlns='jabber:client' from='{ANNA}/x'><show>{'away' * 9999}</show></presence>"
    resources.presence(fromstring(presence(f"{ANNA}/x", caps="v" * 99_999)))
    resources.presence(fromstring(show))
    [client] = resources._people[ANNA].values()
    assert len(client.show) + len(client.caps) < 1000


def test_a_client_is_written_to_from_the_address_that_it_sees(
    outbox_of: Callable[[Mode], SentStanzas],
) -> None:
    outbox = outbox_of("component")
    resources = OnlineClients(outbox.stream, lambda _: True)
    phone = fromstring(presence(f"{ANNA}/phone"))
    phone.set("to", "drop@files.example.org")
    resources.presence(phone)
    assert resources.own_for(f"{ANNA}/phone") == "drop@files.example.org/filebot"
    assert resources.own_for(f"{ANNA}/desktop") == "files.example.org/filebot"


def test_a_component_is_no_client_of_its_own(outbox_of: Callable[[Mode], SentStanzas]) -> None:
    outbox, online = outbox_of("component"), list[str]()
    resources = OnlineClients(outbox.stream, lambda _: True, on_online=online.append)
    resources.presence(fromstring(presence("drop@files.example.org/filebot")))
    assert online == []


# --- whether a client that wrote is still there -----------------------------------------------------


PHONE = parse_jid("anna@example.org/phone")


class Answers:
    """Answers that answer; ``asked`` has every question."""

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


def seen_for(stream: Stream, seconds: float) -> OnlineClients:
    """Return online clients each of which has been seen online for so long."""
    seen = OnlineClients(stream, lambda _: True)
    seen.online_for_s = lambda full: seconds  # type: ignore[method-assign]  # stays so
    return seen


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    made = Answers(PHONE.full)
    monkeypatch.setattr(online_clients, "PAUSE_S", 0.0)
    monkeypatch.setattr(online_clients, "query", made.query)
    return made


async def test_a_client_is_asked_once_and_its_answer_counts_for_a_while(
    outbox: SentStanzas, answers: Answers
) -> None:
    check = seen_for(outbox.stream, 0.5)
    assert await asyncio.gather(*(check.is_there(PHONE) for _ in range(3))) == [True] * 3
    assert answers.asked == [PHONE.full]
    gone = f"<presence xmlns='jabber:client' from='{PHONE.full}' type='unavailable'/>"
    check.presence(fromstring(gone))
    answers.there.clear()
    assert [await check.is_there(PHONE) for _ in range(3)] == [False] * 3
    assert answers.asked == [PHONE.full] * 2


async def test_who_has_been_online_for_a_moment_is_not_asked(outbox: SentStanzas, answers: Answers) -> None:
    assert await seen_for(outbox.stream, 1.5).is_there(PHONE)
    assert answers.asked == []


async def test_without_a_session_nobody_is_waited_for(outbox: SentStanzas, answers: Answers) -> None:
    outbox.stream._session_started = False
    assert await seen_for(outbox.stream, 0.5).is_there(PHONE)
    assert answers.asked == []


@pytest.mark.parametrize(
    ("client", "to"),
    [("phone", "anna@example.org/phone"), ("cli-8f3a", "anna@example.org")],
    ids=["is there", "has left"],
)
async def test_the_answer_goes_to_the_client_that_is_there_and_else_to_the_person(
    outbox: SentStanzas, answers: Answers, client: str, to: str
) -> None:
    async def corrects_nothing(jid: str) -> bool:
        return False

    messenger = StreamMessenger(
        outbox.stream,
        corrects_nothing,
        lambda _: True,
        RoomSender(always_in),
        seen_for(outbox.stream, 0.5).is_there,
    )
    address = Address(f"anna@example.org/{client}")
    await messenger.say(address, "Hallo")
    await messenger.send_file(address, entry(), URL)
    assert [message.get("to") for message in outbox.sent] == [to, to]


async def test_a_component_asks_from_the_address_that_the_client_wrote_to(
    outbox_of: Callable[[Mode], SentStanzas], answers: Answers
) -> None:
    async def corrects_nothing(jid: str) -> bool:
        return False

    outbox = outbox_of("component")
    messenger = StreamMessenger(
        outbox.stream,
        corrects_nothing,
        lambda _: True,
        RoomSender(always_in),
        seen_for(outbox.stream, 0.5).is_there,
        lambda person: "known@files.example.org" if person.startswith("bob") else "",
    )
    answers.there.add("bob@example.org/phone")
    await messenger.say(Address(PHONE.full, own="box@files.example.org"), "Hallo")
    await messenger.say(Address("bob@example.org/phone"), "Hallo")
    assert answers.asked_from == ["box@files.example.org/filebot", "known@files.example.org/filebot"]
