"""Replies that are shown in a form, not said in the chat."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from filebot.model import Entry, Sender

MOST_CAPTURED: Final = 16_000
"""Characters of the replies to one step of a form; what is beyond is said in the chat."""
MOST_ROWS: Final = 50

_CAPTURED: Final[ContextVar["CapturedReplies | None"]] = ContextVar("_CAPTURED", default=None)


class CapturedReplies:
    """Replies to one person while a command of theirs is carried out for a form."""

    def __init__(self, sender: Sender) -> None:
        self.texts: list[str] = []
        self.errors = 0
        """How many of the texts tell of an error."""
        self.entries: Sequence[Entry] = ()
        """Files that were listed last."""
        self._person = sender.rate_key
        self._room = sender.room
        self._left = MOST_CAPTURED
        self._is_over = False

    @property
    def text(self) -> str:
        """All that was replied."""
        return "\n\n".join(self.texts)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Capture what is replied while the block runs, also in tasks that it begins.

        What such tasks reply later is said in the chat.
        """
        token = _CAPTURED.set(self)
        try:
            yield
        finally:
            self.end()
            _CAPTURED.reset(token)

    def end(self) -> None:
        """Have what is replied from now on said in the chat: nobody looks at the form any more."""
        self._is_over = True

    def take(self, sender: Sender, text: str, template: str, values: Mapping[str, object]) -> bool:
        """Keep a reply to somebody; return False if it is to be said in the chat."""
        meant = sender.rate_key == self._person and sender.room == self._room
        if self._is_over or not meant or len(text) > self._left:
            return False
        self._left -= len(text)
        self.texts.append(text)
        self.errors += template.startswith("errors/") or isinstance(values.get("error"), Exception)
        entries = values.get("entries")
        if isinstance(entries, list | tuple) and all(isinstance(each, Entry) for each in entries):
            self.entries = entries[:MOST_ROWS]
        return True


def captured(sender: Sender, text: str, template: str, values: Mapping[str, object]) -> bool:
    """Return whether a reply was captured for a form that is being filled in."""
    replies = _CAPTURED.get()
    return replies is not None and replies.take(sender, text, template, values)
