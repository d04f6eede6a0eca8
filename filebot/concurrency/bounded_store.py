"""Memory that is bounded in bytes: how much a value takes, and a store that forgets its oldest values."""

import sys
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 500
"""Rough size of the store's own bookkeeping for an entry."""


def weight(value: object) -> int:
    """Return the bytes of memory that a value takes, with its contents; shared parts count each time.

    For values without cycles: texts, numbers, and dataclasses, mappings and sequences of such.
    """
    size = sys.getsizeof(value)
    if isinstance(value, str | bytes | int | float | None):
        return size
    if is_dataclass(value) and not isinstance(value, type):
        return size + sum(weight(getattr(value, each.name)) for each in fields(value))
    if isinstance(value, Mapping):
        return size + sum(weight(key) + weight(each) for key, each in value.items())
    if isinstance(value, tuple | list | set | frozenset):
        return size + sum(map(weight, value))
    return size


@dataclass(frozen=True, slots=True)
class Share:
    """Common bound for the entries of one person, of one room, or of all."""

    name: Hashable
    most_bytes: int
    most_entries: int


class ByteBounded(Generic[K, V]):
    """Store of values, each of which counts in some shares.

    Where a share has more than its bound, its oldest entries are forgotten. A value that is larger than one
    of its shares is not kept at all.
    """

    def __init__(self) -> None:
        self._entries: dict[K, tuple[V, int, tuple[Share, ...]]] = {}
        self._of: dict[Hashable, OrderedDict[K, None]] = {}
        self._bytes: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def total_bytes(self) -> int:
        """Memory that all entries take."""
        return sum(size for _, size, _ in self._entries.values())

    def get(self, key: K) -> V | None:
        """Return the value, or None if it was forgotten."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V, shares: Sequence[Share]) -> bool:
        """Keep a value as the newest, in place of the one under its key; return whether it fits."""
        self.pop(key)
        size = ENTRY_BYTES + weight(key) + weight(value)
        if any(size > each.most_bytes for each in shares):
            return False
        self._entries[key] = value, size, tuple(shares)
        for each in shares:
            self._of.setdefault(each.name, OrderedDict())[key] = None
            self._bytes[each.name] = self._bytes.get(each.name, 0) + size
        for each in shares:
            while self._bytes[each.name] > each.most_bytes or len(self._of[each.name]) > each.most_entries:
                self.pop(next(iter(self._of[each.name])))
        return True

    def pop(self, key: K) -> V | None:
        """Forget an entry, and return its value."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        value, size, shares = entry
        for each in shares:
            del self._of[each.name][key]
            self._bytes[each.name] -= size
            if not self._of[each.name]:
                del self._of[each.name], self._bytes[each.name]
        return value
