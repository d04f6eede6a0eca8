"""S3 as a backend: blobs in a bucket, and what is still arriving in the data folder."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from filebot.errors import ConfigError, NoDescriptors, StorageError, StorageFull, StorageUnavailable
from filebot.ports import BackendServices, BlobStore

try:
    from filebot.storage.s3.bucket import Bucket
except ModuleNotFoundError as error:
    raise ImportError('it needs more packages; run: pip install "filebot[s3]"') from error
from filebot.storage.s3.address import Address, parse
from filebot.storage.s3.failures import ObjectExists, ObjectMissing, Refused
from filebot.storage.s3.store import S3Blobs
from filebot.storage.s3.unfinished import abort_old

log = logging.getLogger(__name__)

OPEN_AWAY_S: Final = 15.0
"""How long a start waits for a service that is away."""

MARK: Final = "state/filebot"
"""Object that every start tries to write: it tells at once whether the keys allow that."""


@asynccontextmanager
async def s3(services: BackendServices) -> AsyncIterator[BlobStore]:
    """Open the store of ``s3:``. Raises ConfigError, StorageUnavailable, NoDescriptors or StorageFull."""
    address = parse(services.url, os.environ)
    try:
        await _try_out(Bucket(address, services.idle_s, OPEN_AWAY_S))
    except Refused as error:
        raise ConfigError((f"store.url: {error}",)) from None
    try:
        store = await S3Blobs.open(Bucket(address, services.idle_s), services.data_dir)
    except (StorageFull, NoDescriptors, StorageUnavailable):
        raise
    except StorageError as error:
        raise ConfigError(
            (f"data_dir: {error}; correct the rights, or move away what is in the way",)
        ) from error
    try:
        await _tidy_up(address)
        yield store
    finally:
        await store.close()


async def _tidy_up(address: Address) -> None:
    """Remove the parts of uploads that a crash left long ago; a service that cannot is no obstacle."""
    try:
        aborted = await asyncio.to_thread(abort_old, address)
    except StorageUnavailable as error:
        log.warning("unfinished uploads cannot be looked for: %s", error)
    else:
        if aborted:
            log.warning("removed the parts of %d uploads that were never finished", aborted)


async def _try_out(bucket: Bucket) -> None:
    """Write, read and list a little, and delete nothing that counts."""
    try:
        await bucket.put_new(MARK, b"")
    except ObjectExists:
        pass
    except ObjectMissing:
        raise Refused("the bucket cannot be written") from None
    await bucket.head(MARK)
    async for _ in bucket.listed("state"):
        break
    await bucket.delete(f"{MARK}.trial")
