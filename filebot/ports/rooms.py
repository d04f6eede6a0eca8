"""Rooms: in the catalog, on the server, and their history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from filebot.model import (
    BareJid,
    Digest,
    HistoryImport,
    HistoryPage,
    Identity,
    Invitation,
    RememberedRoom,
    RoomRole,
    RoomSettings,
)

MOST_UNWANTED_OF_ROOM: Final = 10_000


class RoomStore(Protocol):
    """Rooms: where the bot is to be, their settings, and the wishes of their people.

    Keeps and raises as :class:`Catalog`.
    """

    async def rooms(self) -> list[RememberedRoom]:
        """All of them, in the order of their addresses."""

    async def remember_room(self, room: RememberedRoom) -> None:
        """Keep it, in place of what was known of the same address."""

    async def forget_room(self, jid: BareJid) -> None:
        """One that is not known is not an error."""

    async def room_settings(self) -> Mapping[BareJid, RoomSettings]:
        """Those of all rooms of which some were saved."""

    async def save_room_settings(self, room: BareJid, settings: RoomSettings) -> None: ...

    async def has_opted_out(self, room: BareJid, who: Identity) -> bool:
        """Whether this person wants nothing kept unasked in this room."""

    async def set_opted_out(self, room: BareJid, who: Identity, *, out: bool) -> None: ...

    async def count_opted_out(self, room: BareJid) -> int:
        """How many want nothing kept unasked in this room."""

    async def is_unwanted(self, room: BareJid, digest: Digest) -> bool:
        """Whether these bytes came from somebody who wants nothing kept unasked in this room."""

    async def add_unwanted(self, room: BareJid, digest: Digest, who: Identity) -> None:
        """Remember that they came from this person: of each room the last ``MOST_UNWANTED_OF_ROOM``."""

    async def forget_unwanted(self, room: BareJid, who: Identity) -> None:
        """The person does not mind any more."""

    async def history_imports(self) -> list[HistoryImport]:
        """All that are under way, in the order of the rooms."""

    async def save_history_import(self, history_import: HistoryImport) -> None:
        """Keep it, in place of what was known of the same room."""

    async def forget_history_import(self, room: BareJid) -> None:
        """One that is not known is not an error."""

    async def clear_room(self, room: BareJid) -> None:
        """Forget the room's settings, the wishes of its people, the languages of those whom only the room
        tells apart, and the import of its history.
        """


class Rooms(Protocol):
    """The rooms that the bot is in, as the server describes them."""

    @property
    def prefix(self) -> str:
        """The signs before a command there, beside the bot's name."""

    def joined(self) -> frozenset[BareJid]: ...

    def configured(self) -> frozenset[BareJid]:
        """Those that the operator wrote into the config."""

    def address_in(self, target: str) -> BareJid | None:
        """The address of a room in what people write, such as ``xmpp:team@muc.example.org?join``."""

    async def join(self, room: BareJid, password: str, invited_by: BareJid | None = None) -> RememberedRoom:
        """Be in this room from now on, in later sessions as well; ``password`` may be empty.

        ``invited_by`` is for whose sake; None for those who run the bot. They vouch for the room's service:
        only then, or if it is the bot's own server's, are the real JIDs that it shows believed. Where the
        bot is, or wants to be, for somebody's sake already, nobody but those who run it takes that over.

        Returns when the bot is in it, which takes seconds, with what is to be remembered; if it is in
        already, a password of those who run it is for the next time. Raises CannotEnterRoom, and tries no
        more then unless it wanted to be there before.
        """

    async def leave(self, room: BareJid) -> None:
        """Leave it, and do not come back. A room that the bot is not in is not an error."""

    def decline(self, invitation: Invitation, words: str) -> None:
        """Have a mediated invitation's room tell the inviter why the bot does not come."""

    def room_role(self, room: BareJid, who: Identity) -> RoomRole | None:
        """What somebody may do in a room; None if the room does not show them among those present.

        It is as the room says it at this moment (XEP-0045 sections 5 and 7.2.3): ask when acting, not when
        somebody speaks. With several clients in it, a person has the least that one of them has.
        """

    async def show_archiving(self, room: BareJid, *, is_on: bool) -> None:
        """Let the bot's presence there say, now and in later sessions, whether it keeps what is posted."""

    def has_voice(self, room: BareJid) -> bool:
        """Whether the bot may speak to everybody there (XEP-0045 section 5.1)."""

    def tells_apart(self, room: BareJid) -> bool:
        """Whether the room gives its occupants ids: later, they tell who posted what (XEP-0421)."""

    async def joined_room(self, target: str) -> BareJid | None:
        """Return the joined room with this address, or None.

        Waits some seconds for a room that the bot is just entering, as it is after each start.
        """


class Histories(Protocol):
    """What was said in rooms before, as they keep it."""

    async def page(self, room: BareJid, after: str, since: datetime | None) -> HistoryPage:
        """The messages after this id, or from this moment on; some dozens at most, and fewer large ones.

        What the bot posted, or another filebot, is not among the posts.

        One page of a room is read at a time. Raises NoHistory, TransferTimeout if nothing is answered, or
        PeerGone if the bot is not in the room.
        """
