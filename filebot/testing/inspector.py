"""Fake inspector that tells the media type by the file's name alone."""

import mimetypes
from pathlib import Path

from filebot.model import FileKind


class InspectorByName:
    """The ``Inspector`` port, for tests in which the content does not matter."""

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        return FileKind(mimetypes.guess_type(name)[0] or claimed or "application/octet-stream")
