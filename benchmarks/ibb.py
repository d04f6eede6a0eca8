"""In-band bytestreams through a real Prosody against slixmpp's own. Run as ``python -m benchmarks.ibb``.

All in one process, with blocks of the size that each side chooses: slixmpp's sender to slixmpp's receiver,
which is one block for each round trip; ours to slixmpp's receiver; ours to ours.
"""

import argparse
import asyncio
import io
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from slixmpp import JID

from benchmarks.turns import Goal, report
from filebot.demo.peer import Peer
from filebot.demo.prosody import Prosody
from filebot.model import BlobRef, Entry, Method, Negotiation, Way
from filebot.ports import StreamOffer
from filebot.xmpp.outbox import Outbox
from filebot.xmpp.session import Session, SessionSettings, StreamLimits

PIECE_BYTES: Final = 256 * 1024
STOCK_BLOCK_BYTES: Final = 4096
"""What slixmpp's sender proposes when it is not told otherwise."""

GOALS: Final = [
    Goal("our sender, slixmpp's receiver / slixmpp at both ends", "ours to slixmpp", "slixmpp", 2.0),
    Goal("ours at both ends / slixmpp at both ends", "ours", "slixmpp", 3.5),
]


@dataclass
class Ends:
    """Four sessions on one server."""

    data: bytes
    file: Path
    ours: Session
    ours_jid: str
    sender: Session
    stock: Peer
    stock_sender: Peer
    received: "asyncio.Queue[int]" = field(default_factory=asyncio.Queue)

    async def slixmpp(self) -> None:
        """One block for each round trip."""
        plugin = self.stock_sender.client.plugin["xep_0047"]
        stream = await plugin.open_stream(JID(self.stock.jid), block_size=STOCK_BLOCK_BYTES)
        await stream.sendfile(io.BytesIO(self.data))
        await self.received.get()

    async def ours_to_slixmpp(self) -> None:
        """Our window of blocks into a receiver that knows nothing of it."""
        express = self.sender.streams._tools.express  # noqa: SLF001 - slixmpp takes no offers: no way around
        outbox = Outbox(self.sender._stream, express, StreamLimits(), self.stock.jid, secrets.token_hex(8))  # noqa: SLF001
        await outbox.send(self._pieces(), len(self.data), lambda _: None)
        await self.received.get()

    async def ours_to_ours(self) -> None:
        """As the bot sends to another one, the offer included."""
        blob = BlobRef("0" * 64, len(self.data))
        now = datetime.now(UTC)
        entry = Entry(
            "f.bin", "a@b", None, "", blob, "application/octet-stream", now, id=1, modified_at=now
        )
        await self.sender.streams.send(
            self.ours_jid, self.file, entry, Way(Negotiation.SI, Method.IBB), lambda _: None
        )
        await self.received.get()

    async def _pieces(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), PIECE_BYTES):
            yield self.data[start : start + PIECE_BYTES]

    async def take(self, offer: StreamOffer) -> None:
        """Receive as intake does, and throw away."""
        size = 0
        async with offer.accept() as download:
            async for chunk in download.chunks():
                size += len(chunk)
        self.received.put_nowait(size)

    async def drain(self, stream: Any) -> None:
        """Receive as users of slixmpp do, and throw away."""
        size = 0
        while size < len(self.data):
            size += len(await stream.recv_queue.get())
        self.received.put_nowait(size)


async def measured(folder: Path, size: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each variant, taking turns."""
    file = folder / "f.bin"
    file.write_bytes(os.urandom(size))
    async with AsyncExitStack() as stack:
        users = ("ours", "sender", "stock", "stocksender")
        server = await stack.enter_async_context(Prosody(folder / "prosody", users=users))
        ends: Ends

        async def take(offer: StreamOffer) -> None:
            await ends.take(offer)

        sessions = []
        for user in users[:2]:
            settings = SessionSettings(
                server.jid(user),
                server.password(user),
                host="127.0.0.1",
                port=server.c2s_port,
                ca_file=server.ca_file,
            )
            session = Session(
                settings, on_message=lambda _: None, may_subscribe=lambda _: True, on_stream_offer=take
            )
            sessions.append(await stack.enter_async_context(session))
        jids = [await session.run_until_ready() for session in sessions]
        stock = [await stack.enter_async_context(await Peer.of(server, user)) for user in users[2:]]
        for peer in stock:
            peer.client.register_plugin("xep_0047", {"auto_accept": True, "max_block_size": 65535})
        ends = Ends(file.read_bytes(), file, sessions[0], jids[0], sessions[1], stock[0], stock[1])
        drains: set[asyncio.Task[None]] = set()
        stock[0].client.add_event_handler(
            "ibb_stream_start", lambda stream: drains.add(asyncio.ensure_future(ends.drain(stream)))
        )
        variants: dict[str, Callable[[], Awaitable[None]]] = {
            "slixmpp": ends.slixmpp,
            "ours to slixmpp": ends.ours_to_slixmpp,
            "ours": ends.ours_to_ours,
        }
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(rounds):
            for name, run in variants.items():
                start = time.perf_counter()
                await run()
                seconds[name].append(time.perf_counter() - start)
        return seconds


def main() -> int:
    """The exit status: 0 if all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=3_000_000, help="size of the file (default 3000000)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        seconds = asyncio.run(measured(Path(folder), options.bytes, options.rounds))
    return 0 if report(GOALS, seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
