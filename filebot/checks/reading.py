"""Reading of files for checks, in threads of their own."""

import os
import stat
from pathlib import Path
from typing import Final

from filebot.concurrency.tasks import Threads

PIECE_BYTES: Final = 1024 * 1024
"""Most bytes that are read at a time."""

_THREADS: Final = Threads("checks", 2)


async def read_piece(path: Path, size: int, offset: int) -> bytes:
    """Return at most ``size`` bytes of a file from an offset on. Raises OSError."""
    return await _THREADS.run(_read_piece, path, min(size, PIECE_BYTES), offset)


async def stamp_of(path: Path) -> tuple[int, int, int]:
    """Return the number, size and time of change of a regular file. Raises OSError."""
    return await _THREADS.run(_stamp_of, path)


async def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises OSError."""
    await _THREADS.run(path.unlink, missing_ok=True)


def _read_piece(path: Path, size: int, offset: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        return os.pread(file.fileno(), size, offset)


def _stamp_of(path: Path) -> tuple[int, int, int]:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise OSError(f"{path} is no regular file")
    return about.st_ino, about.st_size, about.st_mtime_ns
