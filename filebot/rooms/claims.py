"""Claims: files that somebody owns in a room that hides their JID become those of the JID.

The room vouches for an occupant-id and the server for a JID, but nobody says that the two are one person.
So the occupant is given a code through the room, and whoever writes it in a private chat is the one: a code
that leaks gives files away that the occupant wanted to give away, and nothing else.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache, TTLCache

from filebot.errors import NoSuchClaim
from filebot.events.bus import EventBus
from filebot.events.facts import Actor, OwnerChanged
from filebot.files.quota import Quota
from filebot.model import BareJid, Entry, Identity
from filebot.ports import Entries

VALID_S: Final = 600.0
MOST_CODES: Final = 100
"""Codes of one room that wait to be used; its oldest are forgotten.

A room's service can make up any number of occupants; they push out each other's codes and nobody else's."""
MOST_ROOMS: Final = 500
"""Rooms with codes; the least recently used one is forgotten."""

HAND_OVER_BATCH: Final = 1000
"""Files that change their owner in one transaction; more files take further ones."""

# No two of them look alike. A code of eight is guessed once in 10**11 tries.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HALF: Final = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """Code by which an occupant proves a JID theirs."""

    code: str
    bot: BareJid
    """Where it is to be written."""
    valid_s: float = VALID_S


@dataclass(frozen=True, slots=True)
class Claimed:
    """Files that changed their owner."""

    files: int
    room: BareJid


class Claims:
    """Holds the codes, in memory only: a restart loses them."""

    def __init__(
        self,
        entries: Entries,
        quota: Quota,
        bot: BareJid,
        timer: Callable[[], float],
        events: EventBus,
    ) -> None:
        self._entries = entries
        self._quota = quota
        self._bot = bot
        self._timer = timer
        self._events = events
        self._codes = FIFOCache[BareJid, TTLCache[str, Identity]](MOST_ROOMS)

    def begin(self, occupant: Identity) -> Claim:
        """Return a code for this occupant, to be told to nobody else; it replaces the one before."""
        codes = self._codes_of(occupant.partition("/")[0])
        for old in [code for code, owner in codes.items() if owner == occupant]:
            del codes[old]
        code = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
        codes[code] = occupant
        return Claim(f"{code[:_HALF]}-{code[_HALF:]}", self._bot)

    async def redeem(self, written: str, owner: BareJid, by: Actor) -> Claimed:
        """Give this person the occupant's files, once.

        Raises NoSuchClaim, ClaimExceedsQuota (the code stays good then) or StorageError.
        """
        code = written.replace("-", "").strip().upper()
        codes = next((each for each in self._codes.values() if code in each), None)
        occupant = None if codes is None else codes.get(code)
        if codes is None or occupant is None:
            raise NoSuchClaim
        claimed = await self.hand_over(occupant, owner, by)
        codes.pop(code, None)
        return claimed

    async def hand_over(self, occupant: Identity, owner: BareJid, by: Actor) -> Claimed:
        """Make the files of an occupant this person's, who is known to be the same.

        OwnerChanged tells of each file. Raises ClaimExceedsQuota or StorageError; of very many files, some
        may be the person's then.
        """
        files, room = 0, occupant.partition("/")[0]

        async def some() -> Sequence[Entry]:
            async with self._quota.take_over(occupant, owner) as hold:
                with hold.settling():
                    return await self._entries.hand_over(occupant, owner, HAND_OVER_BATCH)

        def tells(entries: Sequence[Entry]) -> list[OwnerChanged]:
            return [OwnerChanged(by.sender, by.language, entry, occupant, entry.room) for entry in entries]

        while True:
            async with self._events.change() as change:
                handed = await change.write(some(), tells)
            files += len(handed)
            if len(handed) < HAND_OVER_BATCH:
                return Claimed(files, room)

    def _codes_of(self, room: BareJid) -> TTLCache[str, Identity]:
        codes = self._codes.get(room)
        if codes is None:
            codes = TTLCache(MOST_CODES, VALID_S, self._timer)
        self._codes[room] = codes  # the room that asked last is forgotten last
        return codes
