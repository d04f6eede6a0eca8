"""The bot's own stream host: one port for all sessions (XEP-0065 5.3.2).

Whoever connects shows the hash of a session that is expected, or is cut off. Nothing is promised to those
who have not shown one yet: they have a few seconds, and when there are too many, the one that waits
longest goes, since an honest client is through within two round trips.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Final, Self

from filebot.concurrency.tasks import end
from filebot.errors import LocalProtocolError, PeerGone, TransferError, TransferTimeout
from filebot.protocol.socks5 import ServerHandshake
from filebot.system.descriptors import MOST_HANDSHAKES
from filebot.transfer.socks5.socket import SocketConnection, handshake, prepare

HANDSHAKE_S: Final = 5.0

_BACKLOG: Final = 128
_PAUSE_S: Final = 1.0
"""After the system would give no more sockets."""


class ExpectedSocket:
    """A session whose peer is going to connect. Made by :meth:`Listener.expect`."""

    def __init__(self) -> None:
        self._held: SocketConnection | None = None
        self._changed = asyncio.Event()
        self._taken = False
        self._closed = False

    async def connected(self, limit_s: float) -> SocketConnection:
        """The peer's connection, from now on the caller's. To be asked for once.

        Raises TransferTimeout, or PeerGone if the listener is closed meanwhile.
        """
        try:
            async with asyncio.timeout(limit_s):
                while not self._closed:
                    if (connection := self._live()) is not None:
                        self._held, self._taken = None, True
                        return connection
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise TransferTimeout(idle_s=limit_s) from error
        raise PeerGone("the listener is closed")

    def is_free(self) -> bool:
        """Whether a connection would be welcome.

        One at a time: a peer that dials several of our addresses gets through by one of them, and cannot
        choose another one than we do.
        """
        return not self._taken and self._live() is None

    def put(self, connection: SocketConnection) -> None:
        """The peer has connected."""
        self._held = connection
        self._changed.set()

    def close(self) -> None:
        """Nobody is expected any more."""
        self._closed = True
        self._drop()
        self._changed.set()

    def _live(self) -> SocketConnection | None:
        if self._held is not None and not self._held.is_open():
            self._drop()  # the peer gave up, and may come again
        return self._held

    def _drop(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


class Listener:
    """An asynchronous context manager; leaving it closes the port and all that has not been taken."""

    def __init__(self, bind: str, port: int, most_unknown: int = MOST_HANDSHAKES) -> None:
        """``bind`` is an IP address, ``::`` for everything; port 0 takes any free port. ``most_unknown`` is
        for connections that have not shown a hash yet.
        """
        self._most_unknown = most_unknown
        # Many people may sit behind one address, and one clumsy scanner too.
        self._most_unknown_of_peer = max(1, most_unknown // 2)
        self._bind = bind
        self._port = port
        self._expected: dict[str, ExpectedSocket] = {}
        self._unknown: dict[socket.socket, tuple[str, asyncio.Task[None]]] = {}
        self._pause: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    async def __aenter__(self) -> Self:
        """Begin to listen. Raises OSError if the address cannot be used."""
        family = socket.AF_INET6 if ":" in self._bind else socket.AF_INET
        self._loop = asyncio.get_running_loop()
        self._socket = socket.create_server(
            (self._bind, self._port), family=family, backlog=_BACKLOG, dualstack_ipv6=self._bind == "::"
        )
        self._socket.setblocking(False)
        self._port = self._socket.getsockname()[1]
        self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for expected in self._expected.values():
            expected.close()
        await end(task for _, task in self._unknown.values())

    @contextmanager
    def expect(self, destinations: Collection[str]) -> Iterator[ExpectedSocket]:
        """Let a session's peer in, by any of these hashes, for as long as the context is open."""
        if not self._expected.keys().isdisjoint(destinations):
            raise LocalProtocolError("this session is expected already")
        expected = ExpectedSocket()
        self._expected.update(dict.fromkeys(destinations, expected))
        try:
            yield expected
        finally:
            for destination in destinations:
                del self._expected[destination]
            expected.close()

    def _listen(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            sock, address = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        except OSError:
            # No file descriptors left, say. The socket stays readable: without a pause we would spin.
            self._loop.remove_reader(self._socket)
            self._pause = self._loop.call_later(_PAUSE_S, self._listen)
            return
        self._make_room(peer := _peer(address[0]))
        task = self._loop.create_task(self._admit(sock))
        self._unknown[sock] = peer, task
        task.add_done_callback(partial(self._admitted, sock))

    def _make_room(self, peer: str) -> None:
        same = [sock for sock, (other, _) in self._unknown.items() if other == peer]
        if len(same) >= self._most_unknown_of_peer:
            self._cut(same[0])
        elif len(self._unknown) >= self._most_unknown:
            self._cut(next(iter(self._unknown)))

    def _cut(self, sock: socket.socket) -> None:
        _, task = self._unknown.pop(sock)
        task.cancel()

    async def _admit(self, sock: socket.socket) -> None:
        prepare(sock)
        machine = ServerHandshake(self._is_welcome)
        async with asyncio.timeout(HANDSHAKE_S):
            rest = await handshake(sock, machine)
        # Nobody else ran since the hash was found welcome.
        self._expected[machine.destination].put(SocketConnection(sock, rest))

    def _is_welcome(self, destination: str) -> bool:
        expected = self._expected.get(destination)
        return expected is not None and expected.is_free()

    def _admitted(self, sock: socket.socket, task: asyncio.Task[None]) -> None:
        self._unknown.pop(sock, None)
        try:
            task.result()
        except (TransferError, TimeoutError, asyncio.CancelledError):
            sock.close()
        except BaseException:
            sock.close()
            raise


def _peer(address: str) -> str:
    """Whom an address belongs to: an IPv6 network of 64 bits is one customer."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    return str(ip.ipv4_mapped or ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
