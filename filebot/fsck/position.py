"""Position at which ``fsck`` was interrupted while it read files. Nothing depends on it: a convenience."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filebot.model import Digest
from filebot.storage.file_system import DIGEST

FILE: Final = "fsck.position"
SAVED_EVERY_S: Final = 10.0
VALID_S: Final = 30 * 86_400.0
MOST_BYTES: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Position:
    """Position in the files, which are read in the order of their digests."""

    folder: Path
    after: Digest = ""
    """The last one that was read; empty at the beginning."""
    damaged: set[Digest] = field(default_factory=set)
    """Earlier files that were damaged, and were left."""
    _saved_at: float = field(default_factory=time.monotonic)

    @classmethod
    def load(cls, folder: Path) -> "Position":
        """Return where the last one was interrupted, or the beginning."""
        file = folder / FILE
        with suppress(OSError, ValueError, TypeError, KeyError):
            about = file.stat()
            if about.st_size <= MOST_BYTES and time.time() - about.st_mtime < VALID_S:
                known = json.loads(file.read_bytes())
                after, damaged = known["after"], known["damaged"]
                if all(DIGEST.fullmatch(digest) for digest in (after, *damaged)):
                    return cls(folder, after, set(damaged))
        return cls(folder)

    @property
    def share(self) -> float:
        """Share of all digests before it, from 0 to 1."""
        return int(self.after[:8] or "0", 16) / 2**32

    def passed(self, digest: Digest, *, damaged: bool) -> None:
        """Note that a file was read, now and then on the disk as well."""
        self.after = digest
        if damaged:
            self.damaged.add(digest)
        if time.monotonic() - self._saved_at > SAVED_EVERY_S:
            self.save()

    def save(self) -> None:
        """Keep it for the next time, if it can be kept."""
        self._saved_at = time.monotonic()
        if not self.after:
            return
        new = self.folder / f"{FILE}.new"
        with suppress(OSError):
            new.touch(0o600)
            known = {"after": self.after, "damaged": sorted(self.damaged)}
            new.write_text(json.dumps(known), encoding="utf-8")
            new.replace(self.folder / FILE)

    def forget(self) -> None:
        """Let the next one begin at the beginning."""
        with suppress(OSError):
            (self.folder / FILE).unlink(missing_ok=True)
