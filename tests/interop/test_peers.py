"""libpurple and gloox with each other, without the bot: failures here are not the bot's fault."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.localserver.server import Server
from tests.interop.peers import (
    GLOOX,
    BuildFailed,
    ForeignPeer,
    Gloox,
    Method,
    Program,
    Purple,
    TransferCancelled,
    build,
    random_file,
    sha256_of,
)
from tests.servers import private_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZES = (1, 1_000_000)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("prosody")
    async with private_server(folder, users=["anna", "ben", "cleo"], upload_limit_bytes=None) as prosody:
        yield prosody


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def anna(
    server: Server, binaries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Purple]:
    async with Purple(binaries["purple"], server, "anna", tmp_path_factory.mktemp("anna")) as peer:
        await peer.find_proxy()
        yield peer


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ben(
    server: Server, anna: Purple, binaries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gloox]:
    async with Gloox(binaries["gloox"], server, "ben", tmp_path_factory.mktemp("ben")) as peer:
        await peer.find_proxy()
        await asyncio.gather(anna.befriend(peer.jid), peer.befriend(anna.jid))
        yield peer


async def arrives(path: Path, sender: ForeignPeer, receiver: ForeignPeer, method: Method) -> None:
    """Send a file and check that it arrives unchanged, by that method."""
    sent, received = await asyncio.gather(sender.send(path, receiver.jid), receiver.received())
    assert (sent.method, received.method) == (method, method)
    assert received.jid == sender.full_jid
    assert Path(received.path).name == path.name
    assert sha256_of(Path(received.path)) == sha256_of(path)


@pytest.mark.parametrize("method", [Method.DIRECT, Method.PROXY, Method.IBB])
@pytest.mark.parametrize("size", SIZES)
async def test_purple_and_gloox_send_each_other_files(
    anna: Purple, ben: Gloox, method: Method, size: int, tmp_path: Path
) -> None:
    path = random_file(tmp_path / f"Blätter {size}.bin", size)
    await asyncio.gather(anna.use(method), ben.use(method))
    await arrives(path, anna, ben, method)
    await arrives(path, ben, anna, method)


async def test_purple_goes_over_to_ibb_when_no_stream_host_answers(
    server: Server, anna: Purple, binaries: dict[str, Path], tmp_path: Path
) -> None:
    path = random_file(tmp_path / "a file.bin", 10_000)
    async with Purple(binaries["purple"], server, "cleo", tmp_path / "cleo") as cleo:
        await asyncio.gather(anna.befriend(cleo.jid), cleo.befriend(anna.jid))
        await asyncio.gather(anna.use(Method.BROKEN), cleo.use(Method.ANY))
        await arrives(path, anna, cleo, Method.IBB)


async def test_gloox_offers_no_empty_files_but_this_purple_does(
    anna: Purple, ben: Gloox, tmp_path: Path
) -> None:
    path = random_file(tmp_path / "nothing", 0)
    with pytest.raises(TransferCancelled):
        await ben.send(path, anna.jid)
    anna.offer(path, ben.jid)
    assert (await ben.expect("offered", lambda event: event.name == path.name)).size == "0"


async def test_purple_and_gloox_exchange_messages(anna: Purple, ben: Gloox) -> None:
    words = 'Grüße & <b> "quoted" \\ 1'
    anna.say(words, ben.jid)
    assert await ben.said(anna.jid) == words
    ben.say(words, anna.jid)
    assert await anna.said(ben.jid) == words


async def test_a_missing_library_or_compiler_is_said(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="nowhere-to-be-found"):
        build(Program("x", GLOOX.source, "cc", (), ("nowhere-to-be-found",)), tmp_path)
    with pytest.raises(BuildFailed, match="no-such-compiler is not installed"):
        build(Program("x", GLOOX.source, "no-such-compiler", (), ()), tmp_path)
