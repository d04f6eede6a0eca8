"""Files that words of a sentence stand for, looked up with the rights of whoever says them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from filebot.errors import AmbiguousName, FilebotError
from filebot.files.shown_lists import ShownLists
from filebot.model import Entry, Sender
from filebot.plugin.files import Files
from filebot.reading.references import Pick, Reference, ReferenceReader
from filebot.reading.signs import folded

LOOKED_THROUGH: Final = 100
"""Newest files among which those of a kind are looked for."""
MOST_LOOKUPS: Final = 12
"""Looks into the catalog for one line of text."""
_SHORTEST: Final = 3
"""Signs of the shortest beginning of a name that stands for a file without any other word."""
_CJK: Final = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]")
_PATTERN: Final = re.compile(r"\S*[*?]\S*")


@dataclass(slots=True)
class Referents:
    """Finder of what is meant in one line."""

    files: Files
    lists: ShownLists
    sender: Sender
    replied_to: tuple[int, ...]
    """Ids of the files of the message that the line replies to."""
    reader: ReferenceReader
    lookups: int = 0

    async def find(
        self, text: str, *, several: bool, to_send: bool, is_bare: bool
    ) -> tuple[int, ...] | str | None:
        """Return ids of files, or a pattern; None if nothing is meant, or too much.

        ``is_bare``: there is no word beside, so only what is hardly anything else stands for a file.
        """
        for references in self.reader.read(text):
            if references[0].pick is not Pick.EXACT and not self.reader.is_plain_name(text):
                continue
            if is_bare and any(map(_needs_a_verb, references)):
                continue
            pattern = _pattern(references)
            if pattern is not None:
                return pattern if several and not is_bare else None
            found = await self._each(references, to_send=to_send, is_bare=is_bare)
            if found and (several or len(found) == 1):
                return found
        return None

    async def _each(
        self, references: Sequence[Reference], *, to_send: bool, is_bare: bool
    ) -> tuple[int, ...]:
        """Return the files of all references; none if one of them stands for nothing."""
        ids = dict[int, None]()
        for reference in references:
            if self.lookups >= MOST_LOOKUPS:
                return ()
            self.lookups += 1
            found = await self._ids(reference, to_send=to_send, is_bare=is_bare)
            if not found:
                return ()
            ids.update(dict.fromkeys(found))
        return tuple(ids)

    async def _ids(self, reference: Reference, *, to_send: bool, is_bare: bool) -> Sequence[int]:
        count, endings = reference.number, reference.endings
        found: Sequence[int] = ()
        match reference.pick:
            case Pick.NAME | Pick.EXACT:
                found = await self._named(reference, to_send=to_send, is_bare=is_bare)
            case Pick.WORDS:
                found = await self._with_words(reference.text, to_send=to_send)
            case Pick.SPOKEN_OF:
                found = self.replied_to or self.lists.spoken_of(self.sender)
            case Pick.NEWEST:
                found = [each.id for each in await self._newest(endings)][:count]
            case Pick.ALL:
                found = [each.id for each in await self._newest(endings)]
            case Pick.FIRST:
                found = (await self._listed(endings))[:count]
            case Pick.PLACE:
                found = (await self._listed(endings))[count - 1 : count]
            case Pick.OLDEST:
                found = [each.id for each in await self.files.oldest(limit=count)]
        return found

    async def _named(self, reference: Reference, *, to_send: bool, is_bare: bool) -> Sequence[int]:
        text = reference.text
        if is_bare and text.isdecimal():
            at_place = self.lists.at(self.sender, int(text))
            return () if at_place is None else (at_place,)
        whole = reference.pick is Pick.EXACT or (is_bare and not _is_long_enough(text))
        for spelling in dict.fromkeys((text, folded(text))):
            try:
                entry = await self.files.named(spelling, to_send=to_send, whole=whole)
            except AmbiguousName:
                return ()
            if entry is not None:
                return (entry.id,)
        return ()

    async def _with_words(self, text: str, *, to_send: bool) -> Sequence[int]:
        if not _is_long_enough(text):
            return ()
        try:
            found = await self.files.search(text, limit=2)
        except FilebotError:  # words that a plugin takes for a filter
            return ()
        # In private, files of rooms are found as well; by words they can be had there, but not changed.
        meant = [each.id for each in found if to_send or each.room in {None, self.sender.room}]
        return meant if len(found) == 1 else ()

    async def _listed(self, endings: Sequence[str]) -> Sequence[int]:
        """Return the files of the list shown last, or else those that ``ls`` would list."""
        shown = self.lists.shown(self.sender)
        if shown and not endings:
            return shown
        entries = await self._newest(endings)
        listed = {each.id for each in entries}
        return [each for each in shown if each in listed] or [each.id for each in entries]

    async def _newest(self, endings: Sequence[str]) -> Sequence[Entry]:
        entries = await self.files.page(limit=LOOKED_THROUGH)
        suffixes = tuple(f".{ending}" for ending in endings)
        return [each for each in entries if not suffixes or each.name.casefold().endswith(suffixes)]


def _needs_a_verb(reference: Reference) -> bool:
    """Return whether words stand for files only beside a verb: "photos", but not "all photos"."""
    return reference.pick in {Pick.WORDS, Pick.SPOKEN_OF} or (
        reference.pick is Pick.ALL and not reference.is_every
    )


def _pattern(references: Sequence[Reference]) -> str | None:
    """Return the pattern that is meant by words or typed; None if none is."""
    if len(references) > 1:
        return None
    only = references[0]
    if only.pick is Pick.ALL and not only.endings:
        return "*"
    return only.text if only.pick is Pick.NAME and _PATTERN.fullmatch(only.text) else None


def _is_long_enough(text: str) -> bool:
    return len(text) >= _SHORTEST or len(_CJK.findall(text)) > 1
