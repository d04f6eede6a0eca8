"""Errors about stored bytes get the name that people know them by."""

from collections.abc import Iterator
from contextlib import contextmanager

from filebot.errors import BlobCorrupt
from filebot.model import Entry


@contextmanager
def naming(entry: Entry) -> Iterator[None]:
    """Let a BlobCorrupt of this entry's bytes say which file it is."""
    try:
        yield
    except BlobCorrupt as error:
        raise BlobCorrupt(str(error), name=entry.name) from error
