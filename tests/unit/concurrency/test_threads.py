"""A file is closed after the thread that reads it, however often whoever waits is cancelled."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from filebot.concurrency.tasks import Threads
from filebot.transfer.http.upload import FileBody
from filebot.xmpp.si import outgoing
from tests.support.waiting import loop_turns
from tests.unit.transfer.leaks import nothing_left

SIZE = 200
HALF = b"x" * (SIZE // 2)


@contextmanager
def slow_file(folder: Path) -> Iterator[tuple[Path, int]]:
    """A file that has half of its bytes; the number is for writing the rest."""
    path = folder / "slow"
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR)
    os.write(fd, HALF)
    try:
        yield path, fd
    finally:
        os.close(fd)


@asynccontextmanager
async def no_complaints() -> AsyncIterator[None]:
    """Nothing is raised where nobody looks."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    await loop_turns()
    assert complaints == []


class TlsWriter:
    """Writer like aiohttp's over TLS."""

    def __init__(self) -> None:
        self.written = asyncio.Event()
        self.transport = _TlsTransport()

    async def write(self, piece: bytes) -> None:
        self.written.set()


class _TlsTransport(asyncio.Transport):
    def get_extra_info(self, name: str, default: object = None) -> object:
        return self


async def upload(path: Path, half_is_read: asyncio.Event) -> None:
    writer = TlsWriter()
    writer.written = half_is_read
    body = FileBody(path, SIZE, lambda _: None, 5.0, Threads("test", 1))
    await body.write(writer)  # type: ignore[arg-type]  # all it needs


async def test_an_upload_cancelled_while_it_reads_ahead_closes_its_file_after_the_thread(
    tmp_path: Path,
) -> None:
    half_is_read = asyncio.Event()
    async with no_complaints(), nothing_left():
        with slow_file(tmp_path) as (path, rest):
            task = asyncio.create_task(upload(path, half_is_read))
            await half_is_read.wait()
            for _ in range(3):
                task.cancel()
                await loop_turns()
                assert not task.done()  # a thread still reads
            os.write(rest, HALF)
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_a_file_sent_in_band_is_closed_after_the_thread_that_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "blob"
    path.write_bytes(HALF)
    go_on = threading.Event()
    readers = Threads("test", 1)
    monkeypatch.setattr(outgoing, "_READERS", readers)
    async with no_complaints(), nothing_left(), aclosing(outgoing.pieces_of(path, 0, SIZE)) as pieces:
        assert await anext(pieces) == HALF
        readers.start(go_on.wait)
        task = asyncio.ensure_future(anext(pieces))
        await loop_turns()
        for _ in range(2):
            task.cancel()
            await loop_turns()
            assert not task.done()  # its reading is still to come
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_file_that_was_opened_for_somebody_cancelled_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "late"
    os.mkfifo(path)

    async def read() -> None:
        async with Threads("test", 1).opened(path):
            raise AssertionError

    async with no_complaints(), nothing_left():
        task = asyncio.create_task(read())
        await loop_turns()
        task.cancel()
        await loop_turns()
        fd = os.open(path, os.O_WRONLY)
        with pytest.raises(asyncio.CancelledError):
            await task
        os.close(fd)
