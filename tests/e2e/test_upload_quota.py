"""The upload service has a quota of the day: what is too much for it does not keep back what is not."""

import os
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import bot_config
from tests.servers import private_server

MB = 1_000_000


@pytest.mark.needs("a daily upload quota")
async def test_after_a_refusal_for_the_quota_a_smaller_file_still_goes(tmp_path: Path) -> None:
    async with private_server(
        tmp_path / "server",
        users=["filebot", "alice"],
        upload_limit_bytes=3 * MB,
        upload_quota_bytes=3 * MB,
    ) as server:
        config = bot_config(server, limits={"max_file_size": "3 MB"})
        bot = server.jid("filebot")
        async with BotProcess(write_config(tmp_path / "config.toml", config)):
            # Alice's uploads count in a quota of her own.
            for name, size in (("first.bin", 2_500_000), ("small.bin", 1_000)):
                (tmp_path / name).write_bytes(os.urandom(size))
            async with await Peer.of(server, "alice") as alice:
                for name in ("first.bin", "small.bin"):
                    await alice.drop(tmp_path / name, bot)
                    await alice.next_message(lambda heard: "Stored" in heard.body)
                alice.say("get first.bin", bot)
                assert (await alice.next_message(lambda heard: heard.url is not None)).url
                alice.say("rename first.bin again.bin", bot)
                await alice.next_message(lambda heard: "again.bin" in heard.body)
                alice.say("get again.bin by http", bot)
                refusal = await alice.next_message(lambda heard: bool(heard.body))
                assert "has reached its limit" in refusal.body
                alice.say("get small.bin", bot)
                heard = await alice.next_message(lambda heard: heard.url is not None)
                assert await alice.download(heard.body) == (tmp_path / "small.bin").read_bytes()
