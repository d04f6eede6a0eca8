"""The ``Streams`` port, and all that byte streams need in a session (XEP-0095, 0096, 0065, 0047, 0166)."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from filebot.errors import LocalProtocolError, PeerGone
from filebot.model import BareJid, Client, Entry, Method, Negotiation, ProxyState, StreamMethod
from filebot.protocol import stream_initiation as si
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.bytestreams.offer_policy import OfferPolicy, RoomNames, StreamWords
from filebot.xmpp.bytestreams.probes import RateProbe, reachable
from filebot.xmpp.bytestreams.registry import Sessions, StreamLimits
from filebot.xmpp.bytestreams.socks5_ports import Socks5Connector
from filebot.xmpp.bytestreams.socks5_proxies import Proxies
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.handlers import StreamHandlers
from filebot.xmpp.jingle.driver import JingleTools
from filebot.xmpp.jingle.initiate import JingleInitiateHandler
from filebot.xmpp.jingle.outgoing import JingleOutbound
from filebot.xmpp.jingle.registry import JingleSessions
from filebot.xmpp.presence.online_clients import Known, OnlineClients
from filebot.xmpp.si.incoming import StreamTools
from filebot.xmpp.si.offers import SiOfferHandler
from filebot.xmpp.si.outgoing import OutgoingFile, SiSend
from filebot.xmpp.xml import jid_or_none

_SID_BYTES: Final = 12


class PeerStreams:
    """Made once for a stream; files come in only if somebody takes them."""

    def __init__(
        self,
        stream: Stream,
        rooms: RoomNames,
        resources: OnlineClients,
        is_served: Callable[[str], bool],
        handlers: StreamHandlers | None = None,
        *,
        connections: Socks5Connector | None = None,
        limits: StreamLimits | None = None,
        words: StreamWords | None = None,
    ) -> None:
        limits = limits or StreamLimits()
        fast_path = IqFastPath(stream)
        self._stream = stream
        self._rooms = rooms
        self._resources = resources
        self._sessions = Sessions(fast_path, limits)
        self._tools = StreamTools(fast_path, self._sessions, limits, connections)
        self._proxies = Proxies(stream, self._tools.avoided)
        self._measuring = asyncio.Lock()
        self._jingle_tools = JingleTools(stream, self._tools, self._proxies)
        self._table = JingleSessions(fast_path, self._sessions)
        self._policy = OfferPolicy(rooms, is_served, self._sessions, limits, words or StreamWords())
        if handlers is not None:
            offers = SiOfferHandler(self._tools, self._policy, handlers)
            fast_path.serve(f"{{{si.SI}}}si", offers.take)
            self._table.on_initiate = JingleInitiateHandler(
                self._jingle_tools, self._table, self._policy, resources, handlers
            ).take

    @property
    def fast_path(self) -> IqFastPath:
        """By which requests come in, those about other things included."""
        return self._tools.fast_path

    def say_to_unserved(self, text: str) -> None:
        """Tell this to people whose offers are declined because they are not served, from now on."""
        self._policy.words = replace(self._policy.words, unserved=text)

    # --- the port -------------------------------------------------------------------------------

    async def clients(self, jid: BareJid) -> Sequence[Client]:
        clients = await self._resources.clients(jid)
        if self._tools.connections is not None:
            return clients
        able = (_in_band_only(client) for client in clients)
        return [client for client in able if client.methods]

    async def present(self, jid: BareJid) -> Sequence[Client]:
        return await self._resources.present(jid)

    def addresses(self) -> Sequence[str]:
        connections = self._tools.connections
        return [] if connections is None else [host for host, _ in connections.addresses()]

    async def proxies(self) -> Mapping[str, ProxyState]:
        states = {proxy.jid: ProxyState.FAILS for proxy in await self._proxies.all()}
        states |= dict.fromkeys(self._proxies.refusing, ProxyState.FAILS)
        if self._tools.connections is None:
            return states
        return states | await reachable(self._tools.connections, await self._proxies.hosts())

    async def in_band_rate(self, to: str) -> float:
        # Two at once would measure each other.
        async with self._measuring:
            own = self._resources.own_for(to)
            return await RateProbe(self._stream, self._tools.fast_path, to, own).measure()

    async def send(
        self, to: str, file: Path, entry: Entry, way: StreamMethod, progress: Callable[[int], None]
    ) -> Method:
        jid = jid_or_none(to)
        if jid is None or not jid.resource or jid.bare in self._rooms.addresses:
            # XEP-0065 section 7: through a room neither side knows the JIDs that the hash is made of.
            raise LocalProtocolError(f"{to} is not one client of a person")
        if not self._sessions.room_for(jid.full):
            raise PeerGone("too many transfers at once")
        client = self._resources.known(jid.full)
        methods = self._methods(client, way)
        sid, own = secrets.token_hex(_SID_BYTES), self._resources.own_for(jid.full)
        outgoing_file = OutgoingFile(jid.full, sid, file, entry, methods, own)
        if way.negotiation is Negotiation.JINGLE:
            return await JingleOutbound(self._jingle_tools, self._table, outgoing_file, client).send(
                progress
            )
        return await SiSend(self._stream, self._tools, self._proxies, outgoing_file).send(progress)

    def _methods(self, client: Known, way: StreamMethod) -> tuple[Method, ...]:
        """SOCKS5 has in-band behind it, where the client can do that."""
        if way.method is Method.IBB:
            return (Method.IBB,)
        if way.method is not Method.SOCKS5 or self._tools.connections is None:
            raise LocalProtocolError(f"no streams by {way.method.value}")
        known = si.methods_of(client.features)
        return (way.method, Method.IBB) if Method.IBB in known or not known else (way.method,)

    # --- what the session does ------------------------------------------------------------------

    def gone(self, full: str) -> None:
        """A client went offline."""
        self._table.gone(full)
        self._sessions.gone(full)

    def renewed(self) -> None:
        """Another XMPP session has begun: what was under way in the old one is lost."""
        self._lose_all()
        self._proxies.forget()

    async def meets_by_socks5(self) -> bool:
        """Whether others can meet the bot: at its own listener, or at a proxy of its server."""
        connections = self._tools.connections
        return connections is not None and bool(connections.addresses() or await self._proxies.hosts())

    async def close(self) -> None:
        """End everything."""
        self._lose_all()
        await self._policy.close()

    def _lose_all(self) -> None:
        self._sessions.lost()
        self._table.lost()


def _in_band_only(client: Client) -> Client:
    """Return the client with the streams that need no connections."""
    in_band = frozenset({Method.IBB})
    return replace(client, streams={each: methods & in_band for each, methods in client.streams.items()})
