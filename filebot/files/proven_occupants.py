"""People who have shown which occupant of a room they are, where the room hides their address.

The room vouches for an occupant-id and the server for a JID; that the two are one person is known when
somebody brings a code from the one to the other.
"""

from collections.abc import Callable
from datetime import datetime

from cachetools import LRUCache

from filebot.model import BareJid, Identity, ProvenOccupant
from filebot.ports import MOST_PROVEN, OccupantProofs


class ProvenOccupants:
    """Occupants by person and room, as they are stored."""

    def __init__(self, proofs: OccupantProofs, clock: Callable[[], datetime]) -> None:
        """``clock`` gives the present in UTC."""
        self._proofs = proofs
        self._clock = clock
        self._occupants: LRUCache[tuple[BareJid, BareJid], Identity] = LRUCache(MOST_PROVEN)

    async def open(self) -> None:
        """Load what was shown before this start. Raises StorageError."""
        for each in await self._proofs.all():
            self._occupants[each.person, each.room] = each.occupant

    async def note(self, person: BareJid, occupant: Identity) -> None:
        """Note that an occupant is this person; an identity that is no occupant's is left out.

        Raises StorageError.
        """
        room, slash, _ = occupant.partition("/")
        if slash:
            await self._proofs.add(ProvenOccupant(person, room, occupant, self._clock()))
            self._occupants[person, room] = occupant

    async def forget_person(self, person: Identity) -> None:
        """Forget who a person has shown to be. Raises StorageError."""
        await self._proofs.forget_person(person)
        self._forget(lambda key: key[0] == person)

    def forget_room(self, room: BareJid) -> None:
        """Forget the occupants of a room whose settings were cleared, and these with them."""
        self._forget(lambda key: key[1] == room)

    def _forget(self, is_gone: Callable[[tuple[BareJid, BareJid]], bool]) -> None:
        for key in [key for key in self._occupants if is_gone(key)]:
            del self._occupants[key]

    def nick(self, room: BareJid, who: Identity, nick_of: Callable[[BareJid, Identity], str]) -> str:
        """Return the nick of a person in a room, given who has which; empty if they are not there."""
        return next(filter(None, (nick_of(room, each) for each in self.identities(who, room))), "")

    def identities(self, person: BareJid, room: BareJid) -> tuple[Identity, ...]:
        """Return the identities of a person in a room: the JID, and the occupant that they proved to be."""
        occupant = self._occupants.get((person, room))
        return (person,) if occupant is None else (person, occupant)
