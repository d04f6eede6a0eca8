"""File descriptors: how many there are, and what they are for.

Whatever opens a socket or a file for somebody takes a slot first, and there are only so many slots that all
of them together leave a reserve: for the XMPP session, the catalog, and the files that are read to answer.
"""

import errno
import logging
import resource
from dataclasses import dataclass
from typing import Final

log = logging.getLogger(__name__)

RESERVE: Final = 128
"""For what is always open (session, catalog, log), for look-ups, and for short file work in threads."""
PER_SLOT: Final = 4
"""An upload has its connection, a duplicate of that and the file; a download its file, and for a moment
connections to three addresses of one name."""
MOST_SLOTS: Final = 256
"""Files that come in at once, and as many that go out: what they buffer has to have room in memory."""
MOST_HANDSHAKES: Final = 256
"""Connections to the bot's own port that have not shown yet to which file they belong."""
MOST_DIALS: Final = 64
"""Attempts to connect to the hosts that peers name."""

WANTED: Final = 4096
"""Enough for all that; some systems allow a process a billion, which gains nothing."""
_SHORT: Final = frozenset({errno.EMFILE, errno.ENFILE})


@dataclass(frozen=True, slots=True)
class Budget:
    """How many there may be at once."""

    slots: int
    """In each direction."""
    handshakes: int
    dials: int


def raise_limit(wanted: int = WANTED) -> int:
    """Raise the soft limit of this process as far as the hard one allows; how many there are then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError) as error:  # macOS knows a further limit
            log.warning("the limit on file descriptors stays at %d: %s", soft, error)
        else:
            soft = most
    return wanted if soft == resource.RLIM_INFINITY else soft


def budget(limit: int) -> Budget:
    """Share out so many descriptors. Nothing gets none: a bot that takes no files is of no use."""
    free = limit - min(RESERVE, limit // 2)
    handshakes, dials = max(4, min(MOST_HANDSHAKES, free // 6)), max(4, min(MOST_DIALS, free // 6))
    slots = (free - handshakes - dials) // (2 * PER_SLOT)
    return Budget(max(2, min(MOST_SLOTS, slots)), handshakes, dials)


def is_shortage(error: BaseException | None) -> bool:
    """Whether this, or what it comes from, means that there was no descriptor left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _SHORT:
            return True
        error = error.__cause__ or error.__context__
    return False
