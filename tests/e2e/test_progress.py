"""Long transfers are told of: once and corrected, or at a few marks."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from slixmpp.stanza import Presence

from filebot.localserver.peer import Peer, Received
from tests.e2e.conftest import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 10
PIECE = 20_000


@pytest_asyncio.fixture(loop_scope="module")
async def slow_file() -> AsyncIterator[str]:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(SECONDS * 2 * PIECE)})
        await response.prepare(request)
        for number in range(SECONDS * 2):
            await response.write(request.path.encode().ljust(PIECE, bytes([number])))
            await asyncio.sleep(0.5)
        return response

    app = web.Application()
    app.router.add_get("/{name}", trickle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def replaced(heard: Received) -> str | None:
    replace = heard.element.find("{urn:xmpp:message-correct:0}replace")
    return None if replace is None else replace.get("id")


async def told(world: World, peer: Peer, url: str) -> list[Received]:
    """All that the bot says of a file until it is there."""

    def about_it(heard: Received) -> bool:
        return world.from_bot(heard) and url.rpartition("/")[2] in heard.body

    peer.say(f"fetch {url}", world.bot_jid)
    said: list[Received] = []
    while not said or "Stored" not in said[-1].body:
        said.append(await peer.next_message(about_it, timeout_s=30))
    return said[:-1]


async def test_who_sees_corrections_has_one_message_that_changes(world: World, slow_file: str) -> None:
    async with await world.login("alice") as alice:
        alice.client.register_plugin("xep_0308")
        await alice.client.plugin["xep_0115"].update_caps()
        await befriend(world, alice)
        first, *corrections = await told(world, alice, f"{slow_file}/alice.bin")
        assert replaced(first) is None
        assert corrections
        assert {replaced(each) for each in corrections} == {first.element.get("id")}
        assert "alice.bin: " in corrections[-1].body
        last = corrections[-1]
        while not last.body.startswith("alice.bin: done"):  # at most a second after the file is there
            last = await alice.next_message(lambda heard: replaced(heard) == first.element.get("id"))
        assert last.body == "alice.bin: done, 400 kB"


async def test_who_does_not_is_told_at_the_marks(world: World, slow_file: str) -> None:
    async with await world.login("bob") as bob:
        await befriend(world, bob)
        said = await told(world, bob, f"{slow_file}/bob.bin")
        assert 1 <= len(said) <= 3
        assert all(replaced(each) is None for each in said)


async def befriend(world: World, peer: Peer) -> None:
    """Add the bot to one's contacts; it sees one's presence then."""
    seen = asyncio.Event()

    def came(presence: Presence) -> None:
        if presence["from"].bare == world.bot_jid:
            seen.set()

    peer.client.add_event_handler("presence_available", came)
    await peer.client.get_roster()
    peer.client.send_presence_subscription(world.bot_jid)
    await asyncio.wait_for(seen.wait(), 15)
    await asyncio.sleep(1)  # until the bot has been sent ours
