"""Whether the catalog fits the files beside it, told without changing anything: for ``filebot check``."""

import sqlite3
from pathlib import Path
from typing import Final

from filebot.catalog.inspection import inspected
from filebot.catalog.integrity import holds_nothing, is_damage
from filebot.data_folder import CATALOG
from filebot.files.orphan_sweep import Unreferenced
from filebot.storage.inspection import has_blobs, list_shard
from filebot.storage.layout import SHARDS

_HELP: Final = "to see what can be done: filebot fsck"


def catalog_doubt(folder: Path) -> str | None:
    """Return why a bot would not start with this catalog, or None. Raises OSError.

    To be asked while no bot runs: files that are just arriving are in no entry yet.
    """
    catalog = folder / CATALOG
    if holds_nothing(catalog):
        missing = f"{folder} has files, but {CATALOG} is missing or empty; {_HELP}"
        return missing if has_blobs(folder) else None
    try:
        found = _unreferenced(folder, catalog)
    except sqlite3.Error as error:
        return f"{catalog} is damaged: {error}; {_HELP}" if is_damage(error) else None
    if not found.are_too_many:
        return None
    return f"{CATALOG} does not know {len(found.digests)} of {found.blobs} files in {folder}; {_HELP}"


def _unreferenced(folder: Path, path: Path) -> Unreferenced:
    blobs = 0
    found: list[str] = []
    with inspected(path, mend=False) as catalog:
        catalog.list_digests()
        for shard in SHARDS:
            listed = list_shard(folder, shard).digests
            blobs += len(listed)
            found += listed - catalog.digests(shard).keys()
    return Unreferenced(tuple(found), blobs)
