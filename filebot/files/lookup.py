"""Lookup: find the files that people mean by what they type: ids, names, beginnings and wildcards."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from filebot.errors import (
    AmbiguousName,
    DuplicateName,
    FileInSeveralRooms,
    NoSuchEntry,
    NotAllowed,
    TooManyFiles,
)
from filebot.filenames import comparison_key, plain_text
from filebot.files.access import FileAccess
from filebot.files.selection import Selection, select
from filebot.files.visible_entries import VisibleEntries
from filebot.model import Entry, Scope
from filebot.ports import Entries
from filebot.reading.quotes import unquoted
from filebot.reading.signs import folded

WILDCARD_LIMIT: Final = 10
"""Files that one wildcard sends at once."""
MOST_CHANGED: Final = 100
"""Files that are changed at once."""

SUGGESTIONS: Final = 3
PREFIX_LIMIT: Final = 50
"""Entries of one beginning that are looked at."""

_ID = re.compile(r"#?([0-9]{1,15})")
_WILDCARD = re.compile(r"[*?]")
_NUMBER_IN_LIST = re.compile(r"(#?[0-9]{1,15})[,;，、；]?")


class Lookup:
    """Finds files among those that one sender may see."""

    def __init__(
        self,
        entries: Entries,
        access: FileAccess,
        visible: VisibleEntries,
        resolved: Callable[[str], Awaitable[Entry | None]],
        place: Callable[[int], int | None],
    ) -> None:
        """``resolved`` finds files by other names than their own; ``place`` returns the id of the file at a
        place of the list that the sender was shown last.
        """
        self._place = place
        self._entries = entries
        self._access = access
        self._visible = visible
        self._resolved = resolved

    async def one(self, wanted: str) -> Entry:
        """Return the file here that is meant by a name in any case, a number, or the beginning of a name.

        Of several of one name the newest. Raises NoSuchEntry (with the nearest names) or AmbiguousName.
        """
        wanted = await self._without_quotes(wanted)
        return await self._one(wanted, self._access.shown(), in_public=self._access.sender.in_public)

    async def named(self, wanted: str, *, to_send: bool, whole: bool = False) -> Entry | None:
        """Return the file of a name or a number, or of which this is the beginning; None if there is none.

        ``whole``: no beginnings. ``to_send``: in a room, also a private file of the sender's.

        Raises AmbiguousName.
        """
        wanted, in_public = plain_text(wanted), self._access.sender.in_public and not to_send
        scopes = self._access.scopes() if to_send else self._access.shown()
        called = await self._called(wanted, scopes, in_public=in_public)
        return called or (None if whole else await self._by_prefix(wanted))

    async def with_id(self, entry_id: int) -> Entry:
        """Return the file of this id, if the sender may see it where they speak. Raises NoSuchEntry."""
        wanted = f"#{entry_id}"
        entry = await self._by_id(wanted, in_public=self._access.sender.in_public)
        if entry is None:
            raise NoSuchEntry(wanted)
        return entry

    async def with_ids(self, ids: Sequence[int], *, in_public: bool) -> Selection:
        """Return the files of these ids that the sender may see; ``in_public``, so that everybody in the
        room does. The numbers of the others are missing. Raises NoSuchEntry if there are none.
        """
        found = {f"#{each}": await self._by_id(f"#{each}", in_public=in_public) for each in ids}
        entries = tuple(entry for entry in found.values() if entry is not None)
        missing = tuple(number for number, entry in found.items() if entry is None)
        if not entries:
            raise NoSuchEntry(missing[0] if len(missing) == 1 else ", ".join(missing[:SUGGESTIONS]))
        return Selection(entries, missing)

    async def exactly(self, wanted: str) -> Entry:
        """Return the file here of this id or whole name: for changes that cannot be undone.

        Spelling decides between names that differ in case alone. Raises NoSuchEntry (with names that begin
        so, or the nearest), or DuplicateName if several are called so.
        """
        wanted = plain_text(await self._without_quotes(wanted))
        entry = await self._exactly(wanted)
        if entry is not None:
            return entry
        beginning = await self._visible.by_prefix(wanted, PREFIX_LIMIT) if wanted else []
        names = tuple(dict.fromkeys(each.name for each in beginning))[:SUGGESTIONS]
        raise NoSuchEntry(wanted, suggestions=names or await self._nearest(wanted))

    async def _exactly(self, wanted: str) -> Entry | None:
        in_public = self._access.sender.in_public
        newest = await self._visible.by_name(wanted)
        if newest is not None:
            beginning = await self._visible.by_prefix(wanted, PREFIX_LIMIT)
            called = [entry for entry in beginning if entry.name == newest.name]
            if len(called) > 1:
                raise DuplicateName(newest.name, ids=tuple(entry.id for entry in called))
            return newest
        return await self._by_id(wanted, in_public=in_public) or await self._by_other_name(
            wanted, in_public=in_public
        )

    async def some(self, wanted: str, names: Sequence[str]) -> Selection:
        """Return the files to be sent: one, as by :meth:`one`, those here that fit a wildcard, or several.

        ``names`` are the parts of what was typed that may be whole names or ids of several files. In a
        room, a file may be one that the sender may see and the room may not.

        Raises NoSuchEntry, AmbiguousName, or TooManyFiles if the wildcard fits more than are sent at once.
        """
        wanted = await self._without_quotes(wanted)
        if _WILDCARD.search(wanted):
            return await self._by_wildcard(wanted)
        scopes = self._access.scopes()
        try:
            entry = await self._one(wanted, scopes, in_public=False)
            return Selection([entry], others=await self._others(wanted, entry))
        except NoSuchEntry:
            plain = [plain_text(name) for name in names]
            if not 1 < len(plain) <= WILDCARD_LIMIT:
                raise
            with suppress(NoSuchEntry):
                return await select(plain, partial(self._called, scopes=scopes, in_public=False))
            raise

    async def _others(self, wanted: str, entry: Entry) -> tuple[int, ...]:
        """Return the ids of other files in the list that have its name; none if it is meant by id."""
        key = comparison_key(entry.name)
        if comparison_key(plain_text(wanted)) != key:
            return ()
        scope = Scope(room=entry.room) if entry.room else Scope(owner=entry.owner)
        if scope in self._access.shown():
            beginning = await self._visible.by_prefix(entry.name, PREFIX_LIMIT)
        else:
            beginning = await self._entries.find_by_prefix(scope, entry.name, PREFIX_LIMIT)
        same = (each.id for each in beginning if comparison_key(each.name) == key)
        return tuple(each for each in same if each != entry.id)

    async def some_exactly(
        self, wanted: str, names: Sequence[str], must_be_changeable: Callable[[Entry], None]
    ) -> Selection:
        """Return the files here of a whole name, an id or a wildcard, or of several: for changes that
        cannot be undone.

        ``names`` are the parts of what was typed. They are several only if each of them is an id or a
        wildcard, or if at least two of them stand for a file: else they are the words of one name. Of
        files that fit a wildcard those are meant that pass ``must_be_changeable``.

        Raises NoSuchEntry, DuplicateName, TooManyFiles, or what ``must_be_changeable`` raises if it does
        so for all that fit a wildcard.
        """
        failure: NoSuchEntry
        wanted = await self._without_quotes(wanted)
        try:
            return Selection((await self.exactly(wanted),))
        except NoSuchEntry as error:
            failure = error
        fitting = partial(self._changeable_by_wildcard, must_be_changeable=must_be_changeable)
        if _WILDCARD.search(wanted) and (entries := await fitting(wanted)):
            return Selection(entries, by_pattern=True)
        if len(names) > MOST_CHANGED:
            raise TooManyFiles(count=len(names), limit=MOST_CHANGED)
        found = [await self._part_exactly(name, fitting) for name in names]
        by_id = {entry.id: entry for each in found for entry in each.entries}
        if not by_id or (len(by_id) < 2 and not all(each.is_sure for each in found)):
            raise failure
        if len(by_id) > MOST_CHANGED:
            raise TooManyFiles(count=len(by_id), limit=MOST_CHANGED)
        missing = tuple(each.name for each in found if not each.entries)
        by_pattern = any(each.by_pattern for each in found)
        return Selection(tuple(by_id.values()), missing, by_pattern)

    async def _part_exactly(
        self, name: str, fitting: Callable[[str], Awaitable[Sequence[Entry]]]
    ) -> "_Part":
        """Return the files that one part of a list of names stands for."""
        name = plain_text(name)
        if (number := _NUMBER_IN_LIST.fullmatch(name)) is not None:
            name = number[1]
        entry = await self._exactly(name)
        if entry is None and _WILDCARD.search(name):
            return _Part(name, await fitting(name), is_sure=True, by_pattern=True)
        return _Part(name, () if entry is None else (entry,), is_sure=number is not None)

    async def _changeable_by_wildcard(
        self, wanted: str, must_be_changeable: Callable[[Entry], None]
    ) -> list[Entry]:
        entries = await self._visible.by_glob(plain_text(wanted), MOST_CHANGED + 1)
        if len(entries) > MOST_CHANGED:
            raise TooManyFiles(count=len(entries), limit=MOST_CHANGED, wildcard=wanted)
        changeable, refusal = list[Entry](), None
        for entry in entries:
            try:
                must_be_changeable(entry)
            except NotAllowed as error:
                refusal = error
            else:
                changeable.append(entry)
        if refusal is not None and not changeable:
            raise refusal
        return changeable

    async def _by_wildcard(self, wanted: str) -> Selection:
        entries = await self._visible.by_glob(plain_text(wanted), WILDCARD_LIMIT + 1)
        if not entries:
            raise NoSuchEntry(wanted)
        if len(entries) > WILDCARD_LIMIT:
            raise TooManyFiles(count=len(entries), limit=WILDCARD_LIMIT, wildcard=wanted)
        return Selection(entries)

    async def _one(self, wanted: str, scopes: Iterable[Scope], *, in_public: bool) -> Entry:
        wanted = plain_text(wanted)
        entry = (
            await self._called(wanted, scopes, in_public=in_public)
            or await self._by_other_name(wanted, in_public=in_public)
            or await self._by_prefix(wanted)
        )
        entry = entry or await self._of_rooms(wanted)
        if entry is None:
            raise NoSuchEntry(wanted, suggestions=await self._nearest(wanted))
        return entry

    async def _of_rooms(self, wanted: str) -> Entry | None:
        """Return the file of this name in the one of the person's rooms that has one.

        Raises FileInSeveralRooms. Rooms that the person is not in are not looked at, so nothing tells of
        their files, nor does the time.
        """
        scopes = [Scope(room=each) for each in self._access.rooms_read()] if wanted else []
        found = [await self._entries.find_by_name(scope, wanted) for scope in scopes]
        entries = tuple(each for each in found if each is not None)
        if len(entries) > 1:
            raise FileInSeveralRooms(wanted, tuple((each.id, each.room or "") for each in entries))
        return entries[0] if entries else None

    async def _called(self, wanted: str, scopes: Iterable[Scope], *, in_public: bool) -> Entry | None:
        """Return the file of this whole name in any case, or of this id."""
        for scope in scopes:
            entry = await self._entries.find_by_name(scope, wanted)
            if entry is not None:
                return entry
        return await self._by_id(wanted, in_public=in_public)

    async def _by_id(self, wanted: str, *, in_public: bool) -> Entry | None:
        match = _ID.fullmatch(folded(wanted))
        if match is None:
            return None
        number = int(match[1])
        at_place = None if folded(wanted).startswith("#") else self._place(number)
        for entry_id in (at_place, number):
            entry = None if entry_id is None else await self._entries.entry(entry_id)
            if entry is not None and self._access.may_see(entry, in_public=in_public):
                return entry
        return None

    async def _by_other_name(self, wanted: str, *, in_public: bool) -> Entry | None:
        """Return the file that a plugin knows by this name, as it is now, if the sender may see it."""
        found = await self._resolved(wanted) if wanted else None
        entry = None if found is None else await self._entries.entry(found.id)
        return entry if entry is not None and self._access.may_see(entry, in_public=in_public) else None

    async def _by_prefix(self, wanted: str) -> Entry | None:
        if not wanted:
            return None
        # In public, the beginning of a name must not bring up a private file.
        entries = await self._visible.by_prefix(wanted, PREFIX_LIMIT)
        names = list(dict.fromkeys(entry.name for entry in entries))
        if len({comparison_key(name) for name in names}) > 1:
            raise AmbiguousName(wanted, candidates=tuple(names[:SUGGESTIONS]))
        return entries[0] if entries else None

    async def _without_quotes(self, wanted: str) -> str:
        """Return a name without the quotes around it, unless a file has them in its name."""
        inside = unquoted(wanted)
        if inside == wanted or await self._visible.by_name(plain_text(wanted)):
            return wanted
        return inside

    async def _nearest(self, wanted: str) -> tuple[str, ...]:
        return await self._visible.nearest(wanted, SUGGESTIONS)


@dataclass(frozen=True, slots=True)
class _Part:
    """Part of a text that may be a list of names, and the files that it stands for."""

    name: str
    entries: Sequence[Entry]
    is_sure: bool
    """Whether it is rather a part of a list than a word of a longer name."""
    by_pattern: bool = False
