"""Blobs against the catalog, and against their own names."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filebot.catalog.sqlite.inspection import CatalogInspection
from filebot.fsck.position import Position
from filebot.fsck.report import Report
from filebot.model import Digest
from filebot.storage.file_system import BLOBS, QUARANTINE, SHARDS, place_in, sync_folder
from filebot.storage.inspection import ReadThrottle, digest_of, list_shard, quarantine, strange_folders
from filebot.storage.unreferenced import UnreferencedFolder

IN_FLIGHT_S: Final = 600.0
"""A file without an entry that is younger than this may be on its way in."""

NAMES_SHOWN: Final = 3


@dataclass(slots=True)
class BlobChecks:
    """Examines the blobs of a folder, one shard after the other."""

    root: Path
    report: Report
    catalog: CatalogInspection | None
    """None if there is none: then no entry refers to anything."""
    repair: bool
    pace: ReadThrottle
    position: Position | None
    """None if the bytes are not to be read."""
    is_bot_running: Callable[[], bool]
    blobs: int = 0
    unreferenced: int = 0
    freed: int = 0
    """Return the unreferenced blobs that were attachments, as far as the catalog tells."""
    resized: bool = False
    """Whether sizes in the catalog were changed: sums are to be made anew."""
    _aside: UnreferencedFolder = field(init=False)

    def __post_init__(self) -> None:
        self._aside = UnreferencedFolder(self.root)

    def run(self) -> None:
        """Examine all. Raises OSError if the folder cannot be read, and sqlite3.Error."""
        for strange in strange_folders(self.root):
            self._strange(strange)
        freed = set[Digest]() if self.catalog is None else self.catalog.freed()
        for shard in SHARDS:
            listed = list_shard(self.root, shard)
            sizes = {} if self.catalog is None else self.catalog.digests(shard)
            self.blobs += len(listed.digests)
            for strange in listed.strange:
                self._strange(strange)
            unreferenced = [
                digest
                for digest in sorted(listed.digests | sizes.keys())
                if self._is_unreferenced(digest, sizes.get(digest), is_listed=digest in listed.digests)
            ]
            self.unreferenced += len(unreferenced)
            self.freed += len(freed.intersection(unreferenced))
            if unreferenced and self.repair:
                self._aside.put(*unreferenced)

    def _is_unreferenced(self, digest: Digest, sizes: tuple[int, int] | None, *, is_listed: bool) -> bool:
        """Examine one blob; return whether all that is wrong is that no entry refers to it."""
        file = place_in(self.root / BLOBS, digest)
        if not is_listed and not file.exists():
            if self._is_referenced(digest) and not file.exists():
                self._missing(digest, "missing")
            return False
        fault = self._fault(file, digest, sizes)
        if fault is not None and file.exists():
            self._damaged(file, digest, fault)
            return False
        return sizes is None and self._still_is_unreferenced(file, digest)

    def _fault(self, file: Path, digest: Digest, sizes: tuple[int, int] | None) -> str | None:
        """Return what is wrong with the bytes."""
        try:
            before = file.stat()
            same_size = sizes is None or sizes == (before.st_size, before.st_size)
            if same_size and not self._is_to_be_read(digest):
                return None
            true, size = digest_of(file, self.pace)
            if true != digest and file.stat().st_ino != before.st_ino:
                true, size = digest_of(file, self.pace)  # somebody dropped it again meanwhile
        except FileNotFoundError:
            return None  # removed meanwhile
        except OSError as error:
            self._passed(digest, damaged=True)
            return f"unreadable ({error.strerror})"
        self._passed(digest, damaged=true != digest and not self.repair)
        if true != digest:
            return "damaged"
        if sizes is not None and sizes != (size, size):
            self._wrong_size(digest, size)
        return None

    def _is_to_be_read(self, digest: Digest) -> bool:
        position = self.position
        return position is not None and (digest > position.after or digest in position.damaged)

    def _passed(self, digest: Digest, *, damaged: bool) -> None:
        if self.position is not None and digest > self.position.after:
            self.position.passed(digest, damaged=damaged)

    def _is_referenced(self, digest: Digest) -> bool:
        return self.catalog is not None and self.catalog.refers_to(digest)

    def _still_is_unreferenced(self, file: Path, digest: Digest) -> bool:
        """Look once more: files come and go while the bot runs."""
        try:
            moved_at = file.stat().st_ctime
        except FileNotFoundError:
            return False
        young = time.time() - moved_at < IN_FLIGHT_S
        return not self._is_referenced(digest) and not (young and self.is_bot_running()) and file.exists()

    # --- what is done about it --------------------------------------------------------------------

    def _strange(self, file: Path) -> None:
        text = f"{file.relative_to(self.root)} is no file of the bot"
        if self.repair:
            target = quarantine(self.root, file)
            self.report.mended("strange files", f"{text}: moved to {QUARANTINE}/{target.name}")
        else:
            self.report.left("strange files", text)

    def _damaged(self, file: Path, digest: Digest, fault: str) -> None:
        if not self.repair or fault.startswith("unreadable"):
            self.report.left("damaged files", f"{self._named(digest)}: its bytes are {fault}")
            return
        target = quarantine(self.root, file)
        where = f"moved to {QUARANTINE}/{target.name}"
        if not self._is_referenced(digest):
            self.report.mended("damaged files", f"{digest} is {fault} and in no entry: {where}")
        else:
            self._missing(digest, f"{fault}, and {where}")

    def _missing(self, digest: Digest, fault: str) -> None:
        """Bring the bytes back from where they may be, or tell that they are wanted."""
        for file in self._copies(digest):
            where = file.parent.name
            if not self.repair:
                self.report.left(
                    "missing files", f"{self._named(digest)}: its bytes are in {where}/, not in {BLOBS}/"
                )
                return
            place = place_in(self.root / BLOBS, digest)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.rename(place)
            sync_folder(place.parent)
            self.report.mended("missing files", f"{self._named(digest)}: brought back from {where}/")
            return
        self.report.left(
            "missing files",
            f"{self._named(digest)}: its bytes are {fault}; its owner can send the same file again, "
            f"or you take {BLOBS}/{digest[:2]}/{digest} out of a backup",
            helps=False,
        )

    def _copies(self, digest: Digest) -> list[Path]:
        """Return where else the very bytes are."""
        folder = self.root / QUARANTINE
        places = [self._aside.file(digest), *(folder.glob(f"{digest}*") if folder.exists() else ())]
        return [file for file in places if file.is_file() and self._is_whole(file, digest)]

    def _is_whole(self, file: Path, digest: Digest) -> bool:
        try:
            return digest_of(file, self.pace)[0] == digest
        except OSError:
            return False

    def _wrong_size(self, digest: Digest, size: int) -> None:
        text = f"{self._named(digest)}: its size in the catalog was wrong"
        if self.repair and self.catalog is not None:
            self.catalog.set_size(digest, size)
            self.resized = True
            self.report.mended("wrong sizes", f"{text}: it is {size:,} bytes")
        else:
            self.report.left("wrong sizes", text.replace("was", "is"))

    def _named(self, digest: Digest) -> str:
        names = [] if self.catalog is None else self.catalog.names(digest, NAMES_SHOWN)
        return ", ".join(names) or digest
