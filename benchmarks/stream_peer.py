"""The other end of the measured streams: ``python -m benchmarks.stream_peer FILE``.

A process of its own. Prints three ports: one gives the file to whoever connects, one does so after a SOCKS5
handshake, and one takes bytes and throws them away. Ends with its standard input.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from filebot.protocol.socks5 import SendBytes, ServerHandshake


def shake_hands(connection: socket.socket) -> None:
    """Let anybody in."""
    machine = ServerHandshake(lambda _: True)
    while not hasattr(machine, "destination"):
        for event in machine.receive(connection.recv(4096)):
            if isinstance(event, SendBytes):
                connection.sendall(event.data)


def give(connection: socket.socket, file: Path) -> None:
    """Send the whole file."""
    with file.open("rb") as source:
        size, offset = os.fstat(source.fileno()).st_size, 0
        while offset < size:
            offset += os.sendfile(connection.fileno(), source.fileno(), offset, size - offset)


def take(connection: socket.socket) -> None:
    """Throw away what comes."""
    buffer = bytearray(1024 * 1024)
    while connection.recv_into(buffer):
        pass


def serve(server: socket.socket, work: Callable[[socket.socket], None]) -> None:
    """One connection after the other."""
    while True:
        connection, _ = server.accept()
        with connection:
            work(connection)


def main() -> None:
    """Serve until nobody needs it any more."""
    file = Path(sys.argv[1])

    def give_behind_socks(connection: socket.socket) -> None:
        shake_hands(connection)
        give(connection, file)

    for work in (lambda connection: give(connection, file), give_behind_socks, take):
        server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=serve, args=(server, work), daemon=True).start()
        print(server.getsockname()[1], end=" ")
    print(flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
