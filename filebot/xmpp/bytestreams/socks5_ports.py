"""Ports through which byte streams use the network (XEP-0065): connections, however they are made.

``transfer/`` makes them; the two meet where everything is plugged together.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from filebot.ports import Data
from filebot.protocol.bytestreams import StreamHost


class ByteConnection(Protocol):
    """One connection after its SOCKS5 handshake: nothing but the file goes over it, in one direction.

    Whoever got it closes it.
    """

    def chunks(self, size: int | None) -> AsyncGenerator[Data, None]:
        """Exactly ``size`` bytes as they come, or (None) all up to the end of the connection.

        None is read while none is asked for, beyond a bound.

        Raises PeerGone, TransferTimeout or SizeMismatch.
        """

    async def send_file(self, path: Path, offset: int, size: int, progress: Callable[[int], None]) -> None:
        """Send that part of a file and wait until the other side has closed.

        ``progress`` is called with all bytes of this call sent so far. Raises PeerGone or TransferTimeout.
        """

    async def close(self) -> None:
        """End it, at once; a second time does nothing."""


class ExpectedStream(Protocol):
    """A session whose peer is going to connect."""

    async def connected(self, limit_s: float) -> ByteConnection:
        """The peer's connection. To be asked for once. Raises TransferTimeout or PeerGone."""


class Socks5Connector(Protocol):
    """Makes connections, and waits for those of others."""

    def addresses(self) -> Sequence[tuple[str, int]]:
        """Hosts and ports at which others reach the bot, the likeliest first; none if they cannot."""

    def expect(self, destinations: Collection[str]) -> AbstractContextManager[ExpectedStream]:
        """Let the peer of a session in, by any of these hashes, for as long as the context is open.

        A connection that nobody has taken is closed with the context.
        """

    def may_dial(self, host: StreamHost) -> bool:
        """Tell whether it is certain that the bot may connect to a host that a peer names."""

    async def dial(
        self, hosts: Sequence[StreamHost], destination: str, *, trusted: bool = False
    ) -> tuple[StreamHost, ByteConnection]:
        """Connect to the first that can be reached and ask it for the destination.

        Within a limit of its own. ``trusted`` hosts were named by the bot's own server, others by a peer,
        who may not send the bot into its own network. Raises TransferError.
        """
