"""Bytes go with the last row that has them."""

import logging

from filebot.errors import StorageError
from filebot.model import Digest
from filebot.ports import BlobStore, Catalog

log = logging.getLogger(__name__)


async def forget_unused(store: BlobStore, catalog: Catalog, digest: Digest) -> None:
    """Delete a blob that no row refers to, and forget where it was uploaded.

    The caller holds the lock of the digest.
    """
    if not await catalog.is_used(digest):
        await store.delete(digest)
        await catalog.forget_links(digest)


async def try_to_forget_unused(store: BlobStore, catalog: Catalog, digest: Digest) -> None:
    """Call :func:`forget_unused`; what cannot be deleted now is set aside after the next start."""
    try:
        await forget_unused(store, catalog, digest)
    except StorageError as error:
        log.warning("blob %s is not needed any more and stays for now: %s", digest, error)
