"""The process: an event loop that can be left, and an end that nothing holds up."""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Coroutine
from typing import Any, Final, NoReturn, TypeVar

from filebot.concurrency.tasks import Threads, end

T = TypeVar("T")

log = logging.getLogger(__name__)

THREADS_LIMIT_S: Final = 5.0
"""Time that blocking work in threads, and open async generators, have to end when the process does."""
POLL_S: Final = 0.01
_LOOPS_OWN: Final = "asyncio_"
"""Beginning of the names of the threads of a loop's own pool, which end with their loop."""

_left: Final[set[asyncio.Task[Any]]] = set()
"""Tasks that did not end. Freed, they would go on without a loop, perhaps for ever."""


def run_to_end(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine as ``asyncio.run`` does, but wait for nothing that ignores its cancellation."""
    runner = asyncio.Runner()
    try:
        return runner.run(main)
    finally:
        loop = runner.get_loop()
        if left := asyncio.all_tasks(loop):
            loop.run_until_complete(end(left))
        _left.update(asyncio.all_tasks(loop))
        generators = loop.create_task(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.wait((generators,), timeout=THREADS_LIMIT_S))
        loop.close()  # waits for no thread; see leave()


def leave(code: int) -> NoReturn:
    """End the process with this exit code, also if a task or a thread is left that never ends."""
    until = time.monotonic() + THREADS_LIMIT_S
    while (busy := _busy_threads()) and time.monotonic() < until:
        time.sleep(POLL_S)
    for thread in busy:
        log.error("%s does not end; the process ends without it", thread.name)
    if _left or busy:
        logging.shutdown()
        os._exit(code)  # the interpreter would wait for them
    sys.exit(code)


def _busy_threads() -> list[threading.Thread]:
    """Return the threads in which blocking work is done just now."""
    own = [each for each in threading.enumerate() if each.name.startswith(_LOOPS_OWN)]
    return sorted([*Threads.busy(), *own], key=lambda each: each.name)
