"""When a blob is read once more before it goes out, and when it is taken for whole."""

import asyncio
import errno
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from filebot.errors import BlobCorrupt
from filebot.model import BlobRef, Digest
from filebot.storage import disk
from filebot.storage.disk import VALID_S, DiskStore, Verification

CONTENT = b"content" * 100_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Reads:
    """Counts the bytes that are read to be hashed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, fd: int, buffers: list[object]) -> int:
        read = os.preadv(fd, buffers, self._at(fd))  # type: ignore[arg-type]
        os.lseek(fd, read, os.SEEK_CUR)
        self.count += read
        return read

    @staticmethod
    def _at(fd: int) -> int:
        return os.lseek(fd, 0, os.SEEK_CUR)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    counted = Reads()
    monkeypatch.setattr(os, "readv", counted)
    return counted


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DiskStore]:
    opened = await DiskStore.open(tmp_path)
    yield opened
    await opened.close()


async def stored(store: DiskStore, data: bytes = CONTENT) -> BlobRef:
    async with store.create() as writer:
        await writer.write(data)
        await writer.seal()
        return await writer.commit()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def sent(store: DiskStore, digest: Digest = DIGEST) -> bytes:
    async with store.local_file(digest) as file:
        return file.read_bytes()


async def test_a_blob_that_was_just_stored_is_not_read_again(store: DiskStore, reads: Reads) -> None:
    await stored(store)
    assert await sent(store) == CONTENT
    assert reads.count == 0


async def test_a_blob_of_an_earlier_run_is_read_once_a_day(
    store: DiskStore, tmp_path: Path, reads: Reads
) -> None:
    await stored(store)
    moments = [0.0]
    store.verification = Verification(store._threads, lambda: moments[-1])
    for moment, times in ((0.0, 1), (VALID_S - 1, 1), (VALID_S + 1, 2)):
        moments.append(moment)
        assert await sent(store) == CONTENT
        assert reads.count == times * len(CONTENT)


async def test_callers_at_the_same_time_share_one_read(store: DiskStore, reads: Reads) -> None:
    await stored(store)
    store.verification = Verification(store._threads)
    await asyncio.gather(*(sent(store) for _ in range(10)))
    assert reads.count == len(CONTENT)


async def test_a_change_of_a_whole_blob_is_noticed_at_once(store: DiskStore) -> None:
    await stored(store)
    assert await sent(store) == CONTENT
    changed = b"X" + CONTENT[1:]
    store.place(DIGEST).write_bytes(changed)
    with pytest.raises(BlobCorrupt):
        await sent(store)


async def test_damage_without_a_trace_is_found_when_the_day_is_over(store: DiskStore) -> None:
    await stored(store)
    place = store.place(DIGEST)
    about = place.stat()
    with place.open("r+b") as file:
        file.write(b"X")
    os.utime(place, ns=(about.st_atime_ns, about.st_mtime_ns))
    store.verification = Verification(store._threads)
    with pytest.raises(BlobCorrupt):
        await sent(store)


@pytest.mark.parametrize("lost", [True, False])
async def test_the_log_names_the_digest(
    store: DiskStore, caplog: pytest.LogCaptureFixture, *, lost: bool
) -> None:
    await stored(store)
    if lost:
        store.place(DIGEST).unlink()
    else:
        store.place(DIGEST).write_bytes(b"bad")
    with pytest.raises(BlobCorrupt):
        await sent(store)
    told = [record for record in caplog.records if DIGEST in record.getMessage()]
    assert {record.levelno for record in told} == {logging.ERROR}


async def test_a_blob_that_cannot_be_read_is_corrupt(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored(store)
    store.verification = Verification(store._threads)

    def fail(fd: int, buffers: list[object]) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "readv", fail)
    with pytest.raises(BlobCorrupt):
        await sent(store)


async def test_a_blob_that_is_no_file_is_corrupt(store: DiskStore) -> None:
    store.place(DIGEST).mkdir()
    with pytest.raises(BlobCorrupt):
        await store.verify(DIGEST)
    store.place(DIGEST).rmdir()
    store.place(DIGEST).symlink_to("/dev/zero")
    with pytest.raises(BlobCorrupt):
        await store.verify(DIGEST)
    store.place(DIGEST).unlink()
    os.mkfifo(store.place(DIGEST))
    async with asyncio.timeout(5):
        with pytest.raises(BlobCorrupt):
            await store.verify(DIGEST)


async def test_a_large_blob_is_hashed_in_turns(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others' work gets its thread in between, and a cancellation need not wait for the end."""
    monkeypatch.setattr(disk, "TURN_BYTES", 1024 * 1024)
    await stored(store, content := bytes(5 * 1024 * 1024))
    store.verification = Verification(store._threads)
    jobs, run = list[object](), store._threads.run

    async def counted(work: Callable[..., Any], *arguments: Any) -> Any:
        jobs.append(work)
        return await run(work, *arguments)

    monkeypatch.setattr(store._threads, "run", counted)
    await store.verify(hashlib.sha256(content).hexdigest())
    assert len(jobs) > 5


async def test_a_cancelled_read_leaves_nothing_open(store: DiskStore) -> None:
    await stored(store)
    store.verification = Verification(store._threads)
    before = open_files()
    asking = asyncio.create_task(sent(store))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert open_files() == before
    assert await sent(store) == CONTENT
