"""In which rooms the bot is beside those of the config, for whose sake, and what holds in a room: as one
person may say.

The catalog is the one place where rooms are remembered. Bookmarks on the server (XEP-0402) would be a
second one: a component has none, every client of the account could change them, and they are not in the
backup that has the rooms' files.
"""

from dataclasses import dataclass, replace

from filebot.errors import FilebotError, NoHistory, NoSuchRoom, NotAllowed, RoomConfigured
from filebot.files.access import unknown
from filebot.model import (
    BareJid,
    HistoryImport,
    Invitation,
    RememberedRoom,
    RoomSettings,
    Sender,
    StorageUsage,
)
from filebot.services import Services


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room as its people see it."""

    room: BareJid
    settings: RoomSettings
    usage: StorageUsage
    history_import: HistoryImport | None
    """Its history is being gone through."""


class RoomAccess:
    """The bot's rooms, as one sender may see and change them."""

    def __init__(self, services: Services, sender: Sender) -> None:
        self._services = services
        self._rooms = services.ports.rooms
        self._catalog = services.ports.catalog
        self._sender = sender

    @property
    def prefix(self) -> str:
        """The signs before a command in a room, beside the bot's name."""
        return self._rooms.prefix

    # --- coming and going -----------------------------------------------------------------------

    async def join(self, target: str, password: str = "") -> BareJid:
        """Enter a room and stay there; returns its address.

        An admin of the bot vouches by this for the room's service, see ``Rooms.join``. From anybody else it
        is an invitation. Raises NotAllowed, NoSuchRoom, RoomClosed or StorageError; the bot is not in the
        room then.
        """
        room = self._meant(target)
        if not self._services.access.is_admin(self._sender.jid):
            return await self._be_invited(room, password)
        return await self._enter(room, password, None)

    async def accept(self, invitation: Invitation) -> BareJid:
        """Follow an invitation of the sender's; returns the room's address.

        Raises NotAllowed, RoomClosed or StorageError; the bot is not in the room then.
        """
        return await self._be_invited(invitation.room, invitation.password)

    async def leave(self, target: str) -> BareJid:
        """Leave a room for good; its files stay, its archive is off. For those who run the bot, who invited
        it, and the room's owners and admins.

        Raises NotAllowed, NoSuchRoom, RoomConfigured or StorageError.
        """
        room = self._meant(target)
        known = await self._remembered(room)
        if not self._may_send_away(room, known):
            raise NotAllowed(reason="leave")
        if room in self._rooms.configured():
            raise RoomConfigured(room)
        if known is None and room not in self._rooms.joined():
            raise NoSuchRoom(target)
        await self._services.room_settings.stop_archiving(room)
        await self._catalog.forget_room(room)
        await self._rooms.leave(room)
        return room

    # --- for the people of a room ---------------------------------------------------------------

    async def state(self, target: str = "") -> RoomState:
        """What holds in a room where the sender is; in the one spoken in, if none is named.

        Raises NoSuchRoom, NotAllowed or StorageError.
        """
        return await self._state(self._visible(await self._named(target)))

    async def change(self, target: str, setting: str) -> tuple[RoomState, RoomState]:
        """Change a setting, for those who manage the room; the room as it was, and as it is now.

        Raises NoSuchRoom, NotAllowed, BadRoomSetting or StorageError.
        """
        room = self._managed(await self._named(target))
        before, after = await self._services.room_settings.change(
            room, setting, lambda: self._managed(room)
        )
        state = await self._state(room)
        return replace(state, settings=before), replace(state, settings=after)

    async def import_history(self, days: int, language: str) -> HistoryImport:
        """Look for files posted in the room spoken in, up to so many days ago, in the background.

        For those who manage the room. Raises NoSuchRoom, NotAllowed, NoHistory or StorageError.
        """
        return await self._services.history_importer.begin(
            self._sender, self._managed(await self._named("")), language, days
        )

    async def stop_looking_back(self) -> HistoryImport:
        """Stop that for good; how far it has come. Raises as :meth:`look_back`."""
        room = self._managed(await self._named(""))
        history_import = await self._services.history_importer.stop(room)
        if history_import is None:
            raise NoHistory(room, reason="idle")
        return history_import

    async def _state(self, room: BareJid) -> RoomState:
        return RoomState(
            room,
            self._services.room_settings.of(room),
            await self._services.quota.room_usage(room),
            self._services.history_importer.state(room),
        )

    # --- what is behind it ----------------------------------------------------------------------

    async def _be_invited(self, room: BareJid, password: str) -> BareJid:
        inviter = self._sender.jid
        if inviter is None:
            raise unknown(self._sender)
        if not self._services.access.may_invite(inviter):
            raise NotAllowed(reason="admin")
        if room in self._rooms.joined():
            return room
        return await self._enter(room, password, inviter)

    async def _enter(self, room: BareJid, password: str, inviter: BareJid | None) -> BareJid:
        entered = await self._rooms.join(room, password, inviter)
        if room not in self._rooms.configured():
            try:
                await self._catalog.remember_room(entered)
            except FilebotError:
                await self._rooms.leave(room)
                raise
        return room

    async def _remembered(self, room: BareJid) -> RememberedRoom | None:
        return next((each for each in await self._catalog.rooms() if each.jid == room), None)

    def _may_send_away(self, room: BareJid, known: RememberedRoom | None) -> bool:
        access = self._services.access
        if access.is_admin(self._sender.jid) or access.manages(self._rooms, self._sender, room):
            return True
        inviter = None if known is None else known.invited_by
        return inviter is not None and inviter == self._sender.jid and not access.is_denied(inviter)

    def _meant(self, target: str) -> BareJid:
        room = self._rooms.address_in(target)
        if room is None:
            raise NoSuchRoom(target)
        return room

    async def _named(self, target: str) -> BareJid:
        """Return the room with this address, or the one spoken in if the address is empty."""
        room = await self._rooms.joined_room(target) if target else self._sender.room
        if room is None:
            raise NoSuchRoom(target)
        return room

    def _visible(self, room: BareJid) -> BareJid:
        """Return the room if the sender is in it too; others are none of the sender's business."""
        if self._sender.room == room or self._services.access.is_admin(self._sender.jid):
            return room
        if not any(self._rooms.room_role(room, each) for each in self._sender.identities):
            raise NoSuchRoom(room)
        return room

    def _managed(self, room: BareJid) -> BareJid:
        self._visible(room)
        access = self._services.access
        if not access.is_admin(self._sender.jid) and not access.manages(self._rooms, self._sender, room):
            if self._sender.identities:
                raise NotAllowed(reason="room")
            if self._sender.claimed is None:
                raise NotAllowed(reason="unseen")
            raise unknown(self._sender)
        return room
