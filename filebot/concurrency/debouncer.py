"""Debouncing: one action for many signals that come soon after one another."""

import asyncio
from contextlib import suppress
from math import inf


class Debouncer:
    """Signal that is acted on when it has been quiet for a while, or at the latest so long after the first.

    One task awaits :meth:`settled` again and again, and acts each time it returns. Signals that come while
    it acts lead to one more action.
    """

    def __init__(self, quiet_s: float, latest_s: float = inf) -> None:
        """Wait until no signal came for ``quiet_s``, but at most ``latest_s`` after the first one.

        With equal times that is so long after the first signal, whatever follows it.
        """
        self._quiet_s = quiet_s
        self._latest_s = latest_s
        self._first_s = self._last_s = 0.0
        self._signalled = asyncio.Event()

    @property
    def is_signalled(self) -> bool:
        """Whether a signal waits to be acted on."""
        return self._signalled.is_set()

    def signal(self) -> None:
        """Note a signal."""
        self._last_s = asyncio.get_running_loop().time()
        if not self._signalled.is_set():
            self._first_s = self._last_s
            self._signalled.set()

    async def settled(self, within_s: float | None = None) -> bool:
        """Wait until there is something to act on, and forget it; False if no signal came within a time.

        A cancelled wait forgets nothing.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._signalled.wait()
        if not self._signalled.is_set():
            return False
        while (wait_s := self._due_s() - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110  # signals move the moment
            await asyncio.sleep(wait_s)
        self._signalled.clear()
        return True

    def _due_s(self) -> float:
        return min(self._last_s + self._quiet_s, self._first_s + self._latest_s)
