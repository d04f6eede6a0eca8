"""Words to people: sending messages, and the languages that people chose."""

from typing import Final, Protocol

from filebot.model import Address, Entry, Identity, MessageRef

MOST_LANGUAGES_OF_ROOM: Final = 1000


class Languages(Protocol):
    """Languages that people chose for replies. Keeps and raises as :class:`Catalog`."""

    async def language(self, person: Identity) -> str | None:
        """The language that this person chose."""

    async def set_language(self, person: Identity, language: str | None) -> None:
        """Remember a choice, or with None that there is none.

        Of those whom nothing but a room tells apart, at most ``MOST_LANGUAGES_OF_ROOM`` of each room are
        remembered: a room's service can make up any number. Whose first choice is the oldest makes way.
        """


class Messenger(Protocol):
    """Says things to addresses. Returns when the stanza is handed to the stream, which delivers it or,
    under stream management, keeps it for the next connection. Never raises for a peer's sake.
    """

    async def say(
        self,
        to: Address,
        text: str,
        *,
        language: str | None = None,
        replaces: str | None = None,
        answers: MessageRef | None = None,
    ) -> str:
        """Say something and return an id for it.

        A long text goes in several messages, and the id is that of the last one; a correction is cut to
        one. ``replaces`` corrects what has that id (XEP-0308); ``answers`` is what it replies to
        (XEP-0461).
        What is said to a room waits its turn if there is too much of it, and until the bot is back if it is
        out of the room; after ten minutes it is given up.
        """

    async def shows_corrections(self, to: Address) -> bool:
        """Whether every client of the person that is online shows a correction in place."""

    async def send_file(self, to: Address, entry: Entry, url: str) -> None:
        """A message that every client shows as a file (XEP-0066, 0447, 0385)."""

    async def composing(self, to: Address, active: bool) -> None:
        """Show, or stop showing, that an answer is being worked on (XEP-0085)."""
