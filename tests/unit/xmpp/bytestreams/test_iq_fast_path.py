"""Requests of byte streams go around slixmpp's objects, and are counted and answered like all others."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from slixmpp.jid import JID

from filebot.model import Client, Method, Negotiation
from filebot.ports import StreamOffer
from filebot.protocol.ibb import IBB
from filebot.protocol.stream_initiation import BYTESTREAMS, FILE_TRANSFER, SI
from filebot.xmpp.bytestreams.ibb_receiver import IbbStreamReceiver
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.handlers import StreamHandlers
from filebot.xmpp.presence.online_clients import MOST_CLIENTS, OnlineClients
from filebot.xmpp.streams import PeerStreams
from tests.support.waiting import until
from tests.unit.xmpp.conftest import Mode, SentStanzas

PEER = "anna@example.org/phone"
ROOM = "den@conference.example.org"
OFFER = (
    f"<si xmlns='{SI}' id='s1' profile='{FILE_TRANSFER}'><file xmlns='{FILE_TRANSFER}' name='a' size='3'/>"
    "<feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='form'>"
    f"<field var='stream-method'><option><value>{IBB}</value></option></field></x></feature></si>"
)


def iq(payload: str, *, kind: str = "set", sender: str = PEER, stanza_id: str = "1") -> Element:
    return fromstring(
        f"<iq xmlns='jabber:client' type='{kind}' id='{stanza_id}' from='{sender}'>{payload}</iq>"
    )


@pytest.fixture
def posted(outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> list[Element]:
    """Stanzas that are sent as text, parsed again."""
    sent: list[Element] = []

    def post(text: str) -> None:
        sent.append(fromstring(text.replace("<iq ", "<iq xmlns='jabber:client' ", 1)))

    monkeypatch.setattr(outbox.stream, "post", post)
    return sent


def conditions(sent: list[Element]) -> list[str]:
    errors = [stanza[0][0] for stanza in sent if stanza.get("type") == "error"]
    return [error.tag.partition("}")[2] for error in errors]


# --- the lane ----------------------------------------------------------------------------------------


async def test_only_what_is_served_is_taken(outbox: SentStanzas, posted: list[Element]) -> None:
    came: list[Request] = []
    fast_path = IqFastPath(outbox.stream)
    fast_path.serve(f"{{{IBB}}}data", came.append, in_messages=True)
    take = outbox.stream.fast_path
    assert take is not None
    data = f"<data xmlns='{IBB}' sid='s' seq='0'/>"
    assert take(iq(data))
    assert take(fromstring(f"<message xmlns='jabber:client' from='{PEER}'><thread/>{data}</message>"))
    assert [(each.peer, each.sid, each.expects_answer) for each in came] == [
        (PEER, "s", True),
        (PEER, "s", False),
    ]
    for other in (iq("<ping xmlns='urn:xmpp:ping'/>"), iq(data, kind="get"), iq("", kind="result")):
        assert not take(other)
    bounce = f"<message xmlns='jabber:client' type='error' from='{PEER}'>{data}</message>"
    assert not take(fromstring(bounce))
    for request in came:
        fast_path.acknowledge(request)
    assert [(each.get("type"), each.get("id"), each.get("to")) for each in posted] == [
        ("result", "1", PEER)
    ]


async def test_an_answer_counts_only_from_who_was_asked(outbox: SentStanzas) -> None:
    fast_path, numbers = IqFastPath(outbox.stream), list[int]()
    fast_path.expect("x", PEER, lambda number, _: numbers.append(number))
    take = outbox.stream.fast_path
    assert take is not None
    assert take(iq("", kind="result", stanza_id="x-7"))
    assert not take(iq("", kind="result", stanza_id="x-7", sender="eve@example.org/x"))
    assert not take(iq("", kind="result", stanza_id="x-many"))
    fast_path.forget("x")
    assert not take(iq("", kind="result", stanza_id="x-8"))
    assert numbers == [7]


@pytest.mark.parametrize(("mode", "sender"), [("client", None), ("component", "bot@files.example.org")])
async def test_a_component_tells_who_answers(
    outbox_of: Callable[[Mode], SentStanzas],
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    sender: str | None,
) -> None:
    stream, sent = outbox_of(mode).stream, list[str]()
    monkeypatch.setattr(stream, "post", sent.append)
    stanza = iq("<a/>", stanza_id="&lt;&quot;&gt;")
    IqFastPath(stream).acknowledge(
        Request(stanza, stanza[0], PEER, "bot@files.example.org", expects_answer=True)
    )
    answer = fromstring(sent[0])
    assert (answer.get("id"), answer.get("from")) == ('<">', sender)


async def test_a_mistake_of_ours_does_not_end_the_stream(
    outbox: SentStanzas, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Request) -> None:
        raise RuntimeError("a bug")

    IqFastPath(outbox.stream).serve(f"{{{IBB}}}data", fail)
    outbox.stream._session_started = True
    outbox.stream.trusted = lambda: True  # type: ignore[method-assign]
    outbox.stream._spawn_event(iq(f"<data xmlns='{IBB}'/>"))
    assert "could not be handled" in caplog.text


# --- stream management -------------------------------------------------------------------------------


async def test_text_is_counted_for_stream_management(
    outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, sent = outbox.stream, list[str]()
    management = stream.plugin["xep_0198"]
    monkeypatch.setattr(stream, "send_raw", sent.append)
    monkeypatch.setattr(stream, "transport", object())
    stream._session_started = management.enabled_out = management.enabled_in = True
    for number in range(management.window):
        stream.post(f"<iq id='{number}'/>")
    stanzas = [text for _, text in management.unacked_queue]
    assert stanzas == [f"<iq id='{number}'/>" for number in range(management.window)]
    assert sent == [*stanzas[:-1], stanzas[-1] + '<r xmlns="urn:xmpp:sm:3"/>']
    stream.trusted = lambda: True  # type: ignore[method-assign]
    IqFastPath(stream).serve(f"{{{IBB}}}data", lambda _: None)
    stream._spawn_event(iq(f"<data xmlns='{IBB}'/>"))
    assert management.handled == 1
    monkeypatch.setattr(stream, "transport", None)


async def test_acknowledgements_go_along_with_a_stanza_or_soon_without_one(
    outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, sent = outbox.stream, list[str]()
    management = stream.plugin["xep_0198"]
    monkeypatch.setattr(stream, "send_raw", sent.append)
    monkeypatch.setattr(stream, "transport", object())
    stream._session_started = management.enabled_in = True
    management.handled = 7
    stream.trusted = lambda: True  # type: ignore[method-assign]
    asked, answer = fromstring('<r xmlns="urn:xmpp:sm:3"/>'), '<a xmlns="urn:xmpp:sm:3" h="7"/>'
    stream._spawn_event(asked)
    stream._spawn_event(asked)
    assert sent == []
    stream.post("<iq/>")
    assert sent == [f"<iq/>{answer}"]
    stream._spawn_event(asked)
    await until(lambda: len(sent) >= 2, 5)
    assert sent[1] == answer
    monkeypatch.setattr(stream, "transport", None)


async def test_text_is_kept_while_the_session_may_be_resumed(outbox: SentStanzas) -> None:
    management = outbox.stream.plugin["xep_0198"]
    outbox.stream._session_started = False
    outbox.stream.post("<iq id='lost'/>")
    assert management.unacked_queue == deque()
    management.sm_id = "a session to come back to"
    outbox.stream.post("<iq id='kept'/>")
    assert [text for _, text in management.unacked_queue] == ["<iq id='kept'/>"]


# --- offers ------------------------------------------------------------------------------------------


class Rooms:
    addresses = frozenset({ROOM})


def streams(outbox: SentStanzas, offers: list[StreamOffer]) -> PeerStreams:
    def serves(jid: str) -> bool:
        return jid in {"anna@example.org", ROOM}

    resources = OnlineClients(outbox.stream, serves)
    handlers = StreamHandlers(offers.append, lambda _: None)
    return PeerStreams(outbox.stream, Rooms(), resources, serves, handlers)


async def test_offers_through_rooms_are_declined_with_words(
    outbox: SentStanzas, posted: list[Element]
) -> None:
    offers: list[StreamOffer] = []
    made = streams(outbox, offers)
    take = outbox.stream.fast_path
    assert take is not None
    assert take(iq(OFFER, sender=f"{ROOM}/anna"))
    assert take(iq(OFFER, sender="anna@example.org"))
    assert conditions(posted) == ["forbidden", "bad-request"]
    assert "directly" in "".join(posted[0].itertext())
    assert take(iq(OFFER))
    await asyncio.sleep(0)
    assert [each.sender.jid for each in offers] == ["anna@example.org"]
    await made.close()


# --- the inbox ---------------------------------------------------------------------------------------


async def test_empty_blocks_are_acknowledged_and_bring_nothing(
    outbox: SentStanzas, posted: list[Element]
) -> None:
    inbox = IbbStreamReceiver(IqFastPath(outbox.stream), StreamLimits(linger_s=0.01), 4096, 3)
    for seq, text in enumerate(["", "QUI=", "", "Qw=="]):
        stanza = iq(f"<data xmlns='{IBB}' sid='s' seq='{seq}'>{text}</data>")
        inbox.take(Request(stanza, stanza[0], PEER, "bot@example.org/x", expects_answer=True))
    assert [chunk async for chunk in inbox.chunks()] == [b"ABC"]
    assert [each.get("type") for each in posted] == ["result"] * 4
    assert not inbox.unfinished


async def test_a_block_with_elements_inside_is_bad(outbox: SentStanzas, posted: list[Element]) -> None:
    inbox = IbbStreamReceiver(IqFastPath(outbox.stream), StreamLimits(), 4096, 3)
    stanza = iq(f"<data xmlns='{IBB}' sid='s' seq='0'>QUJD<b/></data>")
    inbox.take(Request(stanza, stanza[0], PEER, "bot@example.org/x", expects_answer=True))
    assert conditions(posted) == ["bad-request"]


# --- who is online -----------------------------------------------------------------------------------


def presence(sender: str, content: str = "", kind: str = "") -> Element:
    attribute = f" type='{kind}'" if kind else ""
    return fromstring(f"<presence xmlns='jabber:client' from='{sender}'{attribute}>{content}</presence>")


def caps(ver: str) -> str:
    return f"<c xmlns='http://jabber.org/protocol/caps' node='n' ver='{ver}' hash='sha-1'/>"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """JIDs whose features were queried; every client supports both kinds of stream."""
    jids: list[str] = []
    features = (FILE_TRANSFER, BYTESTREAMS, IBB)

    async def query(_: Any, jid: str, namespace: str, __: float, *, own: str) -> Element:
        jids.append(jid)
        listed = "".join(f"<feature var='{each}'/>" for each in features)
        return fromstring(f"<query xmlns='{namespace}'>{listed}</query>")

    monkeypatch.setattr("filebot.xmpp.presence.online_clients.query", query)
    return jids


async def test_clients_are_asked_once_while_their_caps_stay(outbox: SentStanzas, asked: list[str]) -> None:
    resources = OnlineClients(outbox.stream, lambda jid: jid.startswith("anna"))
    for _ in range(3):
        resources.presence(presence(PEER, caps("1")))
        assert await resources.clients("anna@example.org") == [
            Client(PEER, {Negotiation.SI: frozenset(Method) - {Method.HTTP}}, "n")
        ]
    assert asked == [PEER]
    resources.presence(presence(PEER, caps("2")))
    await resources.clients("anna@example.org")
    assert asked == [PEER, PEER]
    resources.presence(presence(PEER, kind="unavailable"))
    resources.presence(presence("eve@example.org/x"))
    assert await resources.clients("anna@example.org") == await resources.clients("eve@example.org") == []


async def test_the_likeliest_client_comes_first_and_there_are_not_too_many(
    outbox: SentStanzas, asked: list[str]
) -> None:
    resources = OnlineClients(outbox.stream, lambda _: True)
    resources.presence(presence("anna@example.org/away", "<show>away</show><priority>5</priority>"))
    resources.presence(presence("anna@example.org/low", "<priority>-1</priority>"))
    resources.presence(presence("anna@example.org/here", "<priority>5</priority>"))
    for number in range(2 * MOST_CLIENTS):
        resources.presence(presence(f"anna@example.org/{number}", "<priority>junk</priority>"))
    found = [JID(each.jid).resource for each in await resources.clients("anna@example.org")]
    assert (found[:2], found[-1], len(found)) == (["here", "away"], "low", MOST_CLIENTS)
    assert len(asked) == MOST_CLIENTS
