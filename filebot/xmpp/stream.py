"""The client and the component of slixmpp, narrowed to what filebot uses of them.

Left out on purpose, with the reason beside each: its roster of everybody who ever sent a presence, its
disco and caps caches, its redirects. Its plugin for rooms is left out as well: see ``rooms``.
"""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Any, Final, TypeAlias
from xml.etree import ElementTree as ET

from slixmpp import ClientXMPP, ComponentXMPP
from slixmpp.basexmpp import BaseXMPP
from slixmpp.jid import JID
from slixmpp.stanza import Iq, Message, Presence, StreamFeatures
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot import __version__
from filebot.xmpp.features import CAPS_NODE, Answers
from filebot.xmpp.settings import SessionSettings

log = logging.getLogger(__name__)

RESOURCE: Final = "filebot"
"""Asked for at login. Always the same, so that a lost session is replaced instead of left as a ghost."""


class _Narrowed(BaseXMPP):
    """What filebot changes in both kinds of stream."""

    def start_stream_handler(self, xml: ET.Element) -> None:
        super().start_stream_handler(xml)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        # slixmpp would write the stream's language into every stanza that has none of its own, and the
        # language that a person's client gave could not be told from the server's.
        self.peer_default_lang = None

    def encrypted(self) -> bool:
        """Whether TLS protects the connection now."""
        return self.transport is not None and self.transport.get_extra_info("ssl_object") is not None

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
        for name in tuple(self.scheduled_events):
            self.cancel_schedule(name)
        # slixmpp ends its sending task only when the object is collected, which may be after the loop.
        sender, self._run_out_filters = self._run_out_filters, None
        if sender is not None:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)


class Client(_Narrowed, ClientXMPP):
    """An account's stream. Nothing but TLS is spoken before TLS is verified (RFC 6120 section 5)."""

    def __init__(self, settings: SessionSettings, context: ssl.SSLContext) -> None:
        jid = JID(settings.jid)
        jid.resource = jid.resource or RESOURCE
        super().__init__(jid, settings.password, ssl_context=context)
        self.enable_direct_tls = settings.direct_tls or settings.host is None
        self.enable_starttls = not settings.direct_tls
        self.add_filter("in", self._only_tls)

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


class Component(_Narrowed, ComponentXMPP):
    """A component's stream (XEP-0114): in clear, to a server on the same machine or network."""

    def __init__(self, settings: SessionSettings) -> None:
        jid = JID(settings.jid)
        super().__init__(  # type: ignore[no-untyped-call]  # untyped in slixmpp
            jid.domain, settings.password, settings.host, settings.port
        )
        jid.resource = settings.nick
        self.boundjid = jid


Stream: TypeAlias = Client | Component


def build(settings: SessionSettings) -> Stream:
    """The stream for these settings, not yet connected. Needs a running loop."""
    stream: Stream
    if settings.mode == "component":
        stream = Component(settings)
    else:
        stream = Client(settings, _tls(settings.ca_file))
    _load_plugins(stream, settings.nick)
    # These four are answered by filebot itself. slixmpp's own handlers keep an entry for everybody who ever
    # sent a presence, see only messages with a body, and follow see-other-host to a host named in clear.
    for name in ("IM", "IMError", "Presence", "Stream Error"):
        stream.remove_handler(name)
    return stream


async def ask(stream: Stream, iq: Iq, limit_s: float) -> Iq:
    """Send a request and return its result. Raises slixmpp's IqError or IqTimeout, both XMPPError."""
    answer: asyncio.Future[Any] = iq.send(timeout=limit_s)  # type: ignore[no-untyped-call]  # untyped in slixmpp
    result = await answer
    assert isinstance(result, Iq)  # noqa: S101  # a get or set has nothing else as its result
    return result


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _load_plugins(stream: Stream, nick: str) -> None:
    # Everybody may send disco results unasked: keep none of them.
    stream.register_plugin("xep_0030", {"use_cache": False})
    stream.register_plugin("xep_0092", {"name": "filebot", "version": __version__, "os": ""})
    stream.register_plugin("xep_0115", {"caps_node": CAPS_NODE})
    stream.register_plugin("xep_0198")
    stream.register_plugin("xep_0199")
    stream.plugin["xep_0030"].set_node_handler("get_info", handler=Answers(nick).info)
    # slixmpp asks every unknown client for its features and keeps the answers for ever.
    stream.remove_handler("Entity Capabilities")
