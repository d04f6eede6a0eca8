"""``doctor me`` of a real bot on real servers, for people with various clients."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from slixmpp import JID

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.streams import LIMIT_S, StreamPeer, stream_peer

pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGE = {"max_file_size": "10 GB", "quota_per_user": "20 GB", "total": "50 GB", "idle_timeout": "2 s"}


@asynccontextmanager
async def a_world(folder: Path, *, upload_limit_bytes: int | None, listens: bool) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            private_server(folder / "prosody", users=USERS, upload_limit_bytes=upload_limit_bytes)
        )
        tables = bot_config(server, limits=LARGE)
        if listens:
            tables["bytestreams"] = {"addresses": ["127.0.0.1"], "bind": "127.0.0.1", "port": free_port()}
        bot = BotProcess(write_config(folder / "config.toml", tables))
        await stack.enter_async_context(bot)
        yield World(server, bot, folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def with_service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("with")
    async with a_world(folder, upload_limit_bytes=3_000_000, listens=True) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def without_service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("without")
    async with a_world(folder, upload_limit_bytes=None, listens=False) as world:
        yield world


async def asked(world: World, person: Peer) -> str:
    return (await world.ask(person, "doctor me")).body


async def until_seen(world: World, person: Peer, *resources: str) -> str:
    """Return the bot's answer as soon as it sees these clients, and no others."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            said = await asked(world, person)
            if sorted(re.findall(r"^- (\S+?)(?: \(.*\))?: takes", said, re.MULTILINE)) == sorted(resources):
                return said


def shows_itself(person: StreamPeer | Peer, world: World) -> str:
    """Lets the bot see the client's presence; returns its resource."""
    stream = person.client if isinstance(person, Peer) else person.session._stream
    stream.send_presence(pto=JID(world.bot_jid))
    return person.jid.partition("/")[2]


async def test_with_an_upload_service_and_a_client_that_takes_everything(with_service: World) -> None:
    async with (
        await with_service.login("alice") as alice,
        stream_peer(with_service.server, "alice") as services,
    ):
        said = await until_seen(with_service, alice, shows_itself(services, with_service))
        assert services.offers == []
    assert said.splitlines()[:4] == [
        "Links: possible, for files up to 3 MB.",
        "Directly: apps can connect to me at 127.0.0.1, if their network allows it.",
        "Through my server: its proxy works.",
        "I see these apps of yours online:",
    ]
    assert re.search(
        r"^- filebot .*: takes files directly and over the chat connection$", said, re.MULTILINE
    )
    assert re.search(
        r"^Over the chat connection: about [\d.]+ [kM]B a second to filebot\.$", said, re.MULTILINE
    )
    assert re.findall(r"^- \d.*$", said, re.MULTILINE) == [
        "- 1 MB: as a link",
        "- 100 MB: directly to filebot",
        "- 5 GB: directly to filebot",
    ]
    assert said.endswith("You are using 0 bytes of 20 GB.")


async def test_a_client_without_streams_takes_links_and_nothing_else(with_service: World) -> None:
    async with await with_service.login("bob") as bob:
        said = await until_seen(with_service, bob, shows_itself(bob, with_service))
        assert [each.kind for each in bob.messages if each.kind == "error"] == []
    assert "takes only links" in said
    assert "Over the chat connection:" not in said
    assert "- 1 MB: as a link" in said
    assert "- 100 MB: not possible right now" in said


async def test_who_is_not_seen_online_is_told_how_to_be(with_service: World) -> None:
    async with await with_service.login("carol") as carol:
        said = await asked(with_service, carol)
    assert "I see none of your apps online" in said
    assert "- 1 MB: as a link" in said
    assert "- 100 MB: it would wait" in said


async def test_without_an_upload_service_everything_goes_by_the_proxy(without_service: World) -> None:
    async with (
        await without_service.login("alice") as alice,
        stream_peer(without_service.server, "alice") as services,
    ):
        said = await until_seen(without_service, alice, shows_itself(services, without_service))
    assert said.startswith("Links: not possible.")
    assert "Directly: apps cannot connect to me. Only my operator can change that." in said
    assert "Through my server: its proxy works." in said
    assert "- 1 MB: directly to filebot" in said


async def test_a_client_with_the_chat_connection_only_is_told_how_long_it_takes(
    without_service: World,
) -> None:
    async with (
        await without_service.login("bob") as bob,
        stream_peer(without_service.server, "bob", socks5=False) as services,
    ):
        said = await until_seen(without_service, bob, shows_itself(services, without_service))
    assert "takes files only over the chat connection" in said
    assert re.search(r"^- 1 MB: over the chat connection to filebot, in about ", said, re.MULTILINE)
