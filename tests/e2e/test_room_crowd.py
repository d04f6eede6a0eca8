"""A room with five hundred people in it, on a real server, and the bot among them."""

import time
from pathlib import Path

import pytest

from filebot.demo.botprocess import BotProcess, write_config
from filebot.demo.peer import Peer
from filebot.demo.prosody import Prosody
from tests.e2e.conftest import ROOM, World, bot_config
from tests.e2e.crowd import Crowd, Heard
from tests.e2e.room_world import Den

DOMAIN = "crowd.localhost"
MANY = 500
ASKING = 100
RENAMED = 20
GROWTH_BYTES = 64 * 1024 * 1024


def resident_bytes(pid: int) -> int:
    """How much memory a process has just now."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


class Watch:
    """Says how long what was done since the last word took."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def note(self, what: str) -> None:
        now = time.monotonic()
        print(f"{now - self._since:6.2f} s  {what}")  # noqa: T201 - figures for who looks
        self._since = now


@pytest.mark.timeout(400)
async def test_the_bot_serves_a_room_of_five_hundred(tmp_path: Path) -> None:
    async with Prosody(
        tmp_path / "prosody", users=["filebot", "alice"], components=[DOMAIN], log_level="info"
    ) as server:
        bot = BotProcess(write_config(tmp_path / "config.toml", bot_config(server)))
        async with bot, await Peer.of(server, "alice") as alice:
            await alice.join(ROOM, "alice")
            here = Den(World(server, bot, tmp_path), ROOM)
            assert "no files yet" in (await here.ask(alice, "!ls")).body
            before, watch = resident_bytes(bot.pid), Watch()
            async with Crowd(server.component(DOMAIN), MANY) as crowd:
                await crowd.enter(ROOM)
                watch.note(f"{MANY} enter")
                await answers(here, alice, watch)
                for number in range(ASKING):
                    crowd.say(number, here.bot, "ls")
                await crowd.until(lambda: all(private(crowd, number) for number in range(ASKING)))
                watch.note(f"{ASKING} ask at once, each is answered")
                for number in range(ASKING):
                    [heard] = private(crowd, number)
                    assert "no files yet" in heard.body
                    assert heard.sender == here.bot
                for number in range(RENAMED):
                    crowd.rename(number, ROOM, f"renamed{number}")
                    crowd.rename(number, ROOM, f"p{number}")
                await answers(here, alice, watch)
                # It comes into a room that is full already.
                await bot.stop()
                watch.note("the bot goes")
                await bot.start()
                watch.note("and comes back among them")
                await answers(here, alice, watch)
                full = resident_bytes(bot.pid)
                crowd.leave(ROOM)
                await answers(here, alice, watch)
            after = resident_bytes(bot.pid)
            print(f"memory: {before >> 20} MiB before, {full >> 20} full, {after >> 20} after")  # noqa: T201
            assert full < before + GROWTH_BYTES
            assert after < before + GROWTH_BYTES


async def answers(here: Den, alice: Peer, watch: Watch) -> None:
    """The bot answers, in the room and in private."""
    assert "no files yet" in (await here.ask(alice, "!ls")).body
    watch.note("a question in the room is answered")
    assert "no files yet" in (await here.ask_privately(alice, "ls")).body
    watch.note("a question in private is answered")


def private(crowd: Crowd, number: int) -> list[Heard]:
    """What one of them heard from the bot alone."""
    return [each for each in crowd.heard[number] if each.kind == "chat"]
