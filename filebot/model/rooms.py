"""Rooms: where the bot is, its settings there, and imports of their history."""

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
    """Whose invitation brought the bot there; None if those who run it did."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody wants the bot in a room, as far as a server that is believed vouches for it."""

    room: BareJid
    inviter: BareJid | None
    """None where the room hides who it is."""
    password: str = field(default="", repr=False)
    """Empty if the room asks for none."""
    mediated_for: str = ""
    """As whom the room knows the inviter, if it came through the room, which passes on a refusal (XEP-0045
    sections 7.8.2 and 7.8.3); empty if it came from the inviter (XEP-0249)."""
    language: str | None = None
    """``xml:lang`` of a direct one."""
    own: str = field(default="", compare=False)
    """The address that a direct one was sent to; see :class:`Address`."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What the admins of a room want there."""

    archive: bool = False
    """Keep what people post there without being asked, as far as they do not mind."""
    announce: bool = False
    """Tell the room which files are new, a few at a time."""
    members_only: bool = False
    """Files are for members of the room, not for everybody present."""
    max_size: int | None = None
    """The largest file, in bytes, if that is less than what the bot takes."""
    retention_days: int | None = None
    """After so many days a file goes; None for never."""


@dataclass(frozen=True, slots=True)
class HistoryImport:
    """Going through what was posted in a room before its archive was on: how far it is, and for whom."""

    room: BareJid
    asker: Identity
    address: Address
    """Where the asker is told."""
    language: str | None
    since: datetime
    """Nothing older is looked at, in UTC; nothing newer than ``until``, either."""
    until: datetime
    last_id: str = ""
    """Up to which all is done; empty at the beginning."""
    messages: int = 0
    """Looked at."""
    kept: int = 0
    """Files that were not there before."""
    failed: int = 0
    """Files that are gone, too large, or otherwise not to be had."""
