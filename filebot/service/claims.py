"""Files that somebody owns in a room that hides their JID become those of the JID.

The room vouches for an occupant-id and the server for a JID, but nobody says that the two are one person.
So the occupant is given a code through the room, and whoever writes it in a private chat is the one: a code
that leaks gives files away that the occupant wanted to give away, and nothing else.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cachetools import TTLCache

from filebot.errors import NoRoomForClaim, NoSuchClaim
from filebot.model import BareJid, Identity
from filebot.ports import Catalog
from filebot.service.quota import Quota

VALID_S: Final = 600.0
MOST_CODES: Final = 1000
"""That wait to be used; the oldest are forgotten."""

# None that looks like another one. Eight of them are guessed once in 10**11 tries.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HALF: Final = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """What an occupant needs to prove a JID theirs."""

    code: str
    bot: BareJid
    """Where it is to be written."""
    valid_s: float = VALID_S


@dataclass(frozen=True, slots=True)
class Claimed:
    """What changed hands."""

    files: int
    room: BareJid


class Claims:
    """Holds the codes; they are lost at a restart, and nothing else."""

    def __init__(self, catalog: Catalog, quota: Quota, bot: BareJid, timer: Callable[[], float]) -> None:
        self._catalog = catalog
        self._quota = quota
        self._bot = bot
        self._codes: TTLCache[str, Identity] = TTLCache(MOST_CODES, VALID_S, timer)

    def begin(self, occupant: Identity) -> Claim:
        """A code for this occupant, to be told to nobody else; the one before is worth nothing any more."""
        for old in [code for code, owner in self._codes.items() if owner == occupant]:
            del self._codes[old]
        code = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
        self._codes[code] = occupant
        return Claim(f"{code[:_HALF]}-{code[_HALF:]}", self._bot)

    async def redeem(self, written: str, owner: BareJid) -> Claimed:
        """Give this person the occupant's files, once.

        Raises NoSuchClaim, NoRoomForClaim (the code stays good then) or StorageError.
        """
        code = written.replace("-", "").strip().upper()
        occupant = self._codes.get(code)
        if occupant is None:
            raise NoSuchClaim
        claimed = await self.hand_over(occupant, owner)
        self._codes.pop(code, None)
        return claimed

    async def hand_over(self, occupant: Identity, owner: BareJid) -> Claimed:
        """Make the files of an occupant this person's, who is known to be the same.

        Raises NoRoomForClaim or StorageError.
        """
        theirs, own = await self._quota.usage(occupant), await self._quota.usage(owner)
        if theirs.used_bytes > own.left_bytes:
            raise NoRoomForClaim(
                size_bytes=theirs.used_bytes, used_bytes=own.used_bytes, limit_bytes=own.limit_bytes
            )
        await self._catalog.hand_over(occupant, owner)
        return Claimed(theirs.files, occupant.partition("/")[0])
