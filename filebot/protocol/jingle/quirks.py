"""Deviations of clients from the XEPs, and how the bot deals with each: one tagged line for each.

A client is known by the node of its caps (XEP-0115), which is a hint and no more: the worst that a wrong
one does is that a transfer takes a detour. What is done for every client, such as taking hashes of both
orders, is no quirk but stands where it is done.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Quirks:
    """The defaults are what the XEPs say."""

    takes_replacement: bool = True
    """Whether a session may go on in-band after SOCKS5 has failed."""
    takes_files: bool = True
    """Whether it takes a file at all."""
    takes_in_band: bool = True
    """Whether a file that is sent to it in-band arrives."""
    candidates_work: bool = True
    """Whether a connection to one of its candidates can be used."""
    candidate_error_after_s: float = 0.0
    """Delay before the client is told that none of its candidates could be used."""
    checksum_within_s: float = 0.0
    """Time to wait after the data for a hash that was not promised."""
    answer_within_s: float | None = None
    """Time to wait for the answer to an offer; None for the usual limit, in which a person may decide."""
    ends_when_done: bool = False
    """Whether it ends each session when it has the file, so that silence means failure."""


STANDARD: Final = Quirks()

_BY_NODE: Final = {
    # COMPAT(Dino, 0.4): as responder it rejects a transport-replace and sends one of its own, as initiator
    # it answers the transport-accept with bad-request, and as receiver in-band it fails (dino#1554), though
    # it acknowledges every block.
    "https://dino.im": Quirks(takes_replacement=False, takes_in_band=False, ends_when_done=True),
    # COMPAT(Gajim, 1.x): a connection to its candidates stays empty; a candidate-error at once breaks its
    # session; as receiver 1.7.3 acknowledges an offer, fails inside, and shows nothing.
    "https://gajim.org": Quirks(
        takes_files=False,
        candidates_work=False,
        candidate_error_after_s=2.0,
        answer_within_s=45.0,
    ),
    # COMPAT(Conversations): says the hashes only after the data, and does not say before that it will.
    "http://conversations.im": Quirks(checksum_within_s=3.0),
    "https://cheogram.com": Quirks(checksum_within_s=3.0),
}


def quirks_of(node: str) -> Quirks:
    """Return the quirks of a client, by the node of its caps."""
    return _BY_NODE.get(node.rstrip("/").removesuffix("#"), STANDARD)
