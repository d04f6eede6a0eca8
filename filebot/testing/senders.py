"""People who speak to a fake bot."""

from dataclasses import replace
from typing import Final

from filebot.model import Address, AddressKind, Sender

ALICE: Final = "alice@example.org"
BOB: Final = "bob@example.org"
ADMIN: Final = "admin@example.org"
ROOM: Final = "team@conference.example.org"


def in_room(
    jid: str | None = ALICE, nick: str = "alice", room: str = ROOM, occupant_id: str = ""
) -> Sender:
    """Return a sender who speaks to everybody in a room; ``jid`` None where the room hides it."""
    key = f"{room}/{occupant_id}" if occupant_id else None
    return Sender(Address(room, AddressKind.ROOM), jid, room, nick, key)


def through_room(
    jid: str | None = ALICE, nick: str = "alice", room: str = ROOM, occupant_id: str = ""
) -> Sender:
    """Return a sender who writes privately through a room."""
    sender = in_room(jid, nick, room, occupant_id)
    return replace(sender, address=Address(f"{room}/{nick}", AddressKind.ROOM_PRIVATE, sender.identity))


def sender_of(by: Sender | str, room: str | None) -> Sender:
    """Return a sender in a room, under the first part of their address as nick, or in a private chat."""
    if isinstance(by, Sender):
        return by
    return Sender(Address(by), by) if room is None else in_room(by, by.partition("@")[0], room)
