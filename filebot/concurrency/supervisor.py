"""Supervision of work that must go on as long as the bot does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from filebot.concurrency.backoff import Backoff

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0

_T = TypeVar("_T")


async def run_supervised(work: Callable[[], Awaitable[_T]], name: str) -> _T:
    """Run ``work``, again after each error, until it returns; return its result.

    Errors are logged with their traceback. The pause after an error doubles while errors follow each
    other soon.
    """
    loop, backoff = asyncio.get_running_loop(), Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
    while True:
        began = loop.time()
        try:
            return await work()
        except Exception:
            if loop.time() - began > LONGEST_PAUSE_S:
                backoff.reset()
            pause_s = backoff.next_s()
            log.exception("%s failed; going on in %.0f s", name, pause_s)
        await asyncio.sleep(pause_s)
