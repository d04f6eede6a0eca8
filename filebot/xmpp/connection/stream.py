"""The client and the component of slixmpp, narrowed to what filebot uses of them.

Left out on purpose, with the reason beside each: its roster of everybody who ever sent a presence, its
disco and caps caches, its redirects. Its plugin for rooms is left out as well: see ``rooms``.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP, ComponentXMPP
from slixmpp.basexmpp import BaseXMPP
from slixmpp.jid import JID
from slixmpp.stanza import Iq, Message, Presence, StreamFeatures
from slixmpp.xmlstream import tostring
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.concurrency.tasks import end
from filebot.protocol.stanza_error import stream_condition
from filebot.system.certificates import Trust
from filebot.xmpp.connection.outage import OutageLimit
from filebot.xmpp.connection.oversized import substitute
from filebot.xmpp.connection.resend import COUNTER, UnackedResender
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.tls_records import FILL_BYTES, READ_BYTES, cut, filled
from filebot.xmpp.error_conditions import complete

log = logging.getLogger(__name__)

RESOURCE: Final = "filebot"
"""Asked for at login. Always the same, so that a lost session is replaced instead of left as a ghost."""

SAFE_BYTES: Final = 10_000
"""Every server has to take this much (RFC 6120 section 13.12). Assumed where a server names no limit."""

MANAGEMENT: Final = "urn:xmpp:sm:3"

_ACK_WITHIN_S: Final = 0.1
"""The server's questions for an acknowledgement are answered with the next block of a file, or then."""

_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
"""Linux has it."""

_OF_COMPONENTS: Final = "{jabber:component:accept}"
_OF_CLIENTS: Final = "{jabber:client}"
_COMPONENT_STANZAS: Final = frozenset(f"{_OF_COMPONENTS}{name}" for name in ("iq", "message", "presence"))


class Acks:
    """Acknowledgements of what the server sent, and questions for its own (XEP-0198 section 4)."""

    def __init__(self, stream: BaseXMPP) -> None:
        self._stream = stream
        self._due: asyncio.TimerHandle | None = None
        self._holds = False
        self._was_asked = False

    def asked(self) -> None:
        """Answer soon: the server wants to know how much was heard."""
        if self._holds:
            self._was_asked = True
        elif self._due is None:
            self._due = self._stream.loop.call_later(_ACK_WITHIN_S, self._send)

    def along(self) -> str:
        """Return what is to go along with a stanza.

        On its own it would be one more thing to read for the server, and break the strides of the others.
        """
        management = None if self._stream.is_component else self._management
        text = ""
        if management is not None and self._due is not None:
            self.cancel()
            text += _ack(management.handled)
        if management is not None and management.enabled_out:
            management.window_counter -= 1
            if management.window_counter <= 0:
                management.window_counter = management.window
                text += f'<r xmlns="{MANAGEMENT}"/>'
        return text

    @contextmanager
    def held(self) -> Iterator[None]:
        """Acknowledge nothing meanwhile: what comes is the server's to keep, should the session be lost."""
        if self._due is not None:
            self.cancel()
            self._send()
        self._holds, self._was_asked = True, False
        try:
            yield
        finally:
            self._holds = False
            if self._was_asked:
                self.asked()

    def cancel(self) -> None:
        """Send nothing that is due."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    @property
    def _management(self) -> Any:
        return self._stream.plugin["xep_0198"]

    def _send(self) -> None:
        self._due = None
        management = self._management
        if self._stream._session_started and management.enabled_in:  # noqa: SLF001  # no name in slixmpp
            self._stream.send_raw(_ack(management.handled))


def _ack(handled: int) -> str:
    return f'<a xmlns="{MANAGEMENT}" h="{handled}"/>'


class _Narrowed(BaseXMPP):
    """Changes of filebot to both kinds of slixmpp's streams."""

    fast_path: Callable[[ET.Element], bool] | None = None
    """Is shown each iq, and each message with one of ``fast_payloads``, before slixmpp makes an object of
    it; True if that was all it needs."""
    fast_payloads: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        self._began = asyncio.Event()
        self.acks = Acks(self)
        self._outage = OutageLimit()
        self.on_unsent: Callable[[Message], None] = lambda _: None
        """Is told of each message that the server does not take."""
        self.archive_queries: dict[str, Callable[[ET.Element], bool]] = {}
        """By the id of each query to a message archive that is under way: who takes its results."""

    @property
    def server_domain(self) -> str:
        """The domain that has the bot's services; a component's own domain is the component itself."""
        domain = str(self.boundjid.domain)
        return domain.partition(".")[2] or domain if self.is_component else domain

    @property
    def most_bytes(self) -> int | None:
        """The largest stanza that the server takes (XEP-0478); None if it does not say."""
        limits = getattr(self, "limits", None)  # set by slixmpp's feature_limits
        return None if limits is None else limits.max_bytes

    @property
    def stanza_limit_bytes(self) -> int:
        """The largest stanza that is sent: as the server says, or else what every server takes."""
        return self.most_bytes or SAFE_BYTES

    def fits(self, stanza: StanzaBase) -> bool:
        """Return whether the server takes a stanza of this size."""
        return stanza_bytes(stanza.xml, self.default_ns) <= self.stanza_limit_bytes

    def send(self, data: StanzaBase | str, use_filters: bool = True) -> None:
        """Send a stanza, unless the server would end the stream for its size.

        Every message, presence and iq goes through here or :meth:`post`.
        """
        if isinstance(data, Message | Presence | Iq) and not self.fits(data):
            smaller = substitute(data, self.stanza_limit_bytes)
            if smaller is not None:
                self.send(smaller)
            elif isinstance(data, Message):
                self.on_unsent(data)
        # Without filters it is one that slixmpp repeats, and has counted.
        elif self._session_started or not use_filters or self._may_wait(data):
            super().send(data, use_filters)

    def _may_wait(self, data: StanzaBase | str) -> bool:
        return not isinstance(data, Message | Presence) or self._outage.admits(
            stanza_bytes(data.xml, self.default_ns)
        )

    @property
    def is_online(self) -> bool:
        """Whether there is a session: what is sent now goes out now."""
        return bool(self._session_started)

    def listen(self, tag: str, take: Callable[[ET.Element], None]) -> None:
        """Give every stanza with this tag to ``take``."""

        def took(stanza: StanzaBase) -> None:
            take(stanza.xml)

        self.register_handler(Callback(f"filebot {tag}", MatchXPath(tag), took))

    async def session(self) -> None:
        """Return as soon as there is a session."""
        while not self._session_started:
            self._began.clear()
            await self._began.wait()

    def _set_session_start(self, event: Any) -> None:
        super()._set_session_start(event)
        self._outage.over()
        self._began.set()

    def start_stream_handler(self, xml: ET.Element) -> None:
        super().start_stream_handler(xml)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        # slixmpp would write the stream's language into every stanza that has none of its own, and the
        # language that a person's client gave could not be told from the server's.
        self.peer_default_lang = None

    def data_received(self, data: bytes | str) -> None:
        super().data_received(data)
        # COMPAT(Prosody): with Nagle's algorithm at its end and a delayed acknowledgement at ours, every
        # few blocks of an in-band stream wait 40 ms for each other (tcp(7): the option does not last).
        sock = None if self.transport is None else self.transport.get_extra_info("socket")
        if sock is not None and _QUICKACK is not None:
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def encrypted(self) -> bool:
        """Whether TLS protects the connection now."""
        return self.transport is not None and self.transport.get_extra_info("ssl_object") is not None

    def trusted(self) -> bool:
        """Whether stanzas that come in now may be read."""
        return True

    def post(self, text: str) -> None:
        """Send a stanza that is XML text already, in the order of sending and counted as all others.

        slixmpp does not count text for stream management (XEP-0198 section 4), and counts that differ from
        the server's would lose or repeat other stanzas when a session is resumed.
        """
        if len(text.encode()) > self.stanza_limit_bytes:
            log.error("not sent: a stanza larger than %d bytes: %.200s", self.stanza_limit_bytes, text)
            return
        management = None if self.is_component else self.plugin["xep_0198"]
        waiting = not self._session_started and management is not None and bool(management.sm_id)
        if management is not None and (management.enabled_out or waiting):
            management.seq = (management.seq + 1) % COUNTER
            management.unacked_queue.append((management.seq, text))
        if not self._session_started:
            return  # sent again if the session is resumed, and else for nobody
        text += self.acks.along()
        if self.waiting_queue.empty() and self.transport is not None:
            self.send_raw(text)
        else:
            self.waiting_queue.put_nowait((text, False))

    def send_raw(self, data: str | bytes) -> None:
        """Send as slixmpp does, but much of it in whole TLS records."""
        encoded = data.encode() if isinstance(data, str) else data
        if self.transport is None or len(encoded) < READ_BYTES - FILL_BYTES:
            super().send_raw(encoded)
        else:
            self.transport.writelines(cut(filled(encoded)))

    def connection_lost(self, exception: BaseException | None) -> None:
        self.acks.cancel()
        super().connection_lost(exception)

    def _spawn_event(self, xml: ET.Element) -> None:
        if xml.get("type") == "error":
            complete(xml)
        if xml.tag == f"{{{MANAGEMENT}}}r" and self._session_started and self.trusted():
            if self.plugin["xep_0198"].enabled_in:
                self.acks.asked()
        elif not (self._session_started and self.trusted() and self._took(xml)):
            super()._spawn_event(xml)
        elif not self.is_component and self.plugin["xep_0198"].enabled_in:
            management = self.plugin["xep_0198"]
            management.handled = (management.handled + 1) % COUNTER

    def _took(self, xml: ET.Element) -> bool:
        is_iq = xml.tag == f"{{{self.default_ns}}}iq"
        is_fast = is_iq or any(child.tag in self.fast_payloads for child in xml)
        try:
            return is_fast and self.fast_path is not None and self.fast_path(xml)
        except Exception:  # a mistake of ours in one stanza must not end the stream
            log.exception("a stanza could not be handled")
            return True

    async def drain(self, limit_s: float) -> None:
        """Wait until everything said so far is handed to the socket."""
        try:
            async with asyncio.timeout(limit_s):
                await self.waiting_queue.join()
        except TimeoutError:
            log.warning("some stanzas were not sent within %s s", limit_s)

    async def close(self, limit_s: float) -> None:
        """End the stream (RFC 6120 section 4.4) and everything that slixmpp runs for it."""
        self.cancel_connection_attempt()
        if self.transport is not None:
            await self.disconnect(wait=limit_s)
        self.abort()
        self.acks.cancel()
        for name in tuple(self.scheduled_events):
            self.cancel_schedule(name)
        # slixmpp ends its sending task only when the object is collected, which may be after the loop.
        sender, self._run_out_filters = self._run_out_filters, None
        if sender is not None:
            await end([sender])


class ClientStream(_Narrowed, ClientXMPP):
    """An account's stream. Nothing but TLS is spoken before TLS is verified (RFC 6120 section 5)."""

    def __init__(self, settings: SessionSettings, jid: JID, trust: Trust) -> None:
        jid.resource = jid.resource or RESOURCE
        self._trust = trust
        super().__init__(jid, settings.password, ssl_context=self._trust.context())
        self.enable_direct_tls = settings.direct_tls or settings.host is None
        self.enable_starttls = not settings.direct_tls
        self.add_filter("in", self._only_tls)
        self.resender = UnackedResender(self)

    def get_ssl_context(self) -> ssl.SSLContext:
        """For each connection what is trusted at that time."""
        return self._trust.context()

    def trusted(self) -> bool:
        return self.encrypted()

    def _spawn_event(self, xml: ET.Element) -> None:
        if xml.tag == f"{{{MANAGEMENT}}}failed" and self.trusted():
            self.resender.refused(xml)
        elif xml.tag == f"{{{self.stream_ns}}}error" and self.trusted():
            self.resender.ended_by_server(stream_condition(xml))
        super()._spawn_event(xml)

    async def close(self, limit_s: float) -> None:
        self.resender.stop()
        await super().close(limit_s)

    def _only_tls(self, stanza: StanzaBase) -> StanzaBase | None:
        """Drop what comes in clear, but for the offer of STARTTLS itself."""
        if self.encrypted():
            return stanza
        if isinstance(stanza, StreamFeatures):
            if "starttls" in stanza["features"]:
                return stanza
            log.error("the server offers no TLS: nothing is sent to it")
            self.abort()
            return None
        return None if isinstance(stanza, Iq | Message | Presence) else stanza


class ComponentStream(_Narrowed, ComponentXMPP):
    """A component's stream (XEP-0114): in clear, to a server on the same machine or network.

    Its stanzas are read as if they were a client's. slixmpp knows errors, and the messages that archives
    forward, in the namespace of clients alone: it would read every refusal as ``feature-not-implemented``.
    Its own remedy (``fix_error_ns``) changes the class of errors for all streams of the process.
    """

    def __init__(self, settings: SessionSettings, jid: JID) -> None:
        # Stanzas are written without a namespace, and so are in that of the stream.
        super().__init__(jid.domain, settings.password, settings.host, settings.port, use_jc_ns=True)
        jid.resource = settings.nick
        self.boundjid = jid

    def _spawn_event(self, xml: ET.Element) -> None:
        if xml.tag in _COMPONENT_STANZAS:
            for each in xml.iter():
                if str(each.tag).startswith(_OF_COMPONENTS):
                    each.tag = each.tag.replace(_OF_COMPONENTS, _OF_CLIENTS, 1)
        super()._spawn_event(xml)


Stream: TypeAlias = ClientStream | ComponentStream


def stanza_bytes(xml: Element, namespace: str) -> int:
    """Return the size of a stanza on a stream with this default namespace."""
    return len(tostring(xml, xmlns=namespace).encode())
