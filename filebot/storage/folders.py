"""Folders whose entries survive a power cut."""

import os
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o700


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Create a private folder and those above it, durably; one that exists is left as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    sync_folder(folder.parent)
