"""Errors about rooms, their settings and their history."""

from collections.abc import Mapping

from filebot.errors.base import UserError


class PostTooLarge(UserError):
    """A post in a room takes more memory than is kept of it."""

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"over {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class NoSuchRoom(UserError):
    """The target is not the address of a room that the bot is in."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


class NoHistory(UserError):
    """The history of a room cannot be read.

    ``reason`` is one of ``closed`` (it keeps no history, or shows it to others only), ``off`` (its admins
    have not consented to that), ``ids`` (the room does not tell who posted what) or ``lost`` (the place
    from which to go on is not in it any more).
    """

    def __init__(self, room: str, *, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason


class BadRoomSetting(UserError):
    """A room has no such setting, or not with this value, or its plugin is switched off.

    ``available`` has the names of all settings, each with how its values are written.
    """

    def __init__(self, key: str, value: str, *, known: bool, available: Mapping[str, str]) -> None:
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
    many rooms as one person may), ``none`` (there is no such room), ``service`` (there are no rooms at that
    address), ``silent`` (no answer) or ``other``.
    """

    def __init__(self, room: str, *, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason
