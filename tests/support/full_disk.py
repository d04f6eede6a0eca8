"""Small file system that a test can fill completely."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PIECE = 64 * 1024


@contextmanager
def small_disk(folder: Path, size_mib: int) -> Iterator[Path]:
    """Mount a tmpfs at ``folder``. It takes root; a test that cannot mount fails, and is not skipped."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"this test needs a file system to fill, as root: {done.stderr}"
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Filler:
    """File of another program that takes all free space."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "filler"

    def fill(self) -> None:
        """Write until no byte is free."""
        with self._path.open("ab", buffering=0) as file:
            for piece in (b"x" * PIECE, b"x" * 4096):
                with suppress(OSError):
                    while file.write(piece):
                        pass
        room = os.statvfs(self._path)
        assert room.f_bavail == 0, room

    def remove(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)
