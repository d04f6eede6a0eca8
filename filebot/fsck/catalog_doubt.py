"""Comparison of the catalog with the files beside it, without changing anything: for ``filebot check``."""

import sqlite3
from pathlib import Path

from filebot.catalog.sqlite.inspection import inspected
from filebot.catalog.sqlite.integrity import holds_nothing, is_damage
from filebot.data_folder import CATALOG, damaged_catalog, incomplete_catalog, missing_catalog
from filebot.files.orphan_sweep import Unreferenced
from filebot.storage.file_system import SHARDS
from filebot.storage.inspection import has_blobs, list_shard


def catalog_doubt(folder: Path) -> str | None:
    """Return why a bot would not start with this catalog, or None. Raises StorageError or OSError.

    To be asked while no bot runs: files that are just arriving are in no entry yet.
    """
    if holds_nothing(folder / CATALOG):
        return missing_catalog(folder, has_blobs=has_blobs(folder))
    try:
        found = _unreferenced(folder, folder / CATALOG)
    except sqlite3.Error as error:
        return damaged_catalog(folder, error) if is_damage(error) else None
    return incomplete_catalog(folder, found)


def _unreferenced(folder: Path, path: Path) -> Unreferenced:
    blobs = 0
    found: list[str] = []
    with inspected(path, mend=False) as catalog:
        catalog.list_digests()
        freed = catalog.freed()
        for shard in SHARDS:
            listed = list_shard(folder, shard).digests
            blobs += len(listed)
            found += listed - catalog.digests(shard).keys()
    return Unreferenced(tuple(found), blobs, freed=tuple(each for each in found if each in freed))
