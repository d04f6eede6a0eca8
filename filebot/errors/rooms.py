"""Errors about rooms, their settings and their history."""

from collections.abc import Collection

from filebot.errors.base import UserError


class PostTooLarge(UserError):
    """Somebody's post in a room takes more memory than is kept of it."""

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"over {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class NoSuchRoom(UserError):
    """No address of a room, or of one that the bot is not in."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


class NoSuchClaim(UserError):
    """No occupant of a room was given this code, or it is used or too old."""


class NoHistory(UserError):
    """What was posted in a room before cannot be gone through.

    ``reason`` is one of ``away`` (the room does not answer just now, or the bot is out of it), ``closed``
    (it keeps no history, or shows it to others only), ``off`` (its archive is), ``busy`` (that is being
    done already), ``idle`` (nothing is being done), ``ids`` (the room does not tell who posted what) or
    ``lost`` (the room has forgotten where the bot was).
    """

    def __init__(self, room: str, *, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason


class TooManyOptOuts(UserError):
    """So many people of a room want nothing kept unasked there that one more wish is not noted."""


class BadRoomSetting(UserError):
    """There is no such setting of a room, or it cannot have this value, or its plugin is switched off.

    ``available`` has the names of all that can be set.
    """

    def __init__(self, key: str, value: str, *, known: bool, available: Collection[str]) -> None:
        super().__init__(f"{key} {value}")
        self.key = key
        self.value = value
        self.known = known
        self.available = available


class RoomConfigured(UserError):
    """A room of the config cannot be left by a command: the next start would undo it."""

    def __init__(self, room: str) -> None:
        super().__init__(room)
        self.room = room


class CannotEnterRoom(UserError):
    """The room does not let the bot in.

    ``reason`` is one of ``banned``, ``members`` (only they may enter), ``password`` (missing or wrong),
    ``limit`` (the bot is in as many rooms as it can be), ``own limit`` (the person has brought it into as
    many as one may), ``none`` (there is no such room), ``service`` (there are no rooms at that address),
    ``silent`` (no answer) or ``other``.
    """

    def __init__(self, room: str, *, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason
