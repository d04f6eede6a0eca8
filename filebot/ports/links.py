"""Links to uploaded files in the catalog."""

from collections.abc import Sequence
from typing import Protocol

from filebot.model import Digest, Link


class Links(Protocol):
    """Uploads of files that others can still download. Keeps and raises as :class:`Catalog`."""

    async def link(self, digest: Digest, name: str) -> Link | None:
        """Return the newest upload of these bytes under this name."""

    async def save_link(self, link: Link) -> None:
        """Keep an upload, unless a newer one of the same bytes and name is known."""

    async def forget_links(self, digest: Digest) -> None:
        """Forget all uploads of these bytes."""

    async def has_uploaded(self, urls: Sequence[str]) -> bool:
        """Tell whether one of these URLs, some dozens at most, is that of a known :class:`Link`."""
