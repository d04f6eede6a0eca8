"""Something for each key that was asked for lately, and for no more than so many."""

from collections.abc import Callable
from typing import TypeVar

from cachetools import LRUCache

K = TypeVar("K")
V = TypeVar("V")


class DefaultLRUCache(LRUCache[K, V]):
    """Makes what it lacks when it is asked for it; what nobody has asked for the longest is forgotten."""

    def __init__(self, most: int, make: Callable[[], V]) -> None:
        super().__init__(most)
        self._make = make

    def __missing__(self, key: K) -> V:
        made = self[key] = self._make()
        return made
