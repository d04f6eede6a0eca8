"""Reading a blob in pieces, without waiting for a disk in the event loop.

What the kernel has in memory already, as it has of most files that were just uploaded, is copied here and
now: handing the work to a thread would take longer than the copy. What has to come from the disk, a thread
fetches, and has the kernel read ahead.
"""

import asyncio
import mmap
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from filebot.errors import BlobCorrupt
from filebot.storage.file_system import StorageThreads

PIECE_BYTES: Final = 1024 * 1024
AHEAD_BYTES: Final = 4 * 1024 * 1024

_NOWAIT: Final[int | None] = getattr(os, "RWF_NOWAIT", None)  # Linux
_advise: Final = getattr(os, "posix_fadvise", None)  # not on macOS


class _OpenBlob:
    """Blob with its descriptor, to be closed even if the opening was cancelled."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def open(self) -> None:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise BlobCorrupt(f"no blob {self._path.name}") from error

    def cached(self, offset: int) -> Iterator[bytes]:
        """Yield the pieces from ``offset`` on that are in the page cache."""
        if _NOWAIT is None:
            return
        # Not a bytearray: its data begin 16 bytes after a page does, where copying from whole pages is
        # four times as slow on AMD's Zen. EAGAIN means: not in memory; EOPNOTSUPP: a file system that
        # cannot tell. What else may be wrong shows in fetch().
        with mmap.mmap(-1, PIECE_BYTES) as buffer, suppress(OSError):
            while count := os.preadv(self._fd, [buffer], offset, _NOWAIT):
                offset += count
                yield buffer[:count]

    def fetch(self, offset: int) -> bytes:
        """Read the piece at ``offset``, from the disk if need be; empty at the end."""
        data = os.pread(self._fd, PIECE_BYTES, offset)
        if data and _advise is not None:
            _advise(self._fd, offset + len(data), AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
        return data

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


async def pieces(path: Path, offset: int, threads: StorageThreads) -> AsyncGenerator[bytes, None]:
    """Yield the file's bytes from ``offset`` on. Raises BlobCorrupt if it is missing, or StorageError."""
    blob = _OpenBlob(path)
    try:
        await threads.run(blob.open)
        while True:
            for data in blob.cached(offset):
                offset += len(data)
                yield data
                await asyncio.sleep(0)  # a taker that never waits must not keep others from running
            data = await threads.run(blob.fetch, offset)
            offset += len(data)
            if not data:
                break
            yield data
    finally:
        blob.close()
