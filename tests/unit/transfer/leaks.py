"""Nothing may be left: no task, no file descriptor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")


def descriptors() -> set[str]:
    """Return the kernel's names of the sockets and files that the process has open."""
    found = set()
    for entry in _DESCRIPTORS.iterdir():
        try:
            found.add(str(entry.readlink()))
        except FileNotFoundError:  # the one of the listing itself
            continue
    return found


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Check that the block leaves no socket, file or task behind."""
    await asyncio.sleep(0)
    files, tasks = descriptors(), asyncio.all_tasks()
    yield
    for _ in range(3):  # what has been cancelled may run its clean-up
        await asyncio.sleep(0)
    assert asyncio.all_tasks() - tasks - {asyncio.current_task()} == set()
    assert descriptors() - files == set()
