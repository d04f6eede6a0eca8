"""Links to entries: an upload that is still available is used again, else the blob is uploaded.

A service that confirms an upload may have lost it all the same, so the link is asked for before anybody is
told of it. Only an answer proves it dead: some routers keep the bot from an address that all others reach.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from filebot.concurrency.backoff import Backoff
from filebot.concurrency.locks import KeyedLocks
from filebot.delivery.upload_refusals import UploadRefusals
from filebot.errors import (
    ForbiddenTarget,
    LinkDead,
    PeerGone,
    Refused,
    ServerNotReached,
    ServiceQuotaReached,
    ServiceRefused,
    StorageError,
    TooLargeForService,
    TransferTimeout,
    UploadServiceForbidden,
    UploadServiceNotReached,
)
from filebot.model import Entry, Link, Slot
from filebot.ports import BlobStore, Entries, HttpTransfer, Links, UploadService

log = logging.getLogger(__name__)

UPLOAD_ATTEMPTS: Final = 3
PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 2.0
"""The first pause between two attempts, and the longest."""

DEAD_LINKS: Final = 2
"""Uploads after whose links lead nowhere no further one is tried."""
CHECK_S: Final = 10.0
"""Within that a new link is asked for; after it the link is believed."""
SETTLE_S: Final = 1.0
"""A service may need a moment until a file is there."""

_TOO_LARGE: Final = 413
_FULL: Final = 507
_MAY_PASS: Final = frozenset({408, 409, 425, 429})
"""Refusals that another slot, or a moment later, may not meet, beside those of 500 and more."""


class UploadLinks:
    """Uploads files and gives links to them (XEP-0363)."""

    def __init__(
        self,
        *,
        store: BlobStore,
        entries: Entries,
        links: Links,
        http: HttpTransfer,
        uploads: UploadService,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._entries = entries
        self._links = links
        self._http = http
        self._uploads = uploads
        self._clock = clock
        self._locks = KeyedLocks(asyncio.Lock)
        self.refusals = UploadRefusals(clock)

    async def has_link(self, entry: Entry) -> bool:
        """Whether an earlier upload is still available."""
        link = await self._links.link(entry.blob.digest, entry.name)
        return link is not None and await self._http.alive(link.url, entry.blob.size) is True

    async def url(self, entry: Entry, moved: Callable[[int], None] = lambda _: None) -> str:
        """An address where the file can be had right now.

        ``moved`` is told all bytes uploaded so far, if an upload is needed. Raises TransferError
        (TooLargeForService, NoUploadService, ServiceQuotaReached ...) or StorageError.
        """
        digest = entry.blob.digest
        # Two people who ask for the same file at once share one upload.
        async with self._locks((digest, entry.name)):
            link = await self._links.link(digest, entry.name)
            if link is not None and await self._http.alive(link.url, entry.blob.size) is True:
                return link.url
            url = await self._upload(entry, moved)
            await self._remember(Link(digest, entry.name, url, self._clock()))
            return url

    async def _remember(self, link: Link) -> None:
        """Remember a link, if possible: it works all the same, on a full disk say."""
        try:
            if await self._entries.referenced_digests([link.digest]):  # else it was removed meanwhile
                await self._links.save_link(link)
        except StorageError as error:
            log.warning("the link to %s will not be used again: %s", link.name, error)

    async def _upload(self, entry: Entry, moved: Callable[[int], None]) -> str:
        size = entry.blob.size
        limit = await self._uploads.size_limit()
        if limit is not None and size > limit:
            raise TooLargeForService(size_bytes=size, limit_bytes=limit)
        # First, since a slot does not wait for long: a blob may have to be read for this.
        async with self._store.local_file(entry.blob.digest) as file:
            return await self._put(entry, file, moved)

    async def _put(self, entry: Entry, file: Path, moved: Callable[[int], None]) -> str:
        backoff, dead = Backoff(PAUSE_S, LONGEST_PAUSE_S), 0
        while True:
            # A slot is good for one PUT: Prosody answers 409 to a second one.
            slot = await self._slot(entry)
            try:
                await self._http.put(slot, file, entry.media_type, moved)
            except ForbiddenTarget as error:
                raise UploadServiceForbidden(_host(slot.put_url), reason=error.reason) from error
            except (PeerGone, TransferTimeout, Refused) as error:
                if isinstance(error, Refused):
                    self._raise_if_final(error, entry.blob.size)
                pause_s = backoff.next_s()
                if backoff.failures == UPLOAD_ATTEMPTS and isinstance(error, ServerNotReached):
                    raise UploadServiceNotReached(error) from error
                if backoff.failures == UPLOAD_ATTEMPTS:
                    raise
            else:
                if await self._is_there(slot.get_url, entry.blob.size):
                    return slot.get_url
                dead += 1
                if dead == DEAD_LINKS:
                    raise LinkDead(_host(slot.get_url))
                log.warning("%s took an upload and has it not", _host(slot.get_url))
                continue
            await asyncio.sleep(pause_s)

    async def _is_there(self, url: str, size_bytes: int) -> bool:
        """Whether a new link leads to its file, unless that cannot be told."""
        try:
            async with asyncio.timeout(CHECK_S):
                if await self._http.alive(url, size_bytes) is not False:
                    return True
                await asyncio.sleep(SETTLE_S)
                return await self._http.alive(url, size_bytes) is not False
        except TimeoutError:
            return True

    def _raise_if_final(self, refused: Refused, size_bytes: int) -> None:
        """Raise what an answer to an upload means, if the same file would meet it again."""
        if refused.status == _TOO_LARGE:
            raise self.refusals.too_large(size_bytes) from refused
        if refused.status == _FULL:
            raise self.refusals.quota_reached(size_bytes, None) from refused
        if refused.status < 500 and refused.status not in _MAY_PASS:
            raise ServiceRefused(f"answers {refused.status} to the upload") from refused

    async def _slot(self, entry: Entry) -> Slot:
        """Request a slot, unless the service recently refused such a file."""
        size = entry.blob.size
        self.refusals.check(size)
        try:
            return await self._uploads.slot(entry.name, size, entry.media_type)
        except ServiceQuotaReached as error:
            raise self.refusals.quota_reached(size, error.retry_at) from error
        except TooLargeForService as error:
            if error.limit_bytes is None:
                self.refusals.too_large(size)
            raise


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
