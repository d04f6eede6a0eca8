"""Effects of a command: whether it did what cannot be undone, for a correction that comes later."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from filebot.events.facts import (
    DeliveryQueued,
    DeliveryStarted,
    Event,
    FileDelivered,
    FileRemoved,
    FileRenamed,
    FileShared,
    OwnerChanged,
)

_DONE: Final = (FileRemoved, FileRenamed, FileShared, OwnerChanged)
_SENT: Final = (DeliveryQueued, DeliveryStarted, FileDelivered)


@dataclass(slots=True)
class CommandRun:
    """Command as it was carried out last, in one of its versions."""

    text: str
    is_running: bool = False
    is_final: bool = False
    """Whether something was removed, renamed, or sent to others."""

    @contextmanager
    def running(self, text: str) -> Iterator[None]:
        """Note the effects of what is done while the block runs, also in tasks that it begins."""
        self.text, self.is_running = text, True
        token = _RUNS.set((self,))
        try:
            yield
        finally:
            _RUNS.reset(token)
            self.is_running = False


_RUNS: Final[ContextVar[tuple[CommandRun, ...]]] = ContextVar("_RUNS", default=())


@contextmanager
def answering(asked_by: tuple[CommandRun, ...]) -> Iterator[None]:
    """Note the effects of what is done while the block runs also for what led to the question."""
    token = _RUNS.set((*_RUNS.get(), *asked_by))
    try:
        yield
    finally:
        _RUNS.reset(token)


def current_runs() -> tuple[CommandRun, ...]:
    """Return the commands that are carried out just now."""
    return _RUNS.get()


def note_effect(event: Event) -> None:
    """Note what a command did by an event that tells of it."""
    runs = _RUNS.get()
    if not runs:
        return
    is_sent = isinstance(event, _SENT) and event.to.conversation != event.sender.address.conversation
    if is_sent or isinstance(event, _DONE):
        for run in runs:
            run.is_final = True
