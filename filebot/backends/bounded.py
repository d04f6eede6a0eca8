"""Bounds of inspectors and scanners that installed packages bring: what they do wrong costs one file."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebot.checks.acts import FileReceived
from filebot.errors import HarmfulFile, UserError
from filebot.failures import Origin, blame, origin_of, report
from filebot.filetype.media_types import UNKNOWN
from filebot.model import FileKind
from filebot.plugin.handlers import call_limited
from filebot.ports import Inspector, Scanner

log = logging.getLogger(__name__)

INSPECT_LIMIT_S: Final = 10.0
"""Time that a foreign inspector has for one file."""

MOST_FOUND: Final = 200
"""Characters of what a scanner says that it found."""


_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE: Final = re.compile(f"{_NAME}/{_NAME}")  # RFC 6838 section 4.2
_TOO_WIDE: Final = 2**31


class BoundedInspector:
    """Implements :class:`filebot.ports.Inspector` by a foreign one; if that fails, the type is unknown."""

    def __init__(self, scheme: str, inspector: Inspector) -> None:
        self._origin = origin_of("", f"inspector {scheme}", inspector.inspect)
        self._inspector = inspector

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        try:
            return await call_limited(self._asked(file, name, claimed), self._origin, INSPECT_LIMIT_S)
        except Exception as error:  # noqa: BLE001 - a foreign inspector must not stop a file
            report(blame(error, self._origin))
            return FileKind(UNKNOWN)

    async def _asked(self, file: Path, name: str, claimed: str | None) -> FileKind:
        kind: object = await self._inspector.inspect(file, name, claimed)
        if not isinstance(kind, FileKind):
            raise TypeError(f"it returned {type(kind).__name__}")
        return _examined(kind)


def _examined(kind: FileKind) -> FileKind:
    """Return a type that can be kept and told. Raises TypeError or ValueError."""
    named: object = kind.media_type
    if not isinstance(named, str) or not _MEDIA_TYPE.fullmatch(named):
        raise ValueError(f"it returned {named!r:.100}, which is no media type")
    sides: tuple[object, ...] = (kind.width, kind.height)
    for pixels in sides:
        if pixels is not None and not (type(pixels) is int and 0 < pixels < _TOO_WIDE):
            raise ValueError(f"it returned {pixels!r:.100}, which is no number of pixels")
    return kind


@dataclass(frozen=True, slots=True)
class ScannerCheck:
    """Implements :class:`filebot.checks.checks.Check`: refuses a received file in which a scanner finds
    something, or which it cannot scan.
    """

    scheme: str
    scanner: Scanner
    passes_on_failure: bool = False
    plugin: str = ""

    @property
    def author(self) -> str:
        return f"scanner {self.scheme}"

    @property
    def origin(self) -> Origin:
        return origin_of("", self.author, self.scanner.scan)

    async def ask(self, act: FileReceived, /) -> None:
        await self.scan(act.path)

    async def scan(self, path: Path) -> None:
        """Raise HarmfulFile if something is found in a file, and anything else if it cannot be scanned."""
        try:
            found = await call_limited(self._asked(path), self.origin)
        except UserError as error:  # its words would be nobody's
            raise TypeError(f"it raised {type(error).__name__}") from error
        if found is None:
            return
        if not isinstance(found, str) or not found:
            raise TypeError(f"it returned {found!r:.100}, which is neither a name nor None")
        raise HarmfulFile(found=" ".join(found.split())[:MOST_FOUND])

    async def _asked(self, path: Path) -> object:
        return await self.scanner.scan(path)
