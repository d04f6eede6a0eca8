"""Reading a blob in large pieces, one piece ahead of whoever takes them."""

import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Final

from filebot.errors import BlobCorrupt, StorageError
from filebot.storage.workers import Workers, settled

PIECE_BYTES: Final = 1024 * 1024


class _OpenBlob:
    """Holds the descriptor, so that it is closed even if opening it was cancelled."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def open(self) -> None:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise BlobCorrupt(f"no blob {self._path.name}") from error

    def piece(self, offset: int) -> bytes:
        return os.pread(self._fd, PIECE_BYTES, offset)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


async def pieces(path: Path, offset: int, workers: Workers) -> AsyncGenerator[bytes, None]:
    """The file's bytes from ``offset`` on. Raises BlobCorrupt if there is no such file, or StorageError."""
    blob = _OpenBlob(path)
    ahead = None
    try:
        await workers.run(blob.open)
        ahead = workers.start(blob.piece, offset)
        while data := await settled(ahead):
            offset += len(data)
            ahead = workers.start(blob.piece, offset)
            yield data
    finally:
        if ahead is not None:
            with suppress(StorageError):  # of a piece that nobody will see
                await settled(ahead)
        blob.close()
