"""File exchange of the bot with independent clients: each method, both ways, 0 bytes to 50 MB."""

import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.localserver.botprocess import BotProcess, write_config
from tests.e2e.conftest import USERS, World, bot_config
from tests.interop.conftest import Reports
from tests.interop.matrix import CELLS, WRITING, Cell, Direction, Outcome, committed
from tests.interop.peers import KINDS, Event, ForeignPeer, Method, random_file, sha256_of
from tests.servers import private_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

LIMIT_S = 75.0
SLOW_LIMIT_S = 240.0
SLOW = (pytest.mark.timeout(2 * SLOW_LIMIT_S), pytest.mark.needs("patience"))
USER = {"purple": "alice", "gloox": "bob"}
SMOKE_SIZE = 1_000_000
SMOKE = {("purple", Method.PROXY), ("gloox", Method.IBB)}
BY = {Method.DIRECT: "socks5", Method.PROXY: "socks5", Method.IBB: "ibb"}


def some(direction: Direction, *, empty: bool = False) -> pytest.MarkDecorator:
    """Return a mark that runs a test with the cells of one direction."""
    cells = [
        cell
        for cell in CELLS
        if cell.direction == direction and (cell.size == 0) == empty and cell.client in KINDS
    ]
    return pytest.mark.parametrize(
        "cell",
        [pytest.param(cell, marks=_marks(cell)) for cell in cells],
        ids=lambda cell: f"{cell.client}-{cell.method}-{cell.size}",
    )


def _marks(cell: Cell) -> Sequence[pytest.MarkDecorator]:
    marks = [*SLOW] if cell.slow else []
    if (cell.client, cell.method) in SMOKE and cell.size == SMOKE_SIZE:
        marks.append(pytest.mark.smoke)
    # COMPAT(libpurple, 2.14): its hash for SOCKS5 expects a node and an "@" in each address.
    if cell.client == "purple" and cell.method is not Method.IBB:
        marks.append(pytest.mark.needs("a node in its address"))
    return marks


@asynccontextmanager
async def bot_on_a_server(folder: Path, upload_limit_bytes: int | None) -> AsyncIterator[World]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with AsyncExitStack() as stack:
        server = private_server(folder / "prosody", users=USERS, upload_limit_bytes=upload_limit_bytes)
        await stack.enter_async_context(server)
        tables = bot_config(
            server,
            limits={"max_file_size": "60 MB", "idle_timeout": "20 s"},
            bytestreams={"addresses": ["127.0.0.1"], "bind": "127.0.0.1", "port": port},
        )
        bot = await stack.enter_async_context(BotProcess(write_config(folder / "config.toml", tables)))
        yield World(server, bot, folder)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Run a bot on a server with an upload service."""
    async with bot_on_a_server(tmp_path_factory.mktemp("world"), 100_000_000) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plain_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Run a bot on a server without an upload service."""
    async with bot_on_a_server(tmp_path_factory.mktemp("plain_world"), None) as world:
        yield world


@asynccontextmanager
async def login(
    world: World, cell: Cell, binaries: dict[str, Path], tmp_path: Path
) -> AsyncIterator[ForeignPeer]:
    """Log in the client of a cell, with the bot among its contacts."""
    folder = tmp_path / "client"
    async with KINDS[cell.client](binaries[cell.client], world.server, USER[cell.client], folder) as peer:
        await peer.find_proxy()
        await peer.befriend(world.bot_jid)
        yield peer


async def drop(peer: ForeignPeer, world: World, path: Path, limit_s: float) -> Event:
    sent = await peer.send(path, world.bot_jid, limit_s=limit_s)
    answer = await peer.said(world.bot_jid, "Stored ", "I already have", limit_s=limit_s)
    assert path.name in answer
    return sent


async def forget(peer: ForeignPeer, world: World, *paths: Path) -> None:
    """Delete the file here and in the bot, so that the tests do not fill the disk."""
    for path in paths:
        path.unlink()
    peer.say(f"rm {paths[0].name}", world.bot_jid)
    await peer.said(world.bot_jid, "Deleted ")


@some(Direction.SENDS)
async def test_the_bot_keeps_what_a_client_sends(
    world: World, cell: Cell, binaries: dict[str, Path], tmp_path: Path, report: Reports
) -> None:
    path = random_file(tmp_path / f"Blätter {cell.size}.bin", cell.size)
    async with login(world, cell, binaries, tmp_path) as peer:
        await peer.use(Method(cell.method))
        sent = await drop(peer, world, path, SLOW_LIMIT_S if cell.slow else LIMIT_S)
        assert sent.method == (Method.IBB if cell.method is Method.BROKEN else cell.method)
        assert world.keeps(path)
        await forget(peer, world, path)
    report(cell, Outcome.SAME)


@some(Direction.SENDS, empty=True)
async def test_an_empty_file_is_refused_in_words(
    world: World, cell: Cell, binaries: dict[str, Path], tmp_path: Path, report: Reports
) -> None:
    path = random_file(tmp_path / "nothing.txt", 0)
    async with login(world, cell, binaries, tmp_path) as peer:
        await peer.use(Method(cell.method))
        peer.offer(path, world.bot_jid)
        await peer.cancelled()
        if cell.client == "gloox":
            assert any(event.text == "gloox offers no empty files" for event in peer.events)
            report(cell, Outcome.NOT_OFFERED)
        else:
            assert "is empty" in await peer.said(world.bot_jid, '"nothing.txt"', "nothing.txt")
            report(cell, Outcome.REFUSED)


@some(Direction.GETS)
async def test_a_client_gets_a_file_by_the_method_that_it_names(
    world: World, cell: Cell, binaries: dict[str, Path], tmp_path: Path, report: Reports
) -> None:
    path = random_file(tmp_path / f"Blätter {cell.size}.bin", cell.size)
    async with login(world, cell, binaries, tmp_path) as peer:
        await drop(peer, world, path, LIMIT_S)
        await peer.use(Method(cell.method))
        peer.say(f"get {path.name} by {BY[Method(cell.method)]}", world.bot_jid)
        arrived = await peer.received(limit_s=SLOW_LIMIT_S if cell.slow else LIMIT_S)
        assert (arrived.method, Path(arrived.path).name) == (cell.method, path.name)
        assert sha256_of(Path(arrived.path)) == sha256_of(path)
        await peer.said(world.bot_jid, "Sent ")
        await forget(peer, world, path, Path(arrived.path))
    report(cell, Outcome.SAME)


@some(Direction.UNASKED)
async def test_without_an_upload_service_a_file_comes_by_stream_unasked(
    plain_world: World, cell: Cell, binaries: dict[str, Path], tmp_path: Path, report: Reports
) -> None:
    world = plain_world
    path = random_file(tmp_path / f"Blätter {cell.size}.bin", cell.size)
    async with login(world, cell, binaries, tmp_path) as peer:
        await drop(peer, world, path, LIMIT_S)
        await peer.use(Method(cell.method))
        peer.say(f"get {path.name}", world.bot_jid)
        arrived = await peer.received(limit_s=LIMIT_S)
        assert arrived.method == (Method.IBB if cell.method is Method.BROKEN else cell.method)
        assert sha256_of(Path(arrived.path)) == sha256_of(path)
        await peer.said(world.bot_jid, "Your server has no upload service")
        await forget(peer, world, path, Path(arrived.path))
    report(cell, Outcome.SAME)


async def test_the_table_has_the_cells_that_are_tested_and_no_others() -> None:
    if WRITING not in os.environ:
        assert committed().keys() == set(CELLS)
