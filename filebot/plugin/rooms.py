"""Rooms of the bot as one sender sees them: the API of plugins over the room services."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from filebot.errors import NoHistory, NoSuchRoom, NotAllowed, RoomConfigured
from filebot.files.access import Access
from filebot.files.quota import Quota
from filebot.files.retractions import Retractions
from filebot.model import BareJid, HistoryPage, Identity, Invitation, Sender, StorageUsage
from filebot.ports import Histories, Rooms
from filebot.rooms.membership import Membership
from filebot.rooms.rights import RoomRights
from filebot.rooms.setting_types import RoomSetting
from filebot.rooms.settings import RoomSettingsStore, ShownSetting

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class RoomServices:
    """Services behind :class:`RoomAccess`."""

    access: Access
    rooms: Rooms
    membership: Membership
    settings: RoomSettingsStore
    quota: Quota
    histories: Histories
    retractions: Retractions
    nick_of: Callable[[BareJid, Identity], str]


class RoomSettingValues(dict[str, Any]):
    """Values of a room's settings that are in force, by the names that people type."""


@dataclass(frozen=True, slots=True)
class RoomLine:
    """Line that a plugin adds to the state of a room."""

    template: str
    """Template that shows the ``value``."""
    value: object


LinesOf = Callable[[Sender, BareJid], Awaitable[Sequence[RoomLine]]]
"""Function that returns what plugins add to the state of a room, for whoever asks."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """State of a room, for its occupants."""

    room: BareJid
    settings: RoomSettingValues
    shown: Sequence[ShownSetting]
    """The settings in the order in which people see them, each with the template that shows it."""
    usage: StorageUsage
    lines: Sequence[RoomLine] = ()
    """Lines that plugins add to these."""


class RoomAccess:
    """The bot's rooms, as one sender may see and change them."""

    def __init__(self, services: RoomServices, sender: Sender, lines_of: LinesOf | None = None) -> None:
        self._lines_of = lines_of
        self._rooms = services.rooms
        self._membership = services.membership
        self._settings = services.settings
        self._quota = services.quota
        self._histories = services.histories
        self._retractions = services.retractions
        self._nick_of = services.nick_of
        self._rights = RoomRights(services.access, services.rooms, sender)
        self._sender = sender

    @property
    def prefix(self) -> str:
        """Prefix of commands in rooms, such as ``!``."""
        return self._rooms.prefix

    def nick(self, room: BareJid) -> str:
        """Return the bot's nick in a room that it is in, by which people call it there."""
        return self._rooms.nick_in(room)

    # --- coming and going -----------------------------------------------------------------------

    async def join(self, target: str, password: str = "") -> BareJid:
        """Enter a room and stay there; return its address.

        If an admin of the bot asks for it, the bot trusts the room's service from then on. From anybody
        else it is an invitation. Raises NotAllowed, NoSuchRoom, CannotEnterRoom or StorageError; the bot is
        not in the room then.
        """
        room = self._meant(target)
        if not self._rights.is_admin:
            return await self._be_invited(room, password)
        return await self._membership.enter(room, password, None)

    async def accept(self, invitation: Invitation) -> BareJid:
        """Accept an invitation of the sender's; return the room's address.

        Raises NotAllowed, CannotEnterRoom or StorageError; the bot is not in the room then.
        """
        return await self._be_invited(invitation.room, invitation.password)

    async def leave(self, target: str) -> BareJid:
        """Leave a room for good; its files stay, and settings that need consent are switched off.

        Allowed for admins of the bot, the inviter, and the room's owners and admins. Raises NotAllowed,
        NoSuchRoom, RoomConfigured or StorageError.
        """
        room = self._meant(target)
        known = await self._membership.remembered(room)
        if not self._rights.may_send_away(room, None if known is None else known.invited_by):
            raise NotAllowed(reason="leave")
        if self._membership.is_configured(room):
            raise RoomConfigured(room)
        if known is None and not self._membership.is_in(room):
            raise NoSuchRoom(target)
        await self._membership.leave(room)
        return room

    # --- for the people of a room ---------------------------------------------------------------

    async def visible(self, target: str) -> BareJid:
        """Return the room of this name or address that both the bot and the sender are in.

        Raises NoSuchRoom.
        """
        return self._rights.visible(await self._named(target))

    async def state(self, target: str = "") -> RoomState:
        """Return the state of a room that the sender is in; by default the room spoken in.

        Raises NoSuchRoom, NotAllowed or StorageError.
        """
        return await self._state(self._rights.visible(await self._named(target)))

    async def change(self, target: str, setting: str) -> tuple[RoomState, RoomState]:
        """Change a setting of a room that the sender manages; return its state before and after.

        Raises NoSuchRoom, NotAllowed, BadRoomSetting or StorageError.
        """
        room = self._rights.managed(await self._named(target))
        before, after = await self._settings.change(room, setting, lambda: self._rights.managed(room))
        state = await self._state(room)
        return replace(state, settings=RoomSettingValues(before)), replace(
            state, settings=RoomSettingValues(after)
        )

    def setting(self, setting: RoomSetting[V], room: BareJid | None = None) -> V:
        """Return the value of a setting of your plugin in a room, or in the one spoken in.

        Outside of rooms it is the default.
        """
        room = room or self._sender.room
        value: V = setting.default if room is None else self._settings.get(room, setting.key)
        return value

    def rooms_with(self, setting: RoomSetting[Any]) -> Sequence[BareJid]:
        """Return the rooms where a setting of your plugin has a value that is neither None nor off."""
        return self._settings.rooms_with(setting.key)

    def is_members_only(self, room: BareJid | None = None) -> bool:
        """Tell whether only members may see the files of a room, or of the one spoken in.

        Then do not speak of them to everybody there.
        """
        room = room or self._sender.room
        return room is not None and self._settings.is_members_only(room)

    def own_nick(self, room: BareJid) -> str:
        """Return the sender's nick in a room, for display alone; empty if they are not there."""
        nicks = (self._nick_of(room, each) for each in sorted(self._sender.identities))
        return next(filter(None, nicks), "")

    async def managed(self, target: str = "") -> BareJid:
        """Return the room of this address, or the one spoken in, if the sender is an owner or admin of it.

        Raises NoSuchRoom or NotAllowed.
        """
        return self._rights.managed(await self._named(target))

    def is_in(self, room: BareJid) -> bool:
        """Tell whether the bot is in a room just now.

        What is said in a room that the bot is out of waits for it, for minutes: in a job rather raise an
        error, to be called again later.
        """
        return self._membership.is_in(room)

    async def history(
        self,
        room: BareJid,
        *,
        under: RoomSetting[bool],
        after: str = "",
        since: datetime | None = None,
    ) -> HistoryPage:
        """Return a page of the files that were posted in a room: after the message with the id ``after``,
        or since a moment.

        Only while the setting ``under``, which needs consent, is on there. ``last_id`` of the page is where
        the next one begins. What came by messages that were taken back is left out of it, and removed if it
        was kept before. Raises NoHistory, TransferError if there is no answer just now, or StorageError.
        """
        if self._settings.get(room, under.key) is not True:
            raise NoHistory(room, reason="off")
        if self.is_in(room) and not self._rooms.tells_apart(room):
            raise NoHistory(room, reason="ids")
        page = await self._histories.page(room, after, since)
        for each in page.retractions:
            await self._retractions.take_back(each)
        return page

    # --- parts ----------------------------------------------------------------------------------

    async def _state(self, room: BareJid) -> RoomState:
        usage = await self._quota.room_usage(room)
        return RoomState(
            room,
            RoomSettingValues(self._settings.of(room)),
            self._settings.shown(room),
            usage,
            await self._lines_of(self._sender, room) if self._lines_of else (),
        )

    async def _be_invited(self, room: BareJid, password: str) -> BareJid:
        inviter = self._rights.inviter()
        if self._membership.is_in(room):
            return room
        return await self._membership.enter(room, password, inviter)

    def _meant(self, target: str) -> BareJid:
        room = self._rooms.address_in(target)
        if room is None:
            raise NoSuchRoom(target)
        return room

    async def _named(self, target: str) -> BareJid:
        """Return the joined room with this address; the room spoken in if it is empty."""
        room = await self._rooms.joined_room(target) if target else self._sender.room
        if room is None:
            raise NoSuchRoom(target)
        return room
