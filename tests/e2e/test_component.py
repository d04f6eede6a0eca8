"""The main job with the bot as an external component (XEP-0114)."""

import os
from pathlib import Path

from filebot.demo.botprocess import BotProcess, write_config
from filebot.demo.peer import Peer
from filebot.demo.prosody import Prosody
from tests.e2e.conftest import ROOM, bot_config, sha256

DOMAIN = "files.localhost"


async def test_a_component_stores_lists_returns_and_shares(tmp_path: Path) -> None:
    path = tmp_path / "report.bin"
    path.write_bytes(os.urandom(50_000))
    async with Prosody(
        tmp_path / "prosody", users=["filebot", "alice", "bob"], components=[DOMAIN]
    ) as server:
        login = server.component(DOMAIN)
        account = {
            "jid": DOMAIN,
            "password": login.secret,
            "mode": "component",
            "host": login.host,
            "port": login.port,
        }
        config = write_config(tmp_path / "config.toml", bot_config(server, xmpp=account))
        async with (
            BotProcess(config) as bot,
            await Peer.of(server, "alice") as alice,
            await Peer.of(server, "bob") as bob,
        ):
            await alice.join(ROOM, "alice")
            await bob.join(ROOM, "bob")
            for address in (DOMAIN, f"bot@{DOMAIN}"):
                await alice.drop(path, address)
                answer = (await alice.next_message(lambda heard: DOMAIN in heard.sender)).body
                assert "report.bin" in answer, [*bot.log]
            alice.say("get report.bin", DOMAIN)
            heard = await alice.next_message(lambda heard: heard.url is not None)
            assert sha256(await alice.download(heard.body)) == sha256(path.read_bytes())
            alice.say(f"send report.bin to {ROOM}", DOMAIN)
            heard = await bob.next_message(lambda heard: heard.url is not None)
            assert sha256(await bob.download(heard.body)) == sha256(path.read_bytes())
            bob.say("!ls", ROOM, mtype="groupchat")
            listed = await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
            assert "report.bin" in listed.body
