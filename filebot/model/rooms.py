"""Rooms that the bot is in: their settings and the imports of their history."""

from dataclasses import dataclass, field
from datetime import datetime

from filebot.model.people import Address, BareJid, Identity


@dataclass(frozen=True, slots=True)
class RememberedRoom:
    """A room that the bot was told to be in, beside those of the config."""

    jid: BareJid
    password: str = field(default="", repr=False)
    """Empty if the room asks for none."""
    invited_by: BareJid | None = None
    """Person whose invitation brought the bot there; None if an operator did."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Invitation of the bot to a room, vouched for by a trusted server."""

    room: BareJid
    inviter: BareJid | None
    """None if the room hides the inviter."""
    password: str = field(default="", repr=False)
    """Empty if the room asks for none."""
    mediated_for: str = ""
    """Inviter as the room knows them, in an invitation through the room, which passes on a refusal
    (XEP-0045 sections 7.8.2 and 7.8.3); empty in one directly from the inviter (XEP-0249)."""
    language: str | None = None
    """``xml:lang`` of a direct one."""
    own: str = field(default="", compare=False)
    """The address that a direct one was sent to; see :class:`Address`."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Settings of a room, made by its admins."""

    archive: bool = False
    """Auto-archive: keep posted files unasked, except those of people who opted out."""
    announce: bool = False
    """Announce new files to the room, a few at a time."""
    members_only: bool = False
    """Give files to members of the room only, not to everybody present."""
    max_size: int | None = None
    """Largest file in bytes, if that is less than the bot's own limit."""
    retention_days: int | None = None
    """Days after which a file is removed; None for never."""


@dataclass(frozen=True, slots=True)
class HistoryImport:
    """Import of the files that were posted in a room earlier, with its progress."""

    room: BareJid
    asker: Identity
    address: Address
    """Destination of the messages to the asker."""
    language: str | None
    since: datetime
    """Beginning of the imported time, in UTC; ``until`` is its end."""
    until: datetime
    last_id: str = ""
    """Archive id of the last message that is done; empty at the beginning."""
    messages: int = 0
    """Number of messages looked at."""
    kept: int = 0
    """Number of files stored that were not there before."""
    failed: int = 0
    """Number of files that are gone, too large, or cannot be had for another reason."""
