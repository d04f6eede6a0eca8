"""Files by Jingle on a real server, between two of our sessions."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.demo.prosody import Prosody
from filebot.model import Method
from tests.e2e.stream_world import house

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZES = [1, 4096, 1_000_000]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prosody]:
    folder = tmp_path_factory.mktemp("jingle")
    async with Prosody(folder / "server", users=["bot", "other"]) as running:
        yield running


def file_of(folder: Path, size: int) -> Path:
    path = folder / "a file.bin"
    path.write_bytes(os.urandom(size))
    return path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("listening", ["sender", "receiver", "neither"])
async def test_a_file_goes_by_socks5_and_arrives_whole(
    server: Prosody, tmp_path: Path, size: int, listening: str
) -> None:
    path = file_of(tmp_path, size)
    async with (
        house(server, "bot", listens=listening == "sender") as bot,
        house(server, "other", listens=listening == "receiver") as other,
    ):
        assert await bot.send_by_jingle(other, path, Method.SOCKS5) is Method.SOCKS5
        assert await other.file() == path.read_bytes()


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_goes_in_band_and_arrives_whole(server: Prosody, tmp_path: Path, size: int) -> None:
    path = file_of(tmp_path, size)
    async with house(server, "bot") as bot, house(server, "other") as other:
        assert await bot.send_by_jingle(other, path, Method.IBB) is Method.IBB
        assert await other.file() == path.read_bytes()
