"""Features of the private server on which all other tests against a real server rely."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from slixmpp.exceptions import IqError

from filebot.errors import ConfigError
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from tests.servers import chosen, private_server
from tests.support import go_sendxmpp
from tests.support.waiting import until

CONTENT = bytes(range(256)) * 400


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with private_server(tmp_path / "server", users=["anna", "bert"]) as running:
        yield running


@pytest.fixture
async def anna(server: Server) -> AsyncIterator[Peer]:
    async with await Peer.of(server, "anna") as peer:
        yield peer


@pytest.fixture
async def bert(server: Server) -> AsyncIterator[Peer]:
    async with await Peer.of(server, "bert") as peer:
        yield peer


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "Grüße vom Gipfel.jpg"
    path.write_bytes(CONTENT)
    return path


async def test_two_people_exchange_messages(anna: Peer, bert: Peer) -> None:
    anna.say("hello", bert.jid)
    heard = await bert.next_message()
    assert (heard.sender, heard.kind, heard.body) == (anna.jid, "chat", "hello")


async def test_a_dropped_file_can_be_fetched_by_the_other(anna: Peer, bert: Peer, photo: Path) -> None:
    url = await anna.drop(photo, bert.jid)
    heard = await bert.next_message()
    assert heard.body == heard.url == url
    assert url.startswith("https://localhost:")
    assert await bert.download(url) == CONTENT


async def test_what_is_said_in_a_room_reaches_everybody(
    server: Server, anna: Peer, bert: Peer, photo: Path
) -> None:
    room = f"den@{server.conference}"
    await anna.join(room, "Anna")
    await bert.join(room, "Bert")
    url = await anna.drop(photo, room, mtype="groupchat")
    heard = await bert.next_message(lambda message: message.url is not None)
    assert (heard.sender, heard.kind, heard.url) == (f"{room}/Anna", "groupchat", url)


async def test_a_file_of_go_sendxmpp_is_seen(server: Server, bert: Peer, photo: Path) -> None:
    await go_sendxmpp.send_file(
        photo,
        server.jid("bert"),
        jid=server.jid("anna"),
        password=server.password("anna"),
        host="localhost",
        port=server.c2s_port,
        ca_file=server.ca_file,
    )
    heard = await bert.next_message()
    assert heard.url is not None
    assert heard.body == heard.url
    assert await bert.download(heard.url) == CONTENT


async def test_after_a_crash_it_is_the_same_server(server: Server, photo: Path) -> None:
    async with await Peer.of(server, "anna") as anna:
        url = await anna.upload(photo)
    await server.kill()
    await server.restart()
    async with await Peer.of(server, "anna") as anna:
        assert await anna.download(url) == CONTENT


async def test_a_file_over_the_limit_gets_no_slot(tmp_path: Path, photo: Path) -> None:
    small = private_server(tmp_path / "small", users=["anna"], upload_limit_bytes=1000)
    async with small as server, await Peer.of(server, "anna") as anna:
        with pytest.raises(IqError, match="not-acceptable"):
            await anna.upload(photo)


async def test_the_upload_service_can_be_left_out(tmp_path: Path, photo: Path) -> None:
    bare = private_server(tmp_path / "bare", users=["anna"], upload_limit_bytes=None)
    async with bare as server, await Peer.of(server, "anna") as anna:
        with pytest.raises(LookupError):
            await anna.upload(photo)


@pytest.mark.needs("stanzas in its log")
async def test_a_stanza_with_several_lines_is_logged_as_one(tmp_path: Path) -> None:
    server = private_server(tmp_path / "server", users=["anna", "bert"], logs_stanzas=True)
    async with server, await Peer.of(server, "anna") as anna, await Peer.of(server, "bert") as bert:
        anna.say("one\ntwo", bert.jid)
        await bert.next_message()
        said = await until(lambda: [each for each in server.sent() if "one\ntwo" in each])
    assert [(each[:9], each[-10:]) for each in said] == [("<message ", "</message>")]


async def test_browsers_are_let_in_if_that_is_asked_for(tmp_path: Path) -> None:
    server = private_server(tmp_path / "server", upload_limit_bytes=None, websockets=True)
    opening = '<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="localhost" version="1.0"/>'
    async with (
        server,
        aiohttp.ClientSession() as web,
        web.ws_connect(server.websocket_url, protocols=["xmpp"], ssl=False) as socket,
    ):
        await socket.send_str(opening)
        answer = await socket.receive_str(timeout=10)
    assert "urn:ietf:params:xml:ns:xmpp-framing" in answer


async def test_a_component_logs_in_with_its_secret(tmp_path: Path) -> None:
    async with private_server(tmp_path / "server", components=["files.localhost"]) as server:
        login = server.component("files.localhost")
        reader, writer = await asyncio.open_connection(login.host, login.port)
        writer.write(
            b"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'"
            b" to='files.localhost'>"
        )
        answer = await reader.readuntil(b"id='") + await reader.readuntil(b">")
        assert b"files.localhost" in answer
        writer.close()
        await writer.wait_closed()


async def test_nobody_else_is_trusted_by_its_certificate(server: Server, anna: Peer, photo: Path) -> None:
    url = await anna.upload(photo)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url)


async def test_nothing_is_left_running_when_the_caller_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with private_server(tmp_path / "server") as server:
            raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.c2s_port)


async def test_a_missing_server_is_said_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=f"apt-get install {chosen().package}"):
        await private_server(tmp_path / "server").__aenter__()
