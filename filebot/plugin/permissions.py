"""Permissions, places and groups of commands, as their plugins declare them."""

from enum import Enum, unique


@unique
class Permission(Enum):
    """Group of people who may use a command. The bot's admins belong to each of them."""

    EVERYONE = "everyone"
    """Everybody whom the bot answers: people it serves, and everybody in its rooms."""
    SERVED = "served"
    """People for whom the bot keeps files."""
    OWNER = "owner"
    """Owners of the files named, and owners and admins of those files' room; of a command without files,
    everybody who can own files at that place."""
    ROOM_MEMBER = "room-member"
    """Members, admins and owners of the room."""
    ROOM_ADMIN = "room-admin"
    """Admins and owners of the room."""
    ADMIN = "admin"
    """Admins of the bot, who run it."""

    @property
    def is_of_a_room(self) -> bool:
        """Whether it depends on a room: the one named, or else the one spoken in."""
        return self in {Permission.ROOM_MEMBER, Permission.ROOM_ADMIN}


@unique
class Place(Enum):
    """Place where a command can be used. A private message through a room is at the room."""

    PRIVATE = "private"
    """A private chat."""
    ROOM = "room"
    """A room, or a private message through it."""
    BOTH = "both"
    """Both of them."""


@unique
class CommandGroup(Enum):
    """Group under which ``help all`` and the manual list a command."""

    FILES = "files"
    """Keeping, finding and changing files."""
    SHARING = "sharing"
    """Getting files back, and bringing them to others."""
    ROOMS = "rooms"
    """Group chats and their files."""
    TRANSFERS = "transfers"
    """Files on their way."""
    SETTINGS = "settings"
    """Settings, space and help."""
    MORE = "more"
    """Everything else."""
