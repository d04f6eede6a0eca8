"""Command ``filebot fsck``: the whole examination, and its report on the terminal."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from filebot.backends.loading import Backend
from filebot.catalog.database import migrate
from filebot.catalog.sqlite.inspection import CatalogInspection, inspected
from filebot.catalog.sqlite.integrity import holds_nothing, is_damage
from filebot.data_folder import CATALOG, IDLE_S
from filebot.errors import ConfigError, StorageError
from filebot.files.orphan_sweep import Unreferenced
from filebot.files.quota import StorageLimits
from filebot.fsck.blob_checks import BlobChecks
from filebot.fsck.catalog_checks import check_database, check_entries, note_quotas
from filebot.fsck.position import Position
from filebot.fsck.report import Outcome, Report
from filebot.fsck.store_checks import StoreChecks
from filebot.ports import BlobStore
from filebot.storage.file_system import UNREFERENCED
from filebot.storage.folder_lock import FolderInUse, folder_lock, holder_of
from filebot.storage.inspection import ReadThrottle, has_blobs
from filebot.system.ownership import as_owner, check_owner

FINE: Final = 0
FAULTS: Final = 1

_MARKS: Final[dict[Outcome, tuple[str, str]]] = {
    "left": ("✗ ", "red"),
    "mended": ("✓ ", "green"),
    "note": ("", ""),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options of ``filebot fsck``."""

    repair: bool = False
    quick: bool = False
    """Do not read the bytes of the files."""
    anew: bool = False
    """Begin to read at the first file, even if the last fsck was interrupted."""
    bytes_per_s: int = 100_000_000


def fsck(
    folder: Path,
    limits: StorageLimits,
    keep_days: float,
    wishes: Wishes,
    store: Backend[BlobStore] | None = None,
) -> int:
    """Examine a data folder, and mend it if asked to; return the exit code.

    ``store`` has the bytes if they are not in the folder. Raises BackendUnavailable; ConfigError if it
    cannot be examined, or not mended by whoever asks.
    """
    if not folder.is_dir():
        raise _cannot(f"{folder} is not there; correct the path")
    console = Console(highlight=False)
    report = Report(lambda mark, text: _tell(console, mark, text))
    try:
        with ExitStack() as stack:
            if wishes.repair:
                _lock(folder, stack)
            examination = _Examination(folder, report, console, limits, keep_days, wishes, store)
            examination.run()
    except sqlite3.Error as error:
        if not is_damage(error):
            raise StorageError(f"{CATALOG}: {error}") from error
        report.left("=unusable", f"{CATALOG} cannot be used: {error}", helps=False)
        report.note(
            f"Put a backup of {CATALOG} in its place and run fsck again. If you have none, move {CATALOG} "
            "away and run filebot fsck: it says what can be done with the files."
        )
    except PermissionError as error:
        place = error.filename or folder
        raise _cannot(f"{place} cannot be read: {error.strerror}; {as_owner(folder)}") from error
    except OSError as error:
        raise StorageError(str(error)) from error
    report.close()
    return _summed_up(console, report, wishes)


class _Examination:
    def __init__(
        self,
        folder: Path,
        report: Report,
        console: Console,
        limits: StorageLimits,
        keep_days: float,
        wishes: Wishes,
        store: Backend[BlobStore] | None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._report = report
        self._console = console
        self._limits = limits
        self._keep_days = keep_days
        self._wishes = wishes

    def run(self) -> None:
        path = self._folder / CATALOG
        if holds_nothing(path):
            if self._store is None and has_blobs(self._folder):
                self._report.note(f"{CATALOG}, which says whose the files are, is missing or empty.")
            self._check_blobs(None)
            return
        with inspected(path, mend=False) as catalog:
            version = catalog.version()
        if version == "none":
            raise _cannot(
                f"{path} is the database of another program; put a backup of {CATALOG} in its place"
            )
        if version == "newer":
            raise _cannot(f"{path} is of a newer filebot; install that, or the backup from before")
        if version == "older":
            if not self._wishes.repair:
                raise _cannot(f"{path} is of an older filebot; fsck --repair brings it up to date")
            migrate(path)
        with inspected(path, mend=self._wishes.repair) as catalog:
            self._check(catalog)

    def _check(self, catalog: CatalogInspection) -> None:
        repair = self._wishes.repair
        is_whole = check_database(catalog, self._report, repair=repair)
        if repair and not is_whole:
            return
        check_entries(catalog, self._report, repair=repair)
        if self._check_blobs(catalog).resized:
            catalog.count_anew()
        note_quotas(catalog, self._report, self._limits)

    def _check_blobs(self, catalog: CatalogInspection | None) -> BlobChecks | StoreChecks:
        size = 0 if catalog is None else catalog.list_digests()
        if self._store is not None:
            checks = asyncio.run(self._check_store(self._store, catalog))
            self._tell_unreferenced(checks)
            return checks
        return self._check_files(catalog, size)

    async def _check_store(
        self, backend: Backend[BlobStore], catalog: CatalogInspection | None
    ) -> StoreChecks:
        async with backend.opened(self._folder, IDLE_S) as store:
            pace = 0 if self._wishes.quick else self._wishes.bytes_per_s
            checks = StoreChecks(store, self._report, catalog, self._wishes.repair, pace)
            await checks.run()
            return checks

    def _check_files(self, catalog: CatalogInspection | None, size: int) -> BlobChecks:
        position = None if self._wishes.quick else Position.load(self._folder)
        if position is not None and self._wishes.anew:
            position = Position(self._folder)
        if position is not None and position.after:
            self._report.note(
                f"Going on with the files after {position.share:.0%}, where fsck was interrupted "
                "(--anew begins at the first)."
            )
        with self._progress(size, position) as pace:
            checks = BlobChecks(
                self._folder,
                self._report,
                catalog,
                repair=self._wishes.repair,
                pace=pace,
                position=position,
                is_bot_running=self._is_bot_running,
            )
            try:
                checks.run()
            except BaseException:
                if position is not None:
                    position.save()
                    self._console.print(
                        f"Interrupted at {position.share:.0%}; the next fsck goes on there."
                    )
                raise
        if position is not None:
            position.forget()
        self._tell_unreferenced(checks)
        return checks

    @contextmanager
    def _progress(self, size: int, position: Position | None) -> Iterator[ReadThrottle]:
        """Show a bar on a terminal, for as long as files are read."""
        columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        shown = self._console.is_terminal and position is not None
        with Progress(*columns, console=self._console, transient=True, disable=not shown) as bar:
            share = 0.0 if position is None else position.share
            task = bar.add_task("reading", total=size or None, completed=int(size * share))
            yield ReadThrottle(self._wishes.bytes_per_s, lambda moved: bar.advance(task, moved))

    def _is_bot_running(self) -> bool:
        return not self._wishes.repair and holder_of(self._folder) is not None

    def _tell_unreferenced(self, checks: BlobChecks | StoreChecks) -> None:
        number = checks.unreferenced
        if not number:
            return
        text = f"{number} of {checks.blobs} files are in no entry of the catalog"
        days = f"{self._keep_days:.3g} days"
        if self._wishes.repair:
            self._report.mended(
                "=unreferenced",
                f"{text}: moved to {UNREFERENCED}/. They come back by themselves when the bot starts with "
                f"a catalog that has them; the bot removes them after {days}",
                number,
            )
            return
        self._report.left("=unreferenced", text, number)
        unknown = Unreferenced(("",) * (number - checks.freed), checks.blobs)
        stops = checks.catalog is None or unknown.are_too_many
        if not stops:
            self._report.note(
                f"A crash leaves a few such files. The bot moves them to {UNREFERENCED}/ when it starts, "
                f"and removes them after {days}."
            )
            return
        self._report.note(
            f"The bot does not start like this. If there is a newer {CATALOG}, put it in its place with "
            "the bot stopped, and all is well. If there is none, run filebot fsck --repair: it moves these "
            f"files to {UNREFERENCED}/, where they are kept for {days}, and the bot starts without them."
        )


def _lock(folder: Path, stack: ExitStack) -> None:
    check_owner(folder)
    try:
        stack.enter_context(folder_lock(folder))
    except FolderInUse as error:
        instead = "stop it to repair, or run fsck without --repair, which only looks"
        raise _cannot(f"{folder} is in use by {error.holder}; {instead}") from error


def _cannot(why: str) -> ConfigError:
    return ConfigError((f"data_dir: {why}",))


def _tell(console: Console, mark: Outcome, text: str) -> None:
    sign, colour = _MARKS[mark]
    # Names of files are people's: what is no printable character is not for a terminal.
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    console.print(Text(sign, colour) + Text(shown), soft_wrap=True)


def _summed_up(console: Console, report: Report, wishes: Wishes) -> int:
    left, mended = report.count("left"), report.count("mended")
    if mended:
        console.print(f"{_faults(mended)} mended")
    if not left:
        console.print("all is well, but the bytes were not read" if wishes.quick else "all is well")
        return FINE
    can_repair = report.can_repair and not wishes.repair
    hint = "; filebot fsck --repair mends what can be mended, and deletes nothing" if can_repair else ""
    console.print(f"{_faults(left)} left{hint}", soft_wrap=True)
    return FAULTS


def _faults(number: int) -> str:
    return "1 fault" if number == 1 else f"{number} faults"
