"""Messages as they were read, and positions in message archives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from filebot.model.files import Offer
from filebot.model.people import BareJid, Sender
from filebot.model.references import MessageIds, PostedMessage, Retraction

LONGEST_TEXT = 4000
"""Characters of the longest command or caption that is read."""


@dataclass(frozen=True, slots=True)
class ArchivePosition:
    """Cursor in a message archive (XEP-0313): the messages up to it are handled."""

    archive: BareJid
    """Address of the archive: the bot's own, or a room's."""
    last_id: str
    """Archive id of a message: it and all before it are handled. Empty if there was none yet."""
    at: datetime
    """Approximate time of that message, in UTC, from which to go on if the archive no longer has it."""
    ahead: frozenset[str] = frozenset()
    """Ids of later messages that are handled already, although some between are not."""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message stanza, read."""

    sender: Sender
    """The person who wrote it."""
    text: str
    """Text of the person, without the fallback text of its files and, except in a caption, without the
    prefix or the bot's nick."""
    offers: tuple[Offer, ...] = ()
    """Files that came with it."""
    language: str | None = None
    """``xml:lang``, where the client gave one."""
    replies_to: str = ""
    """Id of the message that it replies to (XEP-0461), as the client says; empty if it is no reply."""
    replies_to_bot: bool = False
    """Whether it names the bot as the author of that message."""
    replaces: str = ""
    """Id of the sender's message that it corrects (XEP-0308); empty if it is no correction."""
    ids: tuple[MessageIds, ...] = ()
    """Ids of the message, and of an earlier one that its files needed (XEP-0447)."""
    addressed: bool = True
    """Whether it is addressed to the bot: always in private; in a room only by prefix or nick."""
    maybe_handled: bool = False
    """Whether a run of the bot that was killed may have handled it: no command is carried out twice."""
    delayed_since: datetime | None = None
    """Time of sending, if a server delayed the message (XEP-0203); in UTC."""
    wants_chat_states: bool = False
    """Whether the client asks for chat states (XEP-0085 5.1)."""
    by_bot: bool = False
    """Whether this bot or another filebot posted it: files that bots give back are nothing new."""
    mam_id: str | None = None
    """Id of the message in its archive, unlike any id in another archive; None if it is in none."""
    left_out: int = 0
    """Number of characters cut from the end of a text that was too long."""

    @property
    def posted(self) -> PostedMessage | None:
        """The message as one that can be taken back; None if nobody can show to be its author."""
        author = self.sender.author
        if author is None or not self.ids:
            return None
        return PostedMessage(self.sender.address.conversation, author, self.ids)

    @property
    def files(self) -> tuple[Offer, ...]:
        """Its offers, each with this message as the one that brought it."""
        return tuple(replace(each, message=self.posted) for each in self.offers)


@dataclass(frozen=True, slots=True)
class EncryptedMessage:
    """Message or file in a form that the bot cannot read."""

    sender: Sender
    device: str
    """The sender's OMEMO device; empty for other kinds of encryption."""
    language: str | None


def left_of(
    posts: Sequence[IncomingMessage], retractions: Sequence[Retraction]
) -> tuple[IncomingMessage, ...]:
    """Return the messages that nobody took back who could."""
    return tuple(post for post in posts if not any(_is_of(each, post) for each in retractions))


def _is_of(retraction: Retraction, post: IncomingMessage) -> bool:
    ids = set(retraction.message_ids)
    if any(each.given in ids for each in post.ids):
        return retraction.by_room or retraction.sender.author == post.sender.author is not None
    if retraction.by_room or not any(ids & set(each.own) for each in post.ids):
        return False
    return retraction.sender.author == post.sender.author is not None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Page of a room's message archive, oldest message first."""

    posts: tuple[IncomingMessage, ...]
    """Messages with files whose authors the room identifies; ``delayed_since`` is the time of each."""
    messages: int
    """Number of messages on the page, with or without files."""
    last_id: str
    """Id after which the next page begins."""
    complete: bool
    """Whether it is the last page."""
    at: datetime | None
    """Time of the last message, in UTC; None if there are none."""
    retractions: tuple[Retraction, ...] = ()
    """Messages of earlier pages, or of any time, that were taken back; those of this page are left out."""
