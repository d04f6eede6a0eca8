"""Locks or semaphores by key, kept while they are in use."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

L = TypeVar("L")


class KeyedLocks(Generic[L]):
    """Factory that gives all users of a key the same object at the same time."""

    def __init__(self, make: Callable[[], L]) -> None:
        self._make = make
        self._in_use: WeakValueDictionary[Hashable, L] = WeakValueDictionary()

    def __call__(self, key: Hashable) -> L:
        """Return the object of this key. It lives as long as somebody holds it."""
        found = self._in_use.get(key)
        if found is None:
            found = self._in_use[key] = self._make()
        return found
