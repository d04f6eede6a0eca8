"""Drop a file into a chat, get it back, share it into a room: on a real server, as people do it."""

import base64
import hashlib
import os
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp.jid import JID

from filebot.localserver.peer import Peer, Received
from tests.e2e.conftest import ROOM, World, sha256
from tests.support import go_sendxmpp
from tests.support.room import BotRoom

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.core]

HERE = BotRoom(ROOM)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR42mNk+M8ABSgMAAoAAQEBAQAAAABJRU5ErkJggg=="
)


def file(tmp_path: Path, name: str, content: bytes = b"") -> Path:
    path = tmp_path / name
    path.write_bytes(content or os.urandom(50_000))
    return path


async def returned(peer: Peer) -> tuple[Received, bytes]:
    heard = await peer.next_message(lambda each: each.url is not None)
    assert heard.url is not None
    return heard, await peer.download(heard.url)


async def test_a_dropped_file_is_stored_listed_and_returned(
    world: World, alice: Peer, tmp_path: Path
) -> None:
    path = file(tmp_path, "Quarterly report.pdf", b"%PDF-1.4\n" + os.urandom(100_000))
    await alice.drop(path, world.bot_jid)
    stored = await alice.next_message(world.from_bot)
    assert "100 kB, PDF document" in stored.body
    assert stored.body.count("\n") == 0
    assert "Quarterly" in (await world.ask(alice, "ls")).body
    alice.say("get quarterly", world.bot_jid)
    _, content = await returned(alice)
    assert sha256(content) == sha256(path.read_bytes())
    await alice.drop(path, world.bot_jid)
    assert (await alice.next_message(world.from_bot)).body.startswith("I already have that one")


def reply(peer: Peer, text: str, to: Received) -> None:
    """Write to the bot in reply to one of its messages (XEP-0461), with the quotation that clients add."""
    quote = f"> {to.body}\n"
    message = peer.client.make_message(JID(to.sender).bare, quote + text)
    SubElement(message.xml, "{urn:xmpp:reply:0}reply", {"to": to.sender, "id": to.element.get("id", "")})
    fallback = SubElement(message.xml, "{urn:xmpp:fallback:0}fallback", {"for": "urn:xmpp:reply:0"})
    SubElement(fallback, "{urn:xmpp:fallback:0}body", {"start": "0", "end": str(len(quote))})
    message.send()


async def test_a_reply_to_a_message_of_the_bot_means_the_file_that_it_shows(
    world: World, alice: Peer, tmp_path: Path
) -> None:
    await alice.drop(file(tmp_path, "first.bin"), world.bot_jid)
    stored = await alice.next_message(world.from_bot)
    await alice.drop(file(tmp_path, "second.bin"), world.bot_jid)
    await alice.next_message(world.from_bot)
    alice.say("get second.bin", world.bot_jid)
    link, _ = await returned(alice)
    for message, name in ((stored, "first.bin"), (link, "second.bin")):
        reply(alice, "info", message)
        assert (await alice.next_message(world.from_bot)).body.startswith(f"{name}, #")


async def test_a_returned_picture_is_a_file_to_every_client(
    world: World, alice: Peer, tmp_path: Path
) -> None:
    await alice.drop(file(tmp_path, "dot.png", PNG), world.bot_jid)
    await alice.next_message(world.from_bot)
    alice.say("get dot.png", world.bot_jid)
    heard, _ = await returned(alice)
    stanza, digest = heard.element, base64.b64encode(hashlib.sha256(PNG).digest()).decode()
    # XEP-0066, as Conversations, Gajim and Dino want it: nothing but the URL in the body.
    assert heard.body == heard.url
    assert heard.body.endswith(".png")
    # XEP-0447 for Dino and Kaidan, XEP-0385 in the namespace that Psi reads.
    sharing = found(stanza, "{urn:xmpp:sfs:0}file-sharing")
    for metadata in (
        found(sharing, "{urn:xmpp:file:metadata:0}file"),
        found(stanza, ".//{urn:xmpp:jingle:apps:file-transfer:5}file"),
    ):
        texts = {each.tag.rpartition("}")[2]: each.text for each in metadata}
        assert (texts["name"], texts["size"], texts["media-type"]) == (
            "dot.png",
            str(len(PNG)),
            "image/png",
        )
        assert texts["hash"] == digest
    dimensions = {each.tag.rpartition("}")[2]: each.text for each in found(sharing, "*")}
    assert (dimensions["width"], dimensions["height"]) == ("3", "2")
    assert found(stanza, "{urn:xmpp:fallback:0}fallback").get("for") == "urn:xmpp:sfs:0"
    assert found(stanza, "{urn:xmpp:sid:0}origin-id").get("id")


async def test_go_sendxmpp_drops_a_file_and_gets_it_back(world: World, tmp_path: Path) -> None:
    path = file(tmp_path, "from-terminal.bin")
    account: go_sendxmpp.Account = {
        "jid": world.server.jid("carol"),
        "password": world.server.password("carol"),
        "host": "localhost",
        "port": world.server.c2s_port,
        "ca_file": world.server.ca_file,
    }
    # It takes no address without a name.
    bot = world.bot_jid if "@" in world.bot_jid else f"bot@{world.bot_jid}"
    async with go_sendxmpp.listening(**account) as heard:
        await go_sendxmpp.send_file(path, bot, **account)
        assert "Stored" in await heard.line_with("from-terminal.bin")
        await go_sendxmpp.send_text("get from-terminal.bin", bot, **account)
        url = (await heard.line_with("https://")).split()[-1]
    async with await world.login("carol") as carol:
        assert sha256(await carol.download(url)) == sha256(path.read_bytes())


async def test_a_room_is_shown_and_given_what_was_shared_with_it(
    world: World, alice: Peer, bob: Peer, tmp_path: Path
) -> None:
    path = file(tmp_path, "slides.odp")
    await alice.join(ROOM, "alice")
    await bob.join(ROOM, "bob")
    await alice.drop(path, world.bot_jid)
    await alice.next_message(world.from_bot)
    alice.say(f"send slides.odp to {ROOM}", world.bot_jid)
    heard, content = await returned(bob)
    assert (heard.sender, heard.kind) == (f"{ROOM}/filebot", "groupchat")
    assert sha256(content) == sha256(path.read_bytes())
    assert "slides.odp" in (await HERE.ask(bob, "!ls")).body
    for question in ("filebot: get slides.odp", "!get SLIDES*"):
        bob.say(question, ROOM, mtype="groupchat")
        heard, content = await returned(bob)
        assert heard.sender == f"{ROOM}/filebot"
        assert sha256(content) == sha256(path.read_bytes())


async def test_a_file_posted_in_a_room_is_kept_when_its_poster_says_so(
    world: World, bob: Peer, tmp_path: Path
) -> None:
    path = file(tmp_path, "posted.bin")
    await bob.join(ROOM, "bob")
    await bob.drop(path, ROOM, mtype="groupchat")
    assert "posted.bin" in (await HERE.ask(bob, "!keep")).body
    bob.say("!get posted.bin", ROOM, mtype="groupchat")
    heard, content = await returned_from(bob, f"{ROOM}/filebot")
    assert sha256(content) == sha256(path.read_bytes())
    assert heard.kind == "groupchat"


async def test_a_private_message_through_the_room_is_answered_privately(
    world: World, alice: Peer, bob: Peer, tmp_path: Path
) -> None:
    await alice.join(ROOM, "alice")
    await bob.join(ROOM, "bob")
    await alice.drop(file(tmp_path, "shared.bin"), world.bot_jid)
    await alice.next_message(lambda heard: '"shared.bin"' in heard.body)
    alice.say(f"send shared.bin to {ROOM}", world.bot_jid)
    await returned(bob)
    await alice.next_message(lambda heard: heard.body.startswith("Sent"))
    bob.say("get shared.bin", f"{ROOM}/filebot")
    heard, _ = await returned(bob)
    assert (heard.sender, heard.kind) == (f"{ROOM}/filebot", "chat")


async def test_in_a_room_nothing_private_is_shown(world: World, alice: Peer, tmp_path: Path) -> None:
    await alice.join(ROOM, "alice")
    await alice.drop(file(tmp_path, "diary.txt"), world.bot_jid)
    await alice.next_message(world.from_bot)
    assert "diary" not in (await HERE.ask(alice, "!find diary")).body.replace('"diary"', "")


async def test_send_brings_a_file_to_a_friend(world: World, alice: Peer, bob: Peer, tmp_path: Path) -> None:
    path = file(tmp_path, "gift.bin")
    await alice.drop(path, world.bot_jid)
    await alice.next_message(lambda heard: '"gift.bin"' in heard.body)
    alice.say(f"send gift.bin to {world.server.jid('bob')}", world.bot_jid)
    _, content = await returned(bob)
    assert sha256(content) == sha256(path.read_bytes())
    assert "alice@localhost" in (await bob.next_message(world.from_bot)).body


async def test_a_stranger_is_refused_once(world: World, tmp_path: Path) -> None:
    before = world.blobs()
    async with await world.login("eve") as eve:
        assert "only serve certain people" in (await world.ask(eve, "ls")).body
        await eve.drop(file(tmp_path, "virus.exe"), world.bot_jid)
        eve.say("help", world.bot_jid)
        with pytest.raises(TimeoutError):
            await eve.next_message(world.from_bot, timeout_s=2)
    assert world.blobs() == before


async def test_a_nick_like_an_admins_address_gives_no_right(
    world: World, alice: Peer, bob: Peer, tmp_path: Path
) -> None:
    await alice.join(ROOM, "alice")
    await alice.drop(file(tmp_path, "mine.bin"), world.bot_jid)
    await alice.next_message(world.from_bot)
    alice.say(f"send mine.bin to {ROOM}", world.bot_jid)
    await returned(alice)
    await bob.join(ROOM, "alice@localhost")
    assert "Deleted" not in (await HERE.ask(bob, "!rm mine.bin")).body
    bob.say("rm mine.bin", f"{ROOM}/filebot")
    refusal = await bob.next_message(lambda heard: heard.kind == "chat")
    assert "Deleted" not in refusal.body


async def test_a_file_too_large_to_give_back_is_answered_with_both_numbers(
    world: World, alice: Peer, tmp_path: Path
) -> None:
    path = file(tmp_path, "large.bin", os.urandom(2_500_000))
    await alice.drop(path, world.bot_jid)
    refused = (await alice.next_message(lambda heard: '"large.bin"' in heard.body)).body
    assert "2.5 MB" in refused
    assert "2 MB" in refused


async def test_people_are_answered_in_the_order_of_their_questions(
    world: World, alice: Peer, bob: Peer
) -> None:
    topics = ["get", "ls", "find", "rm", "info", "send", "quota", "lang"]
    for topic in topics:
        alice.say(f"help {topic}", world.bot_jid)
        bob.say(f"help {topic}", world.bot_jid)
    for peer in (alice, bob):
        answers = [(await peer.next_message(world.from_bot)).body for _ in topics]
        assert [answer.split()[0] for answer in answers] == topics


async def test_chinese_is_spoken_to_who_asks_for_it(world: World, bob: Peer) -> None:
    assert "中文" in (await world.ask(bob, "lang 中文")).body
    assert "English" in (await world.ask(bob, "lang en")).body


async def returned_from(peer: Peer, sender: str) -> tuple[Received, bytes]:
    heard = await peer.next_message(lambda each: each.url is not None and each.sender == sender)
    assert heard.url is not None
    return heard, await peer.download(heard.url)


def found(element: Element, path: str) -> Element:
    child = element.find(path)
    assert child is not None, path
    return child
