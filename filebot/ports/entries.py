"""Entries of files in the catalog."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from filebot.model import BareJid, Digest, Entry, Identity, NewEntry, Scope


class Entries(Protocol):
    """Entries of files: one row for each file that somebody keeps. Keeps and raises as :class:`Catalog`.

    Names are compared without case and in Unicode NFC. Every list is newest first (by id) and has at most
    ``limit`` rows; the next page begins below the id of the last row (``before``).
    """

    async def add(self, new: NewEntry) -> Entry: ...

    async def entry(self, entry_id: int) -> Entry | None: ...

    async def find_by_digest(self, scope: Scope, owner: Identity, digest: Digest) -> Entry | None:
        """The newest entry of this owner in this scope with these bytes."""

    async def find_by_source_message(self, scope: Scope, owner: Identity, message: str) -> Entry | None:
        """The newest entry of this owner in this scope that was made with this ``source_message``."""

    async def find_by_name(self, scope: Scope, name: str) -> Entry | None:
        """The newest entry of this name: of one spelled like that, else of one that differs in case."""

    async def find_by_prefix(self, scope: Scope, prefix: str, limit: int) -> list[Entry]:
        """Entries whose names begin so."""

    async def find_by_glob(self, scope: Scope, pattern: str, limit: int) -> list[Entry]:
        """Entries whose whole name fits a pattern of ``*`` (any run) and ``?`` (one character)."""

    async def page(self, scope: Scope, *, limit: int, before: int | None = None) -> list[Entry]: ...

    async def count(self, scope: Scope) -> int: ...

    async def search(
        self, scope: Scope, words: Sequence[str], *, limit: int, before: int | None = None
    ) -> list[Entry]:
        """Entries with every word somewhere in the name or the caption, as a substring.

        The words are plain text, whatever signs they hold. No words find nothing.
        """

    async def nearest(self, scope: Scope, name: str, limit: int) -> list[str]:
        """Names that somebody who typed ``name`` may have meant, likeliest first, none twice."""

    async def oldest(self, scope: Scope, limit: int) -> list[Entry]:
        """The entries that were there first; unlike all others, this list begins with the oldest."""

    async def archived(self, room: BareJid, owner: Identity, limit: int) -> list[Entry]:
        """The owner's entries in this room that were kept unasked."""

    async def rename(self, entry_id: int, name: str, at: datetime) -> Entry | None:
        """The entry as it is now; None if it is gone."""

    async def adopt(self, entry_id: int) -> None:
        """From now on the entry was asked for. One that is gone is not an error."""

    async def hand_over(self, owner: Identity, to: Identity, limit: int) -> Sequence[Entry]:
        """Make the oldest entries of one owner another's; return them as they are now.

        The owner has no more of them when fewer than ``limit`` are returned.
        """

    async def release(self, room: BareJid, limit: int) -> Sequence[tuple[Entry, Entry | None]]:
        """Make the oldest entries of a room private ones of their owners; return each before and after.

        An owner who has the same bytes by the same name in private has them once: then the room's entry is
        removed, and there is None after it. The room has no more entries when fewer than ``limit`` are
        returned.
        """

    async def remove(self, entry_id: int) -> Entry | None:
        """The entry as it was; None if it is gone already."""

    async def used_by(self, owner: Identity) -> tuple[int, int]:
        """How many entries somebody owns, and their bytes, the same bytes counted once."""

    async def used_in(self, room: BareJid) -> tuple[int, int]:
        """How many entries a room has, and their bytes, the same bytes counted once."""

    async def used_in_all(self) -> tuple[int, int]:
        """Number and bytes of all entries, the same bytes counted once."""

    async def referenced_digests(self, digests: Sequence[Digest]) -> set[Digest]:
        """Which of these (at most 500) some entry refers to."""

    async def is_used(self, digest: Digest) -> bool:
        """Tell whether some entry refers to these bytes: asked before they are deleted.

        A damaged index alone does not make it False. Costs more than :meth:`referenced_digests`.
        """

    async def digests(self, prefix: str) -> set[Digest]:
        """Return the digests that begin so (two digits or more) and that some entry refers to."""

    async def damage(self) -> str | None:
        """Examine the whole database; return the first fault, in words, or None. May take minutes."""
