"""The SOCKS5 connections that the bot makes for one Jingle session (XEP-0260), and what is learned by them.

What did not work is left alone for a while (:mod:`filebot.xmpp.bytestreams.avoided_hosts`), in later
sessions with this peer.
"""

import asyncio
import logging
from typing import Final

from filebot.errors import ForbiddenTarget, TransferError
from filebot.protocol.bytestreams import StreamHost
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import Candidate, Socks5Transport
from filebot.xmpp.bytestreams.socks5_ports import ByteConnection, Socks5Connector
from filebot.xmpp.bytestreams.socks5_proxies import Proxies
from filebot.xmpp.jingle.candidates import proxy_of, to_dial

log = logging.getLogger(__name__)

_WITHOUT_A_WAY: Final = frozenset({State.REPLACING, State.ENDED})


class Dials:
    """Used for one session."""

    def __init__(
        self,
        connections: Socks5Connector | None,
        proxies: Proxies,
        peer: str,
        own: str,
        terms: SessionParameters,
    ) -> None:
        self.dialled: ByteConnection | None = None
        """To a candidate of the peer's."""
        self.proxied: ByteConnection | None = None
        """To a proxy of the bot's server."""
        self.ours = Socks5Transport("")
        """The candidates that the peer was told of."""
        self._connections = connections
        self._proxies = proxies
        self._peer = peer
        self._own = own
        self._terms = terms
        self._dialled_host: StreamHost | None = None
        self._proxy: StreamHost | None = None

    async def dial(self, theirs: Socks5Transport) -> Candidate | None:
        """Connect to one of the peer's candidates; None if none can be used."""
        known = to_dial(self._terms, theirs, self._own, self._peer)
        avoided = self._proxies.avoided
        hosts = tuple(host for host in known if not avoided.is_avoided(host, self._peer))
        if self._connections is None or not hosts:
            return None
        try:
            host, self.dialled = await self._connections.dial(hosts, "")
        except TransferError as error:
            log.info("no connection to %s: %s", self._peer, error)
            if not isinstance(error, ForbiddenTarget):  # which says nothing of the hosts
                avoided.avoid(hosts, self._peer)
            return None
        self._dialled_host = host
        return known[host]

    async def activate(self, candidate: Candidate) -> bool:
        """Let the bytes flow through a proxy of ours; whether they do."""
        assert self._connections is not None  # noqa: S101  # without them there is no SOCKS5 transport
        to = proxy_of(candidate, self.ours.sid, self._own, self._peer)
        try:
            self._proxy, self.proxied = await self._connections.dial(to, "", trusted=True)
            await self._proxies.activate(self._proxy, self.ours.sid, own=self._own, target=self._peer)
        except TransferError as error:
            log.info("no proxy for %s: %s", self._peer, error)
            self._proxies.avoided.failed(to, error, self._peer)
            return False
        return True

    def went(self, before: State, after: State) -> None:
        """The session went from one state to the next: learn from it."""
        if after is State.REPLACING and before is State.CHECKING:
            # The peer reached none of our proxies, or took all the time there is.
            self._avoid(*(each.host for each in self.ours.candidates if each.is_proxy))
        elif after in _WITHOUT_A_WAY and before is State.ACTIVATING and self._proxy is None:
            self._avoid(self._dialled_host)  # a proxy of the peer's, which nobody activated

    def stalled(self) -> None:
        """Bytes moved, or were to move, and then did so no more."""
        self._avoid(self._proxy or self._dialled_host)

    async def close_all_but(self, used: ByteConnection | None) -> None:
        """Close those that lost."""
        losers = [each for each in (self.dialled, self.proxied) if each is not None and each is not used]
        await asyncio.gather(*(each.close() for each in losers))

    def _avoid(self, *hosts: StreamHost | None) -> None:
        self._proxies.avoided.avoid([host for host in hosts if host is not None], self._peer)
