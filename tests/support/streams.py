"""Sessions like the bot's, and helpers for a plain client, for tests of byte streams on a real server."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.errors import FilebotError
from filebot.localserver.peer import Peer
from filebot.localserver.server import ComponentLogin, Server
from filebot.model import BlobRef, Entry, Method, Negotiation, StreamMethod
from filebot.ports import FileRequest, StreamOffer
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.socks5.connections import Socks5Connections
from filebot.transfer.socks5.listener import Listener
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.session import Handlers, SessionSettings, StreamHandlers, XmppSession
from tests.servers import component_login
from tests.support.waiting import until, until_answered

LIMIT_S = 20.0
SI = "http://jabber.org/protocol/si"
FILE_TRANSFER = "http://jabber.org/protocol/si/profile/file-transfer"
NEGOTIATION = "http://jabber.org/protocol/feature-neg"
FORMS = "jabber:x:data"
BYTESTREAMS = "http://jabber.org/protocol/bytestreams"
IBB = "http://jabber.org/protocol/ibb"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"

OnOffer = Callable[["StreamPeer", StreamOffer], Awaitable[None]]


class StreamPeer:
    """A session that takes everything, and what came of it."""

    def __init__(
        self,
        server: Server,
        user: str,
        connections: Socks5Connections | None,
        on_offer: OnOffer | None,
        limits: StreamLimits,
        *,
        component: ComponentLogin | None = None,
    ) -> None:
        self.offers: list[StreamOffer] = []
        self.requests: list[FileRequest] = []
        self.on_request: Callable[[FileRequest], Awaitable[None]] | None = None
        self.files: asyncio.Queue[bytes | FilebotError] = asyncio.Queue()
        self.jid = ""
        if component is not None:
            settings = SessionSettings(
                component.domain,
                component.secret,
                mode="component",
                host=component.host,
                port=component.port,
            )
        else:
            settings = SessionSettings(
                server.jid(user),
                server.password(user),
                host="127.0.0.1",
                port=server.c2s_port,
                ca_file=server.ca_file,
            )
        self._take = on_offer or take
        self.session = XmppSession(
            settings,
            Handlers(
                message=self._pong,
                is_served=lambda jid: not jid.startswith("eve"),
                streams=StreamHandlers(self._offered, self._requested),
            ),
            unserved_reason="Not for you.",
            connections=connections,
            stream_limits=limits,
        )

    async def file(self) -> bytes:
        """Return the next file that came, or raise what became of it."""
        came = await asyncio.wait_for(self.files.get(), LIMIT_S)
        if isinstance(came, FilebotError):
            raise came
        return came

    async def until_idle(self) -> None:
        """Wait until no byte stream and no task of one is left."""
        streams = self.session.streams

        def idle() -> bool:
            tasks = tasks_of_streams()
            return not (streams._sessions._people or streams._tools.fast_path._askers or tasks)

        await until(idle, LIMIT_S)

    async def send(self, to: str, file: Path, method: Method) -> list[int]:
        """Send a file by stream initiation and return the progress that was reported."""
        reported: list[int] = []
        async with asyncio.timeout(LIMIT_S):
            await self.session.streams.send(
                to, file, entry(file), StreamMethod(Negotiation.SI, method), reported.append
            )
        return reported

    async def send_by_jingle(self, other: "StreamPeer", file: Path, method: Method) -> Method:
        """Send a file by Jingle, once it is known what the other can do; the method in the end."""
        await self.knows(other)
        async with asyncio.timeout(LIMIT_S):
            way = StreamMethod(Negotiation.JINGLE, method)
            return await self.session.streams.send(other.jid, file, entry(file), way, lambda _: None)

    async def knows(self, other: "StreamPeer") -> None:
        """Let each see the other's presence, and wait until the other's features are known."""
        for one, two in ((self, other), (other, self)):
            one.session._stream.send_presence(pto=JID(two.jid).bare)
        streams = self.session.streams

        async def known() -> bool:
            return other.jid in [each.jid for each in await streams.clients(JID(other.jid).bare)]

        await until_answered(known, LIMIT_S)

    async def _offered(self, offer: StreamOffer) -> None:
        self.offers.append(offer)
        await self._take(self, offer)

    async def _requested(self, request: FileRequest) -> None:
        self.requests.append(request)
        assert self.on_request is not None
        await self.on_request(request)

    async def _pong(self, message: Any) -> None:
        await self.session.messenger.say(message.sender.address, "pong")


async def take(stream_peer: StreamPeer, offer: StreamOffer) -> None:
    """Accept and read all."""
    content = bytearray()
    try:
        async with offer.accept() as download:
            assert download.size == offer.offer.size
            async for piece in download.chunks():
                content += piece
    except FilebotError as error:
        stream_peer.files.put_nowait(error)
    else:
        stream_peer.files.put_nowait(bytes(content))


def entry(file: Path) -> Entry:
    """Return the entry that the catalog would have for a file."""
    content = file.read_bytes()
    now = datetime.now(UTC)
    blob = BlobRef(hashlib.sha256(content).hexdigest(), len(content))
    return Entry(file.name, "x@localhost", None, "", blob, "text/plain", now, id=1, modified_at=now)


@asynccontextmanager
async def stream_peer(
    server: Server,
    user: str,
    *,
    socks5: bool = True,
    listens: bool = False,
    private: bool = True,
    on_offer: OnOffer | None = None,
    limits: StreamLimits | None = None,
    component: bool = False,
) -> AsyncIterator[StreamPeer]:
    """Online; leaves nothing behind. ``user`` is a domain if it is a component.

    Without ``private`` it connects to nothing on this machine. ``limits`` are the bot's own by default; a
    test that waits for a limit shortens only that one, since others could expire on a busy machine.
    """
    limits = limits or StreamLimits()
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Listener("127.0.0.1", 0)) if listens else None
        connections = None
        if socks5:
            policy = AddressPolicy(allow_insecure=True, allow_private=private)
            connections = Socks5Connections(
                policy, limits.idle_s, listener, ("127.0.0.1",) if listens else ()
            )
        login = server.component(user) if component else component_login(server, user)
        made = StreamPeer(server, user, connections, on_offer, limits, component=login)
        async with made.session as session:
            made.jid = await asyncio.wait_for(session.run_until_ready(), LIMIT_S)
            yield made
            await made.until_idle()
    assert not tasks_of_streams()


def tasks_of_streams() -> list[str]:
    """Return the names of the running tasks of byte streams."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name in {"stream offer", "dialling", "a Jingle session"}]


@dataclass
class Answer:
    """Answer to a request."""

    stanza: Element

    @property
    def kind(self) -> str:
        return self.stanza.get("type", "")

    @property
    def condition(self) -> str:
        found = (each for each in self.stanza.iter() if each.tag.startswith(f"{{{STANZAS}}}"))
        return next((each.tag.partition("}")[2] for each in found if not each.tag.endswith("}text")), "")

    @property
    def text(self) -> str:
        return next((each.text or "" for each in self.stanza.iter(f"{{{STANZAS}}}text")), "")


async def ask(peer: Peer, to: str, payload: Element) -> Answer:
    """Send an iq of type ``set`` and return the response, be it a result or an error."""
    iq = peer.client.make_iq_set(payload, ito=JID(to))
    try:
        return Answer((await iq.send(timeout=LIMIT_S)).xml)  # type: ignore[no-untyped-call]
    except IqError as error:
        return Answer(error.iq.xml)


def offer(sid: str, size: int, *methods: str, name: str = "a.txt") -> Element:
    si = Element(f"{{{SI}}}si", {"id": sid, "profile": FILE_TRANSFER, "mime-type": "text/plain"})
    SubElement(si, f"{{{FILE_TRANSFER}}}file", {"name": name, "size": str(size)})
    form = SubElement(SubElement(si, f"{{{NEGOTIATION}}}feature"), f"{{{FORMS}}}x", {"type": "form"})
    field = SubElement(form, f"{{{FORMS}}}field", {"var": "stream-method", "type": "list-single"})
    for method in methods or (IBB,):
        SubElement(SubElement(field, f"{{{FORMS}}}option"), f"{{{FORMS}}}value").text = method
    return si


def accepted(method: str) -> Element:
    si = Element(f"{{{SI}}}si")
    form = SubElement(SubElement(si, f"{{{NEGOTIATION}}}feature"), f"{{{FORMS}}}x", {"type": "submit"})
    field = SubElement(form, f"{{{FORMS}}}field", {"var": "stream-method"})
    SubElement(field, f"{{{FORMS}}}value").text = method
    return si


def stream_hosts(sid: str, *hosts: tuple[str, str, int], fast: bool = False) -> Element:
    query = Element(f"{{{BYTESTREAMS}}}query", {"sid": sid, "mode": "tcp"})
    for jid, host, port in hosts:
        about = {"jid": jid, "host": host, "port": str(port)}
        SubElement(query, f"{{{BYTESTREAMS}}}streamhost", about)
    if fast:
        SubElement(query, "{http://affinix.com/jabber/stream}fast")
    return query


def opening(sid: str, block_size: int = 4096) -> Element:
    return Element(f"{{{IBB}}}open", {"sid": sid, "block-size": str(block_size), "stanza": "iq"})


def block(sid: str, seq: object, text: str) -> Element:
    element = Element(f"{{{IBB}}}data", {"sid": sid, "seq": str(seq)})
    element.text = text
    return element


def closing(sid: str) -> Element:
    return Element(f"{{{IBB}}}close", {"sid": sid})


def requests(peer: Peer, payload: str) -> asyncio.Queue[Any]:
    """Return a queue of all later iqs to the peer with this payload; the caller has to answer them."""
    came: asyncio.Queue[Any] = asyncio.Queue()
    path = f"{{jabber:client}}iq/{payload}"
    peer.client.register_handler(Callback(payload, MatchXPath(path), came.put_nowait))
    return came
