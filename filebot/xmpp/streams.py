"""The ``Streams`` port, and all that byte streams need in a session (XEP-0095, 0096, 0065, 0047)."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from filebot.errors import LocalProtocolError, PeerGone
from filebot.model import BareJid, Client, Entry, Method, Negotiation, Way
from filebot.xmpp.connections import ByteConnections
from filebot.xmpp.elements import jid_or_none
from filebot.xmpp.express import Express
from filebot.xmpp.inbound import StreamTools
from filebot.xmpp.offers import Offers, OnStreamOffer, RoomNames, StreamWords
from filebot.xmpp.outbound import Outbound, Shipment
from filebot.xmpp.proxies import Proxies
from filebot.xmpp.resources import Resources
from filebot.xmpp.sessions import Sessions, StreamLimits
from filebot.xmpp.stream import Stream

_SID_BYTES: Final = 12


class PeerStreams:
    """Made once for a stream; files come in only if somebody takes them."""

    def __init__(
        self,
        stream: Stream,
        rooms: RoomNames,
        resources: Resources,
        is_served: Callable[[str], bool],
        *,
        on_offer: OnStreamOffer | None = None,
        connections: ByteConnections | None = None,
        limits: StreamLimits | None = None,
        words: StreamWords | None = None,
    ) -> None:
        limits = limits or StreamLimits()
        express = Express(stream)
        self._stream = stream
        self._rooms = rooms
        self._sessions = Sessions(express, limits)
        self._tools = StreamTools(express, self._sessions, limits, connections)
        self._proxies = Proxies(stream)
        self._resources = resources
        self._offers: Offers | None = None
        if on_offer is not None:
            self._offers = Offers(self._tools, rooms, is_served, words or StreamWords(), on_offer)

    # --- the port -------------------------------------------------------------------------------

    async def clients(self, jid: BareJid) -> Sequence[Client]:
        clients = await self._resources.clients(jid)
        if self._tools.connections is not None:
            return clients
        in_band = {Negotiation.SI: frozenset({Method.IBB})}
        return [Client(each.jid, in_band, each.software) for each in clients if Method.IBB in each.methods]

    async def send(
        self, to: str, file: Path, entry: Entry, way: Way, progress: Callable[[int], None]
    ) -> Method:
        jid = jid_or_none(to)
        if jid is None or not jid.resource or self._rooms.is_ours(jid.bare):
            # XEP-0065 section 7: through a room neither side knows the JIDs that the hash is made of.
            raise LocalProtocolError(f"{to} is not one client of a person")
        if not self._sessions.room_for(jid.full):
            raise PeerGone("too many transfers at once")
        shipment = Shipment(
            jid.full, secrets.token_hex(_SID_BYTES), file, entry, self._methods(jid.full, way.method)
        )
        return await Outbound(self._stream, self._tools, self._proxies, shipment).send(progress)

    def _methods(self, to: str, method: Method) -> tuple[Method, ...]:
        """SOCKS5 has in-band behind it, where the client can do that."""
        if method is Method.IBB:
            return (Method.IBB,)
        if method is not Method.SOCKS5 or self._tools.connections is None:
            raise LocalProtocolError(f"no streams by {method.value}")
        known = self._resources.methods(to)
        return (method, Method.IBB) if Method.IBB in known or not known else (method,)

    # --- what the session does ------------------------------------------------------------------

    def renewed(self) -> None:
        """Another XMPP session has begun: what was under way in the old one is lost."""
        self._sessions.lost()
        self._proxies.forget()

    async def close(self) -> None:
        """End everything."""
        self._sessions.lost()
        if self._offers is not None:
            await self._offers.close()
