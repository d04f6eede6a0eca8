"""Locks of temporary files, in folders where names are used again.

A task that writes, moves or removes a file holds the lock of the open file, and has checked with the lock
held that the name still leads to it: the name alone may belong to a newer file by then. As all tasks do so,
a name keeps leading to the same file while its lock is held, unless the holder changes that, and nobody
writes into a file that was moved meanwhile.
"""

import fcntl
import logging
import os
from pathlib import Path

from filebot.storage.folder_lock import try_lock

log = logging.getLogger(__name__)


def lock(fd: int) -> bool:
    """Take the lock of an open file, until it is closed. False if somebody else has it.

    Where there are no locks, the lock of the whole folder has to do, or the operator's care.
    """
    return try_lock(fd, fcntl.LOCK_EX) is not False


def has_name(fd: int, path: Path) -> bool:
    """Tell whether the name leads to this open file, whose lock must be held."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def remove_unless_open(path: Path) -> None:
    """Remove a temporary file that no process is writing; one that cannot be removed is logged and left."""
    try:
        # To write: NFS has no exclusive lock for readers. Without waiting: it may be no file at all.
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if lock(fd) and has_name(fd, path):
                path.unlink()
        finally:
            os.close(fd)
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("%s cannot be removed and stays: %s", path, error.strerror)
