"""The SOCKS5 proxies of the bot's server (XEP-0065 sections 4 and 6), found once per session."""

import asyncio
import logging
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from slixmpp.exceptions import XMPPError

from filebot.errors import PeerGone, StreamHostRefused
from filebot.protocol.bytestreams import StreamHost, stream_host
from filebot.protocol.disco import identities_in
from filebot.protocol.stream_initiation import BYTESTREAMS
from filebot.protocol.xml import named
from filebot.xmpp.bytestreams.avoided_hosts import AvoidedHosts
from filebot.xmpp.connection.disco import answer_about, describe, items
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

ANSWER_LIMIT_S: Final = 10.0
NOTHING_FOUND_FOR_S: Final = 60.0
"""How long a search without a result is believed."""
MOST_PROXIES: Final = 4

_PROXY: Final = ("proxy", "bytestreams")
"""Category and type of a proxy (XEP-0065 section 4)."""
_NOT_THERE: Final = frozenset({"remote-server-not-found", "remote-server-timeout", "service-unavailable"})
"""Answers of a server for a proxy that is down; the second is what slixmpp makes of silence, too."""


class Proxies:
    """One search at a time, however many ask."""

    def __init__(self, stream: Stream, avoided: AvoidedHosts | None = None) -> None:
        self._stream = stream
        self.avoided = avoided or AvoidedHosts()
        """Stream hosts that did not work lately, those of others as well."""
        self.refusing: frozenset[str] = frozenset()
        """JIDs of those that are there, but not for the bot."""
        self._found: tuple[StreamHost, ...] = ()
        self._search_after_s = 0.0
        self._searching = asyncio.Lock()

    async def hosts(self, peer: str = "") -> tuple[StreamHost, ...]:
        """Where they are, but for those that did not work lately, with this peer if one is named.

        Never raises for the server's sake.
        """
        return tuple(host for host in await self.all() if not self.avoided.is_avoided(host, peer))

    async def all(self) -> tuple[StreamHost, ...]:
        """Where they are, however they worked."""
        async with self._searching:
            now = asyncio.get_running_loop().time()
            if not self._found and now >= self._search_after_s:
                self._found = await self._search()
                self._search_after_s = now + NOTHING_FOUND_FOR_S
            return self._found

    def forget(self) -> None:
        """Search again: another session may meet another server."""
        self._found, self._search_after_s = (), 0.0
        self.avoided.forget()

    async def activate(self, proxy: StreamHost, sid: str, *, own: str, target: str) -> None:
        """Let the bytes flow between the bot and ``target`` (section 6.3.5). Raises PeerGone,
        or NotLetIn if the proxy is there and refuses: perhaps since ``target`` is not connected to it.

        The hash is made of whom it comes from, so ``own`` is the address that the peer knows.

        COMPAT(ejabberd): the proxy's JID has a resource; it is used as it was given, here too.
        """
        iq = self._stream.make_iq_set(ito=proxy.jid, ifrom=own)
        request = SubElement(iq.xml, f"{{{BYTESTREAMS}}}query", {"sid": sid})
        SubElement(request, f"{{{BYTESTREAMS}}}activate").text = target
        try:
            await ask(self._stream, iq, ANSWER_LIMIT_S)
        except XMPPError as error:
            kind = PeerGone if error.condition in _NOT_THERE else StreamHostRefused
            raise kind(f"{proxy.jid} does not activate: {error.condition}") from error

    async def _search(self) -> tuple[StreamHost, ...]:
        self.refusing = frozenset()
        services = await items(self._stream, self._stream.server_domain, ANSWER_LIMIT_S)
        described = await describe(self._stream, services, ANSWER_LIMIT_S)
        proxies = [jid for jid, answer in described.items() if _PROXY in identities_in(answer)]
        answers = await asyncio.gather(*(self._hosts_of(jid) for jid in proxies))
        found = tuple(host for answer in answers for host in answer)[:MOST_PROXIES]
        log.info("proxies of the server: %s", ", ".join(host.jid for host in found) or "none")
        return found

    async def _hosts_of(self, proxy: str) -> list[StreamHost]:
        answer, error = await answer_about(self._stream, proxy, BYTESTREAMS, ANSWER_LIMIT_S)
        if answer is None:
            log.warning("proxy %s does not say where it is: %s", proxy, error)
            self.refusing |= {proxy}
        return [] if answer is None else stream_hosts(answer)


def stream_hosts(request: Element) -> list[StreamHost]:
    """Return the usable stream hosts that a ``<query/>`` names, in its order."""
    described = named(request, BYTESTREAMS, "streamhost")
    attributes = ((each.get("jid", ""), each.get("host", ""), each.get("port", "")) for each in described)
    return [host for each in attributes if (host := stream_host(*each)) is not None]
