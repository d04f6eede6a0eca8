"""Functions of plugins in processes of their own, a few at the same time."""

from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple, cast

from filebot.concurrency.bounded_call import not_counted
from filebot.concurrency.isolated import Limits, call_isolated
from filebot.concurrency.locks import FairSemaphore, Shares

Ts = TypeVarTuple("Ts")
R = TypeVar("R")

PROCESSES: Final = FairSemaphore(Shares(total=4, per_person=2))
"""Places of processes, of all plugins and of one."""


async def run_isolated(plugin: str, function: Callable[[*Ts], R], args: tuple[*Ts], limits: Limits) -> R:
    """Call a function for a plugin as soon as one of its places is free."""
    with not_counted():  # it has its own
        async with PROCESSES.held(plugin):
            return cast("R", await call_isolated(function, args, limits))
