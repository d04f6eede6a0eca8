"""Unused blobs: bytes go with the last row that has them."""

import logging

from filebot.errors import StorageError
from filebot.model import Digest
from filebot.ports import BlobStore, Entries, Links

log = logging.getLogger(__name__)


class UnusedBlobs:
    """Deletes blobs that no row refers to."""

    def __init__(self, store: BlobStore, entries: Entries, links: Links) -> None:
        self._store = store
        self._entries = entries
        self._links = links

    async def forget(self, digest: Digest) -> None:
        """Delete a blob that no row refers to, and forget where it was uploaded.

        The caller holds the lock of the digest. A blob that cannot be deleted now is logged, and set aside
        after the next start.
        """
        try:
            if not await self._entries.is_used(digest):
                await self._store.delete(digest)
                await self._links.forget_links(digest)
        except StorageError as error:
            log.warning("blob %s is not needed any more and stays for now: %s", digest, error)
