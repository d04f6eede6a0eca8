"""A person's client in a process of its own, which sends one file by a stream and can be killed at that.

``python -m tests.support.sender '{...}'``: the JSON object is what :class:`Job` holds. It says on its
standard output, a line each, how many bytes it has put on the wire (``sent N``), and how it ended (``done
METHOD`` or ``failed REASON``). It sends slowly, and in step with the bot's disk: see :class:`Brake`.
"""

import asyncio
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from filebot.errors import FilebotError
from filebot.model import Method, Negotiation, StreamMethod
from filebot.protocol.ibb import SendWindow
from filebot.protocol.stream_initiation import FILE_TRANSFER, write_offer
from filebot.transfer import sendfile
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.socks5.connections import ByteStream, Socks5Connections
from filebot.transfer.socks5.listener import Listener
from filebot.xmpp.session import Handlers, SessionSettings, StreamHandlers, XmppSession
from filebot.xmpp.si import outgoing
from tests.support.streams import entry

PIECE_BYTES = 64 * 1024
PAUSE_S = 0.008
"""Pause after each piece, for a rate of at most about 8 MB/s."""
AHEAD_BYTES = 2 * SendWindow().most_bytes
"""Limit on bytes on the wire that the bot does not have on disk yet. It is larger than the window of
unacknowledged blocks, so that all blocks of a window can arrive while the sender waits."""
LOOKS_S = 0.001
"""Interval between looks at the size of the bot's partial file."""

_DATA = re.compile(r"<data [^>]*>([^<]*)</data>")


@dataclass(frozen=True)
class Job:
    """File to send, receiver and method."""

    jid: str
    password: str
    port: int
    ca_file: str
    to: str
    file: str
    negotiation: str
    method: str
    listens: bool
    """Whether the receiver can connect directly; if not, the server's proxy is used."""
    kept_in: str = ""
    """Folder of the bot's partial files, for a brake; without it the sender has no brake."""
    stops_at: int = 0
    """Size after which a sender with a brake stops."""


@dataclass(frozen=True)
class Brake:
    """Flow control for a sender that is going to be killed: keeps it from running ahead of the bot.

    A kill loses the bytes that the bot has not written yet: those in the kernels' buffers, in the bot's
    own and in the queue to the disk. On a busy machine these hold megabytes, and the count of bytes sent
    twice would measure the load instead of the bot. So the sender waits while the bot is behind by more
    than :data:`AHEAD_BYTES`. A bot that buffered more than that before it writes would never get the whole
    file.
    """

    kept_in: Path
    stops_at: int

    def holds(self, sent: int) -> bool:
        """Return whether a sender that has sent so much of a file has to wait."""
        return sent >= self.stops_at or sent - self.kept() > AHEAD_BYTES

    def kept(self) -> int:
        """Return the number of bytes of the file that are on the disk."""
        return sum(file.stat().st_size for file in self.kept_in.iterdir())


class Meter:
    """Counter of the bytes that are put on the wire."""

    def __init__(self, brake: Brake | None) -> None:
        self.sent = 0
        self._brake = brake

    def add(self, size: int) -> None:
        self.sent += size
        say(f"sent {self.sent}")
        time.sleep(PAUSE_S * size / PIECE_BYTES)
        while self._brake is not None and self._brake.holds(self.sent):
            time.sleep(LOOKS_S)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measured(meter: Meter, file: Path) -> None:
    """Count the bytes of both kinds of streams, and announce an MD5, as QXmpp does (XEP-0096)."""
    sendfile.PIECE_BYTES = PIECE_BYTES  # type: ignore[misc]  # small pieces are counted more exactly
    send_file = ByteStream.send_file
    md5 = hashlib.md5(file.read_bytes()).hexdigest()

    async def counted(
        self: ByteStream, path: Path, offset: int, size: int, progress: Callable[[int], None]
    ) -> None:
        before = 0

        def moved(done: int) -> None:
            nonlocal before
            meter.add(done - before)
            before = done
            progress(done)

        await send_file(self, path, offset, size, moved)

    def with_hash(*args: Any, **kwargs: Any) -> Element:
        offer = write_offer(*args, **kwargs)
        described = offer.find(f"{{{FILE_TRANSFER}}}file")
        assert described is not None
        described.set("hash", md5)
        return offer

    ByteStream.send_file = counted  # type: ignore[method-assign]  # measured, not replaced
    vars(outgoing)["write_offer"] = with_hash


async def send(job: Job) -> None:
    file = Path(job.file)
    meter = Meter(Brake(Path(job.kept_in), job.stops_at) if job.kept_in else None)
    measured(meter, file)
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Listener("127.0.0.1", 0)) if job.listens else None
        connections = Socks5Connections(
            AddressPolicy(allow_insecure=True, allow_private=True),
            10.0,
            listener,
            ("127.0.0.1",) if job.listens else (),
        )
        session = XmppSession(
            SessionSettings(
                job.jid, job.password, host="127.0.0.1", port=job.port, ca_file=Path(job.ca_file)
            ),
            Handlers(
                message=lambda message: say(f"heard {message.text!r}"),
                is_served=lambda _: True,
                streams=StreamHandlers(lambda offer: offer.refuse("")),
            ),
            connections=connections,
        )
        await stack.enter_async_context(session)
        await session.run_until_ready()
        post = session._stream.post

        def counted_post(text: str) -> None:
            post(text)
            if found := _DATA.search(text):
                meter.add(len(found[1]) * 3 // 4 - found[1].count("="))

        session._stream.post = counted_post  # type: ignore[method-assign]  # measured, not replaced
        way = StreamMethod(Negotiation(job.negotiation), Method(job.method))
        try:
            used = await session.streams.send(job.to, file, entry(file), way, lambda _: None)
        except FilebotError as error:
            say(f"failed {error!r}")
        else:
            say(f"done {used.value}")


if __name__ == "__main__":
    asyncio.run(send(Job(**json.loads(sys.argv[1]))))
