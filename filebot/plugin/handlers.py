"""Calls of plugins' functions: their names, limits and errors, and which are under way."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from filebot.concurrency.bounded_call import call_bounded
from filebot.errors import PluginError
from filebot.failures import Origin, blame, blamed, report

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

MOST_NESTED: Final = 16
"""Calls of plugins that lead to one another: a listener may change what it listens to, and a line about a
file ask for all lines about it."""

_nested: Final[ContextVar[int]] = ContextVar("_nested", default=0)


def named(plugin: str, hook: str) -> str:
    """Return the name of the task in which a function of a plugin runs, or of a backend, without one."""
    return f"{hook} of plugin {plugin}" if plugin else hook


async def called(function: Awaitable[T], origin: Origin) -> T:
    """Await a function of a plugin; what would end more than that is an error of it.

    Errors are noted as those of ``origin``. Raises PluginError for a cancellation that is the plugin's own
    doing, for its ``sys.exit()``, and for an error that cannot be told.
    """
    with blamed(origin):
        return await _contained(function)


async def _contained(function: Awaitable[T]) -> T:
    try:
        return await function
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise PluginError("a plugin's function was cancelled by itself") from None
    except SystemExit:
        raise PluginError("a plugin's function wanted to end the bot") from None
    except Exception as error:
        if not _has_text(error):
            raise PluginError(f"{type(error).__name__}, an error that has no text") from None
        raise


def _has_text(error: Exception) -> bool:
    try:
        str(error)
    except Exception:  # noqa: BLE001 - its text is made by the plugin
        return False
    return True


def computing(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function of a plugin that is called in a task of the bot, which it must not end.

    It raises PluginError where the plugin's function would end more than itself.
    """

    @wraps(function)
    def compute(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (SystemExit, GeneratorExit, asyncio.CancelledError) as error:
            raise PluginError(f"a plugin's function raised {type(error).__name__}") from None

    return compute


async def call_limited(
    function: Awaitable[T], origin: Origin, limit_s: float | None = None, *, about: str = ""
) -> T:
    """Await a function of a plugin in a task of its own, for at most ``limit_s``.

    ``about`` says in the name of the task what the function is called for. Errors are noted as those of
    ``origin``. Raises TimeLimitExceeded, and PluginError as :func:`called` or if too many calls have led to
    this one.
    """
    name = named(origin.plugin, origin.hook) + about
    with blamed(origin):
        nested = _nested.get()
        if nested >= MOST_NESTED:
            if isinstance(function, Coroutine):
                function.close()
            raise PluginError(
                f"{name} is not called: {MOST_NESTED} calls have led to it; does it call itself?"
            )
        token = _nested.set(nested + 1)
        try:
            return await call_bounded(called(function, origin), name, limit_s)
        finally:
            _nested.reset(token)


def examine_nothing(returned: object, origin: Origin) -> None:
    """Log that a function returned something, where nobody is given that."""
    if returned is not None:
        kind = type(returned).__name__
        mistake = PluginError(f"it returned {kind}, which nobody is given; to answer, await ctx.reply(...)")
        report(blame(mistake, origin), with_traceback=False)


class CallsUnderWay:
    """Count of the calls of each plugin's functions that have not ended."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._ended = asyncio.Event()

    @contextmanager
    def counted(self, plugin: str) -> Iterator[None]:
        """Count a call while the block runs."""
        self.begin(plugin)
        try:
            yield
        finally:
            self.end(plugin)

    def begin(self, plugin: str) -> None:
        """Count one more call, until :meth:`end`."""
        self._counts[plugin] += 1

    def end(self, plugin: str) -> None:
        """Count one less."""
        self._counts[plugin] -= 1
        if not self._counts[plugin]:
            del self._counts[plugin]
            self._ended.set()

    async def idle(self, plugins: Collection[str], limit_s: float) -> Collection[str]:
        """Wait until no call of these plugins is under way, for at most ``limit_s``.

        Return those that have one all the same.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._counts.keys() & set(plugins):
                    self._ended.clear()
                    await self._ended.wait()
        return sorted(self._counts.keys() & set(plugins))
