"""Hash functions by their XEP-0300 names: which ones filebot can check, and how strong they are."""

import hashlib
from collections.abc import Callable
from typing import Final, Protocol


class Hasher(Protocol):
    """The part of :mod:`hashlib` objects that is used."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


KNOWN: Final[dict[str, Callable[[], Hasher]]] = {
    # Weakest first. XEP-0300 section 4 names; md5 only ever comes from SI (XEP-0096).
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha-1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
    "sha3-256": hashlib.sha3_256,
    "sha3-512": hashlib.sha3_512,
    "blake2b-256": lambda: hashlib.blake2b(digest_size=32),
    "blake2b-512": hashlib.blake2b,
}
