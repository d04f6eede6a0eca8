"""Blobs of a store that is no disk against the catalog, by the port alone."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from filebot.catalog.sqlite.inspection import CatalogInspection
from filebot.errors import BlobCorrupt
from filebot.fsck.report import Report
from filebot.model import Digest
from filebot.ports import BlobStore
from filebot.storage.file_system import SHARDS

NAMES_SHOWN = 3


@dataclass(slots=True)
class StoreChecks:
    """Examines the blobs of a store, one part of the digests after the other."""

    store: BlobStore
    report: Report
    catalog: CatalogInspection | None
    """None if there is none: then no entry refers to anything."""
    repair: bool
    bytes_per_s: int
    """Bytes that are read each second at most; 0 to read none."""
    blobs: int = 0
    unreferenced: int = 0
    freed: int = 0
    """Number of unreferenced blobs that were attachments, as far as the catalog tells."""
    resized: bool = False

    async def run(self) -> None:
        """Go through all blobs. Raises StorageError."""
        freed = set() if self.catalog is None else self.catalog.freed()
        for shard in SHARDS:
            listed = {digest async for digest in self.store.digests(shard)}
            sizes = {} if self.catalog is None else self.catalog.digests(shard)
            self.blobs += len(listed)
            for digest in sorted(sizes.keys() - listed):
                await self._missing(digest)
            if self.bytes_per_s:
                for digest in sorted(sizes.keys() & listed):
                    await self._read(digest, sizes[digest][1])
            await self._unreferenced(sorted(listed - sizes.keys()), freed)

    async def _unreferenced(self, found: Collection[Digest], freed: Collection[Digest]) -> None:
        for digest in found:
            if self._is_referenced(digest):
                continue  # it came meanwhile
            self.unreferenced += 1
            self.freed += digest in freed
            if self.repair:
                await self.store.set_aside(digest)

    async def _missing(self, digest: Digest) -> None:
        if not self._is_referenced(digest):
            return  # removed meanwhile
        if self.repair and await self.store.bring_back(digest):
            self.report.mended("missing files", f"{self._named(digest)}: brought back")
            return
        if not self.repair and digest in await self.store.aside():
            self.report.left("missing files", f"{self._named(digest)}: its bytes are set aside")
            return
        if await self._is_whole(digest):
            return  # it came meanwhile
        self._lost("missing files", digest, "missing")

    async def _read(self, digest: Digest, size: int) -> None:
        if not await self._is_whole(digest) and self._is_referenced(digest):
            self._lost("damaged files", digest, "damaged")
        await asyncio.sleep(size / self.bytes_per_s)

    async def _is_whole(self, digest: Digest) -> bool:
        try:
            await self.store.verify(digest)
        except BlobCorrupt:
            return False
        return True

    def _lost(self, kind: str, digest: Digest, fault: str) -> None:
        text = f"{self._named(digest)}: its bytes are {fault}; its owner can send the same file again"
        self.report.left(kind, text, helps=False)

    def _is_referenced(self, digest: Digest) -> bool:
        return self.catalog is not None and self.catalog.refers_to(digest)

    def _named(self, digest: Digest) -> str:
        names = [] if self.catalog is None else self.catalog.names(digest, NAMES_SHOWN)
        return ", ".join(names) or digest
