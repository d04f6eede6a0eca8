"""Checks of the functions that plugins declare. Mistakes are PluginErrors that say what to write."""

import inspect
from collections.abc import Callable
from typing import Final

from filebot.errors import PluginError
from filebot.jobs.worker import LONGEST_LIMIT_S

_USUAL_NAMES: Final = {"context": "ctx", "it checks": "act"}


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
        name = name_of(function)
        wanted = ", ".join([*(_parameter(each) for each in given.partition(",")[0].split(" and ")), *named])
        raise PluginError(
            f"{place}: {name} is given {given}, but: {error}; write {name}({wanted})"
        ) from error


def _parameter(given: str) -> str:
    """Return how to call the parameter for "a context", for example."""
    noun = given.partition(" ")[2]
    return _USUAL_NAMES.get(noun, noun)


def place_of(what: str, plugin: str, function: Callable[..., object]) -> str:
    """Return what is declared, by which plugin and in which line, for the beginning of an error."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    line = "" if code is None else f" ({code.co_filename}, line {code.co_firstlineno})"
    return f"{what} of plugin {plugin!r}{line}"


def name_of(function: Callable[..., object]) -> str:
    """Return how to call a function in an error."""
    return getattr(function, "__name__", repr(function))


def examine_limit(place: str, limit_s: float) -> None:
    """Raise PluginError unless a function may have this limit."""
    if not 0 < limit_s <= LONGEST_LIMIT_S:
        raise PluginError(f"{place}: limit_s is {limit_s:g}; write seconds, {LONGEST_LIMIT_S:g} at most")
