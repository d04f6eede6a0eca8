"""No byte is free where the bot keeps its files: a real file system, a real bot, a real server."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.localserver.peer import Peer
from tests.e2e.conftest import ROOM, World, sha256, world_in
from tests.support.full_disk import Filler, small_disk
from tests.support.waiting import until_answered

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

SIZE_MIB = 128
OTHER = "other@conference.localhost"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with small_disk(folder / "data", SIZE_MIB):
        async with world_in(folder, limits={"commands_per_minute": 600}) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def full(world: World) -> AsyncIterator[Filler]:
    """Fill it whenever you like; it is emptied afterwards."""
    filler = Filler(world.data)
    yield filler
    filler.remove()


async def dropped(world: World, peer: Peer, path: Path, size: int = 50_000) -> str:
    """Drop random bytes and return their digest."""
    path.write_bytes(content := os.urandom(size))
    await peer.drop(path, world.bot_jid)
    assert "Stored" in (await peer.next_message(world.from_bot)).body
    return sha256(content)


async def got(world: World, peer: Peer, name: str) -> str:
    """Get a file and return the digest of what came."""
    peer.say(f"get {name}", world.bot_jid)
    heard = await peer.next_message(lambda each: each.url is not None or world.from_bot(each))
    assert heard.url is not None, heard.body
    return sha256(await peer.download(heard.url))


async def test_files_are_listed_returned_and_removed_on_a_full_disk(
    world: World, alice: Peer, full: Filler, tmp_path: Path
) -> None:
    digests = {f"{n}.bin": await dropped(world, alice, tmp_path / f"{n}.bin") for n in range(4)}
    full.fill()
    assert "4 files" in (await world.ask(alice, "ls")).body
    for name, digest in digests.items():
        assert await got(world, alice, name) == digest
        assert "Deleted" in (await world.ask(alice, f"rm {name}")).body
        full.fill()  # somebody else takes what became free
    assert "no files" in (await world.ask(alice, "ls")).body.lower()
    assert not world.blobs()
    assert not world.temporary_files()


async def test_every_refusal_says_what_was_not_done(
    world: World, alice: Peer, full: Filler, tmp_path: Path
) -> None:
    await dropped(world, alice, tmp_path / "a.bin")
    await alice.join(ROOM, "alice")
    await alice.join(OTHER, "alice")
    await world.bot.stop()
    await world.bot.start()  # with a WAL that has no space of its own yet
    full.fill()
    refusals = {
        "rename a.bin to b.bin": "so the file keeps its old name",
        "lang zh": "so your language was not saved",
        f"room {ROOM} set announce on": "so the setting was not changed",
        f"join {OTHER}": "so I did not enter the room",
        f"send a.bin to {ROOM}": 'so "a.bin" was not sent',
    }
    for text, words in refusals.items():
        said = (await world.ask(alice, text)).body
        assert said.startswith("My storage is full"), said
        assert words in said
    (tmp_path / "new.bin").write_bytes(os.urandom(1000))
    await alice.drop(tmp_path / "new.bin", world.bot_jid)
    said = (await alice.next_message(world.from_bot)).body
    assert 'so I could not keep "new.bin"' in said
    assert "a.bin" in (await world.ask(alice, "ls")).body
    assert "Deleted" in (await world.ask(alice, "rm a.bin")).body


async def test_many_files_are_removed_while_others_take_what_becomes_free(
    world: World, alice: Peer, full: Filler, tmp_path: Path
) -> None:
    names = [f"many-{n}.bin" for n in range(40)]
    for name in names:
        await dropped(world, alice, tmp_path / name, 1000)
    full.fill()
    for name in names:
        assert "Deleted" in (await world.ask(alice, f"rm {name}")).body
        full.fill()
    assert not world.blobs()


async def test_the_bot_starts_on_a_full_disk_and_removes(
    world: World, alice: Peer, full: Filler, tmp_path: Path
) -> None:
    digest = await dropped(world, alice, tmp_path / "before.bin")
    await world.bot.stop()
    full.fill()
    await world.bot.start()
    assert await got(world, alice, "before.bin") == digest
    assert "Deleted" in (await world.ask(alice, "rm before.bin")).body


async def test_when_there_is_room_again_everything_works_and_the_reserve_is_whole(
    world: World, alice: Peer, full: Filler, tmp_path: Path
) -> None:
    await dropped(world, alice, tmp_path / "c.bin")
    await dropped(world, alice, tmp_path / "d.bin")
    full.fill()
    assert "Deleted" in (await world.ask(alice, "rm c.bin")).body
    full.remove()
    full.fill()
    full.remove()
    assert "d2.bin" in (await world.ask(alice, "rename d.bin to d2.bin")).body
    digest = await dropped(world, alice, tmp_path / "e.bin")
    assert await got(world, alice, "e.bin") == digest
    reserve = world.data / "catalog.reserve"

    async def is_whole() -> bool:
        assert (await world.ask(alice, "lang en")).body
        return reserve.stat().st_size >= 16 * 1024 * 1024

    await until_answered(is_whole, 30)
    full.fill()
