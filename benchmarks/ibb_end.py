"""One end of the measured in-band streams: ``python -m benchmarks.ibb_end (stock|ours)``.

A process of its own, as a bot and its peers are. Its first line of input is its login as JSON. It prints
its full JID, then ``got BYTES`` for each file that has come, and sends the file for each further line of
input, which is how and to whom: ``stock JID``, ``plain JID`` or ``offer JID``.
"""

import asyncio
import io
import json
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from slixmpp import JID

from filebot.localserver.peer import Peer
from filebot.model import BlobRef, Entry, Method, Negotiation, StreamMethod
from filebot.ports import StreamOffer
from filebot.xmpp.bytestreams.ibb_sender import IbbStreamSender
from filebot.xmpp.session import Handlers, SessionSettings, StreamHandlers, StreamLimits, XmppSession

PIECE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Login:
    """Where to log in, and what to send."""

    jid: str
    password: str
    port: int
    ca_file: str
    file: str

    def content(self) -> bytes:
        """Return the bytes to send. They are held in memory, so that no disk is measured."""
        return Path(self.file).read_bytes()


def say(text: str) -> None:
    """Tell the one who measures."""
    print(text, flush=True)


async def lines() -> AsyncIterator[str]:
    """Yield the commands of the measuring process, until an empty line or the end of the input."""
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        yield line


async def stock(login: Login) -> None:
    """Run slixmpp's own IBB: sends one block of 4096 bytes per round trip, receives up to 8192."""
    content = login.content()
    drains: set[asyncio.Task[None]] = set()

    async def drain(stream: Any) -> None:
        size = 0
        while size < len(content):
            size += len(await stream.recv_queue.get())
        say(f"got {size}")

    async with await Peer.connect(
        login.jid, login.password, host="127.0.0.1", port=login.port, ca_file=Path(login.ca_file)
    ) as peer:
        peer.client.register_plugin("xep_0047", {"auto_accept": True})
        is_sender = False

        def started(stream: Any) -> None:
            if not is_sender:
                drains.add(asyncio.ensure_future(drain(stream)))

        peer.client.add_event_handler("ibb_stream_start", started)
        say(peer.jid)
        async for line in lines():
            is_sender = True
            stream = await peer.client.plugin["xep_0047"].open_stream(JID(line.split()[1]))
            await stream.sendfile(io.BytesIO(content))


async def ours(login: Login) -> None:
    """The bot's session."""
    content = login.content()

    async def take(offer: StreamOffer) -> None:
        size = 0
        async with offer.accept() as download:
            async for chunk in download.chunks():
                size += len(chunk)
                if size == len(content):  # what waits for a close afterwards is not measured
                    say(f"got {size}")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), PIECE_BYTES):
            yield content[start : start + PIECE_BYTES]

    settings = SessionSettings(
        login.jid, login.password, host="127.0.0.1", port=login.port, ca_file=Path(login.ca_file)
    )
    async with XmppSession(
        settings,
        Handlers(message=lambda _: None, is_served=lambda _: True, streams=StreamHandlers(take)),
    ) as session:
        say(await session.run_until_ready())
        async for line in lines():
            how, jid = line.split()
            if how == "offer":
                await session.streams.send(
                    jid,
                    Path(login.file),
                    _entry(content),
                    StreamMethod(Negotiation.SI, Method.IBB),
                    lambda _: None,
                )
            else:  # slixmpp takes no offers: no way around
                fast_path = session.streams._tools.fast_path  # noqa: SLF001
                sid = secrets.token_hex(8)
                stream = session._stream  # noqa: SLF001
                limits, own = StreamLimits(), stream.boundjid.full
                outbox = IbbStreamSender(stream, fast_path, limits, jid, sid, own)
                await outbox.send(pieces(), len(content), lambda _: None)


def _entry(content: bytes) -> Entry:
    now, blob = datetime.now(UTC), BlobRef("0" * 64, len(content))
    return Entry("f.bin", "a@b", None, "", blob, "application/octet-stream", now, id=1, modified_at=now)


def main() -> None:
    """Until the input ends."""
    login = Login(**json.loads(sys.stdin.readline()))
    asyncio.run((stock if sys.argv[1] == "stock" else ours)(login))


if __name__ == "__main__":
    main()
