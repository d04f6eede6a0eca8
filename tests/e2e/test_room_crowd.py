"""A room with five hundred people in it, on a real server, and the bot among them."""

from contextlib import AsyncExitStack
from pathlib import Path

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import ROOM, bot_config
from tests.servers import private_server
from tests.support.muc import destroy
from tests.support.room import BotRoom
from tests.support.room_crowd import Crowd, Heard

DOMAIN = "crowd.localhost"
MANY = 500
BEFORE_THE_BOT = 400
ASKING = 100
RENAMED = 10


async def test_the_bot_serves_a_room_of_five_hundred(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = private_server(
            tmp_path / "server", users=["filebot", "alice"], components=[DOMAIN], log_level="info"
        )
        await stack.enter_async_context(server)
        alice = await stack.enter_async_context(await Peer.of(server, "alice"))
        await alice.join(ROOM, "alice")
        crowd = await stack.enter_async_context(Crowd(server.component(DOMAIN), MANY))
        here = BotRoom(ROOM)
        # Some are there when the bot comes in, and it sees the others come.
        await crowd.enter(ROOM, range(BEFORE_THE_BOT))
        bot = BotProcess(write_config(tmp_path / "config.toml", bot_config(server)))
        await stack.enter_async_context(bot)
        await crowd.enter(ROOM, range(BEFORE_THE_BOT, MANY))
        await answers(here, alice)
        for number in range(0, MANY, MANY // ASKING):
            crowd.say(number, here.bot, "ls")
        await crowd.until(lambda: sum(map(len, answered(crowd, here))) == ASKING)
        for number, heard in enumerate(answered(crowd, here)):
            asked = number % (MANY // ASKING) == 0
            assert ["no files yet" in each.body for each in heard] == [True] * asked
        for number in range(RENAMED):
            crowd.rename(number, ROOM, f"renamed{number}")
        await answers(here, alice)
        await destroy(alice, ROOM)
        await crowd.until(lambda: crowd.put_out == MANY)


async def answers(here: BotRoom, alice: Peer) -> None:
    """The bot answers, in the room and in private."""
    assert "no files yet" in (await here.ask(alice, "!ls")).body
    assert "no files yet" in (await here.ask_privately(alice, "ls")).body


def answered(crowd: Crowd, here: BotRoom) -> list[list[Heard]]:
    """Words of the bot to each of them alone."""
    return [
        [each for each in crowd.heard[number] if (each.sender, each.kind) == (here.bot, "chat")]
        for number in range(MANY)
    ]
