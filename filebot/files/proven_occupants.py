"""People who have shown which occupant of a room they are, where the room hides their address.

The room vouches for an occupant-id and the server for a JID; that the two are one person is known when
somebody brings a code from the one to the other. Held in memory only: it can be shown again at any time.
"""

from collections.abc import Callable
from typing import Final

from cachetools import LRUCache

from filebot.model import BareJid, Identity

MOST: Final = 5000
"""Pairs of a person and a room, the latest used."""


class ProvenOccupants:
    """Occupants by person and room."""

    def __init__(self) -> None:
        self._occupants: LRUCache[tuple[BareJid, BareJid], Identity] = LRUCache(MOST)

    def note(self, person: BareJid, occupant: Identity) -> None:
        """Note that an occupant is this person; an identity that is no occupant's is left out."""
        room, slash, _ = occupant.partition("/")
        if slash:
            self._occupants[person, room] = occupant

    def nick(self, room: BareJid, who: Identity, nick_of: Callable[[BareJid, Identity], str]) -> str:
        """Return the nick of a person in a room, given who has which; empty if they are not there."""
        return next(filter(None, (nick_of(room, each) for each in self.identities(who, room))), "")

    def identities(self, person: BareJid, room: BareJid) -> tuple[Identity, ...]:
        """Return the identities of a person in a room: the JID, and the occupant that they proved to be."""
        occupant = self._occupants.get((person, room))
        return (person,) if occupant is None else (person, occupant)
