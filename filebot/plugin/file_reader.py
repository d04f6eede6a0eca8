"""Reader of a stored file, for plugins, and the forms in which plugins give bytes."""

import io
import os
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from filebot.concurrency.tasks import Threads, settled
from filebot.errors import PluginError, StorageError

READING: Final = Threads("plugin-read", 4)

MOST_READ_BYTES: Final = 4 * 2**20
"""Bytes of one read."""
CHUNK_BYTES: Final = 256 * 1024

FileData = bytes | AsyncIterator[bytes]
"""Bytes of a file: all at once, or as an asynchronous iterator gives them."""


class FileReader:
    """Bytes of one stored file, to be read while the context lives, even if the file is removed."""

    def __init__(self, file: io.FileIO, size: int, media_type: str) -> None:
        self.size = size
        """Bytes of the whole file."""
        self.media_type = media_type
        self._file = file

    async def read(self, offset: int = 0, length: int = MOST_READ_BYTES) -> bytes:
        """Return ``length`` bytes from ``offset`` on, fewer at the end of the file.

        Raises ValueError for more than ``MOST_READ_BYTES`` at once: take :meth:`chunks` for those. Also
        raises StorageError.
        """
        if offset < 0 or not 0 <= length <= MOST_READ_BYTES:
            raise ValueError(f"read {MOST_READ_BYTES} bytes at most, from 0 on")
        try:
            return await settled(READING.start(os.pread, self._file.fileno(), length, offset))
        except OSError as error:
            raise StorageError(f"a stored file cannot be read: {error}") from error

    async def chunks(self, offset: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from ``offset`` on, or ``length`` of them, in pieces of ``CHUNK_BYTES`` at most.

        Raises StorageError.
        """
        end = self.size if length is None else min(offset + length, self.size)
        while piece := await self.read(offset, max(min(CHUNK_BYTES, end - offset), 0)):
            offset += len(piece)
            yield piece


async def pieces(data: FileData, plugin: str) -> AsyncGenerator[bytes, None]:
    """Yield the bytes that a plugin gives. Raises PluginError if they are none."""
    if isinstance(data, bytes):
        for start in range(0, len(data), CHUNK_BYTES):
            yield data[start : start + CHUNK_BYTES]
        return
    if not isinstance(data, AsyncIterator):
        raise PluginError(
            f"plugin {plugin!r} gives {type(data).__name__} as the data of a file; "
            "give bytes, or an asynchronous iterator of bytes"
        )
    async for piece in data:
        if not isinstance(piece, bytes):
            raise PluginError(
                f"plugin {plugin!r} gives {type(piece).__name__} as a piece of a file; give bytes"
            )
        yield piece
