"""How often the bot tries to log in where it is refused: servers ban an address for that."""

import asyncio
import re
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotEnded, BotProcess, write_config
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.waiting import until

REFUSALS = re.compile(r"Failed c2s \S+ authentication|Sending\[c2s_unauthed\]: <failure ")
"""Lines of ejabberd's log, and of Prosody's."""
WATCHED_S = 15.0
"""Long enough for several attempts at the pace of other failures."""


def refusals(server: Server) -> int:
    """How many logins the server has refused since its log began."""
    return len(REFUSALS.findall(server.log_file.read_text(errors="replace")))


@pytest.mark.needs("an account")
async def test_a_wrong_password_at_the_first_start_is_tried_once(tmp_path: Path) -> None:
    async with private_server(tmp_path / "server", users=USERS) as server:
        config = write_config(tmp_path / "config.toml", bot_config(server, xmpp={"password": "wrong"}))
        with pytest.raises(BotEnded) as ended:
            await BotProcess(config).start()
        assert "The server refuses the account or its password (not-authorized)" in str(ended.value)
        assert refusals(server) == 1


@pytest.mark.needs("an account")
async def test_a_password_that_is_changed_under_a_running_bot_is_tried_once_in_minutes(
    tmp_path: Path,
) -> None:
    async with private_server(tmp_path / "server", users=USERS) as server:
        config = write_config(tmp_path / "config.toml", bot_config(server))
        async with BotProcess(config) as bot:
            before = refusals(server)
            server.change_password("filebot")
            await server.restart()
            await until(lambda: refusals(server) != before, 30)
            await asyncio.sleep(WATCHED_S)
            assert refusals(server) == before + 1
            (told,) = [line for line in bot.log if "refuses the account or its password" in line]
            assert re.search(
                r"ERROR .*\(not-authorized\).* start the bot again; trying again in 5 minutes", told
            )
            async with await Peer.of(server, "alice"):  # the bot's address is not banned
                pass


async def test_a_renewed_certificate_is_trusted_without_a_restart(tmp_path: Path) -> None:
    async with private_server(tmp_path / "server", users=USERS) as server:
        config = write_config(tmp_path / "config.toml", bot_config(server))
        photo = tmp_path / "photo.bin"
        photo.write_bytes(b"x" * 5000)
        async with BotProcess(config) as bot:
            await server.stop()
            await server.renew_certificate()
            await server.restart()
            await until(lambda: sum("online as" in line for line in bot.log) >= 2, 30)
            async with await Peer.of(server, "alice") as alice:
                # By https from the upload service, which has the new certificate, too.
                world = World(server, bot, tmp_path)
                await alice.drop(photo, world.bot_jid)
                assert "Stored" in (await alice.next_message(world.from_bot)).body
