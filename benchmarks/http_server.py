"""A server as fast as Python gets: GET by sendfile, PUT into nothing. Run as a process of its own.

``python -m benchmarks.http_server FILE`` prints its port and serves FILE for every path, until its standard
input ends. One thread a connection, blocking sockets.
"""

import os
import re
import socket
import sys
import threading
from pathlib import Path
from typing import Final

_PIECE: Final = 1024 * 1024


def _head(connection: socket.socket) -> bytes:
    """A request's head and what came with it of the body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    return data


def _discard(connection: socket.socket, left: int) -> None:
    buffer = bytearray(_PIECE)
    while left > 0:
        # MSG_TRUNC: tcp(7) throws the bytes away without copying them, so the sender is what is measured.
        count = connection.recv_into(buffer, min(left, _PIECE), socket.MSG_TRUNC)
        if not count:
            return
        left -= count


def _answer(connection: socket.socket, request: bytes, file: Path) -> None:
    head, _, body = request.partition(b"\r\n\r\n")
    if head.startswith(b"PUT"):
        if re.search(rb"(?i)^expect: *100-continue", head, re.MULTILINE):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        _discard(connection, int(length[1] if length else 0) - len(body))
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        return
    size = file.stat().st_size
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    if head.startswith(b"GET"):
        with file.open("rb") as source:
            connection.sendfile(source)


def _serve(connection: socket.socket, file: Path) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request := _head(connection):
            _answer(connection, request, file)


def main() -> None:
    """Serve until standard input ends."""
    file = Path(sys.argv[1])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, file), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
