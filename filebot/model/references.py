"""Messages by their ids, and what later messages say of them."""

from dataclasses import dataclass

from filebot.model.people import Address, Identity, Sender


@dataclass(frozen=True, slots=True)
class MessageIds:
    """Ids by which later messages refer to one."""

    given: str = ""
    """The id that its room gave it (XEP-0359); empty in private, and in rooms that give none."""
    own: tuple[str, ...] = ()
    """Ids that its client gave it: the stanza's ``id`` and the origin-ids. Others may use the same."""

    def __add__(self, other: "MessageIds") -> "MessageIds":
        """Return the ids of both, of which one has an id by the room."""
        return MessageIds(self.given or other.given, tuple(dict.fromkeys((*self.own, *other.own))))


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """Message that brings files, and who wrote it: nobody else may take it back or correct it."""

    where: Address
    """Conversation that it is in."""
    author: Identity
    """In a room the occupant-id, if the room has such, else the verified JID."""
    ids: tuple[MessageIds, ...]
    """Ids of the message; of a file that needed two messages, those of both."""


@dataclass(frozen=True, slots=True)
class FileMessage:
    """Message that brought a file or showed it."""

    place: str
    """Hash of the conversation that it is in."""
    key: str
    """Hash of one of its ids: a client may give it a long one."""
    entry_id: int
    message: str
    """The first such hash of the same message."""
    author: str = ""
    """Hash of who wrote it, if it brought the file; empty if it showed the file."""


@dataclass(frozen=True, slots=True)
class Retraction:
    """Word that a message is taken back: by its author (XEP-0424) or by a room's moderators (XEP-0425)."""

    sender: Sender
    """The author; for a moderation the room itself."""
    message_ids: tuple[str, ...]
    """Ids of the message, as the author or the room names it."""
    by_room: bool = False
    """Whether the room itself says so, for one of its moderators or out of its archive."""
    is_moderation: bool = False
    """Whether a moderator did it."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """Emoji that somebody attached to a message (XEP-0444)."""

    sender: Sender
    message_id: str
    """Id of the message; in a room the one that the room gave it."""
    emoji: tuple[str, ...]
    """All reactions of the sender to it, from now on."""
    language: str | None = None
