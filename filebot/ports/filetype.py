"""Types of files, told from their content."""

from pathlib import Path
from typing import Protocol

from filebot.model import FileKind


class Inspector(Protocol):
    """Tells what a file is from its content."""

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        """Never raises for the content's sake. ``claimed`` is the sender's media type, a mere hint."""
