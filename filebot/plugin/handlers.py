"""Calls of one function of a plugin: its name, and what of its doings counts as its error."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from filebot.errors import PluginError

T = TypeVar("T")


def named(plugin: str, hook: str) -> str:
    """Return the name of the task in which a function of a plugin runs."""
    return f"{hook} of plugin {plugin}"


async def called(function: Awaitable[T]) -> T:
    """Await a function of a plugin; what would end more than that is an error of it.

    Raises PluginError for a cancellation that is the plugin's own doing, and for its ``sys.exit()``.
    """
    try:
        return await function
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise PluginError("a plugin's function was cancelled by itself") from None
    except SystemExit:
        raise PluginError("a plugin's function wanted to end the bot") from None
