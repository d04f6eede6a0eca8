"""What somebody between the bot and its server can make it say in clear: nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from filebot.model import IncomingMessage
from filebot.xmpp.session import Session, SessionSettings

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
    session = Session(settings, on_message=messages.append, may_subscribe=lambda _: True)
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
