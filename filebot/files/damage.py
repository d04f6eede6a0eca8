"""Stored bytes that are lost or damaged: whether they are, and which file it is for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from filebot.errors import BlobCorrupt
from filebot.model import Digest, Entry
from filebot.ports import BlobStore


@contextmanager
def naming(entry: Entry) -> Iterator[None]:
    """Let a BlobCorrupt of this entry's bytes say which file it is."""
    try:
        yield
    except BlobCorrupt as error:
        raise BlobCorrupt(str(error), name=entry.name) from error


async def is_whole(store: BlobStore, digest: Digest) -> bool:
    """Whether a blob is there and undamaged. Raises StorageError where that cannot be told."""
    try:
        await store.verify(digest)
    except BlobCorrupt:
        return False
    return True
