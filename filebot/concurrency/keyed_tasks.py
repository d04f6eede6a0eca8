"""Background tasks by key, with one owner: at most one for each key."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from filebot.concurrency.tasks import end, log_failure

K = TypeVar("K", bound=Hashable)


class KeyedTasks(Generic[K]):
    """Running tasks, one for each key; the caller bounds the keys. What tasks raise is logged."""

    def __init__(self) -> None:
        self._running: dict[K, asyncio.Task[None]] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, key: K) -> bool:
        return key in self._running

    def start(
        self,
        key: K,
        work: Coroutine[Any, Any, None],
        name: str,
        *,
        then: Callable[[], object] = lambda: None,
    ) -> bool:
        """Run ``work`` in the background; return False, without running it, if the key has a task already,
        or after :meth:`close`.

        ``then`` is called as soon as it has ended, however it did; the key is free by then.
        """
        if self._closed or key in self._running:
            work.close()
            return False
        task = asyncio.get_running_loop().create_task(self._run(key, work, then), name=name)
        self._running[key] = task
        task.add_done_callback(partial(self._done, key, work, then))
        return True

    async def stop(self, key: K) -> bool:
        """Cancel the task of a key and wait for its clean-up; return whether there was one."""
        task = self._running.get(key)
        if task is None:
            return False
        await end([task])
        return True

    async def idle(self) -> None:
        """Wait until no task is running."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def close(self) -> None:
        """Cancel all, wait for their clean-up, and start nothing more."""
        self._closed = True
        await end(self._running.values())

    async def _run(self, key: K, work: Coroutine[Any, Any, None], then: Callable[[], object]) -> None:
        try:
            await work
        finally:
            # At once, not when the loop calls back: what is asked for in between needs a task of its own.
            del self._running[key]
            then()

    def _done(
        self, key: K, work: Coroutine[Any, Any, None], then: Callable[[], object], task: asyncio.Task[None]
    ) -> None:
        if self._running.get(key) is task:  # cancelled before it began
            work.close()
            del self._running[key]
            then()
        else:
            log_failure(task)
