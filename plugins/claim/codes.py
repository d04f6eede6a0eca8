"""Codes by which an occupant of a room and a JID are shown to be one person.

The room vouches for an occupant-id and the server for a JID, but nobody says that the two are one person.
So the occupant is given a code through the room, and whoever writes it in a private chat is the one: a code
that leaks gives files away that the occupant wanted to give away, and nothing else.
"""

import secrets
import time
from collections.abc import Callable
from typing import Final

from cachetools import FIFOCache, TTLCache

VALID_S: Final = 600.0
MOST_CODES: Final = 100
"""Codes of one room that wait to be used; its oldest are forgotten.

A room's service can make up any number of occupants; they push out each other's codes and nobody else's."""
MOST_ROOMS: Final = 500
"""Rooms with codes; the least recently used one is forgotten."""

# No two of them look alike. A code of eight is guessed once in 10**11 tries.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HALF: Final = 4


class Codes:
    """Holds the codes, in memory only: a restart loses them."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._rooms = FIFOCache[str, TTLCache[str, str]](MOST_ROOMS)

    def begin(self, occupant: str) -> str:
        """Return a code for this occupant, to be told to nobody else; it replaces the one before."""
        codes = self._of(occupant.partition("/")[0])
        for old in [code for code, owner in codes.items() if owner == occupant]:
            del codes[old]
        code = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
        codes[code] = occupant
        return f"{code[:_HALF]}-{code[_HALF:]}"

    def occupant(self, written: str) -> str | None:
        """Return the occupant who was given this code; None if it is unknown, used or too old."""
        code = _plain(written)
        return next((codes[code] for codes in self._rooms.values() if code in codes), None)

    def forget(self, written: str) -> None:
        """Forget a code that was used."""
        for codes in self._rooms.values():
            codes.pop(_plain(written), None)

    def _of(self, room: str) -> TTLCache[str, str]:
        codes = self._rooms.get(room)
        if codes is None:
            codes = TTLCache(MOST_CODES, VALID_S, self._timer)
        self._rooms[room] = codes  # the room that asked last is forgotten last
        return codes


def _plain(written: str) -> str:
    return written.replace("-", "").strip().upper()
