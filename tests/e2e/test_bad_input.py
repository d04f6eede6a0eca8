"""Bad input from foreign servers and hostile senders: each gets an answer and leaves nothing behind."""

import asyncio
import hashlib
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from xml.etree.ElementTree import Element, SubElement

import pytest
import pytest_asyncio
from aiohttp import web

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import World, bot_config

pytestmark = pytest.mark.asyncio(loop_scope="module")

SFS = "urn:xmpp:sfs:0"
METADATA = "urn:xmpp:file:metadata:0"
HASHES = "urn:xmpp:hashes:2"
URL_DATA = "http://jabber.org/protocol/url-data"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def web_server() -> AsyncIterator[str]:
    """A web server that does not mean well; its base URL."""
    hanging = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65536)
        return response

    async def stalled(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"some")
        await hanging.wait()
        return response

    async def silent(_: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    async def to_loopback(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:9/secret")

    async def to_file(_: web.Request) -> web.Response:
        raise web.HTTPFound("file:///etc/passwd")

    async def empty(_: web.Request) -> web.Response:
        return web.Response(body=b"")

    async def fine(_: web.Request) -> web.Response:
        return web.Response(body=b"fine")

    app = web.Application()
    for handler in (endless, stalled, silent, to_loopback, to_file, empty, fine):
        app.router.add_get(f"/{handler.__name__}", handler)
        app.router.add_get(f"/{handler.__name__}/{{name}}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}"
    hanging.set()
    await runner.cleanup()


def offer(
    alice: Peer, to: str, url: str, *, name: str = "", size: str = "", digest: bytes = b"", body: str = ""
) -> None:
    """Send a message with a file by XEP-0447, of which every word may be a lie."""
    message = alice.client.make_message(mto=to, mbody=body or url, mtype="chat")
    sharing = SubElement(message.xml, f"{{{SFS}}}file-sharing", {"disposition": "inline"})
    file = SubElement(sharing, f"{{{METADATA}}}file")
    for tag, text in (("name", name), ("size", size)):
        if text:
            SubElement(file, f"{{{METADATA}}}{tag}").text = text
    if digest:
        SubElement(file, f"{{{HASHES}}}hash", {"algo": "sha-256"}).text = b64encode(digest).decode()
    sources = SubElement(sharing, f"{{{SFS}}}sources")
    sources.append(Element(f"{{{URL_DATA}}}url-data", {"target": url}))
    message.send()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/endless", "too large"),
        ("/stalled", "2 seconds"),
        ("/silent", "2 seconds"),
        ("/to_file", "links that begin with https"),
        ("/empty", "empty"),
        ("/gone", "is not there, or no longer"),
    ],
)
async def test_a_server_that_misbehaves_is_answered_and_leaves_nothing(
    world: World, alice: Peer, web_server: str, path: str, words: str
) -> None:
    before = world.blobs()
    offer(alice, world.bot_jid, web_server + path, name="bait.bin")
    answer = (await alice.next_message(world.from_bot)).body
    assert words in answer
    assert world.blobs() == before
    assert world.temporary_files() == []
    assert "bait" not in (await world.ask(alice, "ls")).body


@pytest.mark.parametrize(
    "lie",
    [
        {"size": "3"},
        {"size": "5"},
        {"digest": hashlib.sha256(b"other").digest()},
        {"size": "0"},
        {"size": "99999999999999"},
    ],
)
async def test_a_promise_that_is_not_kept_is_refused(
    world: World, alice: Peer, web_server: str, lie: dict[str, str]
) -> None:
    before = world.blobs()
    offer(alice, world.bot_jid, f"{web_server}/fine", name="lie.bin", **lie)  # type: ignore[arg-type]  # bytes and str
    assert "lie.bin" in (await alice.next_message(world.from_bot)).body
    assert world.blobs() == before
    assert world.temporary_files() == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", '"passwd"'),
        ("photo\u202egpj.exe", '"photogpj.exe"'),
        ("..", '"text.txt"'),
        ("n" * 4096 + ".txt", '.txt"'),
        ("{{ 7*7 }}.txt", '"{{ 7*7 }}.txt"'),
        ("a\nb.txt", '"a b.txt"'),
    ],
)
async def test_a_hostile_name_is_only_ever_shown(
    world: World, alice: Peer, web_server: str, name: str, shown: str
) -> None:
    offer(alice, world.bot_jid, f"{web_server}/fine/x", name=name)
    answer = (await alice.next_message(world.from_bot)).body
    assert shown in answer
    number = re.search(r"#\d+", answer)
    assert number is not None
    alice.say(f"rm {number[0]}", world.bot_jid)
    assert "Deleted" in (await alice.next_message(world.from_bot)).body
    assert not list(world.data.rglob("*passwd*"))


async def test_of_twenty_links_in_one_message_ten_are_taken_and_ten_named(
    world: World, alice: Peer, web_server: str
) -> None:
    before = world.blobs()
    message = alice.client.make_message(mto=world.bot_jid, mbody="look", mtype="chat")
    for number in range(20):
        sharing = SubElement(message.xml, f"{{{SFS}}}file-sharing", {"id": str(number)})
        SubElement(SubElement(sharing, f"{{{METADATA}}}file"), f"{{{METADATA}}}name").text = f"{number}"
        sources = SubElement(sharing, f"{{{SFS}}}sources")
        sources.append(Element(f"{{{URL_DATA}}}url-data", {"target": f"{web_server}/fine/{number}"}))
    message.send()
    words = "I take 10 files from one message, so I did not store 10 of them"
    answer = (await alice.next_message(lambda heard: words in heard.body)).body
    assert all(f'"{number}"' in answer for number in range(10, 20))
    assert len(world.blobs()) <= len(before) + 1


async def test_a_file_url_is_refused_in_words(world: World, alice: Peer) -> None:
    alice.say("fetch file:///etc/passwd", world.bot_jid)
    await alice.next_message(lambda heard: "begin with https" in heard.body)


@pytest.mark.parametrize(
    "text",
    [
        "fetch https://a..example/x",
        "https://a..example/x",
        f"fetch https://{'a' * 64}.example/x",
        "fetch https://./",
        "join team@a..example",
        f"join team@{'a' * 64}.example",
        "send nothing.txt to bob@a..example",
        "leave team@a..example",
    ],
)
async def test_a_name_that_is_no_host_is_answered_without_a_traceback(
    world: World, alice: Peer, text: str
) -> None:
    before = len(world.bot.log)
    answer = (await world.ask(alice, text)).body
    assert "went wrong" not in answer
    log = "\n".join([*world.bot.log][before:])
    assert "Traceback" not in log
    assert "incident" not in log


async def test_a_message_of_200_kb_is_refused(world: World, alice: Peer) -> None:
    alice.say("find " + "x" * 200_000, world.bot_jid)
    await alice.next_message(lambda heard: "200005" in heard.body)


async def test_with_the_default_config_private_and_plain_targets_are_refused(
    world: World, web_server: str
) -> None:
    """A second bot on the same server, as careful as the defaults are."""
    folder = world.folder / "careful"
    folder.mkdir()
    config = bot_config(world.server, network={"allow_private": False, "allow_insecure": False})
    config["xmpp"] |= {
        "mode": "client",
        "port": world.server.c2s_port,
        "jid": world.server.jid("bob"),
        "password": world.server.password("bob"),
    }
    del config["rooms"]
    async with (
        BotProcess(write_config(folder / "config.toml", config)),
        await world.login("alice") as alice,
    ):
        for url, words in (
            (f"{web_server}/fine", "http"),
            (web_server.replace("http:", "https:") + "/fine", "private"),
            ("https://localhost/fine", "private"),
            ("https://[::ffff:127.0.0.1]/fine", "private"),
            ("https://2130706433/fine", "private"),
        ):
            alice.say(f"fetch {url}", world.server.jid("bob"))
            answer = await alice.next_message(
                lambda heard: heard.sender.startswith("bob@") and bool(heard.body)
            )
            assert words in answer.body, url
