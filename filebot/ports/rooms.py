"""Rooms: in the catalog, on the server, and their history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from filebot.model import (
    BareJid,
    HistoryPage,
    Identity,
    Invitation,
    ProvenOccupant,
    RememberedRoom,
    RoomRole,
    SavedRoomSetting,
)

MOST_PROVEN: Final = 5000
"""Pairs of a person and an occupant that are remembered, the latest ones."""


class RoomStore(Protocol):
    """Rooms that the bot is told to be in, and their settings.

    Keeps and raises as :class:`Catalog`.
    """

    async def rooms(self) -> list[RememberedRoom]:
        """Return all remembered rooms, in the order of their addresses."""

    async def remember_room(self, room: RememberedRoom) -> None:
        """Keep a room, in place of one of the same address."""

    async def forget_room(self, jid: BareJid) -> None:
        """Forget a room. An unknown one is not an error."""

    async def destroyed_rooms(self) -> list[BareJid]:
        """Return the rooms that are noted as destroyed, in the order of their addresses."""

    async def note_destroyed_room(self, room: BareJid) -> None:
        """Note that a room was destroyed, until :meth:`forget_destroyed_room`."""

    async def forget_destroyed_room(self, room: BareJid) -> None:
        """Forget a room, the position in its archive, and that it was destroyed; all of it at once."""

    async def room_settings(self) -> list[SavedRoomSetting]:
        """Return all settings of all rooms, in the order of rooms, plugins and names."""

    async def save_room_setting(self, setting: SavedRoomSetting) -> None:
        """Keep a setting, in place of the one of the same room and key."""

    async def clear_room(self, room: BareJid) -> None:
        """Forget the room's settings, the languages of those whom only the room tells apart, who its
        occupants have shown to be, which of its files were removed, and the values and rows that plugins
        have of the room, also while they are not loaded.
        """


class OccupantProofs(Protocol):
    """People who have shown which occupants they are. Keeps and raises as :class:`Catalog`."""

    async def all(self) -> Sequence[ProvenOccupant]:
        """Return all of them, the earliest first."""

    async def add(self, proven: ProvenOccupant) -> None:
        """Keep one, in place of one of the same person and room, with the latest ``MOST_PROVEN`` of all."""

    async def forget_person(self, person: BareJid) -> None:
        """Forget all of a person."""


class Rooms(Protocol):
    """Rooms that the bot is in, as the server describes them."""

    @property
    def prefix(self) -> str:
        """Characters before a command in a room, beside the bot's name."""

    def nick_in(self, room: BareJid) -> str:
        """Return the bot's nick in a room that it is in; it may be another than the configured one."""

    def joined(self) -> frozenset[BareJid]:
        """Return the rooms that the bot is in now."""

    def configured(self) -> frozenset[BareJid]:
        """Return the rooms that the operator wrote into the config."""

    def address_in(self, target: str) -> BareJid | None:
        """Read the address of a room as people write it, such as ``xmpp:team@muc.example.org?join``."""

    async def join(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> RememberedRoom:
        """Join a room and stay in it, in later sessions as well; ``password`` may be empty.

        ``invited_by`` is the inviter, or None for an operator. Operators vouch for the room's service: the
        real JIDs that a room shows are believed only if an operator had the bot join, or if the service is
        the bot's own server's. A room that the bot is in for an inviter can be taken over by an operator
        alone.

        Returns after some seconds, when the bot is in the room, with the values to be remembered. If it
        was in the room already, an operator's password is kept for the next time. Raises CannotEnterRoom;
        the bot then stops trying, unless it wanted to be there before.
        """

    async def leave(self, room: BareJid) -> None:
        """Leave a room for good. One that the bot is not in is not an error."""

    def decline(self, invitation: Invitation, words: str) -> None:
        """Decline a mediated invitation: its room passes ``words`` on to the inviter."""

    def room_role(self, room: BareJid, who: Identity) -> RoomRole | None:
        """Return somebody's role in a room; None if the room does not show them as present.

        It is the role at this moment (XEP-0045 sections 5 and 7.2.3): ask when acting, not when a message
        comes in. A person with several clients in the room has the least of their roles.
        """

    def nick_of(self, room: BareJid, who: Identity) -> str:
        """Return a nick that somebody has in a room now; empty if they are not there."""

    async def follow(self, room: BareJid, note: str) -> None:
        """Follow what is posted in a room, from now on and also what is posted while the bot is away; say
        so by ``note`` in its presence there. Without a note it follows the room no longer.
        """

    def has_voice(self, room: BareJid) -> bool:
        """Tell whether the bot may speak to everybody in a room (XEP-0045 section 5.1)."""

    def tells_apart(self, room: BareJid) -> bool:
        """Tell whether a room gives its occupants ids, by which authors are known later (XEP-0421)."""

    async def joined_room(self, target: str) -> BareJid | None:
        """Return the joined room with this address, or None.

        Waits some seconds for a room that the bot is just entering, as it is after each start.
        """


class Histories(Protocol):
    """Message archives of rooms."""

    async def page(self, room: BareJid, after: str, since: datetime | None) -> HistoryPage:
        """Return the messages after this id, or since this moment: some dozens, or fewer large ones.

        Posts of the bot or of another filebot are left out. One page of a room is read at a time. Raises
        NoHistory, TransferTimeout if nothing is answered, or PeerGone if the bot is not in the room.
        """
