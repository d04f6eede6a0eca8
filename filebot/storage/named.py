"""Whose a file in a folder of temporary files is, where names are used again and again.

Whoever writes, moves or removes one holds the lock of the open file and has looked, with the lock held,
whether the name still leads to it: by the name alone it may be somebody else's, who came a moment later. As
all do so, the name stays with the file for as long as the lock is held, but for what its holder does; and
nobody writes into a file that got another name meanwhile.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


def lock(fd: int) -> bool:
    """Take the lock of an open file, until it is closed. False if somebody else has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def has_name(fd: int, path: Path) -> bool:
    """Whether an open file is the one that the name leads to. The lock must be held."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def remove_unless_open(path: Path) -> None:
    """Remove a temporary file that no process is writing."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        if lock(file.fileno()) and has_name(file.fileno(), path):
            path.unlink()
