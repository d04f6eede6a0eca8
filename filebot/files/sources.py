"""Sources: places where one offered file can be had."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from filebot.ports import Download, HttpTransfer


class Source(Protocol):
    """One place of one file, to be opened once for each attempt."""

    @property
    def resumable(self) -> bool:
        """Whether ``accept`` can begin at an offset."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Open it."""


@dataclass(frozen=True, slots=True)
class WebSource:
    """A file behind a URL."""

    http: HttpTransfer
    url: str
    hashed: bool
    """Whether a hash over the whole is going to be checked."""
    resumable: bool = True

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        return self.http.get(self.url, offset, hashed=self.hashed)
