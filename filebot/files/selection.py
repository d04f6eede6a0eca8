"""Several files that are asked for at once, one name after the other."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from filebot.errors import NoSuchEntry
from filebot.model import Entry


@dataclass(frozen=True, slots=True)
class Selection:
    """Files that were asked for, and names that stand for none."""

    entries: Sequence[Entry]
    """The files."""
    missing: Sequence[str] = ()
    """Names that stand for no file."""
    by_pattern: bool = False
    """Whether some were found by a pattern, so that whoever asked may not know which they are."""
    others: tuple[int, ...] = ()
    """Numbers of older files that have the name of the one that was asked for."""


async def select(names: Sequence[str], find: Callable[[str], Awaitable[Entry | None]]) -> Selection:
    """Return what each of the names stands for.

    Raises NoSuchEntry if fewer than two of them stand for a file: then they are rather the words of one
    name that does not exist.
    """
    found = [(name, await find(name)) for name in names]
    entries = {entry.id: entry for _, entry in found if entry is not None}
    if len(entries) < 2:
        raise NoSuchEntry(" ".join(names))
    return Selection(tuple(entries.values()), tuple(name for name, entry in found if entry is None))
