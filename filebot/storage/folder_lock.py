"""Lock of a data folder: one process at a time changes its contents.

Both the folder itself and a file in it are locked (flock). The lock of the folder outlives the removal of
the file; the file tells who holds the lock, and serves where folders cannot be locked (NFS).
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filebot.errors import StorageError
from filebot.storage.file_system import try_lock

LOCK_FILE: Final = "filebot.lock"

LOCK_TIMEOUT_S: Final = 1.0
"""Time for which a held lock is tried again: another process may only test it."""

_PAUSE_S: Final = 0.05
_MOST_BYTES: Final = 500

UNKNOWN_HOLDER: Final = "another process"


class FolderInUse(StorageError):
    """Another process, ``holder`` in words, has the lock of the folder."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"in use by {holder}")
        self.holder = holder


@contextmanager
def folder_lock(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder that is there. Gives False where nothing can be locked.

    Waits up to ``LOCK_TIMEOUT_S``. Raises FolderInUse or OSError.
    """
    with ExitStack() as stack:
        file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        stack.callback(os.close, file)
        held = [_wait_for(fd, folder) for fd in (_opened(folder, stack), file)]
        with suppress(OSError):  # on a full disk nobody can read who holds it; it is held all the same
            os.ftruncate(file, 0)
            os.pwrite(file, _myself().encode(), 0)
        try:
            yield any(held)
        finally:
            with suppress(OSError):
                os.ftruncate(file, 0)


def holder_of(folder: Path) -> str | None:
    """Return, in words, who has the lock of a folder; None if nobody has it, or it cannot be told."""
    with ExitStack() as stack:
        for place in (folder, folder / LOCK_FILE):
            try:
                fd = _opened(place, stack)
            except OSError:
                continue
            # Shared, and given back at once: whoever takes the lock just now tries it again.
            if try_lock(fd, fcntl.LOCK_SH) is False:
                return _read(folder)
            with suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)
    return None


def _opened(place: Path, stack: ExitStack) -> int:
    fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, fd)
    return fd


def _wait_for(fd: int, folder: Path) -> bool:
    """Take a lock. False if there are none here."""
    until = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        taken = try_lock(fd, fcntl.LOCK_EX)
        if taken is not False:
            return bool(taken)
        if time.monotonic() > until:
            raise FolderInUse(_read(folder))
        time.sleep(_PAUSE_S)


def _myself() -> str:
    return (
        f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    )


def _read(folder: Path) -> str:
    try:
        with (folder / LOCK_FILE).open("rb") as file:
            text = file.read(_MOST_BYTES).decode(errors="replace").strip()
    except OSError:
        text = ""
    return text if text.isprintable() and text else UNKNOWN_HOLDER
