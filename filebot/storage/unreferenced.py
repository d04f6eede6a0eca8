"""Blobs that no entry refers to, in a folder of their own until their time is over.

The time of each counts from the modification time that the file gets when it is moved here. It counts only
while the clock makes sense: after a gap, or a step back, between two looks all times begin anew. So neither
a clock that leaps nor a bot that was off for a year removes anything sooner than after the whole time.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from filebot.model import Digest
from filebot.storage.file_system import BLOBS, DIGEST, UNREFERENCED, make_folder, place_in, sync_folder

LONGEST_GAP_S: Final = 2 * 86_400.0
"""Longest time between two looks: after a longer one, ages count anew."""

_LAST_LOOK: Final = "last-look"


class UnreferencedFolder:
    """Folder ``unreferenced/`` beside ``blobs/``. Its methods block and raise OSError."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / BLOBS
        self._folder = root / UNREFERENCED

    def put(self, *digests: Digest) -> None:
        """Move blobs here, durably. One that is not there is not an error."""
        places = [place_in(self._blobs, digest) for digest in digests]
        make_folder(self._folder)
        self._look()  # by the clock that these times come from: the next look finds out if it was wrong
        for place in places:
            with suppress(FileNotFoundError):
                os.utime(place)  # before the move: a kill in between must not make it look old here
                place.rename(self._folder / place.name)
        for folder in (self._folder, *{place.parent for place in places}):
            sync_folder(folder)

    def bring_back(self, digest: Digest) -> bool:
        """Move a blob back to its place, durably. Return whether it was here."""
        place, file = place_in(self._blobs, digest), self._folder / digest
        try:
            file.rename(place)
        except FileNotFoundError:
            return False
        sync_folder(place.parent)
        sync_folder(self._folder)
        return True

    def file(self, digest: Digest) -> Path:
        """Return where the blob is while it is here."""
        return self._folder / digest

    def digests(self) -> list[Digest]:
        """Return all that are here, in no order."""
        try:
            return [entry.name for entry in os.scandir(self._folder) if DIGEST.fullmatch(entry.name)]
        except FileNotFoundError:
            return []

    def expired(self, older_than_s: float) -> list[Digest]:
        """Return those whose time is over. To be asked at least every ``LONGEST_GAP_S``."""
        digests = self.digests()
        if not digests:
            return []
        now = self._look()
        old = []
        for digest in digests:
            with suppress(FileNotFoundError):
                if now - (self._folder / digest).stat().st_mtime > older_than_s:
                    old.append(digest)
        return old

    def forget(self, digest: Digest) -> bool:
        """Remove a blob for good. Return whether it was here."""
        try:
            (self._folder / digest).unlink()
        except FileNotFoundError:
            return False
        return True

    def _look(self) -> float:
        """Note a look, and return its time. If the clock does not go on from the last, times begin anew."""
        now, file = time.time(), self._folder / _LAST_LOOK
        try:
            goes_on = 0 <= now - file.stat().st_mtime <= LONGEST_GAP_S
        except FileNotFoundError:
            goes_on = False
        if not goes_on:  # before the look is noted: a kill in between must not make this one a usual one
            for digest in self.digests():
                with suppress(FileNotFoundError):
                    os.utime(self._folder / digest)
        file.touch(0o600)
        os.utime(file, (now, now))
        return now
