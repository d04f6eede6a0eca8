"""A desk of fakes: the policy as it is, with nothing real under it."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from filebot.checks.checks import Checks
from filebot.concurrency.locks import KeyedLocks
from filebot.events.bus import EventBus
from filebot.events.facts import Actor
from filebot.files.intake import Destination, Intake, IntakeResult
from filebot.files.quota import Quota, StorageLimits
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import Address, Offer, Sender
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.http import HostedFile, MemoryWeb
from filebot.testing.inspector import InspectorByName

URL = "https://upload.example.org/slot/report.pdf"


def to(owner: str, room: str | None = None, caption: str = "", **more: Any) -> Destination:
    """Where a file of somebody's goes."""
    return Destination(owner, Actor(Sender(Address(owner), owner)), room, caption, **more)


ALICE = to("alice@example.org")


@dataclass(frozen=True, slots=True)
class Workbench:
    """Intake over fakes that can be looked into."""

    web: MemoryWeb
    store: MemoryBlobs
    catalog: MemoryCatalog
    intake: Intake

    async def drop(self, content: bytes, destination: Destination = ALICE, **offer: Any) -> IntakeResult:
        """Host some bytes and take them in."""
        self.web.hosted.setdefault(URL, HostedFile(content))
        return await self.intake.fetch(Offer(urls=(URL,), **offer), destination)

    async def nothing_is_left(self) -> bool:
        """Whether neither a blob nor a row nor an open writer remains."""
        blobs = [digest async for digest in self.store.digests()]
        return not blobs and await self.catalog.used_in_all() == (0, 0)


@pytest.fixture
def workbench() -> Callable[..., Workbench]:
    def make(
        *, max_file_bytes: int = 1000, quota_per_user_bytes: int = 100_000, total_bytes: int = 1_000_000
    ) -> Workbench:
        web, store, catalog = MemoryWeb(), MemoryBlobs(), MemoryCatalog()
        quota = Quota(
            StorageLimits(max_file_bytes, quota_per_user_bytes, total_bytes, total_bytes), catalog, store
        )
        intake = Intake(
            store=store,
            entries=catalog,
            data=catalog.plugin_data,
            unused=UnusedBlobs(store, catalog, catalog),
            sources=web,
            inspector=InspectorByName(),
            checks=Checks(),
            quota=quota,
            locks=KeyedLocks(asyncio.Lock),
            clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
            events=EventBus(),
        )
        return Workbench(web, store, catalog, intake)

    return make


def sha256(content: bytes) -> bytes:
    """The digest as it would be announced."""
    return hashlib.sha256(content).digest()
