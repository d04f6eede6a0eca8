"""Messages as a chat shows them, in words that are the same for every client."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Kind(StrEnum):
    """Form in which a message is shown."""

    TEXT = "text"
    LINK = "link"
    """URL, once and without other words."""
    PICTURE = "picture"
    CARD = "card"


@dataclass(frozen=True)
class Shown:
    """Message of a contact as a chat shows it."""

    kind: Kind
    text: str
    """Words of a text; name of the file otherwise."""


@dataclass(frozen=True)
class Contact:
    """Contact as the client knows it."""

    name: str
    has_avatar: bool
    chat_state: str | None
    """Its last state (XEP-0085)."""


class Chat(Protocol):
    """Client that shows a chat."""

    async def ask_for(self, jid: str, text: str) -> None:
        """Write a message."""

    async def give(self, jid: str, paths: Sequence[Path]) -> None:
        """Send files, at once if the client lets its user do that."""

    async def shown(self, jid: str) -> list[Shown]:
        """Return what the chat shows of a contact's messages, the oldest first."""

    async def contact(self, jid: str) -> Contact: ...

    async def picture(self, path: Path) -> Path:
        """Write what the whole window shows as PNG, and return the path."""
