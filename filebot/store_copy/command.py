"""Command ``filebot store copy``: the stores are opened, and the copy is shown on the terminal."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from filebot.backends.loading import Backend
from filebot.data_folder import IDLE_S
from filebot.errors import ConfigError, StorageError
from filebot.ports import BlobStore
from filebot.storage.disk import DiskStore
from filebot.storage.file_system import make_folder, storage_errors
from filebot.storage.folder_lock import FolderInUse, folder_lock
from filebot.store_copy.copying import Copied, StoreCopy
from filebot.system.ownership import check_owner

FINE: Final = 0
FAULTS: Final = 1

SPOOL: Final = "copying"
"""Folder in the data folder for bytes on their way into a store that is not there."""

MOST_NAMED: Final = 20
"""Damaged blobs that are named."""


def copy(folder: Path, source: Backend[BlobStore], target: Backend[BlobStore], *, verify: bool) -> int:
    """Copy all blobs from one store into another; return the exit code.

    ``folder`` is the data folder. Raises ConfigError, BackendUnavailable or StorageError.
    """
    if source.url == target.url:
        raise ConfigError(("both stores are the same; name another one to copy into",))
    if not folder.is_dir():
        raise ConfigError((f"data_dir: {folder} is not there; correct the path",))
    check_owner(folder)
    console = Console(highlight=False)
    try:
        copied = asyncio.run(_copied(folder, source, target, console, verify=verify))
    except KeyboardInterrupt:
        console.print("Interrupted. The same command goes on from here.")
        raise
    _tell(console, copied)
    return FAULTS if copied.damaged else FINE


async def _copied(
    folder: Path, source: Backend[BlobStore], target: Backend[BlobStore], console: Console, *, verify: bool
) -> Copied:
    columns = (TextColumn("copying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with _opened(source, folder, "from") as one, _opened(target, folder, "to") as other:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("copying", total=None)
            work = StoreCopy(one, other, lambda number: bar.advance(task, number))
            bar.update(task, total=await work.count())
            return await work.run(verify=verify)


@asynccontextmanager
async def _opened(backend: Backend[BlobStore], folder: Path, name: str) -> AsyncIterator[BlobStore]:
    """Open a store, beside a bot that may be running with it, or with the other one."""
    async with AsyncExitStack() as stack:
        if backend.is_disk:
            store = await DiskStore.open(folder, is_shared=True)
            stack.push_async_callback(store.close)
            yield store
        else:
            spool = folder / SPOOL / name
            with storage_errors():
                make_folder(folder / SPOOL)
                make_folder(spool)
                try:
                    stack.enter_context(folder_lock(spool))
                except FolderInUse as error:
                    raise StorageError(f"another copy is under way: {error.holder}") from error
                stack.callback(shutil.rmtree, spool, ignore_errors=True)
            yield await stack.enter_async_context(backend.opened(spool, IDLE_S))


def _tell(console: Console, copied: Copied) -> None:
    console.print(
        f"{copied.blobs} files are in the target; {copied.new} of them are new, {decimal(copied.bytes)}.",
        soft_wrap=True,
    )
    for digest in sorted(copied.damaged)[:MOST_NAMED]:
        console.print(f"✗ {digest} is damaged", soft_wrap=True)
    if copied.damaged:
        console.print(
            f"{len(copied.damaged)} files are damaged and were not copied, or not as they are. "
            "filebot fsck says whose they are.",
            soft_wrap=True,
        )
