"""``fsck`` on a store that is no disk: by its port alone."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filebot.backends.loading import STORES, Backend
from filebot.data_folder import open_data_folder
from filebot.fsck.command import Wishes, fsck
from filebot.model import BlobRef
from filebot.ports import BackendServices, BlobStore
from filebot.testing.blobs import MemoryBlobs
from tests.unit.fsck.test_command import LIMITS
from tests.unit.test_data_folder import NEW, store_blob


class Lab:
    """Data folder with three files in a store of memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryBlobs()

        @asynccontextmanager
        async def memory(_: BackendServices) -> AsyncIterator[BlobStore]:
            yield self.store

        self.backend: Backend[BlobStore] = Backend(STORES, "store.url", "memory:", "tests:memory", memory)
        self.digests: list[str] = []

    async def fill(self) -> None:
        async with open_data_folder(self.folder, self.backend) as data:
            for number in range(3):
                ref: BlobRef = await store_blob(data.store, str(number).encode())
                await data.catalog.add(replace(NEW, name=f"{number}.txt", blob=ref))
                self.digests.append(ref.digest)

    def fsck(self, **wishes: Any) -> int:
        return fsck(self.folder, LIMITS, 7.0, Wishes(**{"bytes_per_s": 10**9, **wishes}), self.backend)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    import asyncio

    lab = Lab(tmp_path)
    asyncio.run(lab.fill())
    return lab


def test_all_is_well(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.fsck() == 0
    assert "all is well" in capsys.readouterr().out


def test_missing_damaged_and_unreferenced_files_are_told(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    del lab.store.blobs[lab.digests[0]]
    lab.store.blobs[lab.digests[1]] = b"other"
    stray = hashlib.sha256(b"stray").hexdigest()
    lab.store.blobs[stray] = b"stray"
    assert lab.fsck() == 1
    said = capsys.readouterr().out
    assert "0.txt of anna@example.org: its bytes are missing" in said
    assert "1.txt of anna@example.org: its bytes are damaged" in said
    assert "1 of 3 files are in no entry of the catalog" in said
    assert stray in lab.store.blobs
    assert lab.fsck(quick=True) == 1
    assert "damaged" not in capsys.readouterr().out
    assert lab.fsck(repair=True) == 1
    assert lab.store.unreferenced == {stray: b"stray"}


def test_what_is_set_aside_is_brought_back(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.store.unreferenced[lab.digests[0]] = lab.store.blobs.pop(lab.digests[0])
    assert lab.fsck() == 1
    assert "its bytes are set aside" in capsys.readouterr().out
    assert lab.fsck(repair=True) == 0
    assert lab.digests[0] in lab.store.blobs
