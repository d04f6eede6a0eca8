"""The disk as a backend: blobs in the data folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filebot.errors import ConfigError, NoDescriptors, StorageError, StorageFull
from filebot.ports import BackendServices, BlobStore
from filebot.storage.disk import DiskStore


@asynccontextmanager
async def disk(services: BackendServices) -> AsyncIterator[BlobStore]:
    """Open the store of ``disk:``. Raises ConfigError, NoDescriptors or StorageFull."""
    if services.url.partition(":")[2]:
        raise ConfigError(('store.url: "disk:" takes no place; files are kept in data_dir',))
    try:
        store = await DiskStore.open(services.data_dir)
    except (StorageFull, NoDescriptors):
        raise
    except StorageError as error:
        reason = f"data_dir: {error}; correct the rights, or move away what is in the way"
        raise ConfigError((reason,)) from error
    try:
        yield store
    finally:
        await store.close()
