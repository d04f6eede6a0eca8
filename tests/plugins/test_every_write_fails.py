"""ENOSPC at every write of a drop, a delivery and a removal: by the real store and the real catalog."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.chat.rate_limits import RateLimits
from filebot.model import Client, Method, Negotiation, Scope
from filebot.ports import BlobStore, Catalog
from filebot.services import build_services
from filebot.storage.disk import DiskStore
from filebot.testing import ALICE, FakeBot
from filebot.testing.bot import LIMITS
from tests.support.disk_faults import DiskFaults, faulty_sqlite
from tests.support.waiting import until

RESERVE = 64 * 1024
DESKTOP = Client(f"{ALICE}/desktop", {Negotiation.SI: frozenset({Method.SOCKS5, Method.IBB})})


class DiskBot(FakeBot):
    """Files and catalog are on a disk; the rest is made up."""

    def __init__(self, store: BlobStore, catalog: Catalog) -> None:
        super().__init__(rate_limits=RateLimits(commands_per_minute=100_000))
        ports = replace(self._services.ports, store=store, catalog=catalog)
        settable, notes = self._first.room_settings, self._first.presence
        self._services = build_services(
            ports, self._services.access, LIMITS, settable, notes, settle_s=0.0, bounce_s=0.0
        )
        self.real = catalog


class Lab:
    """A bot, its disk, and what goes wrong there."""

    def __init__(self, bot: DiskBot, root: Path, faults: DiskFaults) -> None:
        self.bot = bot
        self.root = root
        self.faults = faults

    async def names(self) -> list[str]:
        return [entry.name for entry in await self.bot.real.page(Scope(owner=ALICE), limit=50)]

    async def fetched(self, name: str) -> bytes | None:
        """Get a file by whichever way; None if it is refused."""
        links, streams = len(self.bot.sent), len(self.bot.streams.received)
        await self.bot.say(f"get {name}")
        if len(self.bot.sent) > links:
            return self.bot.web.hosted[self.bot.sent[-1].url].content
        if len(self.bot.streams.received) > streams:
            return self.bot.streams.received[-1][2]
        return None

    def leftovers(self) -> list[Path]:
        """Temporary files."""
        return [*(self.root / "incoming").iterdir(), *(self.root / "partial").iterdir()]

    def blobs(self) -> int:
        return sum(path.is_file() for path in (self.root / "blobs").rglob("*"))

    async def works(self, name: str) -> None:
        """The bot does all it should, and leaves nothing of this check."""
        content = os.urandom(1000)
        assert "Stored" in (await self.bot.drop(name, content))[0]
        assert await self.fetched(name) == content
        assert "Deleted" in (await self.bot.say(f"rm {name}"))[0]


@asynccontextmanager
async def lab_in(root: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    faults = DiskFaults(root)
    with faulty_sqlite(faults):
        store = await DiskStore.open(root)
        try:
            async with open_catalog(root / "catalog.sqlite", RESERVE) as catalog:
                async with DiskBot(store, catalog) as bot:
                    faults.install(patch)
                    yield Lab(bot, root, faults)
                patch.undo()
        finally:
            await store.close()


@pytest.fixture
async def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    async with lab_in(tmp_path, monkeypatch) as made:
        await made.works("warm.bin")  # what is opened once is open
        yield made


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def are_open(count: int) -> bool:
    """Whether so many files are open."""
    return open_files() == count


async def at_every_write(lab: Lab, lasting: bool, once: Callable[[str], Awaitable[None]]) -> int:
    """Let a fault come at the first write, the second, and so on; how many there are."""
    number = 0
    while True:
        number += 1
        name = f"{number}.bin"
        before = open_files()
        await once(name)
        assert lab.leftovers() == []
        reached = lab.faults.count >= number
        lab.faults.fail(0, lasting=False)
        # The writer takes its reserve back after it has answered.
        await until(partial(are_open, before))
        await lab.works("works.bin")
        if not reached:
            return number - 1


def report(what: str, lasting: bool, points: int) -> None:
    """``pytest -s`` shows it; docs/reliability.md has the figures."""
    mode = "it and all after it fail" if lasting else "it alone fails"
    sys.stdout.write(f"{what}: {points} writes; {mode}\n")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lasting", [False, True])
async def test_a_drop_is_stored_whole_or_refused_and_leaves_nothing(lab: Lab, *, lasting: bool) -> None:
    async def once(name: str) -> None:
        lab.faults.fail(int(name.partition(".")[0]), lasting=lasting)
        content = os.urandom(3_000)
        said = await lab.bot.drop(name, content)
        count = lab.faults.count
        lab.faults.fail(0, lasting=False)
        if "Stored" in said[0]:
            assert await lab.fetched(name) == content
            assert "Deleted" in (await lab.bot.say(f"rm {name}"))[0]
        else:
            assert name in said[0], said
            assert await lab.names() == []
        assert await lab.names() == []
        assert lab.blobs() == 0
        lab.faults.count = count

    points = await at_every_write(lab, lasting, once)
    report("a drop", lasting, points)
    assert points >= 5


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lasting", [False, True])
async def test_a_removal_is_done_or_refused_and_leaves_nothing(lab: Lab, *, lasting: bool) -> None:
    refused = 0

    async def once(name: str) -> None:
        nonlocal refused
        content = os.urandom(3_000)
        await lab.bot.drop(name, content)
        await lab.fetched(name)
        lab.faults.fail(int(name.partition(".")[0]), lasting=lasting)
        said = await lab.bot.say(f"rm {name}")
        count = lab.faults.count
        lab.faults.fail(0, lasting=False)
        if "Deleted" not in said[0]:
            refused += 1
            assert "so the file was not deleted" in said[0] or "storage" in said[0], said
            assert await lab.fetched(name) == content
            assert "Deleted" in (await lab.bot.say(f"rm {name}"))[0]
        assert await lab.names() == []
        assert lab.blobs() == 0
        lab.faults.count = count

    points = await at_every_write(lab, lasting, once)
    report("a removal", lasting, points)
    assert points >= 3
    if not lasting:
        assert refused == 0  # the reserve is there for that


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("by_stream", [False, True])
async def test_a_delivery_brings_the_file_or_is_refused_and_leaves_nothing(
    lab: Lab, *, lasting: bool, by_stream: bool
) -> None:
    lab.bot.streams.online[ALICE] = (DESKTOP,)
    lab.bot.uploads.away = by_stream
    refused = 0

    async def once(name: str) -> None:
        nonlocal refused
        content = os.urandom(3_000)
        await lab.bot.drop(name, content)
        lab.faults.fail(int(name.partition(".")[0]), lasting=lasting)
        came = await lab.fetched(name)
        count = lab.faults.count
        lab.faults.fail(0, lasting=False)
        if came is None:
            refused += 1
            came = await lab.fetched(name)
        assert came == content
        assert "Deleted" in (await lab.bot.say(f"rm {name}"))[0]
        assert await lab.bot.real.deliveries() == []
        lab.faults.count = count

    points = await at_every_write(lab, lasting, once)
    report(f"a delivery by {'stream' if by_stream else 'link'}", lasting, points)
    assert points >= 2
    if not lasting or not by_stream:
        assert refused == 0
