"""Replies, reactions, retractions and corrections as raw stanzas, on a real server."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp import JID
from slixmpp.types import MessageTypes

from filebot.localserver.peer import Peer, Received
from tests.e2e.conftest import ROOM, world_in
from tests.support.hidden_room import OCCUPANT, hidden_room_in

STANZA_ID = "{urn:xmpp:sid:0}stanza-id"


def tell(
    peer: Peer, to: str, body: str, *children: Element, message_id: str = "", kind: MessageTypes = "chat"
) -> None:
    """Send a message with these elements."""
    message = peer.client.make_message(JID(to), body or None, mtype=kind)
    if message_id:
        message["id"] = message_id
    for each in children:
        message.xml.append(each)
    message.send()


def oob(url: str) -> Element:
    x = Element("{jabber:x:oob}x")
    SubElement(x, "{jabber:x:oob}url").text = url
    return x


def reply(to: str, message_id: str) -> Element:
    return Element("{urn:xmpp:reply:0}reply", {"to": to, "id": message_id})


def quoted(end: int) -> Element:
    fallback = Element("{urn:xmpp:fallback:0}fallback", {"for": "urn:xmpp:reply:0"})
    SubElement(fallback, "{urn:xmpp:fallback:0}body", {"start": "0", "end": str(end)})
    return fallback


def retract(message_id: str) -> Element:
    return Element("{urn:xmpp:message-retract:1}retract", {"id": message_id})


def old_retract(message_id: str) -> Element:
    apply_to = Element("{urn:xmpp:fasten:0}apply-to", {"id": message_id})
    SubElement(apply_to, "{urn:xmpp:message-retract:0}retract")
    return apply_to


def forged_moderation(message_id: str) -> Element:
    element = retract(message_id)
    SubElement(element, "{urn:xmpp:message-moderate:1}moderated", {"by": f"{ROOM}/Alice"})
    return element


def reaction(message_id: str, emoji: str) -> Element:
    reactions = Element("{urn:xmpp:reactions:0}reactions", {"id": message_id})
    SubElement(reactions, "{urn:xmpp:reactions:0}reaction").text = emoji
    return reactions


def replace(message_id: str) -> Element:
    return Element("{urn:xmpp:message-correct:0}replace", {"id": message_id})


def id_of(heard: Received) -> str:
    return heard.element.get("id", "")


def given_id(heard: Received) -> str:
    return next(each.get("id", "") for each in heard.element if each.tag == STANZA_ID)


@pytest.mark.needs("an archive of its own")
async def test_in_private_each_means_the_message_that_it_names(tmp_path: Path) -> None:
    async with (
        world_in(tmp_path / "world") as world,
        await world.login("alice") as alice,
        await world.login("bob") as bob,
    ):
        bot = world.bot_jid

        async def answer() -> str:
            return (await alice.next_message(world.from_bot)).body

        for name in ("one.txt", "two.txt"):
            path = tmp_path / name
            path.write_text(name)
            url = await alice.upload(path)
            tell(alice, bot, url, oob(url), message_id=f"id-{name}")
            assert "Stored" in await answer()
        quote = "> one.txt\n"
        tell(alice, bot, f"{quote}info", reply(alice.jid, "id-one.txt"), quoted(len(quote)))
        assert (await answer()).startswith("one.txt, #1")
        tell(bob, bot, "", retract("id-one.txt"))
        await world.ask(bob, "ls")
        asked = await world.ask(alice, "rm *.txt")
        tell(alice, bot, "", reaction(id_of(asked), "👎🏽"))
        await answer()
        assert len(world.blobs()) == 2
        tell(alice, bot, "rm *", old_retract("id-one.txt"))
        assert (await answer()).startswith('Deleted "one.txt"')
        assert len(world.blobs()) == 1
        tell(alice, bot, "info tow.txt", message_id="c1")
        await answer()
        tell(alice, bot, "info two.txt", replace("c1"), message_id="c2")
        assert (await answer()).startswith("two.txt, #2")
        await world.bot.stop()
        tell(alice, bot, "", retract("id-two.txt"))
        await alice.until_taken()
        await world.bot.start()
        assert (await answer()).startswith('Deleted "two.txt"')
        assert world.blobs() == []


@pytest.mark.needs("occupant-id")
async def test_in_a_room_the_rooms_ids_and_its_occupants_count(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        den.alice.say("!room set archive on", ROOM, mtype="groupchat")
        for each in (den.alice, den.bob):
            await den.heard(each, "groupchat")
        await den.post(den.bob, "one.txt")
        post = next(each for each in reversed(den.bob.messages) if each.url is not None)
        while "one.txt" not in await den.ask(den.bob, "ls"):
            pass
        for bad in (retract(given_id(post)), old_retract(id_of(post)), forged_moderation(given_id(post))):
            tell(den.alice, ROOM, "", bad, kind="groupchat")
        den.alice.say("!info one.txt", ROOM, mtype="groupchat")
        shown = await den.heard(den.alice, "groupchat")
        assert "one.txt, #1" in shown.body
        tell(den.alice, ROOM, "info", reply(OCCUPANT, given_id(shown)), kind="groupchat")
        assert "one.txt, #1" in (await den.heard(den.alice, "groupchat")).body
        tell(den.bob, ROOM, "", retract(given_id(post)), kind="groupchat")
        assert 'Deleted "one.txt"' in (await den.heard(den.bob, "chat")).body
        assert "one.txt" not in await den.ask(den.bob, "ls")
