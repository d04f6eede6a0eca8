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
        token = _RUN.set(self)
        try:
            yield
        finally:
            _RUN.reset(token)
            self.is_running = False


_RUN: Final[ContextVar[CommandRun | None]] = ContextVar("_RUN", default=None)


def note_effect(event: Event) -> None:
    """Note what a command did by an event that tells of it."""
    run = _RUN.get()
    if run is None:
        return
    is_sent = isinstance(event, _SENT) and event.to.conversation != event.sender.address.conversation
    if is_sent or isinstance(event, _DONE):
        run.is_final = True
