"""Check whether folders can be written, and how much space is left there."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path


def obstacle(folder: Path) -> str | None:
    """Return why a folder cannot be written or made; None if nothing speaks against it.

    Makes nothing: the caller may be another user than the one who is going to write there.
    """
    for place in (folder, *folder.parents):
        try:
            kind = place.stat().st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            return error.strerror or str(error)
        if not stat.S_ISDIR(kind):
            return os.strerror(errno.ENOTDIR)
        if os.access(place, os.W_OK | os.X_OK):
            return None
        return os.strerror(errno.EROFS if os.statvfs(place).f_flag & os.ST_RDONLY else errno.EACCES)
    return os.strerror(errno.ENOENT)


def try_writing(folder: Path, below: Iterable[str] = ()) -> int:
    """Write a little in a folder and leave nothing behind; return how many bytes are free. Raises OSError.

    The folders of these names below it, if they are there, must be open to writing, too: somebody else may
    have made them.
    """
    for place in (folder / each for each in below):
        if place.exists() and not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x" * 4096)
        file.flush()
        os.fsync(file.fileno())
        return shutil.disk_usage(file.fileno()).free
