"""Whose a file in a folder of temporary files is, where names are used again and again.

Whoever writes, moves or removes one holds the lock of the open file and has looked, with the lock held,
whether the name still leads to it: by the name alone it may be somebody else's, who came a moment later. As
all do so, the name stays with the file for as long as the lock is held, but for what its holder does; and
nobody writes into a file that got another name meanwhile.
"""

import fcntl
import logging
import os
from pathlib import Path

from filebot.storage.folder_lock import NO_LOCKS

log = logging.getLogger(__name__)


def lock(fd: int) -> bool:
    """Take the lock of an open file, until it is closed. False if somebody else has it.

    Where there are no locks, the lock of the whole folder has to do, or the operator's care.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True


def has_name(fd: int, path: Path) -> bool:
    """Whether an open file is the one that the name leads to. The lock must be held."""
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
