"""Sources of the password.

The environment variable counts before everything in the file, so that a service manager can override it.
In the file it is either ``password`` or ``password_file``; both together are a mistake.
"""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from filebot.config import types as values
from filebot.config.errors import Mistake

VARIABLE: Final = "FILEBOT_PASSWORD"

_KEY: Final = ("xmpp", "password")
_FILE_KEY: Final = ("xmpp", "password_file")

_UNKNOWN: Final = "?"
"""Placeholder for a password that could not be read, so that it is not also reported as missing."""

_LONGEST: Final = 4_096
"""Largest password file, in bytes."""


def with_password(
    tables: dict[str, Any], config: Path, environ: Mapping[str, str], mistakes: list[Mistake]
) -> dict[str, Any]:
    """Return the tables with ``xmpp.password`` in its place, if there is one; add to ``mistakes``."""
    xmpp = tables.get("xmpp", {})
    if not isinstance(xmpp, dict):
        return tables
    if "password" in xmpp and _open_to_others(config):
        remedy = f"run chmod 600 {config.name}"
        mistakes.append(Mistake(_KEY, f"other users of this machine can read the file; {remedy}"))
    if "password" in xmpp and "password_file" in xmpp:
        mistakes.append(Mistake(_FILE_KEY, "password is there as well; remove one of the two"))
    elif environ.get(VARIABLE):
        xmpp = {**xmpp, "password": environ[VARIABLE]}
    elif isinstance(named := xmpp.get("password_file"), str):
        xmpp = {**xmpp, "password": _from_file(config.absolute().parent, named, mistakes)}
    return {**tables, "xmpp": xmpp}


def _from_file(folder: Path, named: str, mistakes: list[Mistake]) -> str:
    """Return the first line of the file."""
    try:
        path = values.place(named, folder)
    except ValueError:
        return _UNKNOWN  # the schema tells why
    name = values.shown(named)
    try:
        with path.open("rb") as file:
            password = file.read(_LONGEST).decode().partition("\n")[0].rstrip("\r")
        if _open_to_others(path):
            mistakes.append(
                Mistake(_FILE_KEY, f"other users of this machine can read it; run chmod 600 {name}")
            )
    except (OSError, UnicodeDecodeError):
        text = f"{name} cannot be read as text; correct the path or the rights of the file"
        mistakes.append(Mistake(_FILE_KEY, text))
        return _UNKNOWN
    if not password:
        mistakes.append(Mistake(_FILE_KEY, f"{name} has an empty first line; write the password there"))
    return password or _UNKNOWN


def _open_to_others(path: Path) -> bool:
    # A group may read it: that is how a service's user shares a file with root.
    return bool(path.stat().st_mode & stat.S_IRWXO)
