"""Messages that brought or showed files, in the catalog."""

from collections.abc import Sequence
from typing import Final, Protocol

from filebot.model import FileMessage

MOST_FILE_MESSAGES: Final = 20_000
"""Pairs of a message and a file of it that are remembered, the latest. Each takes some hundred bytes."""
MOST_FILE_MESSAGES_OF_PLACE: Final = 4_000
"""Bound for one conversation, so that a busy room does not displace all others."""


class FileMessages(Protocol):
    """Pairs of a message and a file. Keeps and raises as :class:`Catalog`.

    Those of an entry go with it. Beyond the bounds the oldest are forgotten.
    """

    async def all(self) -> Sequence[FileMessage]:
        """Return all of them, the oldest first."""

    async def add(self, messages: Sequence[FileMessage]) -> None:
        """Keep these, each in place of the one of its message and entry. Those of no entry are left out."""

    async def forget(self, messages: Sequence[FileMessage]) -> None:
        """Forget these. Unknown ones are no error."""
