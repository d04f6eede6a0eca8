"""Questions of the reader of messages about rooms."""

from collections.abc import Container
from typing import Protocol
from xml.etree.ElementTree import Element

from filebot.model import BareJid, Occupant


class RoomLookup(Protocol):
    """Facts about rooms that tell who spoke, and whether that counts."""

    @property
    def addresses(self) -> Container[BareJid]:
        """Bare JIDs of the rooms that the bot is in, or wants to be in."""

    def nick_in(self, room: BareJid) -> str:
        """The bot's nick there now."""

    def occupant(self, room: BareJid, nick: str) -> Occupant:
        """Return the occupant with this nick; nobody while the bot is not in the room."""

    def author(self, room: BareJid, stanza: Element) -> Occupant | None:
        """Return the author of a message out of the room's archive; None if the room tells nobody apart."""

    def believes(self, room: BareJid) -> bool:
        """Whether what the room's service says of real JIDs counts, whether or not the bot is there."""

    def joined(self) -> frozenset[BareJid]: ...

    def gives_stanza_ids(self, room: BareJid) -> bool: ...

    def is_filebot(self, room: BareJid, nick: str) -> bool:
        """Whether who has this nick is a filebot, as far as its presence says it."""
