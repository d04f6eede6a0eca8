"""All SOCKS5 connections of the bot, as the XMPP side of bytestreams asks for them."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from filebot.concurrency.locks import FairSemaphore, Shares
from filebot.errors import PeerGone
from filebot.ports import Data
from filebot.protocol.bytestreams import StreamHost
from filebot.system.descriptors import MOST_DIALS
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.resolver import NameLookup
from filebot.transfer.socks5 import dial as socks5_dial
from filebot.transfer.socks5.listener import ExpectedSocket, Listener
from filebot.transfer.socks5.receive import StreamReceiver
from filebot.transfer.socks5.send import send_file
from filebot.transfer.socks5.socket import SocketConnection

DIALS_PER_PERSON: Final = 16


def dials(total: int) -> FairSemaphore:
    """So many attempts to connect to hosts that peers name, shared fairly."""
    return FairSemaphore(Shares(total, max(1, min(DIALS_PER_PERSON, total // 4))))


@dataclass(frozen=True, slots=True)
class ByteStream:
    """One connection after its handshake, for one file in one direction."""

    connection: SocketConnection
    idle_s: float
    """How long nothing may move before TransferTimeout is raised."""

    def chunks(self, size: int | None) -> AsyncGenerator[Data, None]:
        return StreamReceiver(self.connection, size, self.idle_s).chunks()

    async def send_file(self, path: Path, offset: int, size: int, progress: Callable[[int], None]) -> None:
        def moved(end: int) -> None:
            progress(end - offset)

        await send_file(self.connection.sock, path, offset, size, moved, self.idle_s)

    async def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True, slots=True)
class ExpectedConnection:
    """A session whose peer is going to connect to the bot."""

    expected: ExpectedSocket | None
    idle_s: float

    async def connected(self, limit_s: float) -> ByteStream:
        if self.expected is None:
            raise PeerGone("the bot does not listen")
        return ByteStream(await self.expected.connected(limit_s), self.idle_s)


@dataclass(frozen=True, slots=True)
class Socks5Connections:
    """Connects to others, and lets them in if there is a listener."""

    policy: AddressPolicy
    idle_s: float
    listener: Listener | None = None
    hosts: tuple[str, ...] = ()
    """Where others reach the listener."""
    names: NameLookup = field(default_factory=NameLookup)
    sockets: FairSemaphore = field(default_factory=lambda: dials(MOST_DIALS))
    """Attempts to connect, of all together."""

    def addresses(self) -> Sequence[tuple[str, int]]:
        return [(host, self.listener.port) for host in self.hosts] if self.listener else []

    @contextmanager
    def expect(self, destinations: Collection[str]) -> Iterator[ExpectedConnection]:
        if self.listener is None:
            yield ExpectedConnection(None, self.idle_s)
            return
        with self.listener.expect(destinations) as expected:
            yield ExpectedConnection(expected, self.idle_s)

    def may_dial(self, host: StreamHost) -> bool:
        # A name may have any address; it is looked up only when it is dialled.
        return self.policy.allow_private or self.policy.is_public_literal(host.host)

    async def dial(
        self, hosts: Sequence[StreamHost], destination: str, *, trusted: bool = False
    ) -> tuple[StreamHost, ByteStream]:
        policy = replace(self.policy, allow_private=True) if trusted else self.policy
        host, connection = await socks5_dial.dial(
            hosts,
            destination,
            policy,
            own_addresses=self.addresses(),
            names=self.names,
            sockets=self.sockets,
        )
        return host, ByteStream(connection, self.idle_s)
