"""Stream to the server: no clear text for a man in the middle, and stanzas sent around an outage."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal
from xml.etree.ElementTree import fromstring

import pytest
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.errors import ConfigError
from filebot.model import IncomingMessage
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.connection.stream_setup import build
from filebot.xmpp.session import Handlers, SessionSettings, XmppSession
from tests.support.virtual_time import in_virtual_time, seconds
from tests.unit.xmpp.conftest import Mode, SentStanzas

HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    " id='1' from='example.org' version='1.0' xml:lang='en'>"
)
SASL = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
REDIRECT = (
    "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:{port}"
    "</see-other-host></stream:error></stream:stream>"
)


class Middleman:
    """Speaks to everybody who connects, and keeps what they say."""

    def __init__(self, says: str) -> None:
        self._says = says
        self.heard: list[str] = []
        self.connections = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write((HEADER + self._says).encode())
        while data := await reader.read(4096):
            self.heard.append(data.decode())
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]


async def visit(port: int, messages: list[IncomingMessage]) -> None:
    settings = SessionSettings("bot@example.org", "geheim", host="127.0.0.1", port=port)
    session = XmppSession(settings, Handlers(message=messages.append, is_served=lambda _: True))
    async with session:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.run_until_ready(), 0.5)


@pytest.mark.parametrize(
    "says",
    [
        f"<stream:features>{SASL}</stream:features>",
        f"<stream:features>{BIND}</stream:features>",
        "<stream:features/>",
        "<message from='admin@example.org/x' type='chat'><body>ls</body></message>",
        "<iq type='get' id='1' from='example.org'><query xmlns='jabber:iq:version'/></iq>",
        "<presence type='subscribe' from='anna@example.org'/>",
    ],
)
async def test_without_tls_the_bot_says_nothing_but_its_domain(says: str) -> None:
    middleman, messages = Middleman(says), list[IncomingMessage]()
    async with middleman.listening() as port:
        await visit(port, messages)
    assert middleman.heard
    assert "".join(middleman.heard).replace("</stream:stream>", "").count("<") == 1  # the header
    assert messages == []


async def test_a_redirection_is_not_followed() -> None:
    elsewhere = Middleman("")
    async with elsewhere.listening() as other:
        middleman = Middleman(REDIRECT.format(port=other))
        async with middleman.listening() as port:
            await visit(port, [])
    assert middleman.connections >= 1
    assert elsewhere.connections == 0


def test_the_password_is_not_printed() -> None:
    assert "geheim" not in repr(SessionSettings("bot@example.org", "geheim"))


@asynccontextmanager
async def a_stream() -> AsyncIterator[Stream]:
    stream = build(SessionSettings("bot@example.org", "geheim", host="127.0.0.1", port=1))
    try:
        yield stream
    finally:
        await stream.close(0.0)


async def ping(stream: Stream, limit_s: float) -> None:
    iq = stream.make_iq_get(ito="example.org", ifrom="bot@example.org")
    iq.enable("ping")
    with pytest.raises(IqTimeout):
        await ask(stream, iq, limit_s)


@in_virtual_time
async def test_what_was_asked_in_an_outage_and_given_up_is_not_sent_after_it() -> None:
    async with a_stream() as stream:
        assert await seconds(ping(stream, 30.0)) == 30.0
        stream.event("session_start")
        await asyncio.sleep(1)
        assert stream.waiting_queue.empty()


async def test_what_waits_for_the_next_session_has_a_bound(caplog: pytest.LogCaptureFixture) -> None:
    async with a_stream() as stream:
        for outage in range(2):
            for number in range(2_000):
                stream.make_message("anna@example.org", f"{number} {'a' * 9_000}").send()
            stream.event("session_start")
            assert 800 < stream.waiting_queue.qsize() < 1_000
            assert caplog.text.count("as too much waited") == outage + 1
            while not stream.waiting_queue.empty():
                stream.waiting_queue.get_nowait()
            stream._session_started = False


@in_virtual_time
async def test_what_was_asked_just_before_the_session_is_sent_in_it_and_not_waited_for_any_longer() -> None:
    async with a_stream() as stream:
        sent = list[StanzaBase | str]()
        asking = asyncio.create_task(seconds(ping(stream, 30.0)))
        await asyncio.sleep(20)
        stream.send = lambda data, use_filters=True: sent.append(data)  # type: ignore[method-assign]
        stream.event("session_resumed")
        await asyncio.sleep(1)
        assert len(sent) == 1
        assert await asking == 30.0


@pytest.mark.parametrize("mode", ["client", "component"])
async def test_an_own_address_that_is_none_is_a_mistake_in_the_config(
    mode: Literal["client", "component"],
) -> None:
    settings = SessionSettings("bot@xn--", "x", mode=mode, host="127.0.0.1", port=1)
    with pytest.raises(ConfigError) as caught:
        build(settings)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith("xmpp.jid: 'bot@xn--' is not an address")


@pytest.mark.parametrize("password", ["gehe\x07im", "\u06271"])
async def test_a_password_that_no_account_can_have_is_a_mistake_in_the_config(password: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(SessionSettings("bot@example.org", password, host="127.0.0.1", port=1))
    (mistake,) = caught.value.mistakes
    assert mistake.startswith("xmpp.password: ")
    assert password not in mistake
    assert caught.value.__cause__ is None
    component = SessionSettings("files.example.org", password, mode="component", host="127.0.0.1", port=1)
    await build(component).close(0.0)


@pytest.mark.parametrize("modes", [("client", "component"), ("component", "client")])
async def test_a_refusal_says_the_same_to_an_account_and_to_a_component(
    outbox_of: Callable[[Mode], SentStanzas], modes: tuple[Mode, Mode]
) -> None:
    outboxes = [outbox_of(mode) for mode in modes]
    for mode, outbox in zip(modes, outboxes, strict=True):
        iq = outbox.stream.make_iq_get(ito="example.org", ifrom="files.example.org")
        asking = asyncio.create_task(ask(outbox.stream, iq, 5.0))
        await asyncio.sleep(0)
        namespace = "jabber:client" if mode == "client" else "jabber:component:accept"
        answer = fromstring(
            f"<iq xmlns='{namespace}' type='error' id='{iq['id']}' from='example.org'><error type='auth'>"
            "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Not for you</text></error></iq>"
        )
        outbox.stream.encrypted = lambda: True  # type: ignore[method-assign]
        outbox.stream._spawn_event(answer)
        with pytest.raises(IqError) as refused:
            await asking
        assert (refused.value.condition, refused.value.etype) == ("forbidden", "auth")


@pytest.mark.parametrize(
    "inside", ["", "<foo xmlns='{0}'/>", "<text xmlns='{0}'>no</text>", "<not-allowed xmlns='other'/>"]
)
async def test_an_error_that_names_no_condition_is_an_error_at_once(
    outbox: SentStanzas, caplog: pytest.LogCaptureFixture, inside: str
) -> None:
    iq = outbox.stream.make_iq_get(ito="anna@example.org/phone")
    asking = asyncio.create_task(ask(outbox.stream, iq, 0.2))
    await asyncio.sleep(0)
    outbox.stream.encrypted = lambda: True  # type: ignore[method-assign]
    error = f"<error type='wait'>{inside.format('urn:ietf:params:xml:ns:xmpp-stanzas')}</error>"
    answer = f"<iq type='error' id='{iq['id']}' from='anna@example.org/phone'>{error}</iq>"
    outbox.stream._spawn_event(fromstring(answer.replace("<iq", "<iq xmlns='jabber:client'")))
    with pytest.raises(IqError) as refused:
        await asking
    assert (refused.value.condition, refused.value.etype) == ("undefined-condition", "wait")
    assert not caplog.records
