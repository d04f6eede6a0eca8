"""Several ways to the same thing, begun one after the other; the first to succeed wins."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import TypeVar

from filebot.errors import PeerGone, TransferError

T = TypeVar("T")

Attempt = Callable[[], Coroutine[None, None, T]]


async def first_to_succeed(
    attempts: Iterable[Attempt[T]], *, stagger_s: float, discard: Callable[[T], object]
) -> T:
    """The result of the winner; all others are cancelled, and what they made is discarded.

    The next attempt begins after ``stagger_s``, or as soon as one has failed. An attempt fails with a
    TransferError; anything else is raised at once. Raises an ExceptionGroup when all have failed.
    """
    running: list[asyncio.Task[T]] = []
    try:
        winner = await _winner(iter(attempts), running, stagger_s)
    except BaseException:
        await _end(running, discard)
        raise
    try:
        await _end(running, discard)
    except BaseException:
        discard(winner)
        raise
    return winner


async def _winner(queue: Iterator[Attempt[T]], running: list[asyncio.Task[T]], stagger_s: float) -> T:
    failures: list[TransferError] = []
    while True:
        upcoming = next(queue, None)
        if upcoming is not None:
            running.append(asyncio.create_task(upcoming()))
        elif not running:
            raise ExceptionGroup("every attempt failed", failures or [PeerGone("nothing to try")])
        limit_s = None if upcoming is None else stagger_s
        done, _ = await asyncio.wait(running, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        for task in [task for task in running if task in done]:
            running.remove(task)
            try:
                return task.result()
            except TransferError as error:
                failures.append(error)


async def _end(losers: list[asyncio.Task[T]], discard: Callable[[T], object]) -> None:
    for task in losers:
        # In a callback: whatever happens to us meanwhile, nothing stays open.
        task.add_done_callback(partial(_throw_away, discard))
        task.cancel()
    if losers:
        await asyncio.wait(losers)


def _throw_away(discard: Callable[[T], object], task: asyncio.Task[T]) -> None:
    if not task.cancelled() and task.exception() is None:
        discard(task.result())
