"""Entries of files in the catalog."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from filebot.model import (
    BareJid,
    Digest,
    Entry,
    EntryFilter,
    Identity,
    NewEntry,
    NewValue,
    Outbox,
    Scope,
    Weight,
)

MOST_TOMBSTONES_OF_ARCHIVE: Final = 10_000
"""Removed files whose messages are remembered, for each archive of messages."""
CLOCKS_DIFFER_BY: Final = timedelta(days=1)
"""Difference that is allowed for between the moment of a file and that of its message in the archive."""

Released = Sequence[tuple[Entry, Entry | None]]
"""Entries of a room before and after their release."""


class Entries(Protocol):
    """Entries of files: one row for each file that somebody keeps. Keeps and raises as :class:`Catalog`.

    Names are compared without case and in Unicode NFC. Every list is newest first (by id) and has at most
    ``limit`` rows; the next page begins below the id of the last row (``before``).

    The jobs that an ``outbox`` returns for the result of a change become durable with it. It is not called
    where the result is None because the entry is gone.
    """

    async def add(
        self, new: NewEntry, *, values: Sequence[NewValue] = (), outbox: Outbox[Entry] | None = None
    ) -> Entry:
        """Add an entry, and what plugins keep of it, and return it with its id.

        Raises PluginStoreFull if a plugin cannot keep a value that is not dispensable; nothing is added
        then.
        """

    async def entry(self, entry_id: int) -> Entry | None:
        """Return the entry with this id, or None."""

    async def find_by_digest(self, scope: Scope, owner: Identity, digest: Digest) -> Entry | None:
        """Return the newest entry of this owner in this scope with these bytes."""

    async def find_by_source_message(self, scope: Scope, owner: Identity, message: str) -> Entry | None:
        """Return the newest entry of this owner in this scope with this ``source_message``."""

    async def is_gone(self, owner: Identity, message: str) -> bool:
        """Tell whether this owner's file from this ``source_message`` was removed, or made another's.

        That is remembered as long as the message may be met again: until the saved position of its
        archive is later than the entry by more than ``CLOCKS_DIFFER_BY``, or is forgotten. Of each archive
        the latest ``MOST_TOMBSTONES_OF_ARCHIVE`` are remembered.
        """

    async def note_source(self, entry: Entry, message: str, at: datetime) -> None:
        """Note that this ``source_message``, which came before ``at``, brought a file that was an entry
        already: when that entry goes, the file of the message is gone.
        """

    async def find_by_name(self, scope: Scope, name: str) -> Entry | None:
        """Return the newest entry spelled like this, else the newest one that differs in case."""

    async def find_by_prefix(self, scope: Scope, prefix: str, limit: int) -> list[Entry]:
        """Return entries whose names begin with ``prefix``."""

    async def find_by_glob(self, scope: Scope, pattern: str, limit: int) -> list[Entry]:
        """Return entries whose whole name fits a pattern of ``*`` (any run) and ``?`` (one character)."""

    async def page(self, scope: Scope, *, limit: int, before: int | None = None) -> list[Entry]:
        """Return the newest entries of a scope, or the newest below the id ``before``."""

    async def count(self, scope: Scope) -> int:
        """Count the entries of a scope."""

    async def search(
        self,
        scope: Scope,
        words: Sequence[str],
        *,
        limit: int,
        before: int | None = None,
        filters: Sequence[EntryFilter] = (),
    ) -> list[Entry]:
        """Return entries with every word somewhere in the name or the caption, as a substring.

        Of these, those alone that meet all conditions. The words are plain text: no character in them is
        special. Neither words nor conditions find nothing.
        """

    async def nearest(self, scope: Scope, name: str, limit: int) -> list[str]:
        """Suggest names for a mistyped ``name``, likeliest first, none twice."""

    async def oldest(self, scope: Scope, limit: int) -> list[Entry]:
        """Return the first entries of a scope, oldest first: a list that is not newest first."""

    async def of_occupants(self, room: BareJid, limit: int) -> list[Entry]:
        """Return the first private entries of people whom only this room tells apart, by owner and age."""

    async def archived(self, room: BareJid, owner: Identity, limit: int) -> list[Entry]:
        """Return the owner's entries in this room that were auto-archived."""

    async def rename(
        self, entry_id: int, name: str, at: datetime, *, outbox: Outbox[Entry] | None = None
    ) -> Entry | None:
        """Rename an entry and return it as it is now; None if it is gone."""

    async def set_caption(
        self, entry_id: int, caption: str, at: datetime, *, outbox: Outbox[Entry] | None = None
    ) -> Entry | None:
        """Give an entry another caption and return it as it is now; None if it is gone."""

    async def adopt(self, entry_id: int, *, outbox: Outbox[None] | None = None) -> None:
        """Make an auto-archived entry one that was asked for. One that is gone is not an error."""

    async def weight(self, entry_id: int) -> Weight | None:
        """Return how much of an entry counts; None if it is gone."""

    async def set_weight(self, entry_id: int, percent: int) -> None:
        """Let this share of an entry's bytes count for its owner and its room, from 0 to 100.

        Those of its attachments count alike. Of several entries with the same bytes the largest share
        counts. All of an entry counts when it is added. One that is gone is not an error.
        """

    async def hand_over(
        self, owner: Identity, to: Identity, limit: int, *, outbox: Outbox[Sequence[Entry]] | None = None
    ) -> Sequence[Entry]:
        """Make the oldest entries of one owner another's; return them as they are now.

        The owner has no more of them when fewer than ``limit`` are returned.
        """

    async def release(
        self, room: BareJid, limit: int, *, outbox: Outbox[Released] | None = None
    ) -> Released:
        """Make the oldest entries of a room private ones of their owners; return each before and after.

        An owner who has the same bytes by the same name in private has them once: then the room's entry is
        removed, and there is None after it. The room has no more entries when fewer than ``limit`` are
        returned.
        """

    async def remove(self, entry_id: int, *, outbox: Outbox[Entry] | None = None) -> Entry | None:
        """Remove an entry, and its deliveries, and return it as it was; None if it is gone already."""

    async def used_by(self, owner: Identity) -> tuple[int, int]:
        """Return number and bytes of an owner's entries, the same bytes counted once, by their weight.

        The bytes of attachments are added, those of each entry, by its weight; likewise below.
        """

    async def used_in(self, room: BareJid) -> tuple[int, int]:
        """Return number and bytes of a room's entries, the same bytes counted once."""

    async def used_in_all(self) -> tuple[int, int]:
        """Return number and bytes of all entries, the same bytes counted once; weights do not matter."""

    async def referenced_digests(self, digests: Sequence[Digest]) -> set[Digest]:
        """Return the digests among these (at most 500) that some entry or attachment refers to."""

    async def is_used(self, digest: Digest) -> bool:
        """Tell whether some entry or attachment refers to these bytes; to be asked before they are deleted.

        A damaged index alone does not make it False. Costs more than :meth:`referenced_digests`.
        """

    async def digests(self, prefix: str) -> set[Digest]:
        """Return the digests with this prefix (two digits or more) that some entry or attachment has."""

    async def damage(self) -> str | None:
        """Examine the whole database and return its first fault in words, or None. May take minutes."""
