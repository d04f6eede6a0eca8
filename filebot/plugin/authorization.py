"""Authorization of commands: their permission and place, checked before their functions run.

The services check again when they act: rights may be gone by then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from filebot.errors import NotAllowed, UserError, WrongPlace
from filebot.files.access import Access, FileAccessFactory, unknown
from filebot.files.selection import Selection
from filebot.model import BareJid, Entry, Sender
from filebot.plugin.arguments import Kind
from filebot.plugin.commands import Command
from filebot.plugin.permissions import Permission, Place
from filebot.ports import Rooms
from filebot.rooms.rights import RoomRights


class Authorization:
    """Checks who may use a command, and where."""

    def __init__(self, access: Access, rooms: Rooms, file_access: FileAccessFactory) -> None:
        self._access = access
        self._rooms = rooms
        self._file_access = file_access

    def at_present(self, sender: Sender) -> Sender:
        """Return somebody who spoke earlier with the rights of the moment.

        Whoever is denied by now, or is not in the room spoken in any more, has none.
        """
        room = sender.room
        is_there = room is None or any(
            self._rooms.room_role(room, each) is not None for each in sender.identities
        )
        if is_there and self._access.may_speak(sender):
            return sender
        return replace(sender, jid=None, room=None, occupant=None)

    def is_admin(self, sender: Sender) -> bool:
        """Whether the sender runs the bot."""
        return self._access.is_admin(sender.jid)

    def may_use(self, command: Command, sender: Sender) -> bool:
        """Whether the sender can use a command where they speak, with some arguments at least."""
        try:
            self.check(command, sender)
        except UserError:
            return False
        return True

    def check(self, command: Command, sender: Sender) -> None:
        """Raise WrongPlace or NotAllowed if the sender cannot use a command, whatever its arguments are."""
        if command.place is Place.ROOM and sender.room is None:
            raise WrongPlace(command=command.name, place=command.place.value)
        if command.place is Place.PRIVATE and sender.room is not None:
            raise WrongPlace(command=command.name, place=command.place.value)
        match command.permission:
            case Permission.EVERYONE:
                pass
            case Permission.SERVED:
                self._file_access(sender).own()
            case Permission.OWNER if not self._manages_here(sender):
                self._file_access(sender).own_here()
            case Permission.ADMIN if not self._access.is_admin(sender.jid):
                raise NotAllowed(reason="admin")
            case permission if permission.is_of_a_room and not _takes(command, Kind.ROOM):
                self._check_room(command, sender, sender.room)
            case _:
                pass

    def check_arguments(self, command: Command, sender: Sender, arguments: Mapping[str, object]) -> None:
        """Raise NotAllowed if the sender cannot use a command with these arguments."""
        if command.permission is Permission.OWNER:
            entries = list(_entries(arguments))
            for entry in entries:
                try:
                    self._file_access(sender).must_be_changeable(entry)
                except NotAllowed as error:
                    raise NotAllowed(reason=error.reason, file=entry.name * (len(entries) > 1)) from error
        elif command.permission.is_of_a_room:
            named = [
                arguments.get(each.name, each.default)
                for each in command.parameters
                if each.kind is Kind.ROOM
            ]
            rooms: list[str | None] = [room for room in named if isinstance(room, str)]
            for room in rooms or [sender.room]:
                self._check_room(command, sender, room)

    def _check_room(self, command: Command, sender: Sender, room: BareJid | None) -> None:
        if room is None:
            raise WrongPlace(command=command.name, place=Place.ROOM.value)
        if command.permission is Permission.ROOM_ADMIN:
            RoomRights(self._access, self._rooms, sender).managed(room)
        elif not self._access.is_admin(sender.jid):
            roles = (self._rooms.room_role(room, each) for each in sender.identities)
            if not any(role is not None and role.is_member for role in roles):
                raise NotAllowed(reason="member") if sender.identities else unknown(sender)

    def _manages_here(self, sender: Sender) -> bool:
        return sender.room is not None and self._access.manages(self._rooms, sender, sender.room)


def _takes(command: Command, kind: Kind) -> bool:
    return any(parameter.kind is kind for parameter in command.parameters)


def _entries(arguments: Mapping[str, object]) -> Iterator[Entry]:
    for value in arguments.values():
        if isinstance(value, Entry):
            yield value
        elif isinstance(value, Selection):
            yield from value.entries
