"""Nothing may be left: no task, no file descriptor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")


def open_sockets() -> set[str]:
    """What the process's sockets are called by the kernel."""
    found = set()
    for entry in _DESCRIPTORS.iterdir():
        try:
            found.add(str(entry.readlink()))
        except FileNotFoundError:  # the one of the listing itself
            continue
    return {name for name in found if name.startswith("socket:")}


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """What was begun inside has ended at the end, sockets and tasks."""
    await asyncio.sleep(0)
    sockets, tasks = open_sockets(), asyncio.all_tasks()
    yield
    for _ in range(3):  # what has been cancelled may run its clean-up
        await asyncio.sleep(0)
    assert asyncio.all_tasks() - tasks - {asyncio.current_task()} == set()
    assert open_sockets() - sockets == set()
