"""Two people with a web server that trickles take nothing from a third, with few descriptors, too."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import UPLOAD_LIMIT, USERS, World, bot_config
from tests.servers import private_server
from tests.support.trickle import Trickle, trickling_web

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESCRIPTORS = 200
FETCHES = 55


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world whose bot may have few descriptors."""
    folder = tmp_path_factory.mktemp("fair")
    async with AsyncExitStack() as stack:
        server = private_server(folder / "prosody", users=USERS, upload_limit_bytes=UPLOAD_LIMIT)
        await stack.enter_async_context(server)
        config = bot_config(server, limits={"max_file_size": "2 MB", "idle_timeout": "60 s"})
        launcher = ("sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh")
        bot = BotProcess(write_config(folder / "config.toml", config), launcher)
        await stack.enter_async_context(bot)
        yield World(server, bot, folder)


@pytest_asyncio.fixture(loop_scope="module")
async def web() -> AsyncIterator[Trickle]:
    async with trickling_web() as made:
        yield made


def open_descriptors(world: World) -> int:
    return len([*Path(f"/proc/{world.bot.pid}/fd").iterdir()])


async def test_two_people_who_fill_the_bot_leave_a_third_answers_and_room(
    world: World, alice: Peer, bob: Peer, carol: Peer, web: Trickle, tmp_path: Path
) -> None:
    for number in range(FETCHES):
        for peer in (alice, bob):
            peer.say(f"fetch {web.url}/{number}.bin", world.bot_jid)
    for peer in (alice, bob):
        told = await peer.next_message(lambda heard: "is waiting behind" in heard.body)
        assert "of yours at a time" in told.body
    await asyncio.sleep(5)
    assert open_descriptors(world) < DESCRIPTORS - 20
    assert 0 < web.open <= 8
    async with asyncio.timeout(20):
        assert (await world.ask(carol, "ls")).body
        assert "help" in (await world.ask(carol, "help")).body
        path = tmp_path / "tea.txt"
        path.write_bytes(b"leaves" * 100)
        await carol.drop(path, world.bot_jid)
        assert "tea.txt" in (await carol.next_message(world.from_bot)).body
        carol.say("get tea.txt", world.bot_jid)
        heard = await carol.next_message(lambda each: each.url is not None)
        assert await carol.download(heard.url or "") == path.read_bytes()
    # The people who fill the queue can still use commands, too.
    alice.say("transfers", world.bot_jid)
    listed = await alice.next_message(lambda heard: "waiting for its turn" in heard.body)
    assert "more are waiting for their turn" in listed.body


async def test_without_any_descriptor_left_the_bot_still_answers(
    world: World, eve: Peer, carol: Peer, web: Trickle
) -> None:
    soft, hard = resource.prlimit(world.bot.pid, resource.RLIMIT_NOFILE)
    # Descriptors are numbered from the lowest that is free: with this limit none is.
    taken = {int(each.name) for each in Path(f"/proc/{world.bot.pid}/fd").iterdir()}
    lowest_free = next(number for number in range(soft) if number not in taken)
    resource.prlimit(world.bot.pid, resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        async with asyncio.timeout(30):
            assert "ls" in (await world.ask(carol, "help")).body
            assert (await world.ask(carol, "lang zh")).body
            assert "文件" in (await world.ask(carol, "help")).body
            assert (await world.ask(carol, "lang en")).body
            assert (await world.ask(carol, "ls")).body
            assert (await world.ask(carol, "no such thing")).body
            refused = await world.ask(carol, f"fetch {web.url}/more.bin")
            assert "too many files and connections open" in refused.body
            assert (await world.ask(eve, "hello")).body
    finally:
        resource.prlimit(world.bot.pid, resource.RLIMIT_NOFILE, (soft, hard))
