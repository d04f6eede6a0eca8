"""LRU caches that make what they lack."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K")
V = TypeVar("V")


class DefaultLRUCache(LRUCache[K, V]):
    """LRU cache that creates missing values with a factory."""

    def __init__(self, most: int, make: Callable[[], V]) -> None:
        super().__init__(most)
        self._make = make

    def __missing__(self, key: K) -> V:
        made = self[key] = self._make()
        return made


class ContentCache(Generic[V]):
    """LRU cache of values that are made of nothing but their keys: texts, or the content of files.

    It holds keys of ``most_bytes`` together. What is made of one is assumed to be about as large.
    """

    def __init__(self, most_bytes: int) -> None:
        self._made: LRUCache[Hashable, tuple[V, int]] = LRUCache(most_bytes, lambda made: made[1])

    def get(self, content: str | bytes, make: Callable[[], V], *beside: Hashable) -> V:
        """Return what is made of this content, and of what is ``beside`` it.

        What ``make`` raises is not kept.
        """
        key = (content, *beside)
        found = self._made.get(key)
        if found is None:
            found = make(), len(content)
            if found[1] <= self._made.maxsize:
                self._made[key] = found
        return found[0]
