"""Moves of all files from the disk into a bucket and back, by the command line."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from filebot.localserver.botprocess import write_config
from filebot.model import Digest
from filebot.storage.disk import DiskStore
from filebot.storage.file_system import BLOBS
from filebot.storage.s3.address import ACCESS_KEY, SECRET_KEY
from filebot.store_copy.command import SPOOL
from filebot.testing.contracts.blob_partials import stored
from tests.support.command_line import filebot
from tests.support.s3 import KEYS, S3Server, running_s3
from tests.support.waiting import until

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("s3")]

SECRET = {"jid": "bot@example.org", "password": "secret"}
LARGE = bytes(range(256)) * 40_000
"""More than one part of an upload."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    monkeypatch.setenv(ACCESS_KEY, KEYS.access)
    monkeypatch.setenv(SECRET_KEY, KEYS.secret)
    (tmp_path / "s3").mkdir()
    with running_s3(tmp_path / "s3") as running:
        yield running


async def filled(folder: Path, number: int) -> dict[Digest, bytes]:
    """Make a store in a data folder with so many files, one of them large."""
    store = await DiskStore.open(folder)
    try:
        files = [f"file {each}".encode() * 1000 for each in range(number - 1)] + [LARGE]
        return {(await stored(store, each)).digest: each for each in files}
    finally:
        await store.close()


def on_disk(folder: Path) -> dict[Digest, bytes]:
    return {path.name: path.read_bytes() for path in (folder / BLOBS).glob("*/*")}


def config_for(folder: Path) -> Path:
    tables = {"xmpp": SECRET, "data_dir": str(folder / "data"), "access": {"allow": ["*@example.org"]}}
    return write_config(folder / "config.toml", tables)


async def test_there_and_back_again(server: S3Server, tmp_path: Path) -> None:
    config, url = config_for(tmp_path), server.url("moved")
    files = await filled(tmp_path / "data", 30)
    code, said = await filebot("store", "copy", "--config", str(config), "disk:", url)
    assert (code, said.split(";")[0]) == (0, "30 files are in the target"), said
    code, said = await filebot("store", "copy", "--config", str(config), "--verify", "disk:", url)
    assert (code, "; 0 of them are new" in said) == (0, True), said
    for path in (tmp_path / "data" / BLOBS).glob("*/*"):
        path.unlink()
    code, said = await filebot("store", "copy", "--config", str(config), url, "disk:")
    assert code == 0, said
    assert on_disk(tmp_path / "data") == files
    assert not [*(tmp_path / "data" / SPOOL).iterdir()]
    assert KEYS.secret not in said


async def test_a_copy_that_is_killed_goes_on(server: S3Server, tmp_path: Path) -> None:
    config, url = config_for(tmp_path), server.url("killed")
    files = await filled(tmp_path / "data", 300)
    arguments = ("-m", "filebot", "store", "copy", "--config", str(config), "disk:", url)
    copying = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    here = server.bucket / "killed"
    await until(lambda: len([*here.glob("blobs/*/*")]) > 20)
    copying.kill()
    await copying.wait()
    code, said = await filebot("store", "copy", "--config", str(config), "--verify", "disk:", url)
    assert code == 0, said
    assert "300 files are in the target" in said
    assert {path.name: path.read_bytes() for path in here.glob("blobs/*/*")} == files


async def test_a_server_that_is_away_for_a_while_costs_nothing(server: S3Server, tmp_path: Path) -> None:
    config, url = config_for(tmp_path), server.url("away")
    files = await filled(tmp_path / "data", 200)
    copying = asyncio.create_task(filebot("store", "copy", "--config", str(config), "disk:", url))
    here = server.bucket / "away"
    await until(lambda: len([*here.glob("blobs/*/*")]) > 20)
    server.kill()
    server.start()
    code, said = await copying
    assert code == 0, said
    assert {path.name: path.read_bytes() for path in here.glob("blobs/*/*")} == files


async def test_what_cannot_be_copied_is_refused(server: S3Server, tmp_path: Path) -> None:
    config = config_for(tmp_path)
    await filled(tmp_path / "data", 2)
    for one, other, why in (
        ("disk:", "disk:", "both stores are the same"),
        ("disk:", "ftp://there", "no installed package has the store"),
        ("disk:", server.url().replace("files/", "nowhere/"), "NoSuchBucket"),
    ):
        code, said = await filebot("store", "copy", "--config", str(config), one, other)
        assert code == 2, said
        assert why in said
    os.chown(tmp_path / "data", 12345, 12345)
    code, said = await filebot("store", "copy", "--config", str(config), "disk:", server.url())
    assert (code, "run this as the user number 12345" in said) == (2, True), said
