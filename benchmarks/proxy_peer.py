"""A raw end of the measured proxied streams: ``python -m benchmarks.proxy_peer FILE``.

A process of its own, of blocking sockets. Each line of input is one job: ``give PORT DESTINATION`` sends
the file, ``take PORT DESTINATION`` throws away what comes, ``keep PORT DESTINATION PATH`` writes it to a
file and makes that durable. It prints ``in`` once it is let into the session, waits for another line, which
is when the bytes may flow, and prints ``done`` at the end.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Final

from benchmarks.stream_peer import give, take
from filebot.protocol.socks5 import ClientHandshake, Done, SendBytes
from filebot.storage.file_system import sync_folder

READ_BYTES: Final = 256 * 1024


def enter(port: int, destination: str) -> socket.socket:
    """Connect, and shake hands as a client."""
    connection = socket.create_connection(("127.0.0.1", port))
    machine = ClientHandshake(destination)
    connection.sendall(machine.opening)
    while True:
        for event in machine.receive(connection.recv(4096)):
            if isinstance(event, SendBytes):
                connection.sendall(event.data)
            elif isinstance(event, Done):
                return connection


def keep(connection: socket.socket, path: Path) -> None:
    """Write all that comes; when it returns, a power cut takes neither the bytes nor the name."""
    buffer = memoryview(bytearray(READ_BYTES))
    with path.open("wb", buffering=0) as out:
        while count := connection.recv_into(buffer):
            out.write(buffer[:count])
        os.fdatasync(out.fileno())
    sync_folder(path.parent)


def main() -> None:
    """Job after job until the input ends."""
    file = Path(sys.argv[1])
    for line in sys.stdin:
        what, port, destination, *rest = line.split()
        with enter(int(port), destination) as connection:
            print("in", flush=True)
            sys.stdin.readline()
            if what == "give":
                give(connection, file)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)
            elif what == "take":
                take(connection)
            else:
                keep(connection, Path(rest[0]))
        print("done", flush=True)


if __name__ == "__main__":
    main()
