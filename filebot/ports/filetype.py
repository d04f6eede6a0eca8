"""Types of files, told from their content."""

from pathlib import Path
from typing import Protocol

from filebot.model import FileKind


class Inspector(Protocol):
    """Detector of file types, by content."""

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        """Return the type of a file. ``claimed`` is the sender's media type, a mere hint.

        Never raises for the content's sake.
        """
