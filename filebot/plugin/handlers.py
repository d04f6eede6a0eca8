"""Calls of one function of a plugin: its name, and what of its doings counts as its error."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from filebot.errors import PluginError

T = TypeVar("T")

MOST_SHOWN: Final = 500
"""Characters of an error that a line of the log shows."""


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


def in_one_line(error: BaseException) -> str:
    """Return the text of an error, with its class unless that is PluginError."""
    try:
        text = " ".join(str(error).split())[:MOST_SHOWN]
    except Exception:  # noqa: BLE001 - an error of a plugin's own may have no text, either
        text = ""
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}".rstrip(": ")
