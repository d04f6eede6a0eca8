"""LRU cache with a factory."""

from collections.abc import Callable
from typing import TypeVar

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
