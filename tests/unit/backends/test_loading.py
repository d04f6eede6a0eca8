"""Backends that packages announce: found by the scheme of a URL, opened, and what may be wrong."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from filebot.backends import loading
from filebot.backends.loading import INSPECTORS, SCANNERS, STORES, load_backends
from filebot.config import Config
from filebot.data_folder import open_data_folder
from filebot.errors import BackendUnavailable, ConfigError, StorageFull
from filebot.filetype.inspector import LibmagicInspector
from filebot.model import Digest
from filebot.ports import BackendServices, BlobStore, Scanner
from filebot.preflight import prepared
from filebot.storage.disk import DiskStore
from filebot.testing.blobs import MemoryBlobs

HERE = __name__

closed: list[str] = []


class Quiet:
    """Scanner that finds nothing."""

    async def scan(self, file: Path) -> str | None:
        return None


@asynccontextmanager
async def good(services: BackendServices) -> AsyncIterator[Scanner]:
    yield Quiet()
    closed.append(services.url)


@asynccontextmanager
async def memory(_: BackendServices) -> AsyncIterator[BlobStore]:
    yield MemoryBlobs()


def raises(_: BackendServices) -> None:
    raise LookupError("no such\nlibrary")


def leaves(_: BackendServices) -> None:
    raise SystemExit(3)


@asynccontextmanager
async def refused(_: BackendServices) -> AsyncIterator[Scanner]:
    raise ConnectionRefusedError("Connection refused")
    yield


@asynccontextmanager
async def full(_: BackendServices) -> AsyncIterator[BlobStore]:
    raise StorageFull("no room")
    yield


@asynccontextmanager
async def never(_: BackendServices) -> AsyncIterator[Scanner]:
    await asyncio.Event().wait()
    yield Quiet()


@asynccontextmanager
async def half(_: BackendServices) -> AsyncIterator[object]:
    yield object()


@asynccontextmanager
async def fails_at_its_end(_: BackendServices) -> AsyncIterator[Scanner]:
    yield Quiet()
    raise LookupError("late")


@pytest.fixture(autouse=True)
def announce(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Let this module's backends be announced beside the bot's own."""
    names = ("good", "raises", "leaves", "refused", "never", "half", "fails_at_its_end")
    found = [EntryPoint(name.replace("_", "-"), f"{HERE}:{name}", SCANNERS.group) for name in names]
    found += [
        EntryPoint("gone", "tests.support.no_such_module:scanner", SCANNERS.group),
        EntryPoint("odd", f"{HERE}:HERE", SCANNERS.group),
        EntryPoint("twice", f"{HERE}:good", SCANNERS.group),
        EntryPoint("twice", f"{HERE}:half", SCANNERS.group),
        EntryPoint("memory", f"{HERE}:memory", STORES.group),
        EntryPoint("full", f"{HERE}:full", STORES.group),
        EntryPoint("half", f"{HERE}:half", STORES.group),
        *(each for kind in (STORES, INSPECTORS) for each in entry_points(group=kind.group)),
    ]
    monkeypatch.setattr(
        loading, "entry_points", lambda group: [each for each in found if each.group == group]
    )
    yield found
    closed.clear()


async def opened(scanner: str, folder: Path) -> None:
    async with load_backends(scanners=[scanner]).scanners[0].opened(folder, 5.0) as backend:
        assert await backend.scan(folder) is None


async def test_the_bots_own_are_found_as_those_of_others_are(tmp_path: Path) -> None:
    backends = load_backends()
    async with (
        backends.store.opened(tmp_path, 5.0) as store,
        backends.inspector.opened(tmp_path, 5.0) as inspector,
    ):
        assert isinstance(store, DiskStore)
        assert isinstance(inspector, LibmagicInspector)
    assert backends.store.is_own
    assert not load_backends("memory:").store.is_own


async def test_a_factory_is_given_the_url_and_closed_at_the_end(tmp_path: Path) -> None:
    await opened("good:somewhere", tmp_path)
    assert closed == ["good:somewhere"]


@pytest.mark.parametrize(
    ("scanner", "words"),
    [
        ("nobody:", 'no installed package has the scanner "nobody"; there is fails-at-its-end, gone, good'),
        ("twice:", f'several packages have the scanner "twice": {HERE}:good and {HERE}:half; keep one'),
        (
            "gone:",
            "scanner gone (tests.support.no_such_module:scanner) cannot be used: ModuleNotFoundError",
        ),
        ("odd:", f"scanner odd ({HERE}:HERE) cannot be used: it is str, and no function or class"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line_before_the_start(
    scanner: str, words: str, tmp_path: Path
) -> None:
    account = {"jid": "bot@example.org", "password": "x"}
    config = Config.model_validate(
        {"xmpp": account, "data_dir": str(tmp_path), "files": {"scanners": [scanner]}}
    )
    with pytest.raises(ConfigError) as failed:
        prepared(config)
    [line] = failed.value.mistakes
    assert line.startswith(f"files.scanners: {words}")
    assert "\n" not in line


def test_all_that_cannot_be_loaded_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as failed:
        load_backends("nowhere://bucket?secret=hunter2", "gone:", ["nobody:", "good:"])
    assert len(failed.value.mistakes) == 3
    assert "hunter2" not in str(failed.value)


def test_without_the_bots_own_entry_points_it_says_what_to_do(announce: list[EntryPoint]) -> None:
    announce[:] = [each for each in announce if not each.value.startswith("filebot.")]
    with pytest.raises(ConfigError, match="the bot's own store is not announced; install filebot anew"):
        load_backends()


@pytest.mark.parametrize(
    ("scanner", "error", "words"),
    [
        ("raises:", ConfigError, "cannot be used: LookupError: no such library"),
        ("leaves:", ConfigError, "cannot be used: SystemExit: 3"),
        ("half:", ConfigError, "cannot be used: it has no method scan"),
        ("refused:hunter2", BackendUnavailable, "cannot be opened: Connection refused"),
        ("never:", BackendUnavailable, "cannot be opened: it is not open after 0.1 s"),
    ],
)
async def test_what_cannot_be_opened_is_told_in_one_line(
    scanner: str, error: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "OPEN_LIMIT_S", 0.1)
    with pytest.raises(error) as failed:
        await opened(scanner, tmp_path)
    name = scanner.partition(":")[0]
    assert str(failed.value) == f"files.scanners: scanner {name} ({HERE}:{name}) {words}"


async def test_a_backend_that_fails_at_its_end_hides_no_other_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await opened("fails-at-its-end:", tmp_path)
    assert "failed when it was closed" in caplog.text
    caplog.clear()
    backend = load_backends(scanners=["good:"]).scanners[0]
    with pytest.raises(ZeroDivisionError):
        async with backend.opened(tmp_path, 5.0):
            raise ZeroDivisionError
    assert caplog.text == ""


async def test_the_data_folder_takes_any_store(tmp_path: Path) -> None:
    async with open_data_folder(tmp_path, load_backends("memory:").store) as data:
        async with data.store.create() as writer:
            await writer.write(b"abc")
            await writer.seal()
            ref = await writer.commit()
        found: list[Digest] = [digest async for digest in data.store.digests()]
        assert found == [ref.digest]
    assert not (tmp_path / "blobs").exists()
    for name, error in (("full:", StorageFull), ("half:", ConfigError)):
        with pytest.raises(error):
            async with open_data_folder(tmp_path, load_backends(name).store):
                pass


async def test_the_disk_takes_no_other_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="files are kept in data_dir"):
        async with load_backends("disk:/elsewhere").store.opened(tmp_path, 5.0):
            pass
