"""A blob that is damaged on disk, or gone: never given away, and mended by its own bytes."""

import os
from pathlib import Path

import pytest

from filebot.localserver.peer import Peer
from tests.e2e.conftest import World, sha256
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("lost", [True, False])
async def test_a_damaged_file_is_not_sent_and_is_mended_by_dropping_it_again(
    world: World, alice: Peer, tmp_path: Path, *, lost: bool
) -> None:
    name = f"{lost}.bin"
    path = tmp_path / name
    path.write_bytes(content := os.urandom(300_000))
    await alice.drop(path, world.bot_jid)
    await alice.next_message(world.from_bot)
    blob = world.data / "blobs" / sha256(content)[:2] / sha256(content)
    if lost:
        blob.unlink()
    else:
        blob.write_bytes(b"X" + content[1:])
    said = await world.ask(alice, f"get {name}")
    assert said.url is None
    assert said.body.startswith(f'"{name}" is lost or damaged in my storage')
    # The log comes by another way than the answer
    await until(lambda: any(" ERROR " in line and sha256(content) in line for line in world.bot.log), 5)
    assert name in (await world.ask(alice, f"info {name}")).body
    await alice.drop(path, world.bot_jid)
    assert (await alice.next_message(world.from_bot)).body.startswith("I already have that one")
    alice.say(f"get {name}", world.bot_jid)
    heard = await alice.next_message(lambda each: each.url is not None)
    assert heard.url is not None
    assert sha256(await alice.download(heard.url)) == sha256(content)
    if lost:
        blob.unlink()
    assert "Deleted" in (await world.ask(alice, f"rm {name}")).body
    assert not world.temporary_files()
