"""The catalog against itself: SQLite's own examination, derived columns, search index, sums, quotas."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import humanize

from filebot.catalog.sqlite.inspection import CatalogInspection
from filebot.files.quota import FILE_OVERHEAD_BYTES, StorageLimits
from filebot.fsck.report import Report

MOST_DAMAGE: Final = 20


@dataclass(frozen=True, slots=True)
class _Check:
    """One invariant, and how it is made to hold again."""

    count: Callable[[], int]
    one: str
    """The fault, if one thing is wrong."""
    many: str
    """With the number of what is wrong at its beginning."""
    mend: Callable[[], None]
    mended: str


def check_database(catalog: CatalogInspection, report: Report, *, repair: bool) -> bool:
    """Let SQLite examine the file; return whether it is whole in the end."""
    faults = catalog.damage(MOST_DAMAGE)
    left = faults
    if faults and repair:
        try:
            # Since 3.44 SQLite examines the search index as well.
            for mend in (catalog.make_indexes_anew, catalog.make_search_index_anew):
                mend()
                left = catalog.damage(MOST_DAMAGE)
                if not left:
                    break
        except sqlite3.DatabaseError as error:
            left = [str(error)]
    for fault in left:
        report.left("damage in the catalog", f"catalog.sqlite is damaged: {fault}")
    if left and repair:
        report.note(
            "New indexes did not mend it: put a backup of catalog.sqlite in its place and run fsck again. "
            "No file is moved as long as the catalog is damaged."
        )
    elif faults and not left:
        report.mended("=damage", f"catalog.sqlite was damaged ({faults[0]}): its indexes are made anew")
    return not left


def check_entries(catalog: CatalogInspection, report: Report, *, repair: bool) -> None:
    """Compare what follows from the rows of the catalog with these rows."""
    for check in (
        _Check(
            catalog.orphaned_deliveries,
            "a file waits to be sent, but is not in the catalog",
            "files wait to be sent, but are not in the catalog",
            catalog.remove_orphaned_deliveries,
            "they wait no more",
        ),
        _Check(
            catalog.orphaned_plugin_rows,
            "a row of a plugin belongs to a file that is not in the catalog",
            "rows of plugins belong to files that are not in the catalog",
            catalog.remove_orphaned_plugin_rows,
            "removed",
        ),
        _Check(
            catalog.misplaced_entries,
            "an entry is listed in the wrong place, or not found by its name",
            "entries are listed in the wrong place, or not found by their names",
            catalog.place_entries,
            "put in their places",
        ),
        _Check(
            lambda: catalog.unsearchable_entries(thoroughly=repair),
            "an entry differs from the search index",
            "entries differ from the search index",
            catalog.make_search_index_anew,
            "made anew",
        ),
        _Check(
            catalog.wrong_attached_bytes,
            "an entry counts other bytes than its attachments have",
            "entries count other bytes than their attachments have",
            catalog.add_up_attachments,
            "added up anew",
        ),
        _Check(
            catalog.wrong_sums,
            "a sum of what people and rooms have stored is wrong",
            "sums of what people and rooms have stored are wrong",
            catalog.count_anew,
            "counted anew",
        ),
    ):
        _apply(check, report, repair=repair)


def _apply(check: _Check, report: Report, *, repair: bool) -> None:
    try:
        number = check.count()
        text = check.one if number == 1 else f"{number} {check.many}"
        if number and repair:
            check.mend()
            if not check.count():
                report.mended(f"={check.many}", f"{text}: {check.mended}", number)
                return
    except sqlite3.DatabaseError as error:
        report.left(f"={check.many}", f"it cannot be told whether {check.many}: {error}")
        return
    if number:
        report.left(f"={check.many}", text, number)


def note_quotas(catalog: CatalogInspection, report: Report, limits: StorageLimits) -> None:
    """Tell who has more than the limits allow, as after lower ones were set. That is no fault."""
    for owner, files, size in catalog.sums("owner"):
        _note_quota(report, owner, files, size, limits.quota_per_user_bytes)
    for scope, files, size in catalog.sums("scope"):
        kind, _, room = scope.partition(":")
        if kind == "room":
            _note_quota(report, room, files, size, limits.quota_per_room_bytes)


def _note_quota(report: Report, who: str, files: int, size: int, limit: int) -> None:
    used = size + files * FILE_OVERHEAD_BYTES
    if used > limit:
        report.note(
            f"{who} has {humanize.naturalsize(used)} of {humanize.naturalsize(limit)}: over the quota"
        )
