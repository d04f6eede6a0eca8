"""Check whether others can write a file or folder, or put another one in its place.

Whoever writes the config or a plugin has the bot's account, and whoever writes its data has everybody's
files. So these belong to root or to the user that runs the bot, and nobody else can write them. The same
holds of every folder above, but for those in which people touch only what is theirs (sticky, as ``/tmp``).
"""

import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filebot.errors import ConfigError
from filebot.filenames import plain_text

_ROOT: Final = 0
_MOST_LINKS: Final = 40
"""Linux follows no more."""


def weakness(path: Path) -> str | None:
    """Why others could change what is at ``path``, with the remedy, on one line; None if nobody can.

    Of a path that is not there yet the folders above are judged.
    """
    for place, status, is_last in _passed(path.absolute()):
        if status.st_uid not in {_ROOT, os.geteuid()}:
            owner, me = _name(status.st_uid), _name(os.geteuid())
            remedy = f"run chown {me} {_quoted(place)}, or run filebot as {owner}"
            return f"{_plain(place)} belongs to {owner}, who could change it; {remedy}"
        if _is_open(status, is_last=is_last):
            return f"{_plain(place)} can be written by others; run chmod go-w {_quoted(place)}"
    return None


def _is_open(status: os.stat_result, *, is_last: bool) -> bool:
    if stat.S_ISLNK(status.st_mode):
        return False  # all links are; only their owner and the folder around them count
    shared = not is_last and bool(status.st_mode & stat.S_ISVTX)
    return bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)) and not shared


def _passed(path: Path) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Everything that is passed on the way to ``path``, links as themselves; True for the end of the way.

    Stops at what is not there or cannot be seen.
    """
    place, ahead, links = Path(path.anchor), list(path.parts[1:]), 0
    yield place, place.stat(), not ahead
    while ahead:
        part = ahead.pop(0)
        if part == "..":
            place = place.parent
            continue
        try:
            status = (place / part).lstat()
            target = os.readlink(place / part) if stat.S_ISLNK(status.st_mode) else None  # noqa: PTH115
        except OSError:
            return
        yield place / part, status, not ahead and target is None
        if target is None:
            place /= part
            continue
        links += 1
        if links > _MOST_LINKS:
            return
        way = Path(target)
        if way.is_absolute():
            place = Path(way.anchor)
        ahead[:0] = way.parts[1:] if way.is_absolute() else way.parts


def check_owner(folder: Path) -> None:
    """Raise ConfigError if a data folder is another user's, such as the bot's.

    The bot could not use files that root makes there. Raises OSError.
    """
    if folder.stat().st_uid != os.geteuid():
        raise ConfigError((f"data_dir: {folder} is another user's; {as_owner(folder)}",))


def as_owner(folder: Path) -> str:
    """Name the user that has to run a command on a folder. Raises OSError."""
    return f"run this as the user {_name(folder.stat().st_uid)}"


def _name(number: int) -> str:
    """Return the name of a user, or the number of one that has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"number {number}"


def _plain(place: Path) -> str:
    return plain_text(str(place))


def _quoted(place: Path) -> str:
    return plain_text(shlex.quote(str(place)))
