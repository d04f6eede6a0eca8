"""Rooms that the bot is in: their settings and the imports of their history."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from filebot.model.people import Address, BareJid, Identity

JsonValue = str | int | float | bool | list["JsonValue"] | dict[str, "JsonValue"] | None
"""Value that JSON can say."""


@dataclass(frozen=True, slots=True)
class RememberedRoom:
    """A room that the bot was told to be in, beside those of the config."""

    jid: BareJid
    password: str = field(default="", repr=False)
    """Empty if the room asks for none."""
    invited_by: BareJid | None = None
    """Person whose invitation brought the bot there; None if an operator did."""


@dataclass(frozen=True, slots=True)
class ProvenOccupant:
    """Person who has shown which occupant of a room they are, where the room hides their address."""

    person: BareJid
    room: BareJid
    occupant: Identity
    proven_at: datetime
    """In UTC."""


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


class SettingKey(NamedTuple):
    """Name of a room setting, within its plugin."""

    plugin: str
    """Empty for the settings of the core."""
    name: str


@dataclass(frozen=True, slots=True)
class SavedRoomSetting:
    """A setting of a room, as it is kept."""

    room: BareJid
    key: SettingKey
    value: JsonValue
    consent: bool = False
    """True for a setting that needs the consent of everybody in the room."""


@dataclass(frozen=True, slots=True)
class HistoryImport:
    """Import of the files that were posted in a room earlier, with its progress."""

    room: BareJid
    """Address of the room."""
    asker: Identity
    """Identity of the person who began it."""
    address: Address
    """Destination of the messages to the asker."""
    language: str | None
    """The language of their request."""
    since: datetime
    """Beginning of the imported time, in UTC."""
    until: datetime
    """End of the imported time, in UTC."""
    last_id: str = ""
    """Archive id of the last message that is done; empty at the beginning."""
    messages: int = 0
    """Number of messages looked at."""
    kept: int = 0
    """Number of files stored that were not there before."""
    failed: int = 0
    """Number of files that are gone, too large, or cannot be had for another reason."""
