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
_POOLS: Final = ("filebot-", "asyncio_")
"""Beginnings of the names of threads in which blocking work is done."""

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
    Threads.end_all()
    until = time.monotonic() + THREADS_LIMIT_S
    busy = [each for each in threading.enumerate() if each.name.startswith(_POOLS)]
    for thread in busy:
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            log.error("%s does not end; the process ends without it", thread.name)
    if _left or any(each.is_alive() for each in busy):
        logging.shutdown()
        os._exit(code)  # the interpreter would wait for them
    sys.exit(code)
