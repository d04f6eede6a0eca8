"""Probes of the ways to a person's client, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from slixmpp import JID

from filebot.localserver.peer import Peer
from filebot.localserver.server import Place, Server
from filebot.model import ProxyState
from tests.servers import private_server
from tests.support.streams import LIMIT_S, stream_peer
from tests.support.waiting import until_answered

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("probes")
    async with private_server(folder / "server", users=["bot", "other", "anna"]) as running:
        yield running


async def test_a_client_with_streams_and_one_without_are_measured_alike(server: Server) -> None:
    async with (
        stream_peer(server, "bot") as bot,
        stream_peer(server, "other") as other,
        await Peer.of(server, "anna") as anna,
    ):
        for client in (other.jid, anna.jid):
            async with asyncio.timeout(LIMIT_S):
                assert await bot.session.streams.in_band_rate(client) > 0
        assert other.offers == []
        assert anna.messages == []


async def test_who_is_present_is_seen_with_or_without_streams(server: Server) -> None:
    async with stream_peer(server, "bot") as bot, await Peer.of(server, "anna") as anna:
        assert await bot.session.streams.present("anna@localhost") == []
        anna.client.send_presence(pto=JID(server.jid("bot")))
        present = await until_answered(lambda: bot.session.streams.present("anna@localhost"), LIMIT_S)
        assert [(each.jid, each.methods) for each in present] == [(anna.jid, frozenset())]
        assert await bot.session.streams.clients("anna@localhost") == []


async def test_a_proxy_that_lets_the_bot_in_is_told_from_one_that_does_not(tmp_path: Path) -> None:
    # At the latter, nobody listens, as behind a firewall.
    for address, reached in (("127.0.0.1", ProxyState.WORKS), ("127.0.0.2", ProxyState.FAILS)):
        place = Place(proxy_address=address)
        server = private_server(tmp_path / address, users=["bot"], place=place)
        async with server, stream_peer(server, "bot") as bot:
            proxies = await bot.session.streams.proxies()
            # ejabberd gives its own a resource.
            assert {JID(proxy).bare: lets_in for proxy, lets_in in proxies.items()} == {
                server.proxy: reached
            }


@pytest.mark.parametrize(("listens", "hosts"), [(True, ["127.0.0.1"]), (False, [])])
async def test_where_the_bot_is_reached_directly(server: Server, listens: bool, hosts: list[str]) -> None:
    async with stream_peer(server, "bot", listens=listens) as bot:
        assert bot.session.streams.addresses() == hosts


@pytest.mark.needs("a server's limit")
async def test_under_a_servers_limit_chat_does_not_wait_for_the_measurement(tmp_path: Path) -> None:
    server = private_server(tmp_path / "server", users=["bot", "other", "anna"], client_kb_per_s=10)
    async with (
        server,
        stream_peer(server, "bot") as bot,
        stream_peer(server, "other") as other,
        await Peer.of(server, "anna") as anna,
    ):
        measuring = asyncio.create_task(bot.session.streams.in_band_rate(other.jid))
        waits = []
        while not measuring.done():
            await asyncio.sleep(0.2)
            asked_at = asyncio.get_running_loop().time()
            anna.say("ls", server.jid("bot"))
            await anna.next_message()
            waits.append(asyncio.get_running_loop().time() - asked_at)
        rate = await measuring
        assert max(waits) < 5.0
        assert rate < 20_000  # not what passes before the limit is felt
