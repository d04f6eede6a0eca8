"""Choice of the connection that a SOCKS5 transport uses (XEP-0260, "Completing the Negotiation").

Both dial the candidates of the other, and each tells the other once what came of it. When both outcomes
are known, both sides come to the same choice.
"""

from dataclasses import dataclass
from enum import Enum, auto, unique

from filebot.protocol.jingle.transports import (
    Candidate,
    CandidateError,
    CandidateUsed,
    Socks5Transport,
)


@unique
class Undecided(Enum):
    """Reason why there is no nomination."""

    WAITING = auto()
    """An outcome is missing."""
    HOPELESS = auto()
    """Neither side could connect."""


@dataclass(frozen=True, slots=True)
class Nomination:
    """The candidate that is used."""

    candidate: Candidate
    is_ours: bool
    """Whether we offered it; else we dialled it."""

    def is_awaited(self, cid: str) -> bool:
        """Tell whether this is the candidate, and the peer the one to activate it."""
        return not self.is_ours and self.candidate.cid == cid


class CandidateExchange:
    """Outcomes of both sides' dialling."""

    def __init__(self, own: Socks5Transport, *, initiating: bool) -> None:
        self.own = own
        self._initiating = initiating
        self._dialled: Candidate | None = None
        self.dial_ended = False
        """Whether our own outcome is there."""
        self._told: CandidateUsed | CandidateError | None = None

    def named(self, cid: str) -> Candidate | None:
        """Return our candidate of this id."""
        return next((each for each in self.own.candidates if each.cid == cid), None)

    def dialled(self, candidate: Candidate | None) -> None:
        """Note our outcome: the peer's candidate to which there is a connection."""
        self._dialled, self.dial_ended = candidate, True

    def told(self, notice: CandidateUsed | CandidateError) -> bool:
        """Note the peer's outcome; False if it told one before."""
        if self._told is not None:
            return False
        self._told = notice
        return True

    def nomination(self) -> Nomination | Undecided:
        """Return the candidate that both sides choose by themselves."""
        if not self.dial_ended or self._told is None:
            return Undecided.WAITING
        theirs = self._dialled
        ours = self.named(self._told.cid) if isinstance(self._told, CandidateUsed) else None
        if ours is not None and (theirs is None or self._beats(ours, theirs)):
            return Nomination(ours, is_ours=True)
        return Undecided.HOPELESS if theirs is None else Nomination(theirs, is_ours=False)

    def _beats(self, ours: Candidate, theirs: Candidate) -> bool:
        if ours.priority != theirs.priority:
            return ours.priority > theirs.priority
        # On a tie the choice of the initiator counts. COMPAT(Dino): does it the other way round, which is
        # why our priorities are such as nobody else has.
        return not self._initiating
