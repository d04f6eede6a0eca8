"""Blobs that are examined one by one, and moved: for ``fsck``, without asyncio. All raise OSError."""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebot.model import Digest
from filebot.storage.file_system import BLOBS, QUARANTINE, SHARDS, is_blob, make_folder, sync_folder

PIECE_BYTES: Final = 1024 * 1024

_EXPECTED: Final = frozenset({*SHARDS, "lost+found"})
"""The last one is the file system's, where it begins at this folder."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Contents of one folder of blobs."""

    digests: frozenset[Digest]
    strange: tuple[Path, ...]
    """Files that are no blobs."""


def list_shard(root: Path, shard: str) -> Listed:
    """List the blobs whose digests begin so."""
    digests, strange = set[Digest](), list[Path]()
    with suppress(FileNotFoundError):
        for entry in os.scandir(root / BLOBS / shard):
            if entry.is_file(follow_symlinks=False) and is_blob(entry.name, shard):
                digests.add(entry.name)
            else:
                strange.append(Path(entry.path))
    return Listed(frozenset(digests), tuple(sorted(strange)))


def has_blobs(root: Path) -> bool:
    """Tell whether there is any blob."""
    return any(list_shard(root, shard).digests for shard in SHARDS)


def strange_folders(root: Path) -> tuple[Path, ...]:
    """Return what is among the folders of blobs and is none."""
    try:
        found = [Path(entry.path) for entry in os.scandir(root / BLOBS) if entry.name not in _EXPECTED]
    except FileNotFoundError:
        found = []
    return tuple(sorted(found))


class ReadThrottle:
    """Holds reading back to so many bytes a second."""

    def __init__(self, bytes_per_s: float, moved: Callable[[int], None] = lambda _: None) -> None:
        """``moved`` is told of the bytes of each piece."""
        self._rate = bytes_per_s
        self._moved = moved
        self._free_at = time.monotonic()

    def read(self, size: int) -> None:
        """Note that so much was read, and wait until more may be."""
        self._moved(size)
        now = time.monotonic()
        self._free_at = max(self._free_at, now - 1) + size / self._rate
        if self._free_at > now:
            time.sleep(self._free_at - now)


def digest_of(file: Path, pace: ReadThrottle) -> tuple[Digest, int]:
    """Read a file and return its sha-256 and size."""
    hasher, size = hashlib.sha256(), 0
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        while data := os.read(fd, PIECE_BYTES):
            hasher.update(data)
            size += len(data)
            # These bytes are read once; they must not displace others from the page cache.
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(fd, 0, size, os.POSIX_FADV_DONTNEED)
            pace.read(len(data))
    finally:
        os.close(fd)
    return hasher.hexdigest(), size


def quarantine(root: Path, file: Path) -> Path:
    """Move something to ``quarantine/``, durably, beside what has its name there; return where it is."""
    folder = root / QUARANTINE
    make_folder(folder)
    target, number = folder / file.name, 0
    while target.exists():
        number += 1
        target = folder / f"{file.name}.{number}"
    file.rename(target)
    sync_folder(folder)
    sync_folder(file.parent)
    return target
