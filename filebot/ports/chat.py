"""Words to people: sending messages, and the languages that people chose."""

from typing import Final, Protocol

from filebot.model import Address, Entry, Identity, MessageRef

MOST_LANGUAGES_OF_ROOM: Final = 1000


class Languages(Protocol):
    """Languages that people chose for replies. Keeps and raises as :class:`Catalog`."""

    async def language(self, person: Identity) -> str | None:
        """Return the language that this person chose, or None."""

    async def set_language(self, person: Identity, language: str | None) -> None:
        """Keep a person's choice; None removes it.

        Of people known only by an occupant id of a room, at most ``MOST_LANGUAGES_OF_ROOM`` of each room
        are kept, as a room's service can make up any number. The person who chose first is dropped first.
        """


class Messenger(Protocol):
    """Sender of messages.

    Its methods return when the stanza is handed to the stream, which delivers it or, under stream
    management, keeps it for the next connection. They never raise for a peer's sake.
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
        """Send a text and return the id of its message.

        A long text goes in several messages, of which the last one's id is returned; a correction is cut
        to one. ``replaces`` is the id of a message to correct (XEP-0308), ``answers`` the message that this
        one replies to (XEP-0461). Messages to a room are rate-limited, and wait while the bot is out of the
        room; after ten minutes they are given up.
        """

    async def shows_corrections(self, to: Address) -> bool:
        """Tell whether every client of the person that is online shows a correction in place."""

    async def send_file(self, to: Address, entry: Entry, url: str) -> str:
        """Send a link so that every client shows it as a file (XEP-0066, 0447, 0385).

        Returns the id of its message; empty if none could be sent.
        """

    async def react(self, to: Address, message_id: str, emoji: str) -> None:
        """Attach an emoji to a message that came from there (XEP-0444), named by its ``spoken_id``."""

    async def composing(self, to: Address, active: bool) -> None:
        """Show, or stop showing, that the bot is composing an answer (XEP-0085): then it is active."""
