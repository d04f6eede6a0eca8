"""Loading of a plugin that may never end, and the line where one is or failed."""

import os
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import filebot
from filebot.errors import PluginError
from filebot.plugin import Plugin

LIMIT_S: Final = 30.0
"""Time in which the module of a plugin has run."""

Place = tuple[str, int]
"""File and line."""

T = TypeVar("T")

_OWN: Final = f"{Path(filebot.__file__).parent}{os.sep}"
_NOT_OF_PLUGINS: Final = (
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib")),
    _OWN,
    "<frozen",
)


def load_bounded(load: Callable[[], Plugin[Any]], limit_s: float = LIMIT_S) -> Plugin[Any]:
    """Load a plugin. Raises whatever its module raises, and PluginError if that takes too long."""
    return call_bounded(load, "its module", limit_s)


def call_bounded(function: Callable[[], T], what: str, limit_s: float) -> T:
    """Return what a function returns, or raise what it raises, and PluginError if it takes too long.

    Its thread is left behind then; it does not keep the process from ending.
    """
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    thread = threading.Thread(target=run, name="plugin-load", daemon=True)
    thread.start()
    thread.join(limit_s)
    if failed:
        raise failed[0]
    if found:
        return found[0]
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - as faulthandler does
    at = None if frame is None else _last(traceback.extract_stack(frame))
    place = "" if at is None else f"; it is at {at[0]}, line {at[1]}"
    raise PluginError(f"{what} did not end within {limit_s:g} s{place}")


def told_at(place: Place | None, text: str) -> str:
    """Return a text with the place that it is about, unless it names that itself."""
    if place is None or f"{place[0]}, line " in text:
        return text
    return f"{place[0]}, line {place[1]}: {text}"


def place_of(error: BaseException) -> Place | None:
    """Return the line of a plugin in which an error was raised, or None."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return error.filename, error.lineno
    return _last(traceback.extract_tb(error.__traceback__))


def _last(frames: Iterable[traceback.FrameSummary]) -> Place | None:
    """Return the last place that is neither Python's nor filebot's."""
    own = [each for each in frames if not each.filename.startswith(_NOT_OF_PLUGINS)]
    # Packages of others are below the folder of the standard library.
    libraries = sysconfig.get_path("purelib")
    others = [each for each in frames if not each.filename.startswith(_OWN)]
    own = own or [each for each in others if each.filename.startswith(libraries)]
    return (own[-1].filename, own[-1].lineno or 1) if own else None
