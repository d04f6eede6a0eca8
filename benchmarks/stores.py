"""Files into S3 and out, against the disk and against the plain client: ``python -m benchmarks.stores``.

The service is a real one on loopback, versitygw, which ``scripts/bootstrap test`` builds; it keeps its
objects on the same disk. A file is stored as the bot does it: hashed and synced in a spool, then committed.
The plain client (obstore) puts and gets the same bytes with no hash, no spool and no condition.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.store import S3Store

from benchmarks.turns import Goal, in_turns, report
from filebot.backends.loading import load_backends
from filebot.ports import BlobStore
from filebot.storage.s3.address import ACCESS_KEY, SECRET_KEY
from tests.support.s3 import BUCKET, KEYS, running_s3

SMALL: Final = 20_000
SMALL_FILES: Final = 40
LARGE: Final = 100_000_000
ROUNDS: Final = 5
PIECE: Final = 1024 * 1024
IDLE_S: Final = 60.0

GOALS: Final = [
    Goal("store 40 files of 20 kB: S3 against obstore", "S3, small in", "obstore, small in", 0.25),
    Goal("read 40 files of 20 kB: S3 against obstore", "S3, small out", "obstore, small out", 0.5),
    Goal("store 100 MB: S3 against obstore", "S3, large in", "obstore, large in", 0.35),
    Goal("read 100 MB: S3 against obstore", "S3, large out", "obstore, large out", 0.5),
    Goal("store 40 files of 20 kB: S3 against the disk", "S3, small in", "disk, small in", 0.1),
    Goal("store 100 MB: S3 against the disk", "S3, large in", "disk, large in", 0.1),
]


class Store:
    """A store of the bot, which is opened for each measurement."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._stored: list[str] = []

    def put(self, files: int, size: int) -> float:
        """Store new files; return the seconds."""
        return self._timed(lambda store: self._put(store, files, size))

    def get(self, files: int, _size: int) -> float:
        """Read the files that were stored last; return the seconds."""
        return self._timed(lambda store: self._get(store, self._stored[-files:]))

    async def _put(self, store: BlobStore, files: int, size: int) -> None:
        for _ in range(files):
            data = fresh(size)
            async with store.create() as writer:
                for start in range(0, size, PIECE):
                    await writer.write(data[start : start + PIECE])
                await writer.seal()
                self._stored.append((await writer.commit()).digest)

    async def _get(self, store: BlobStore, digests: list[str]) -> None:
        for digest in digests:
            async with aclosing(store.read(digest)) as pieces:
                async for _ in pieces:
                    pass

    def _timed(self, work: Callable[[BlobStore], Coroutine[Any, Any, None]]) -> float:
        async def run() -> float:
            async with load_backends(self._url).store.opened(self._folder, IDLE_S) as store:
                start = time.perf_counter()
                await work(store)
                return time.perf_counter() - start

        return asyncio.run(run())


class Plain:
    """The client alone."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._number = 0

    def put(self, files: int, size: int) -> float:
        """Put new objects; return the seconds."""

        async def run(store: S3Store) -> None:
            for _ in range(files):
                self._number += 1
                await obstore.put_async(store, f"plain/{self._number}", fresh(size))

        return self._timed(run)

    def get(self, files: int, _size: int) -> float:
        """Get the objects that were put last; return the seconds."""

        async def run(store: S3Store) -> None:
            for number in range(self._number - files + 1, self._number + 1):
                found = await obstore.get_async(store, f"plain/{number}")
                async for _ in found.stream(PIECE):
                    pass

        return self._timed(run)

    def _timed(self, work: Callable[[S3Store], Coroutine[Any, Any, None]]) -> float:
        async def run() -> float:
            store = S3Store(
                BUCKET,
                config={
                    "endpoint": self._endpoint,
                    "region": "us-east-1",
                    "access_key_id": KEYS.access,
                    "secret_access_key": KEYS.secret,
                },
                client_options={"allow_http": True},
            )
            start = time.perf_counter()
            await work(store)
            return time.perf_counter() - start

        return asyncio.run(run())


def fresh(size: int) -> bytes:
    """Return bytes that no store has yet; quick to make, so that little of it is measured."""
    return os.urandom(32) + bytes(size - 32)


def main() -> int:
    """Measure all of them in turns; return 1 if a goal was missed."""
    os.environ[ACCESS_KEY], os.environ[SECRET_KEY] = KEYS.access, KEYS.secret
    with tempfile.TemporaryDirectory() as name, running_s3(Path(name)) as server:
        folder = Path(name)
        subjects: dict[str, Store | Plain] = {
            "disk": Store("disk:", folder / "disk"),
            "S3": Store(server.url("bot"), folder / "s3"),
            "obstore": Plain(server.endpoint),
        }
        variants: dict[str, Callable[[], float]] = {}
        for kind, files, size in (("small", SMALL_FILES, SMALL), ("large", 1, LARGE)):
            for called, subject in subjects.items():
                variants[f"{called}, {kind} in"] = partial(subject.put, files, size)
                variants[f"{called}, {kind} out"] = partial(subject.get, files, size)
        return 0 if report(GOALS, in_turns(variants, ROUNDS)) else 1


if __name__ == "__main__":
    sys.exit(main())
