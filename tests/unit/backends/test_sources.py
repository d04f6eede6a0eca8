"""Sources of bytes of installed packages: found by entry points, bounded, and under the address policy."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

from filebot.backends import loading
from filebot.backends.sources import SOURCES, load_sources
from filebot.concurrency import bounded_call
from filebot.errors import ForbiddenTarget, PeerGone, PeerProtocolError, TransferError, TransferTimeout
from filebot.plugin import SourceServices, UrlSource
from filebot.testing import FakeBot
from filebot.testing import bot as bot_module
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
        *entry_points(group=SOURCES),
    ]
    monkeypatch.setattr(loading, "entry_points", lambda group: found if group == SOURCES else [])
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


async def hear_nothing() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def hearing_nothing() -> AsyncGenerator[bytes, None]:
    yield b"a"
    await hear_nothing()


async def leave() -> None:
    raise SystemExit(3)


async def cancel() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("opens", "chunks", "expected"),
    [
        (fail, failing, PeerProtocolError),
        (hang, failing, TransferTimeout),
        (at_once, hanging, TransferTimeout),
        (at_once, failing, PeerProtocolError),
        (at_once, of_text, PeerProtocolError),
        (hear_nothing, failing, TransferTimeout),
        (at_once, hearing_nothing, TransferTimeout),
        (leave, failing, PeerProtocolError),
        (cancel, failing, PeerProtocolError),
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


class Given:
    """Download with one value that is none of a download, and a get that is none."""

    def __init__(self, **values: Any) -> None:
        self.size = self.name = self.media_type = None
        self.late_hashes: Any = {}
        self.__dict__.update(values)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield b"abc"

    @asynccontextmanager
    async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[Any]:
        yield self


class NoSource:
    """Source whose get raises, or is a coroutine."""

    def __init__(self, get: Any) -> None:
        self.get = get


def refuse(*_: object, **__: object) -> Any:
    raise LookupError


async def later(*_: object, **__: object) -> None: ...


@pytest.mark.filterwarnings("ignore:coroutine .*later:RuntimeWarning")
@pytest.mark.parametrize(
    "source",
    [
        *(Given(size=each) for each in ("3", -1, True)),
        *(Given(name=each) for each in (7, b"a.txt")),
        Given(media_type=7),
        *(Given(late_hashes=each) for each in (None, 7, {"sha-256": "text"}, {7: b""})),
        NoSource(refuse),
        NoSource(later),
    ],
)
async def test_a_file_of_a_source_that_gives_odd_values_is_not_stored(source: Any) -> None:
    async with FakeBot(sources={"odd": source}) as bot:
        [said] = await bot.say("fetch odd://example.org/a.txt")
        assert "the other side sent something that I do not understand" in said
        assert await bot.catalog.used_in_all() == (0, 0)


@in_virtual_time
async def test_whoever_leaves_a_download_early_does_not_wait_for_its_source() -> None:
    sources, loop = (
        SourcesByScheme(MemoryWeb(), {"odd": Odd(at_once, hanging)}, 5.0),
        asyncio.get_event_loop(),
    )
    begun = loop.time()
    async with sources.get("odd://a/b") as download, aclosing(download.chunks()) as chunks:
        assert await anext(chunks) == b"a"
    assert loop.time() == begun


@pytest.mark.parametrize("fault", [fail, leave, cancel])
async def test_a_source_that_fails_at_its_end_costs_nobody_their_file(fault: Any) -> None:
    class Failing(Given):
        @asynccontextmanager
        async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[Any]:
            yield self
            await fault()

    async with FakeBot(sources={"odd": Failing()}) as bot:
        assert (await bot.say("fetch odd://example.org/a.txt"))[0].startswith("Stored")


async def test_a_source_that_does_not_close_costs_nobody_their_file(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Unclosed(Given):
        @asynccontextmanager
        async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[Any]:
            yield self
            await hear_nothing()

    monkeypatch.setattr(bounded_call, "GRACE_S", 0.05)
    monkeypatch.setattr(bot_module, "IDLE_S", 0.05)
    async with asyncio.timeout(10), FakeBot(sources={"odd": Unclosed()}) as bot:
        [said] = await bot.say("fetch odd://example.org/a.txt")
        assert said.startswith("Stored")
    assert "the source of odd ignores that it is cancelled; it is broken off" in caplog.messages
