"""Links to uploaded files in the catalog."""

from collections.abc import Sequence
from typing import Protocol

from filebot.model import Digest, Link


class Links(Protocol):
    """Uploads of files that others can still download. Keeps and raises as :class:`Catalog`."""

    async def link(self, digest: Digest, name: str) -> Link | None:
        """The newest upload of these bytes under this name."""

    async def save_link(self, link: Link) -> None: ...

    async def forget_links(self, digest: Digest) -> None: ...

    async def has_uploaded(self, urls: Sequence[str]) -> bool:
        """Whether one of these addresses is that of a :class:`Link`; of at most some dozens."""
