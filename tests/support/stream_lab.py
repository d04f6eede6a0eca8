"""Byte streams of a session without a server: a scripted peer that answers as told, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element, fromstring

import pytest
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.errors import FilebotError
from filebot.model import Method, Negotiation, StreamMethod
from filebot.ports import FileRequest, StreamOffer
from filebot.protocol.ibb import IBB
from filebot.protocol.jingle.features import OWN_IN_BAND, OWN_SOCKS5
from filebot.protocol.jingle.namespaces import FILES, IN_BAND, JINGLE, SOCKS5
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import BYTESTREAMS, FILE_TRANSFER, SI
from filebot.protocol.xml import local_name
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.socks5.connections import Socks5Connections
from filebot.transfer.socks5.listener import Listener
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream_setup import build
from filebot.xmpp.handlers import StreamHandlers
from filebot.xmpp.presence.online_clients import OnlineClients
from filebot.xmpp.streams import PeerStreams
from tests.support.streams import entry
from tests.unit.transfer.leaks import nothing_left

BOT = "bot@example.org/filebot"
PEER = "anna@example.org/phone"
ALL = frozenset({*OWN_IN_BAND, *OWN_SOCKS5, FILE_TRANSFER, SI, BYTESTREAMS, IBB})
SOCKS5_ONLY = ALL - OWN_IN_BAND - {IBB} | {JINGLE, FILES}
"""Features of a client with both kinds of negotiation and no in-band streams."""

Answer: TypeAlias = str | StanzaError | None
"""Payload of a result, an error, or None for no answer."""
Act: TypeAlias = Callable[[Element], None]


def what(stanza: Element) -> str:
    """Return the action of Jingle, else the name of an iq's payload; ``result`` or ``error``."""
    if stanza.get("type") in {"result", "error"} or not len(stanza):
        return stanza.get("type", "")
    payload = stanza[0]
    namespace = payload.tag.partition("}")[0].rpartition("/")[2]
    name = local_name(payload)
    return payload.get("action", name) if name != "query" else f"query of {namespace}"


class Lab:
    """Byte streams of the bot, and the script of the peer."""

    def __init__(self, connections: Socks5Connections | None, limits: StreamLimits | None) -> None:
        self.said: list[Element] = []
        """Stanzas that the bot has sent."""
        self.addresses = frozenset({"den@conference.example.org"})
        """Addresses of rooms."""
        self.offers: list[StreamOffer] = []
        self.requests: list[FileRequest] = []
        self.on_offer: Callable[[StreamOffer], Any] = lambda _: asyncio.sleep(10_000)
        self.on_request: Callable[[FileRequest], Any] = lambda _: asyncio.sleep(10_000)
        self.came: list[bytes | FilebotError] = []
        """Files that :meth:`take` got."""
        self._events = asyncio.Event()
        self._answers: dict[str, Answer] = {"query of disco#items": ""}
        self._acts: dict[str, Act] = {}
        self._asked = 0
        settings = SessionSettings(BOT.partition("/")[0], "secret", host="127.0.0.1", port=1)
        self.stream = stream = build(settings)
        stream.boundjid.full = BOT
        stream._session_started = True
        patch = pytest.MonkeyPatch()
        patch.setattr(stream, "encrypted", lambda: True)
        patch.setattr(stream, "send", self._stanza)
        patch.setattr(stream, "post", self._text)
        self.resources = OnlineClients(stream, lambda _: True)
        self.streams = PeerStreams(
            stream,
            self,
            self.resources,
            lambda jid: not jid.startswith("eve"),
            StreamHandlers(self._offered, self._requested),
            connections=connections,
            limits=limits,
        )

    # --- the script -------------------------------------------------------------------------------

    def answers(self, kind: str, answer: Answer = "", then: Act | None = None) -> None:
        """Set the peer's answer to iqs of a kind, and its act after that. By default it does not answer."""
        self._answers[kind] = answer
        if then is not None:
            self._acts[kind] = then

    def knows(self, features: frozenset[str] = ALL, node: str = "n", jid: str = PEER) -> None:
        """Let the bot know the features of the peer's client."""
        caps = f"<c xmlns='http://jabber.org/protocol/caps' node='{node}' ver='1' hash='sha-1'/>"
        self.resources.presence(
            fromstring(f"<presence xmlns='jabber:client' from='{jid}'>{caps}</presence>")
        )
        self.resources._people[jid.partition("/")[0]][jid].features = features

    def ask(self, payload: str | Element, sender: str = PEER) -> str:
        """Send an iq of type ``set`` from the peer and return its id."""
        self._asked += 1
        name = f"of-peer-{self._asked}"
        iq = Element("{jabber:client}iq", {"type": "set", "id": name, "from": sender, "to": BOT})
        iq.append(fromstring(payload) if isinstance(payload, str) else payload)
        self.stream._spawn_event(iq)
        return name

    def answer_to(self, name: str) -> Element:
        """Return the answer of the bot to an iq."""
        found = [each for each in self.said if each.get("id") == name]
        assert len(found) == 1, f"{len(found)} answers"
        return found[0]

    def heard(self, kind: str) -> list[Element]:
        """Return all payloads of this kind that the bot has sent."""
        return [each[0] for each in self.said if what(each) == kind]

    @property
    def order(self) -> list[str]:
        """Return what the bot has said, one word for each stanza."""
        return [what(each) for each in self.said]

    # --- what the bot does ------------------------------------------------------------------------

    async def send(
        self, file: Any, method: Method = Method.IBB, negotiation: Negotiation = Negotiation.JINGLE
    ) -> Method:
        """Send a file to the peer."""
        way = StreamMethod(negotiation, method)
        return await self.streams.send(PEER, file, entry(file), way, lambda _: None)

    async def take(self, offer: StreamOffer) -> None:
        """Accept an offer and read all of it; for ``on_offer``."""
        try:
            async with offer.accept() as download:
                came = b"".join([bytes(piece) async for piece in download.chunks()])
        except FilebotError as error:
            self.came.append(error)
        else:
            self.came.append(came)
        self._events.set()

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until the condition holds; it is checked whenever the bot sends or receives something."""
        while not happened():
            self._events.clear()
            await self._events.wait()

    async def settled(self) -> None:
        """Let everything happen that needs no wait."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def _offered(self, offer: StreamOffer) -> None:
        self.offers.append(offer)
        await self.on_offer(offer)

    async def _requested(self, request: FileRequest) -> None:
        self.requests.append(request)
        await self.on_request(request)

    def _stanza(self, data: StanzaBase | str, use_filters: bool = True) -> None:
        assert isinstance(data, StanzaBase)
        self._sent(fromstring(str(data).replace("<iq ", "<iq xmlns='jabber:client' ", 1)))

    def _text(self, text: str) -> None:
        self._sent(fromstring(text.replace("<iq ", "<iq xmlns='jabber:client' ", 1)))

    def _sent(self, stanza: Element) -> None:
        self.said.append(stanza)
        self._events.set()
        if stanza.get("type") in {"set", "get"}:
            asyncio.get_running_loop().call_soon(self._react, stanza)

    def _react(self, stanza: Element) -> None:
        kind = what(stanza)
        answer = self._answers.get(kind)
        if answer is not None:
            kinds = "error" if isinstance(answer, StanzaError) else "result"
            about = {"id": stanza.get("id", ""), "from": stanza.get("to", BOT), "to": BOT}
            iq = Element("{jabber:client}iq", {"type": kinds, **about})
            if isinstance(answer, StanzaError):
                iq.append(answer.element("jabber:client"))
            elif answer:
                iq.append(fromstring(answer))
            self.stream._spawn_event(iq)
        if (act := self._acts.get(kind)) is not None:
            act(stanza[0])

    # --- what is left -----------------------------------------------------------------------------

    def left(self) -> dict[str, object]:
        """Return the state kept for sessions, by its place; all of it must be gone when they end."""
        streams = self.streams
        places = {
            "sessions": streams._sessions._sessions,
            "people": dict(streams._sessions._people),
            "Jingle sessions": streams._table._drivers,
            "answers awaited": streams._tools.fast_path._askers,
            "timers of slixmpp": [name for name in self.stream.scheduled_events if "Iq" in name],
            "handlers of slixmpp": [
                each.name
                for each in self.stream._XMLStream__handlers  # type: ignore[union-attr]
                if "IqCallback" in each.name
            ],
        }
        return {place: things for place, things in places.items() if things}


@asynccontextmanager
async def lab(
    connections: Socks5Connections | None = None, limits: StreamLimits | None = None
) -> AsyncIterator[Lab]:
    """Run a lab, and check at its end that no task, timer, entry or socket is left."""
    loop: Any = asyncio.get_running_loop()
    async with nothing_left():
        timers = set(loop._scheduled)
        made = Lab(connections, limits)
        try:
            yield made
            await made.settled()
            assert made.left() == {}
        finally:
            await made.streams.close()
            await made.stream.close(0.0)
        still = [each for each in loop._scheduled if each not in timers and not each.cancelled()]
        assert not still


# --- pieces of a conversation ---------------------------------------------------------------------------


@asynccontextmanager
async def net(*, listens: bool = True, idle_s: float = 60.0) -> AsyncIterator[Socks5Connections]:
    """Run SOCKS5 connections over real sockets on this machine."""
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Listener("127.0.0.1", 0)) if listens else None
        policy = AddressPolicy(allow_insecure=True, allow_private=True)
        yield Socks5Connections(policy, idle_s, listener, ("127.0.0.1",) if listens else ())


def jingle(action: str, sid: str, inside: str = "", *, content: str | None = "file") -> str:
    if content is not None:
        inside = f"<content creator='initiator' name='{content}'>{inside}</content>"
    return f"<jingle xmlns='{JINGLE}' action='{action}' sid='{sid}'>{inside}</jingle>"


def file_offer(sid: str, transport: str, more: str = "<size>3</size>") -> str:
    file = f"<description xmlns='{FILES}'><file><name>a</name>{more}</file></description>"
    content = f"<content creator='initiator' name='c' senders='initiator'>{file}{transport}</content>"
    return jingle("session-initiate", sid, content, content=None)


def socks5(sid: str, inside: str = "") -> str:
    return f"<transport xmlns='{SOCKS5}' sid='{sid}'>{inside}</transport>"


def in_band(sid: str, size: int = 4096) -> str:
    return f"<transport xmlns='{IN_BAND}' sid='{sid}' block-size='{size}'/>"


def candidate(cid: str, port: int, *, kind: str = "proxy") -> str:
    return f"<candidate cid='{cid}' host='127.0.0.1' port='{port}' jid='p' priority='9' type='{kind}'/>"


def their_proxy(port: int, hashed: str) -> Callable[[str], str]:
    """Return a function that makes transports with a proxy of the peer; ``hashed`` is its DST.ADDR."""

    def transport(sid: str) -> str:
        return socks5(sid, candidate("theirs", port)).replace(" sid=", f" dstaddr='{hashed}' sid=", 1)

    return transport


def sid_of(said: Any) -> str:
    found = next(each.get("sid") for each in said.iter() if each.tag.endswith("}transport"))
    assert found is not None
    return str(found)


def accepts(peer: Lab, transport: Callable[[str], str], then: str = "") -> None:
    """Let the peer accept an offer of the bot, with a transport made from the offered sid."""

    def accept(said: Any) -> None:
        peer.ask(jingle("session-accept", said.get("sid"), transport(sid_of(said))))
        if then:
            notice = jingle("transport-info", said.get("sid"), socks5(sid_of(said), then))
            asyncio.get_running_loop().call_soon(peer.ask, notice)

    peer.answers("session-initiate", "", accept)
    peer.answers("transport-info")
    peer.answers("session-terminate")
    peer.answers("session-info")


def reasons(peer: Lab) -> list[str]:
    said = [each.find(f"{{{JINGLE}}}reason") for each in peer.heard("session-terminate")]
    return [each[0].tag.partition("}")[2] for each in said if each is not None]


def names_in(element: Any) -> set[str]:
    return {each.tag.partition("}")[2] for each in element.iter()}


def our_proxy(peer: Lab, port: int) -> None:
    """Give the bot's server a proxy that never answers an activation."""

    def fall_silent(_: Any) -> None:
        peer.answers("query of bytestreams", None)

    info, items = "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items"
    peer.answers("query of disco#items", f"<query xmlns='{items}'><item jid='proxy.example.org'/></query>")
    identity = "<identity category='proxy' type='bytestreams'/>"
    peer.answers("query of disco#info", f"<query xmlns='{info}'>{identity}</query>")
    host = f"<streamhost jid='proxy.example.org' host='127.0.0.1' port='{port}'/>"
    peer.answers("query of bytestreams", f"<query xmlns='{BYTESTREAMS}'>{host}</query>", then=fall_silent)
