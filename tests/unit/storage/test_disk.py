"""Behaviour of DiskStore beyond the contract: crashes, cancellations, full disks, permissions."""

import asyncio
import errno
import fcntl
import hashlib
import itertools
import mmap
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from filebot.errors import StorageError, StorageFull
from filebot.model import BlobRef
from filebot.storage import file_system, reader, spool
from filebot.storage.disk import DiskStore
from tests.support.waiting import loop_turns, until

MIB = 1024 * 1024


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DiskStore]:
    disk = await DiskStore.open(tmp_path)
    yield disk
    await disk.close()


def all_under(root: Path) -> list[Path]:
    return list(root.rglob("*"))


def files(root: Path) -> list[Path]:
    return [path for path in all_under(root) if path.is_file()]


async def stored(store: DiskStore, *pieces: bytes) -> BlobRef:
    async with store.create() as writer:
        for piece in pieces:
            await writer.write(piece)
        await writer.seal()
        return await writer.commit()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_only_the_owner_can_look(store: DiskStore, tmp_path: Path) -> None:
    await stored(store, b"abc")
    everything = all_under(tmp_path)
    assert len(everything) > 256
    assert [path for path in everything if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("damaged", [b"ab", b"abd"])
async def test_a_damaged_blob_is_healed_by_the_same_bytes(store: DiskStore, damaged: bytes) -> None:
    place = store.place(hashlib.sha256(b"abc").hexdigest())
    place.write_bytes(damaged)
    await stored(store, b"abc")
    assert place.read_bytes() == b"abc"


@pytest.mark.parametrize("aside", [b"abc", b"abd"])
async def test_bring_back_does_not_replace_good_bytes(
    store: DiskStore, tmp_path: Path, aside: bytes
) -> None:
    digest = (await stored(store, b"abc")).digest
    await store.set_aside(digest)
    await stored(store, b"abc")
    (tmp_path / "unreferenced" / digest).write_bytes(aside)
    assert await store.bring_back(digest)
    assert store.place(digest).read_bytes() == b"abc"
    assert await store.aside() == []


async def test_bring_back_replaces_damaged_bytes(store: DiskStore) -> None:
    digest = (await stored(store, b"abc")).digest
    await store.set_aside(digest)
    store.place(digest).write_bytes(b"abd")
    assert await store.bring_back(digest)
    assert store.place(digest).read_bytes() == b"abc"


async def test_strange_files_are_no_blobs(store: DiskStore, tmp_path: Path) -> None:
    (tmp_path / "blobs" / "00" / "README").touch()
    (tmp_path / "blobs" / "00" / ("f" * 64)).touch()
    assert [digest async for digest in store.digests()] == []


@pytest.mark.conformance(99)
@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StorageError)],
)
async def test_a_failing_disk_raises_storage_error_and_leaves_nothing(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StorageError]
) -> None:
    def failing(fd: int, data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(StorageError) as caught:
        await stored(store, *[b"x" * MIB] * 50)
    assert type(caught.value) is kind
    monkeypatch.undo()
    assert files(tmp_path) == []


async def test_a_failure_of_the_last_bytes_shows_at_the_seal(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.create() as writer:
        monkeypatch.setattr(os, "write", lambda fd, data: os.open("/nowhere", os.O_RDONLY))
        await writer.write(b"x")
        with pytest.raises(StorageError):
            await writer.seal()


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_failure_of_an_early_sync_is_raised(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    """Linux tells it once for each open file."""
    sync, failures = os.fdatasync, [OSError(errno.EIO, os.strerror(errno.EIO))]
    synced = threading.Event()

    def failing_once(fd: int) -> None:
        try:
            if failures:
                raise failures.pop()
            sync(fd)
        finally:
            synced.set()

    monkeypatch.setattr(os, "fdatasync", failing_once)
    monkeypatch.setattr(file_system, "SYNC_BYTES", MIB)

    async def store_slowly() -> None:
        async with store.create() as writer:
            for _ in range(pieces):
                await writer.write(bytes(MIB))
                await asyncio.to_thread(synced.wait)
            await writer.seal()

    with pytest.raises(StorageError, match="Input/output"):
        await store_slowly()
    assert not failures
    assert files(store.place("0" * 64).parents[2]) == []


async def test_short_writes_are_completed(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, memoryview(data)[:1000]))
    data = os.urandom(12_345)
    ref = await stored(store, data)
    assert store.place(ref.digest).read_bytes() == data


async def test_a_slow_disk_holds_the_writer_back(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = threading.Event()
    write = os.write

    def slow(fd: int, data: bytes) -> int:
        gate.wait()
        return write(fd, data)

    monkeypatch.setattr(os, "write", slow)
    async with store.create() as writer:

        async def fill() -> None:
            for _ in range(20):
                await writer.write(bytes(MIB))

        history_import = asyncio.create_task(fill())
        await until(lambda: writer.size > spool.BUDGET_BYTES)
        await loop_turns()
        assert spool.BUDGET_BYTES < writer.size <= spool.BUDGET_BYTES + MIB
        gate.set()
        await history_import
        assert writer.size == 20 * MIB
        await writer.seal()


@pytest.mark.parametrize("moment", ["write", "seal", "commit"])
async def test_cancelling_in_the_middle_of_a_job_cleans_up(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The job in the thread ends first; then the file is closed and removed; then the task ends."""
    working, gate = threading.Event(), threading.Event()
    name = {"write": "write", "seal": "fdatasync", "commit": "fsync"}[moment]
    real = getattr(os, name)

    def slow(fd: int, *data: bytes) -> object:
        working.set()
        gate.wait()
        return real(fd, *data)

    before = open_files()

    async def upload() -> None:
        async with store.create() as writer:
            monkeypatch.setattr(os, name, slow)
            await writer.write(bytes(spool.BUDGET_BYTES + 1))
            await writer.seal()
            await writer.commit()

    task = asyncio.create_task(upload())
    await asyncio.to_thread(working.wait)
    task.cancel()
    await loop_turns()
    task.cancel()  # twice, as a hasty shutdown does
    await loop_turns()
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert open_files() == before
    assert list((tmp_path / "incoming").iterdir()) == []
    assert [digest async for digest in store.digests()] == [] or moment == "commit"


async def test_cancelling_a_reader_closes_its_file(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await stored(store, bytes(3 * MIB))
    before = open_files()
    reading_now, gate, pread = threading.Event(), threading.Event(), os.pread

    def slow(fd: int, size: int, offset: int) -> bytes:
        reading_now.set()
        gate.wait()
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", slow)
    monkeypatch.setattr(reader, "_NOWAIT", None)

    async def read() -> None:
        async with aclosing(store.read(ref.digest)) as pieces:
            async for _ in pieces:
                pass

    task = asyncio.create_task(read())
    await asyncio.to_thread(reading_now.wait)
    task.cancel()
    await loop_turns()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert open_files() == before


@pytest.mark.parametrize("in_memory", ["nothing", "now and then", "short pieces", "no such flag"])
async def test_bytes_outside_the_page_cache_are_read_in_a_thread(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch, in_memory: str
) -> None:
    data = os.urandom(5 * MIB + 123)
    ref = await stored(store, data)
    calls, preadv = itertools.count(), os.preadv

    def partly(fd: int, buffers: list[mmap.mmap], offset: int, flags: int) -> int:
        if in_memory == "nothing" or (in_memory == "now and then" and next(calls) % 2):
            raise BlockingIOError
        if in_memory == "short pieces":
            return preadv(fd, [memoryview(buffers[0])[:300_000]], offset)
        return preadv(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", partly)
    monkeypatch.setattr(reader, "_NOWAIT", None if in_memory == "no such flag" else 8)
    assert b"".join([piece async for piece in store.read(ref.digest)]) == data
    assert b"".join([piece async for piece in store.read(ref.digest, 2 * MIB + 1)]) == data[2 * MIB + 1 :]


async def test_a_failing_read_raises_storage_error(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await stored(store, b"abc")

    def failing(*_: object) -> bytes:
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr(os, "pread", failing)
    monkeypatch.setattr(os, "preadv", failing)
    with pytest.raises(StorageError):
        await anext(store.read(ref.digest))


async def test_a_reader_that_stops_early_closes_its_file(store: DiskStore) -> None:
    ref = await stored(store, bytes(3 * MIB))
    before = open_files()
    async with aclosing(store.read(ref.digest)) as pieces:
        await anext(pieces)
        assert open_files() == before + 1
    assert open_files() == before


_WRITES_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from filebot.storage.disk import DiskStore

async def main():
    store = await DiskStore.open(Path(sys.argv[1]))
    async with store.create() as one, store.create() as two:
        await two.write(b"sealed")
        await two.seal()
        while True:
            await one.write(bytes(1 << 20))
            if one.size == 8 << 20:
                print("writing", flush=True)
            await asyncio.sleep(0)

asyncio.run(main())
"""


@pytest.mark.conformance(99)
async def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_it_is_said(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[tuple[str, str]] = []

    def noted(name: str) -> Callable[[int], None]:
        real = getattr(os, name)

        def sync(fd: int) -> None:
            what = Path(f"/proc/self/fd/{fd}").readlink().relative_to(tmp_path)
            happened.append((name, "a folder" if (tmp_path / what).is_dir() else what.parts[0]))
            real(fd)

        return sync

    real_rename = Path.rename

    def rename(path: Path, target: Path) -> Path:
        happened.append(("rename", path.relative_to(tmp_path).parts[0]))
        return real_rename(path, target)

    monkeypatch.setattr(os, "fdatasync", noted("fdatasync"))
    monkeypatch.setattr(os, "fsync", noted("fsync"))
    monkeypatch.setattr(Path, "rename", rename)
    await stored(store, b"abc")
    assert happened == [("fdatasync", "incoming"), ("rename", "incoming"), ("fsync", "a folder")]


@pytest.mark.conformance(99)
async def test_after_a_kill_no_blob_is_visible_and_nothing_is_left(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITES_UNTIL_KILLED, str(tmp_path), stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"writing\n"
        assert len(files(tmp_path)) == 2
        # A second process on the same folder does not touch what the first is writing.
        store = await DiskStore.open(tmp_path)
        assert len(files(tmp_path)) == 2
        await store.close()
    finally:
        process.kill()
        await process.wait()
    store = await DiskStore.open(tmp_path)
    assert [digest async for digest in store.digests()] == []
    assert files(tmp_path) == []
    await store.close()


class Meddler:
    """Does something right before each lock is asked for: after the file was opened by its name."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[], object], times: int = 1
    ) -> None:
        self._meddle = meddle
        self.times = times
        self._lock = fcntl.flock
        monkeypatch.setattr(fcntl, "flock", self._flock)

    def _flock(self, fd: int, how: int) -> None:
        if self.times:
            self.times -= 1
            self._meddle()
        self._lock(fd, how)


async def test_a_partial_that_becomes_a_blob_while_it_is_opened_is_left_alone(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial, blob = tmp_path / "partial" / "half", store.place("a" * 64)
    partial.write_bytes(b"a blob")
    meddler = Meddler(monkeypatch, lambda: partial.rename(blob))
    async with store.create([], "half") as writer:
        assert meddler.times == 0
        await writer.write(b"other bytes")
        writer.keep()
    assert blob.read_bytes() == b"a blob"
    assert partial.read_bytes() == b"other bytes"


async def test_a_partial_that_changes_hands_again_and_again_is_not_taken(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "partial" / "half"

    def replace() -> None:
        partial.unlink(missing_ok=True)
        partial.write_bytes(b"another's")

    before = open_files()
    meddler = Meddler(monkeypatch, replace, spool.TRIES)
    async with store.create([], "half", 100) as writer:
        assert meddler.times == 0
        assert writer.size == 0
        await writer.write(b"mine")
        await writer.seal()
        await writer.commit()
    assert partial.read_bytes() == b"another's"
    assert open_files() == before


async def test_a_sweep_removes_only_files_that_it_has_locked(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial, blob = tmp_path / "partial" / "half", store.place("a" * 64)

    def replace() -> None:
        partial.rename(blob)
        partial.write_bytes(b"of somebody who came later")

    for sweep in (store.trim_partials("half", 0), store.forget_partials(-1)):
        partial.write_bytes(b"a blob")
        meddler = Meddler(monkeypatch, replace)
        await sweep
        assert meddler.times == 0
        assert blob.read_bytes() == b"a blob"
        assert partial.read_bytes() == b"of somebody who came later"


async def test_a_file_that_is_not_the_one_written_becomes_no_blob(store: DiskStore, tmp_path: Path) -> None:
    partial = tmp_path / "partial" / "half"
    async with store.create([], "half") as writer:
        await writer.write(b"mine")
        await writer.seal()
        partial.unlink()
        partial.write_bytes(b"evil")
        with pytest.raises(StorageError):
            await writer.commit()
    assert [digest async for digest in store.digests()] == []
    assert partial.read_bytes() == b"evil"


@pytest.mark.parametrize("folder", ["incoming", "partial"])
async def test_one_leftover_that_stays_does_not_keep_the_others(
    store: DiskStore, tmp_path: Path, folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / folder
    (place / "lost+found").mkdir()
    os.mkfifo(place / "pipe")
    (place / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"kept")
    (place / "a-leftover").write_bytes(b"x")
    (place / "z-leftover").write_bytes(b"x")
    async with asyncio.timeout(5):
        if folder == "partial":
            await store.forget_partials(-1)
        else:
            await (await DiskStore.open(tmp_path)).close()
    assert {file.name for file in place.iterdir()} == {"lost+found", "link"}
    assert f"{place / 'lost+found'} cannot be removed" in caplog.text
    assert (tmp_path / "elsewhere").read_bytes() == b"kept"


async def test_files_come_in_where_there_are_no_locks(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(fd: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", without)
    assert (await stored(store, b"abc")).size == 3
    (tmp_path / "incoming" / "leftover").touch()
    await (await DiskStore.open(tmp_path)).close()
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_a_root_that_cannot_be_made_raises_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        await DiskStore.open(tmp_path / "file" / "root")


async def test_an_idle_writer_is_small(store: DiskStore) -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        async with store.create() as writer:
            await writer.write(b"x")
            await loop_turns()
            after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 64 * 1024


async def test_a_file_goes_out_where_not_even_a_name_can_be_made(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: object, name: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    ref = await stored(store, b"abc")
    before = open_files()
    monkeypatch.setattr(os, "link", fail)
    async with store.local_file(ref.digest) as file:
        await store.delete(ref.digest)
        assert file.read_bytes() == b"abc"
    assert open_files() == before
