"""Folders of the spools: ``incoming/`` for those of one run, ``partial/`` for those that can be resumed."""

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from filebot.errors import LocalProtocolError
from filebot.storage.file_system import (
    INCOMING,
    PARTIAL,
    StorageThreads,
    make_folder,
    remove_unless_open,
)
from filebot.storage.spool import Placing, Spool


class Spools:
    """Makes the spools of a store, and removes those that nobody goes on with."""

    def __init__(self, root: Path, threads: StorageThreads) -> None:
        self.incoming = root / INCOMING
        self._partials = root / PARTIAL
        self._threads = threads

    def prepare(self, *, is_shared: bool = False) -> None:
        """Make the folders and remove what a crashed run left, unless another process may use them
        (``is_shared``). Blocks, and raises OSError.
        """
        make_folder(self.incoming)
        make_folder(self._partials)
        if not is_shared:
            for leftover in self.incoming.iterdir():
                remove_unless_open(leftover)

    def temporary(self) -> Path:
        """Return a new path in ``incoming/``."""
        return self.incoming / secrets.token_hex(16)

    @asynccontextmanager
    async def opened(
        self,
        placing: Placing,
        algorithms: Sequence[str] = (),
        partial: str | None = None,
        resume_at_most: int = 0,
    ) -> AsyncIterator[Spool]:
        """Open a spool as :meth:`filebot.ports.BlobStore.create` says."""
        if partial is not None and not partial.isalnum():
            raise LocalProtocolError(f"{partial!r} is no name for a partial blob")
        spool = self._spool(placing, algorithms, partial)
        try:
            if partial is None:
                await spool.open()
            elif not await spool.reopen(resume_at_most):
                spool = self._spool(placing, algorithms)
                await spool.open()
            yield spool
        finally:
            await spool.discard()

    async def forget_partials(self, older_than_s: float) -> None:
        """Remove those that were last written longer ago than this."""
        for file in await self._threads.run(_files, self._partials):
            await self._threads.run(_forget_if_old, file, time.time() - older_than_s)

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        """Remove the oldest ones with this name prefix until ``most_bytes`` are left."""
        await self._threads.run(_trim, self._partials, prefix, most_bytes)

    def _spool(self, placing: Placing, algorithms: Sequence[str], partial: str | None = None) -> Spool:
        path = self._partials / partial if partial else self.temporary()
        return Spool(path, algorithms, self._threads, placing, is_partial=partial is not None)


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _trim(folder: Path, prefix: str, most_bytes: int) -> None:
    kept = []
    for file in folder.glob(f"{prefix}*"):
        with suppress(FileNotFoundError):
            about = file.stat()
            kept.append((about.st_mtime, about.st_size, file))
    for _, size, file in sorted(kept, reverse=True):
        most_bytes -= size
        if most_bytes < 0:
            remove_unless_open(file)


def _forget_if_old(file: Path, last_written: float) -> None:
    with suppress(FileNotFoundError):
        if file.stat().st_mtime < last_written:
            remove_unless_open(file)
