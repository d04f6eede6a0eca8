"""Checks of the functions that plugins declare. Mistakes are PluginErrors that say what to write."""

import inspect
from collections.abc import Callable

from filebot.errors import PluginError


def examine_coroutine(place: str, function: Callable[..., object]) -> None:
    """Raise PluginError if ``function`` is no coroutine function."""
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        raise PluginError(f"{place}: {name_of(function)} is no coroutine; write async def")


def examine_arguments(
    place: str, function: Callable[..., object], given: str, /, *values: object, **named: object
) -> None:
    """Raise PluginError if ``function`` does not take these arguments, which are called ``given``."""
    try:
        inspect.signature(function).bind(*values, **named)
    except TypeError as error:
        raise PluginError(f"{place}: {name_of(function)} is given {given}, but: {error}") from error


def name_of(function: Callable[..., object]) -> str:
    """Return how to call a function in an error."""
    return getattr(function, "__name__", repr(function))
