"""Inspectors of a fake bot: the real one, and a fake that tells the media type by the name alone."""

import mimetypes
from functools import cache
from pathlib import Path

from filebot.model import FileKind
from filebot.ports import Inspector


class InspectorByName:
    """The ``Inspector`` port, for tests in which the content does not matter."""

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        return FileKind(mimetypes.guess_type(name)[0] or claimed or "application/octet-stream")


@cache
def usual_inspector() -> Inspector:
    """Return the real inspector, which all fake bots share: types are found as in a real bot.

    Where libmagic is not installed it is the fake one.
    """
    try:
        from filebot.filetype.inspector import LibmagicInspector  # noqa: PLC0415 - it loads libmagic
    except ImportError:
        return InspectorByName()
    return LibmagicInspector()
