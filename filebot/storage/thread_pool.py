"""Threads for the blocking work of the store, and what their errors mean."""

import asyncio
import errno
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from filebot.concurrency.threads import Threads, settled
from filebot.errors import NoDescriptors, StorageError, StorageFull
from filebot.system.descriptors import is_shortage

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 4
"""More would only make more seeks: hashing is bound by the cores, writing by the disk."""

SYNCERS: Final = 2

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn OSError into StorageFull, NoDescriptors or StorageError."""
    try:
        yield
    except OSError as error:
        kind = StorageFull if error.errno in _NO_ROOM else StorageError
        if is_shortage(error):
            kind = NoDescriptors
        raise kind(str(error)) from error


class StorageThreads(Threads):
    """Pool that the whole store shares. OSErrors of its jobs come out as StorageErrors."""

    def __init__(self) -> None:
        super().__init__("disk", THREADS)
        self.syncers = ThreadPoolExecutor(SYNCERS, thread_name_prefix="filebot-sync")
        """Threads for syncs that nobody waits for just now."""

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        def job() -> T:
            with storage_errors():
                return work(*args, **kwargs)

        return super().start(job)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a job and wait for its end, cancelled or not."""
        return await settled(self.start(work, *args, **kwargs))

    async def close(self) -> None:
        await super().close()
        await settled(asyncio.get_running_loop().run_in_executor(None, self.syncers.shutdown))
