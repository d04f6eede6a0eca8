"""Files between two sessions of ours on a real server: the same by stream initiation and by Jingle."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.errors import FilebotError, PeerGone, Refused, TransferError
from filebot.localserver.server import Server
from filebot.model import Method, Negotiation, StreamMethod
from filebot.ports import StreamOffer
from tests.servers import private_server
from tests.support.streams import LIMIT_S, StreamPeer, entry, stream_peer

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY_EITHER_METHOD = pytest.mark.parametrize("method", [Method.SOCKS5, Method.IBB])
METHODS = (Method.IBB, Method.SOCKS5)


@dataclass
class Sender:
    """Session that sends files by one kind of negotiation."""

    session: StreamPeer
    negotiation: Negotiation
    reported: list[int] = field(default_factory=list)
    """Progress of the latest file."""
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, to: StreamPeer, path: Path, method: Method) -> None:
        await self.session.knows(to)
        await self.send_to(to.jid, path, method)

    async def send_to(self, jid: str, path: Path, method: Method) -> None:
        self.reported.clear()

        def report(sent_bytes: int) -> None:
            self.reported.append(sent_bytes)
            self.began.set()

        async with asyncio.timeout(LIMIT_S):
            by = StreamMethod(self.negotiation, method)
            await self.session.session.streams.send(jid, path, entry(path), by, report)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("negotiations")
    async with private_server(folder / "server", users=["bot", "other"]) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=[Negotiation.SI, Negotiation.JINGLE])
async def sender(server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Sender]:
    async with stream_peer(server, "bot") as made:
        yield Sender(made, request.param)


def file_of(folder: Path, size: int) -> Path:
    path = folder / "a file.bin"
    path.write_bytes(os.urandom(size))
    return path


@pytest.mark.conformance(84)
async def test_rest_of_a_file_can_be_sent(server: Server, sender: Sender, tmp_path: Path) -> None:
    async def take_the_rest(own: StreamPeer, offer: StreamOffer) -> None:
        assert offer.resumable
        async with offer.accept(400_000) as download:
            own.files.put_nowait(b"".join([bytes(piece) async for piece in download.chunks()]))

    path = file_of(tmp_path, 500_000)
    async with stream_peer(server, "other", on_offer=take_the_rest) as other:
        for method in METHODS:
            await sender.send(other, path, method)
            assert await other.file() == path.read_bytes()[400_000:]
            assert (min(sender.reported) > 400_000, max(sender.reported)) == (True, 500_000)


async def test_many_files_at_once_arrive_whole(server: Server, sender: Sender, tmp_path: Path) -> None:
    path = file_of(tmp_path, 30_000)
    async with stream_peer(server, "other") as other:
        methods = [*METHODS] * 4
        await asyncio.gather(*(sender.send(other, path, method) for method in methods))
        assert [await other.file() for _ in methods] == [path.read_bytes()] * 8


@BY_EITHER_METHOD
async def test_declined_offer_raises_refused(
    server: Server, sender: Sender, tmp_path: Path, method: Method
) -> None:
    async def refuse(_: StreamPeer, offer: StreamOffer) -> None:
        await offer.refuse("Not today.")

    async with stream_peer(server, "other", on_offer=refuse) as other:
        with pytest.raises(Refused) as refused:
            await sender.send(other, file_of(tmp_path, 10), method)
        assert refused.value.status == 403


async def test_offer_to_nobody_raises_peer_gone(sender: Sender, tmp_path: Path) -> None:
    with pytest.raises(PeerGone):
        await sender.send_to("other@localhost/nowhere", file_of(tmp_path, 10), Method.SOCKS5)


@BY_EITHER_METHOD
async def test_a_reader_that_stops_ends_the_stream(
    server: Server, sender: Sender, tmp_path: Path, method: Method
) -> None:
    async def read_a_little(_: StreamPeer, offer: StreamOffer) -> None:
        async with offer.accept() as download:
            chunks = download.chunks()
            await anext(chunks)
            await chunks.aclose()
            raise asyncio.CancelledError

    async with stream_peer(server, "other", on_offer=read_a_little) as other:
        with pytest.raises(TransferError):
            await sender.send(other, file_of(tmp_path, 20_000_000), method)


@BY_EITHER_METHOD
async def test_a_cancelled_sender_leaves_nothing(
    server: Server, sender: Sender, tmp_path: Path, method: Method
) -> None:
    path = file_of(tmp_path, 20_000_000)
    async with stream_peer(server, "other") as other:
        sending = asyncio.create_task(sender.send(other, path, method))
        await asyncio.wait_for(sender.began.wait(), LIMIT_S)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        with pytest.raises(FilebotError):
            await other.file()
