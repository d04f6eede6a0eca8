"""Facts in the past tense. Plugins listen to them with ``@plugin.on``; each names where its people are."""

from dataclasses import dataclass

from filebot.errors import FilebotError
from filebot.model import Address, Entry, Sender


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on behalf of somebody."""

    sender: Sender
    """Whose act it was; a handler's replies go to this person."""
    language: str | None
    """The language of the message behind it, if the client named one."""


@dataclass(frozen=True, slots=True)
class FileStored(Event):
    """Bytes and catalog row are on disk."""

    entry: Entry
    already_known: bool
    """The same bytes of the same owner were there before; ``entry`` is the old row."""


@dataclass(frozen=True, slots=True)
class FileRefused(Event):
    """A file was not kept; nothing of it is left."""

    name: str
    """The safe display name of what was offered."""
    error: FilebotError


@dataclass(frozen=True, slots=True)
class LinkNoticed(Event):
    """Somebody wrote a link that is not known to be a file of theirs; ``fetch`` would take it."""

    url: str


@dataclass(frozen=True, slots=True)
class FileSent(Event):
    """A file was delivered as far as its method can tell."""

    entry: Entry
    to: Address


@dataclass(frozen=True, slots=True)
class FileRemoved(Event):
    """A catalog row is gone; so are the bytes, unless another row needs them."""

    entry: Entry
