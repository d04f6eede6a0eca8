"""Resuming: an attempt at a source, and the bytes that a broken one leaves for the next.

The bytes before a break are kept for a while, by the owner, name and size of the file: when the same file
is offered next, by whatever method, it goes on from there. A file made of two attempts is only stored if a
hash over the whole proves it to be one file. Within one download by HTTP the server's validators are
enough; where it gives none, the file is fetched once more from its beginning.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from filebot.errors import PeerProtocolError, SizeMismatch, TransferError
from filebot.filenames import safe_name
from filebot.files.sources import Source
from filebot.model import BareJid, Identity, Offer
from filebot.ports import BlobWriter


@dataclass(slots=True)
class Attempt:
    """One attempt at one source, and its outcome."""

    source: Source
    offer: Offer
    owner: Identity
    room: BareJid | None
    """Where the file is to be seen; None for a private one."""
    name: str | None
    """Name of the file before it is opened."""
    resumed_at: int = 0
    """Bytes that were there from before."""
    kept: bool = False
    """Whether there is something to go on with next time."""

    def partial_name(self, name: str | None, size: int | None) -> str | None:
        """Return the name under which bytes are kept, the same by whatever method; None if nothing is kept.

        Hashes have no part in it: they differ from method to method, and many clients send none. Nothing is
        kept without a size, and of those whom only a room tells apart: what is kept counts against its
        owner alone, and a room's service makes up as many of them as it likes.
        """
        if not size or "/" in self.owner:
            return None
        known = "\0".join((self.room or "", safe_name(name), str(size)))
        return partials_of(self.owner) + hashlib.sha256(known.encode()).hexdigest()

    def resume_at_most(self) -> int:
        """Return how many of the bytes there may be used: none if no hash will prove that they belong here.

        Never all of it: not every peer understands that it is asked for nothing.
        """
        provable = bool(self.offer.hashes) or self.offer.hash_follows
        return (self.offer.size or 1) - 1 if provable and self.source.resumable else 0

    @contextmanager
    def keeping(self, writer: BlobWriter) -> Iterator[None]:
        """Keep the bytes for the next attempt if the way fails, not if they are wrong."""
        self.kept = False
        try:
            yield
        except (TransferError, asyncio.CancelledError) as error:
            if writer.size and (not isinstance(error, PeerProtocolError) or _is_short(error)):
                self.kept = True
                writer.keep()
            raise


def partials_of(owner: Identity) -> str:
    """Return the beginning of the names of all partials of somebody."""
    return hashlib.sha256(owner.encode()).hexdigest()


def _is_short(error: PeerProtocolError) -> bool:
    """Whether a stream simply ended too early, as it does when the peer's process is killed."""
    return isinstance(error, SizeMismatch) and error.received_bytes < error.announced_bytes
