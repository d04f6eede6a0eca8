"""Sources of bytes of installed packages: found by entry points, bounded, and under the address policy."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from filebot import backends
from filebot.backends import SOURCES, load_sources
from filebot.errors import ForbiddenTarget, PeerGone, PeerProtocolError, TransferError, TransferTimeout
from filebot.plugin import SourceServices, UrlSource
from filebot.testing import FakeBot
from filebot.testing.http import HostedFile, MemoryWeb
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.resolver import NameLookup
from filebot.transfer.sources import Connector, SourcesByScheme
from tests.support.rows_source import Rows, RowsSource
from tests.support.virtual_time import in_virtual_time

LAX = AddressPolicy(allow_insecure=True, allow_private=True)


def services(policy: AddressPolicy = LAX) -> SourceServices:
    return SourceServices(Connector(policy, NameLookup(), 5.0), MemoryWeb(), 5.0)


@asynccontextmanager
async def rows_server(content: bytes) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(f"{len(content)}\n".encode() + content)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"rows://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_file_is_fetched_by_a_source_of_its_scheme() -> None:
    async with (
        rows_server(b"abc" * 50_000) as base,
        FakeBot(sources={"rows": RowsSource(services())}) as bot,
    ):
        [said] = await bot.say(f"fetch {base}/a.txt")
        assert said.startswith("Stored")
        assert "a.txt" in said
        [said] = await bot.say("fetch odd://example.org/a.txt")
        assert not said.startswith("Stored")
        bot.web.hosted["https://example.org/b.txt"] = HostedFile(b"b")
        [said] = await bot.say("fetch https://example.org/b.txt")
        assert said.startswith("Stored")


async def test_a_source_goes_on_where_a_download_broke_off() -> None:
    sources = SourcesByScheme(MemoryWeb(), {"rows": RowsSource(services())}, 5.0)
    async with rows_server(b"0123456789") as base, sources.get(f"{base}/a", 4) as download:
        assert download.size == 10
        assert [chunk async for chunk in download.chunks()] == [b"456789"]


async def test_entry_points_and_the_bots_own_are_loaded_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        EntryPoint("rows", "tests.support.rows_source:RowsSource", SOURCES),
        EntryPoint("https", "tests.support.rows_source:RowsSource", SOURCES),
        EntryPoint("no scheme", "tests.support.rows_source:RowsSource", SOURCES),
        EntryPoint("broken", "tests.support.rows_source:broken", SOURCES),
        EntryPoint("gone", "tests.support.no_such_module:Source", SOURCES),
        EntryPoint("odd", "builtins:repr", SOURCES),
    ]
    monkeypatch.setattr(backends, "entry_points", lambda group: found if group == SOURCES else [])
    left_out, given = list[str](), services()
    sources = load_sources(given, left_out.append)
    assert sources.keys() == {"http", "https", "rows"}
    assert sources["https"] is given.http
    words = [
        "already",
        "is no scheme",
        "LookupError: no such library",
        "ModuleNotFoundError",
        "no method get",
    ]
    assert len(left_out) == len(words)
    for line, word in zip(left_out, words, strict=True):
        assert word in line


async def test_a_source_connects_to_public_addresses_alone() -> None:
    connect = Connector(AddressPolicy(), NameLookup(), 5.0)
    for host in ("127.0.0.1", "localhost", "0x7f000001", "10.1.2.3", "::1"):
        with pytest.raises(ForbiddenTarget, match="private"):
            await connect(host, 7)
    with pytest.raises(ForbiddenTarget, match="malformed"):
        await connect("a..example", 7)
    with pytest.raises(PeerGone):
        await Connector(LAX, NameLookup(), 5.0)("127.0.0.1", 9)


class Odd:
    """Source that does what a test wants."""

    def __init__(self, opens: Callable[[], Any], chunks: Callable[[], AsyncGenerator[Any, None]]) -> None:
        self._opens = opens
        self._chunks = chunks

    @asynccontextmanager
    async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[Any]:
        await self._opens()
        download = Rows(asyncio.StreamReader(), "a", 3, 0)
        download.chunks = self._chunks  # type: ignore[method-assign]
        yield download


async def at_once() -> None: ...


async def fail() -> None:
    raise LookupError("odd")


async def hang() -> None:
    await asyncio.Event().wait()


async def hanging() -> AsyncGenerator[bytes, None]:
    yield b"a"
    await hang()


async def failing() -> AsyncGenerator[bytes, None]:
    yield b"a"
    raise LookupError


async def of_text() -> AsyncGenerator[str, None]:
    yield "a"


@pytest.mark.parametrize(
    ("opens", "chunks", "expected"),
    [
        (fail, failing, PeerProtocolError),
        (hang, failing, TransferTimeout),
        (at_once, hanging, TransferTimeout),
        (at_once, failing, PeerProtocolError),
        (at_once, of_text, PeerProtocolError),
    ],
)
def test_a_source_that_misbehaves_is_an_error_of_its_transfer(
    opens: Callable[[], Any],
    chunks: Callable[[], AsyncGenerator[Any, None]],
    expected: type[TransferError],
) -> None:
    @in_virtual_time
    async def play() -> None:
        source: UrlSource = Odd(opens, chunks)
        sources = SourcesByScheme(MemoryWeb(), {"odd": source}, 5.0)
        with pytest.raises(expected):
            async with sources.get("odd://a/b") as download:
                _ = [chunk async for chunk in download.chunks()]

    play()
