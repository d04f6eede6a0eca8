"""Connecting to the stream hosts that a peer names (XEP-0065 5.3.2), as far as the address policy goes.

Hosts are tried in the peer's order, each a little after the one before it, so that a black hole costs
200 ms and not the patience of the peer (XEP-0260 2.4). Names are looked up here, and what was checked is
what is connected to.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from filebot.concurrency.locks import ON_BEHALF_OF, FairSemaphore
from filebot.errors import ForbiddenTarget, PeerGone, Refused, StreamHostRefused, TransferError
from filebot.protocol.bytestreams import StreamHost, candidates
from filebot.protocol.socks5 import ClientHandshake
from filebot.system.descriptors import is_shortage
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.resolver import Found, NameLookup
from filebot.transfer.socks5.socket import SocketConnection, handshake, prepare
from filebot.transfer.socks5.staggered import first_to_succeed

STAGGER_S: Final = 0.2
CANDIDATE_S: Final = 3.0
"""For looking up, connecting and the handshake."""
OVERALL_S: Final = 10.0

_NAMES: Final = 4
"""Names looked up in one call: each may occupy a thread for longer than we wait for it."""

_ADDRESSES: Final = 4
"""Addresses of one name that are tried."""

_SocketAddress = tuple[socket.AddressFamily, tuple[Any, ...]]
"""An answer of :func:`socket.getaddrinfo`: the family, and what ``connect`` takes."""


async def dial(
    hosts: Sequence[StreamHost],
    destination: str,
    policy: AddressPolicy,
    *,
    own_addresses: Collection[tuple[str, int]],
    names: NameLookup | None = None,
    sockets: FairSemaphore | None = None,
) -> tuple[StreamHost, SocketConnection]:
    """The first host that lets us into the session, and the connection to it, which is the caller's.

    ``own_addresses`` are where the bot's own listener can be reached from outside: it is never dialled,
    by these addresses or by any other of this machine. ``names`` and ``sockets`` bound what all calls do
    together. Raises ForbiddenTarget if the policy allows none of the hosts, otherwise PeerGone if none can
    be used: NotLetIn if one was there and refused.
    """
    caller = _Caller(destination, policy, frozenset(own_addresses), names or NameLookup(), sockets)
    attempts = [partial(caller.reach, host) for host in candidates(hosts)]
    try:
        async with asyncio.timeout(OVERALL_S):
            return await first_to_succeed(attempts, stagger_s=STAGGER_S, discard=lambda won: won[1].close())
    except TimeoutError as error:
        raise PeerGone("no stream host answered in time") from error
    except ExceptionGroup as failed:
        raise _verdict(failed.exceptions) from failed


def _verdict(failures: Sequence[Exception]) -> TransferError:
    if all(isinstance(failure, ForbiddenTarget) for failure in failures):
        return ForbiddenTarget(reason="private")
    kind = (
        StreamHostRefused
        if any(isinstance(failure, StreamHostRefused) for failure in failures)
        else PeerGone
    )
    reasons = "; ".join(f"{type(failure).__name__}: {failure}" for failure in failures)
    return kind(f"no stream host could be used: {reasons}")


@dataclass(slots=True)
class _Caller:
    """One call of :func:`dial`: for whom, and where it may not go."""

    destination: str
    policy: AddressPolicy
    own: frozenset[tuple[str, int]]
    lookup: NameLookup
    sockets: FairSemaphore | None
    names: int = 0
    """Looked up so far."""

    async def reach(self, host: StreamHost) -> tuple[StreamHost, SocketConnection]:
        """Connect to one candidate, with the handshake. Raises TransferError."""
        if (host.host, host.port) in self.own:
            raise ForbiddenTarget(reason="private")
        try:
            async with asyncio.timeout(CANDIDATE_S):
                allowed = self._allowed(await self._addresses(host))
                wanted = host.destination or self.destination
                attempts = [partial(self._connect, address, wanted) for address in allowed]
                return host, await first_to_succeed(
                    attempts, stagger_s=STAGGER_S, discard=SocketConnection.close
                )
        except TimeoutError as error:
            raise PeerGone(f"{host.host}: no answer in time") from error
        except ExceptionGroup as failed:
            refused = any(isinstance(each, Refused) for each in failed.exceptions)
            kind = StreamHostRefused if refused else PeerGone
            raise kind(f"{host.host}: {failed.exceptions[0]}") from failed

    async def _addresses(self, host: StreamHost) -> list[_SocketAddress]:
        """All that is known of the host. Raises PeerGone."""
        kind = socket.SOCK_STREAM
        try:
            try:
                found = socket.getaddrinfo(host.host, host.port, type=kind, flags=socket.AI_NUMERICHOST)
            except socket.gaierror:
                self._count_name()
                return _socket_addresses(await self.lookup.addresses(host.host, host.port))
        except (OSError, ValueError) as error:  # IDNA's errors are ValueErrors
            raise PeerGone(f"{host.host!r}: {error}") from error
        return _socket_addresses(found)

    def _count_name(self) -> None:
        self.names += 1
        if self.names > _NAMES:
            raise PeerGone("too many names")

    def _allowed(self, addresses: Sequence[_SocketAddress]) -> list[_SocketAddress]:
        """Return the addresses that may be dialled. Raises ForbiddenTarget if there are none."""
        allowed = [address for address in addresses if self._allows(*address)]
        if not allowed:
            raise ForbiddenTarget(reason="private")
        return allowed[:_ADDRESSES]

    def _allows(self, family: socket.AddressFamily, address: tuple[Any, ...]) -> bool:
        ip, port = address[:2]
        if not self.policy.allows(ip):
            return False
        if port not in {own_port for _, own_port in self.own}:
            return True
        parsed = ipaddress.ip_address(ip)
        carried = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        return (str(carried or parsed), port) not in self.own and not _is_local(family, ip)

    async def _connect(self, target: _SocketAddress, destination: str) -> SocketConnection:
        if self.sockets is None:
            return await self._connected(*target, destination)
        async with self.sockets.held(ON_BEHALF_OF.get()):
            return await self._connected(*target, destination)

    async def _connected(
        self, family: socket.AddressFamily, address: tuple[Any, ...], destination: str
    ) -> SocketConnection:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise PeerGone(f"{address[0]}: {error}") from error
        try:
            prepare(sock)
            await asyncio.get_running_loop().sock_connect(sock, address)
            return SocketConnection(sock, await handshake(sock, ClientHandshake(destination)))
        except OSError as error:
            sock.close()
            raise PeerGone(f"{address[0]}: {error}") from error
        except BaseException:
            sock.close()
            raise


def _socket_addresses(found: Found) -> list[_SocketAddress]:
    return [(socket.AddressFamily(family), address) for family, _, _, _, address in found]


def _is_local(family: socket.AddressFamily, ip: str) -> bool:
    """Whether the address is one of this machine's own: only those can be bound to."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError as error:
        return is_shortage(error)  # nobody knows then
    return True
