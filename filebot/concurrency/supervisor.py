"""Supervision of work that must go on as long as the bot does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0

_T = TypeVar("_T")


async def run_supervised(work: Callable[[], Awaitable[_T]], name: str) -> _T:
    """Run ``work``, again after each error, until it returns; return its result.

    Errors are logged with their traceback. The pause after an error doubles while errors follow each
    other soon.
    """
    loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
    while True:
        began = loop.time()
        try:
            return await work()
        except Exception:
            if loop.time() - began > LONGEST_PAUSE_S:
                pause_s = FIRST_PAUSE_S
            log.exception("%s failed; going on in %.0f s", name, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
