"""Errors about files: their names, sizes and owners' shares."""

from filebot.errors.base import UserError


class FileTooLarge(UserError):
    """A file is over the bot's own limit, or ``of_room`` over that of a room."""

    def __init__(self, *, size_bytes: int | None, limit_bytes: int, of_room: bool = False) -> None:
        super().__init__(f"{size_bytes} bytes, limit {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        self.of_room = of_room


class EmptyFile(UserError):
    """A file has no bytes."""


class FileGone(UserError):
    """The file of a message that is met again was stored before, and was removed or given away since.

    Said to nobody: that was answered when it was done.
    """


class QuotaExceeded(UserError):
    """The owner's quota is used up; sizes in bytes."""

    def __init__(self, *, size_bytes: int, used_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"{used_bytes} + {size_bytes} of {limit_bytes} bytes")
        self.size_bytes = size_bytes
        self.used_bytes = used_bytes
        self.limit_bytes = limit_bytes


class RoomQuotaExceeded(UserError):
    """The room's quota is used up; sizes in bytes."""

    def __init__(self, *, size_bytes: int, used_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"{used_bytes} + {size_bytes} of {limit_bytes} bytes")
        self.size_bytes = size_bytes
        self.used_bytes = used_bytes
        self.limit_bytes = limit_bytes


class TooManyFiles(UserError):
    """One message holds more files than are handled at once, or ``wildcard`` matches more.

    For a wildcard, files are counted up to the limit only: ``count`` is the least number. ``left_out`` has
    the names of files of a message that were not kept, while the first ones were.
    """

    def __init__(
        self, *, count: int, limit: int, wildcard: str = "", left_out: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{count} files, limit {limit}")
        self.count = count
        self.limit = limit
        self.wildcard = wildcard
        self.left_out = left_out


class NoSuchEntry(UserError):
    """Nothing that the person may see has that name, id or pattern."""

    def __init__(self, wanted: str, *, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.suggestions = suggestions


class AmbiguousName(UserError):
    """A prefix fits several files and no name exactly."""

    def __init__(self, wanted: str, *, candidates: tuple[str, ...]) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.candidates = candidates


class DuplicateName(UserError):
    """Several files have this name, and the command takes one; ``ids`` are theirs, newest first."""

    def __init__(self, name: str, *, ids: tuple[int, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.ids = ids


class FileInSeveralRooms(UserError):
    """Several rooms that a person is in have a file of this name; they asked in private.

    ``places`` has the number of each file, and its room.
    """

    def __init__(self, name: str, places: tuple[tuple[int, str], ...]) -> None:
        super().__init__(name)
        self.name = name
        self.places = places
