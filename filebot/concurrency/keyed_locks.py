"""One lock (or semaphore) for each key that is in use just now."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

L = TypeVar("L")


class KeyedLocks(Generic[L]):
    """Hands out the same object to all who ask for the same key at the same time; forgets unused ones."""

    def __init__(self, make: Callable[[], L]) -> None:
        self._make = make
        self._in_use: WeakValueDictionary[Hashable, L] = WeakValueDictionary()

    def __call__(self, key: Hashable) -> L:
        """The object of this key. It lives as long as somebody holds it."""
        found = self._in_use.get(key)
        if found is None:
            found = self._in_use[key] = self._make()
        return found
