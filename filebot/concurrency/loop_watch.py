"""Watch over the event loop: who holds everybody up is named in the log.

A thread asks the loop for a sign of life now and then. If none comes in time, it says which task runs, and
where; more than that nobody can do from outside.
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
"""Pause between two questions."""
LIMIT_S: Final = 3.0
"""Time after which the loop counts as held up."""
MOST_FRAMES: Final = 6
"""Places of the stack that are shown, the innermost first."""


@contextmanager
def watched_loop(limit_s: float = LIMIT_S) -> Iterator[None]:
    """Watch over the running event loop while the block runs. To be called in its thread."""
    over = threading.Event()
    watch = _Watch(asyncio.get_running_loop(), threading.get_ident(), over, limit_s)
    thread = threading.Thread(target=watch.run, name="loop-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


class _Watch:
    """Work of the watching thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, thread: int, over: threading.Event, limit_s: float
    ) -> None:
        self._loop = loop
        self._thread = thread
        self._over = over
        self._limit_s = limit_s

    def run(self) -> None:
        """Ask until it is over, or the loop is closed."""
        while not self._over.wait(min(EVERY_S, self._limit_s)):
            alive, asked_at = threading.Event(), time.monotonic()
            try:
                self._loop.call_soon_threadsafe(alive.set)
            except RuntimeError:  # closed
                return
            if alive.wait(self._limit_s) or self._over.is_set():
                continue
            log.error("%s holds everybody up: %s", self._running(), self._place())
            while not alive.wait(self._limit_s):
                if self._over.is_set():
                    return
            log.warning("everybody was held up for %.1f s", time.monotonic() - asked_at)

    def _running(self) -> str:
        task = asyncio.current_task(self._loop)
        return "a callback" if task is None else task.get_name()

    def _place(self) -> str:
        """Return the innermost places of the stack of the loop's thread."""
        frame: FrameType | None = sys._current_frames().get(self._thread)  # noqa: SLF001 - no other way
        places = list[str]()
        while frame is not None and len(places) < MOST_FRAMES:
            if frame.f_globals.get("__name__", "").startswith("asyncio."):
                break
            code = frame.f_code
            places.append(f"{code.co_filename}, line {frame.f_lineno}, in {code.co_name}")
            frame = frame.f_back
        return " < ".join(places) or "nowhere"
