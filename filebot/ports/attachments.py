"""Attachments in the catalog: files that plugins derive from entries."""

from collections.abc import Sequence
from typing import Final, Protocol

from filebot.model import Attachment, Digest

MOST_ATTACHMENTS: Final = 16
"""Attachments of one entry by one plugin."""
MOST_ATTACHED_BYTES: Final = 8 * 2**20
"""Bytes of these in all."""


class Attachments(Protocol):
    """Rows of attachments. Keeps and raises as :class:`Catalog`.

    They go with their entry, in the transaction that removes it, and stay with it when it changes its owner
    or room. Their digests are in use as those of entries are, see ``Entries.referenced_digests``.
    """

    async def attach(self, new: Attachment) -> None:
        """Keep an attachment, in place of the one of this name.

        Raises NoSuchEntry if the entry is gone, and PluginStoreFull if it would have more than
        ``MOST_ATTACHMENTS`` or ``MOST_ATTACHED_BYTES`` of this plugin.
        """

    async def attachment(self, entry_id: int, plugin: str, name: str) -> Attachment | None:
        """Return an attachment, or None."""

    async def detach(self, entry_id: int, plugin: str, name: str) -> None:
        """Remove an attachment. One that is not there is not an error."""

    async def freed(self, limit: int) -> Sequence[Digest]:
        """Return digests of attachments that are gone; each is told until it is :meth:`settled`.

        Something else may refer to them.
        """

    async def settle(self, digests: Sequence[Digest]) -> None:
        """Do not tell these digests any more, until another attachment that has them is gone."""
