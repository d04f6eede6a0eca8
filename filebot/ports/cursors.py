"""Archive positions and subscriptions in the catalog, for the XMPP side."""

from collections.abc import Sequence
from typing import Protocol

from filebot.model import ArchivePosition, BareJid


class Cursors(Protocol):
    """Positions in message archives, up to which each is handled. Keeps and raises as :class:`Catalog`."""

    async def position(self, archive: BareJid) -> ArchivePosition | None:
        """Return the position that was saved last for this archive."""

    async def save_position(self, position: ArchivePosition) -> None:
        """Keep a position in place of the archive's one before."""

    async def forget_position(self, archive: BareJid) -> None:
        """Forget the position of an archive, and which of its files were removed.

        An unknown one is not an error.
        """


class Subscriptions(Protocol):
    """Subscriptions to the presence of an external component, each to one of its addresses.

    An account's server keeps that by itself. Keeps and raises as :class:`Catalog`.
    """

    async def subscriptions(self) -> Sequence[tuple[BareJid, BareJid]]:
        """Return pairs of a person and an address of the bot's, the oldest first."""

    async def keep_subscription(self, person: BareJid, own: BareJid) -> None:
        """Keep a pair; one that is there already stays where it is."""

    async def forget_subscription(self, person: BareJid, own: BareJid) -> None:
        """Forget a pair. An unknown one is not an error."""
