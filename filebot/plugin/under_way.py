"""Calls of plugins' functions that are under way, so that what these use is closed after them."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress


class CallsUnderWay:
    """Count of the calls of each plugin's functions that have not ended."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._ended = asyncio.Event()

    @contextmanager
    def counted(self, plugin: str) -> Iterator[None]:
        """Count a call while the block runs."""
        self.begin(plugin)
        try:
            yield
        finally:
            self.end(plugin)

    def begin(self, plugin: str) -> None:
        """Count one more call, until :meth:`end`."""
        self._counts[plugin] += 1

    def end(self, plugin: str) -> None:
        """Count one less."""
        self._counts[plugin] -= 1
        if not self._counts[plugin]:
            del self._counts[plugin]
            self._ended.set()

    async def idle(self, plugins: Collection[str], limit_s: float) -> Collection[str]:
        """Wait until no call of these plugins is under way, for at most ``limit_s``.

        Return those that have one all the same.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._counts.keys() & set(plugins):
                    self._ended.clear()
                    await self._ended.wait()
        return sorted(self._counts.keys() & set(plugins))
