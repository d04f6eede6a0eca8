"""Work that goes on as long as the bot does, whatever comes up in it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0

_T = TypeVar("_T")


async def run_supervised(work: Callable[[], Awaitable[_T]], name: str) -> _T:
    """Do ``work``, and again after each error of it, until it returns; its result.

    Errors are logged with their traceback. After each one there is a pause, longer each time that one comes
    soon again.
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
