"""A server that ends the stream for a stanza of more than 10 kB (RFC 6120 section 13.12)."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slixmpp import JID
from slixmpp.features.feature_limits.limits import Limits

from filebot.catalog import open_catalog
from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer, Received
from filebot.localserver.server import Server
from filebot.model import Address, BlobRef, NewEntry
from filebot.xmpp.session import Handlers, SessionSettings, XmppSession
from tests.e2e.conftest import bot_config
from tests.e2e.test_cascade import LIMIT_S, online
from tests.servers import private_server

LIMIT_BYTES = 10_000
COUNT = 60


def long_name(number: int) -> str:
    return f"{number:03} {'报告 & <总结> ' * 12}.pdf"


async def fill(data: Path) -> None:
    """Give Alice many files with long names."""
    data.mkdir()
    async with open_catalog(data / "catalog.sqlite") as catalog:
        for number in range(COUNT):
            await catalog.add(
                NewEntry(
                    name=long_name(number),
                    owner="alice@localhost",
                    room=None,
                    caption="",
                    blob=BlobRef(f"{number:064x}", 1000),
                    media_type="application/pdf",
                    created_at=datetime.now(UTC),
                )
            )


@asynccontextmanager
async def bot_on(
    folder: Path, *, upload_limit_bytes: int | None = 3_000_000
) -> AsyncIterator[tuple[Server, BotProcess]]:
    async with private_server(
        folder / "server",
        users=["alice", "filebot"],
        upload_limit_bytes=upload_limit_bytes,
        client_stanza_bytes=LIMIT_BYTES,
    ) as server:
        tables = bot_config(server, limits={"idle_timeout": "10 s"})
        tables["plugins.files"] = {"page_size": 50}
        async with BotProcess(write_config(folder / "config.toml", tables)) as bot:
            yield server, bot


def lost(bot: BotProcess) -> list[str]:
    return [line for line in bot.log if "not connected" in line or "policy-violation" in line]


async def test_long_answers_come_in_parts_and_the_session_lasts(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    async with bot_on(tmp_path) as (server, bot), await Peer.of(server, "alice") as alice:
        jid = server.jid("filebot")
        alice.say("ls", jid)
        listed = list[str]()
        while sum(name in "\n".join(listed) for name in map(long_name, range(COUNT))) < 50:
            listed.append((await alice.next_message(lambda each: bool(each.body))).body)
        assert len(listed) > 1
        for command in ("help", f"info {long_name(3)}", "more", "transfers"):
            alice.say(command, jid)
            answer = await alice.next_message(lambda each: bool(each.body))
            assert answer.sender.startswith(jid)
            await asyncio.sleep(0.5)
        room = f"long@{server.conference}"
        await alice.join(room, "Alice")
        alice.say(f"join {room}", jid)
        await alice.next_message(lambda each: "I am in" in each.body)
        assert lost(bot) == []


async def test_a_file_goes_in_band_in_blocks_that_fit(tmp_path: Path) -> None:
    path, content = tmp_path / "big.bin", os.urandom(400_000)
    path.write_bytes(content)
    async with (
        bot_on(tmp_path, upload_limit_bytes=None) as (server, bot),
        online(server, "alice") as alice,
    ):
        await alice.befriend()
        await alice.drop(path)
        await alice.ask("get big.bin by ibb", "big.bin")
        assert await alice.file() == content
        await alice.until_nothing_moves()
        assert lost(bot) == []


@pytest.mark.needs("stream management")
async def test_a_message_on_which_the_server_ends_sessions_is_given_up_and_no_other(tmp_path: Path) -> None:
    """The server takes less than it says."""
    unsent: list[Address] = []

    async def on_unsent(to: Address, language: str | None) -> None:
        unsent.append(to)
        await session.messenger.say(to, "shorter words", language=language)

    async with private_server(
        tmp_path / "server", users=["bot", "anna"], client_stanza_bytes=LIMIT_BYTES
    ) as server:
        settings = SessionSettings(
            server.jid("bot"),
            server.password("bot"),
            host="127.0.0.1",
            port=server.c2s_port,
            ca_file=server.ca_file,
        )
        session = XmppSession(
            settings, Handlers(message=lambda _: None, is_served=lambda _: True, unsent=on_unsent)
        )
        async with await Peer.of(server, "anna") as anna, session:
            await asyncio.wait_for(session.run_until_ready(), LIMIT_S)
            vars(session._stream)["limits"] = Limits(max_bytes=262_144)
            await session.messenger.say(Address(anna.jid), "before")
            session._stream.make_message(JID(anna.jid), "x" * 20_000, mtype="chat").send()
            await session.messenger.say(Address(anna.jid), "after")

            def last(heard: Received) -> bool:
                return heard.body == "shorter words"

            await anna.next_message(last, timeout_s=60.0)
            await asyncio.sleep(2.0)
            heard = {each.body for each in anna.messages if each.body}
            assert heard == {"before", "after", "shorter words"}
            assert unsent == [Address(anna.jid)]
