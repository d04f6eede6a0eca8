"""Several clients of one person: whichever asks is answered, with and without carbons (XEP-0280)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from filebot.xmpp.connection import account
from tests.e2e.conftest import World
from tests.e2e.test_cascade import a_file, bot_on, online

pytestmark = pytest.mark.asyncio(loop_scope="module")

MB = 1_000_000


@asynccontextmanager
async def client(
    server: Server, resource: str, priority: int, *, carbons: bool = False
) -> AsyncIterator[Peer]:
    peer = await Peer.connect(
        f"{server.jid('alice')}/{resource}",
        server.password("alice"),
        host="127.0.0.1",
        port=server.c2s_port,
        ca_file=server.ca_file,
    )
    async with peer:
        if carbons:
            iq = peer.client.make_iq_set()
            iq.xml.append(Element("{urn:xmpp:carbons:2}enable"))
            await iq.send(timeout=20)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        peer.client.send_presence(ppriority=priority)
        await peer.until_taken()
        yield peer


def copies(peer: Peer) -> list[Element]:
    tag = "{urn:xmpp:carbons:2}received"
    return [found for each in peer.messages if (found := each.element.find(tag)) is not None]


async def test_the_client_that_asks_is_answered_whatever_its_priority(world: World) -> None:
    async with client(world.server, "phone", 0) as phone, client(world.server, "desk", 10) as desk:
        for peer, other in ((phone, desk), (desk, phone)):
            before = len(other.messages)
            peer.say("ls", world.bot_jid)
            assert (await peer.next_message(world.from_bot)).body
            await other.until_taken()
            assert len(other.messages) == before


async def test_a_client_that_nobody_else_can_reach_is_answered(world: World) -> None:
    async with client(world.server, "hidden", -1) as hidden, client(world.server, "desk", 10) as desk:
        hidden.say("ls", world.bot_jid)
        assert (await hidden.next_message(world.from_bot)).body
        assert desk.messages == []


async def test_clients_with_carbons_see_the_answers_to_the_others(world: World) -> None:
    async with (
        client(world.server, "phone", 0, carbons=True) as phone,
        client(world.server, "desk", 10, carbons=True) as desk,
    ):
        phone.say("ls", world.bot_jid)
        answer = await phone.next_message(world.from_bot)
        await desk.until_taken()
        assert any(answer.body in "".join(copy.itertext()) for copy in copies(desk))


async def test_the_answer_to_a_client_that_has_left_goes_to_another(world: World) -> None:
    async with client(world.server, "desk", 10) as desk:
        async with client(world.server, "cli", 0) as cli:
            cli.say("ls", world.bot_jid)
            await cli.until_taken()
        if not any(map(world.from_bot, cli.messages)):  # it may have been quick enough to hear it
            assert (await desk.next_message(world.from_bot)).body


async def test_the_answer_to_a_person_who_has_left_is_there_when_they_are_back(world: World) -> None:
    async with client(world.server, "cli", 0) as cli:
        cli.say("ls", world.bot_jid)
        await cli.until_taken()
    await asyncio.sleep(3.0)
    async with client(world.server, "desk", 10) as desk:
        if not any(map(world.from_bot, cli.messages)):
            assert (await desk.next_message(world.from_bot)).body


async def test_a_file_by_stream_goes_to_the_client_that_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_copies(stream: object) -> None:
        """These clients hear only what is sent to themselves."""

    monkeypatch.setattr(account, "enable_carbons", no_copies)
    path, content = a_file(tmp_path, MB)
    async with (
        bot_on(tmp_path) as (server, _),
        online(server, "alice", resource="phone") as phone,
        online(server, "alice", resource="desk") as desk,
    ):
        await phone.befriend()
        desk.session._stream.make_presence(ppriority=50).send()
        await desk.bots_client()
        await phone.drop(path)
        await phone.ask("get big.bin", "directly")
        assert await phone.file() == content
        await phone.until_nothing_moves()
        assert desk.offers == []  # of the words it hears copies (XEP-0280)


async def test_a_stream_that_the_asking_client_cannot_take_falls_to_the_others(tmp_path: Path) -> None:
    path, content = a_file(tmp_path, MB)
    async with bot_on(tmp_path) as (server, _), online(server, "alice", resource="desk") as desk:
        await desk.befriend()
        await desk.drop(path)
        async with client(server, "phone", 0) as phone:
            phone.say("get big.bin", server.jid("filebot"))
            said = await phone.next_message(lambda each: bool(each.body))
            assert "directly" in said.body
            assert await desk.file() == content
