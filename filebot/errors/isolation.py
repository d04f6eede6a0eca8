"""Errors of functions that run in a process of their own."""

from typing import Literal

from filebot.errors.base import FilebotError

IsolationFailure = Literal["raised", "time", "memory", "output", "killed"]


class IsolatedError(FilebotError):
    """A function in a process of its own did not return.

    ``reason`` is ``raised``, ``time``, ``memory``, ``output`` (too many bytes, or no plain values) or
    ``killed`` (it ended without a word).
    """

    def __init__(self, function: str, reason: IsolationFailure, detail: str) -> None:
        super().__init__(f"{function} {detail}")
        self.reason = reason
