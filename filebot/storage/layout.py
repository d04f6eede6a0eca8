"""Names and places in a data folder."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filebot.errors import BlobCorrupt
from filebot.model import Digest

BLOBS: Final = "blobs"
INCOMING: Final = "incoming"
PARTIAL: Final = "partial"
UNREFERENCED: Final = "unreferenced"
QUARANTINE: Final = "quarantine"

FOLDERS: Final = (BLOBS, INCOMING, PARTIAL, UNREFERENCED, QUARANTINE)

DIGEST: Final = re.compile(r"[0-9a-f]{64}")

SHARDS: Final = tuple(f"{number:02x}" for number in range(256))
"""Folders by the digest's first two digits, all made at the start: none is ever new at a commit."""


def place_in(blobs: Path, digest: Digest) -> Path:
    """Return where the blob of that digest lives. Raises BlobCorrupt if it is no digest at all."""
    if not DIGEST.fullmatch(digest):
        raise BlobCorrupt("not a digest")
    return blobs / digest[:2] / digest


def is_blob(name: str, shard: str) -> bool:
    """Tell whether a file of that name in that folder is a blob."""
    return name.startswith(shard) and DIGEST.fullmatch(name) is not None


def digests_in(shard: Path) -> list[Digest]:
    """Return the blobs in a folder of them. Raises OSError."""
    return [entry.name for entry in os.scandir(shard) if is_blob(entry.name, shard.name)]


def shards_of(prefix: str) -> Iterator[str]:
    """Return the folders with the blobs whose digests begin so."""
    return (shard for shard in SHARDS if shard.startswith(prefix[:2]))
