"""Names for authors of backends: what factories are given, what they return, and what that raises."""

from filebot.errors import BlobCorrupt, LocalProtocolError, NoDescriptors, StorageError, StorageFull
from filebot.model import BlobRef, Digest, FileKind
from filebot.ports import BackendServices, BlobStore, BlobWriter, Data, Inspector, Scanner
from filebot.protocol.hashes import KNOWN as HASHES

__all__ = [
    "HASHES",
    "BackendServices",
    "BlobCorrupt",
    "BlobRef",
    "BlobStore",
    "BlobWriter",
    "Data",
    "Digest",
    "FileKind",
    "Inspector",
    "LocalProtocolError",
    "NoDescriptors",
    "Scanner",
    "StorageError",
    "StorageFull",
]
