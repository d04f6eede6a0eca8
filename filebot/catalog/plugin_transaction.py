"""Transaction of a plugin, and the time that it has."""

import time
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from filebot.errors import PluginError

LIMIT_S: Final = 5.0
"""Time of one function with a transaction: others wait for it."""


class Deadline:
    """End of the time of one call."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._until_s = time.monotonic() + LIMIT_S

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._until_s

    def error(self) -> PluginError:
        return PluginError(f"plugin {self._plugin!r} took over {LIMIT_S:g} s in ctx.db")

    def examine(self) -> None:
        """Raise PluginError if the time is over."""
        if self.is_over:
            raise self.error()


class SqlTransaction:
    """Transaction as plugins are given it: they execute statements, and cannot end it."""

    def __init__(self, connection: sa.Connection, examine_time: Callable[[], None]) -> None:
        """``examine_time`` raises PluginError if the time is over."""
        self._connection = connection
        self._examine_time = examine_time

    def execute(self, *arguments: Any, **options: Any) -> sa.CursorResult[Any]:
        """Do as SQLAlchemy's ``Connection``; likewise the others."""
        self._examine_time()
        return self._connection.execute(*arguments, **options)

    def scalar(self, *arguments: Any, **options: Any) -> Any:
        self._examine_time()
        return self._connection.scalar(*arguments, **options)

    def scalars(self, *arguments: Any, **options: Any) -> sa.ScalarResult[Any]:
        self._examine_time()
        return self._connection.scalars(*arguments, **options)
