"""Opening of the data folder for a bot: it is locked, examined, and only then used.

A folder that cannot be opened is a ConfigError: trying again would not help, somebody has to act. The
``*_catalog`` functions word why a bot does not start with its catalog, for ``run`` and ``check`` alike.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebot.backends.loading import Backend, load_backends
from filebot.catalog import RESERVE_BYTES, open_catalog
from filebot.catalog.sqlite.examination import RESTORE
from filebot.catalog.sqlite.integrity import holds_nothing
from filebot.errors import CatalogDamaged, ConfigError
from filebot.files.freed_blobs import MOST_LEFT, set_freed_aside
from filebot.files.orphan_sweep import Unreferenced, bring_back_referenced, find_unreferenced
from filebot.model import Digest
from filebot.ports import BlobStore, Catalog
from filebot.storage.file_system import BLOBS, storage_errors
from filebot.storage.folder_lock import FolderInUse, folder_lock
from filebot.storage.mounts import remote_file_system

log = logging.getLogger(__name__)

CATALOG: Final = "catalog.sqlite"

IDLE_S: Final = 60.0
"""Limit of a backend's transfers unless the config says otherwise."""

_HELP: Final = "Nothing was changed; to see what can be done: filebot fsck"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Contents of an open data folder."""

    catalog: Catalog
    store: BlobStore
    unreferenced: tuple[Digest, ...]
    """Blobs that no entry referred to when it was opened; few."""


@asynccontextmanager
async def open_data_folder(
    folder: Path, store_backend: Backend[BlobStore] | None = None, idle_s: float = IDLE_S
) -> AsyncIterator[DataFolder]:
    """Lock the folder, which is there, and open all that is in it, and the store, a disk unless given.

    Raises ConfigError, StorageError or BackendUnavailable. Damage of the catalog that shows while the
    context is open leaves it as a ConfigError, too.
    """
    async with AsyncExitStack() as stack:
        await _hold(folder, stack)
        backend = store_backend or load_backends().store
        store = await stack.enter_async_context(backend.opened(folder, idle_s))
        # Before the catalog is opened, which would make a new one.
        if (reason := missing_catalog(folder, has_blobs=await _has_blobs(store))) is not None:
            raise _refused(reason)
        try:
            catalog = await stack.enter_async_context(open_catalog(folder / CATALOG, RESERVE_BYTES))
            await bring_back_referenced(store, catalog)
            freed = set(await catalog.attachments.freed(MOST_LEFT))
            found = await find_unreferenced(store, catalog, freed)
            if (reason := incomplete_catalog(folder, found)) is not None:
                raise _refused(reason)
            if found.missing:
                log.error(
                    "data_dir: %d files of the catalog are missing in %s; is a disk not there? "
                    "Which ones they are: filebot fsck",
                    found.missing,
                    folder / BLOBS if backend.is_disk else backend.scheme,
                )
            await set_freed_aside(store, catalog.attachments, freed, found.freed)
            yield DataFolder(catalog, store, tuple(set(found.digests).difference(found.freed)))
        except CatalogDamaged as error:
            raise _refused(damaged_catalog(folder, error)) from error


async def _has_blobs(store: BlobStore) -> bool:
    async for _ in store.digests():
        return True
    return False


def missing_catalog(folder: Path, *, has_blobs: bool) -> str | None:
    """Return the reason not to start if there are files, but no catalog. Raises StorageError."""
    with storage_errors():
        if not has_blobs or not holds_nothing(folder / CATALOG):
            return None
    return f"{folder} has files, but {CATALOG}, which says whose they are, is missing or empty. {_HELP}"


def incomplete_catalog(folder: Path, found: Unreferenced) -> str | None:
    """Return the reason not to start if the catalog does not know many of the files."""
    if not found.are_too_many:
        return None
    return (
        f"{folder / CATALOG} does not know {found.unknown} of {found.blobs} files there; it may be an "
        f"older copy, or damaged. {_HELP}"
    )


def damaged_catalog(folder: Path, error: Exception) -> str:
    """Return the reason not to go on with a catalog that is damaged."""
    return f"{folder / CATALOG} is damaged: {error}; {RESTORE}"


async def _hold(folder: Path, stack: AsyncExitStack) -> None:
    """Lock the folder until the stack is left. Raises ConfigError."""
    lock = folder_lock(folder)
    try:
        reliable = await asyncio.to_thread(lock.__enter__)
    except FolderInUse as error:
        raise ConfigError(
            (f"data_dir: {folder} is in use by {error.holder}; stop it, or use another folder",)
        ) from error
    except OSError as error:
        raise ConfigError((f"data_dir: {folder} cannot be locked: {error.strerror or error}",)) from error
    stack.push(lock)
    kind = remote_file_system(folder)
    if kind is not None or not reliable:
        log.warning(
            "data_dir: %s is on a file system (%s) where locks may not hold: nothing keeps a second bot "
            "out, and two at once, or a lost connection, can damage the catalog; better use a local disk",
            folder,
            kind or "without locks",
        )


def _refused(reason: str) -> ConfigError:
    return ConfigError((f"data_dir: {reason}",))
