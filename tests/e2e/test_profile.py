"""First contact as clients see it: a welcome, and the bot's name, description and picture."""

from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest
import pytest_asyncio
from slixmpp import JID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.adapters import AVATAR
from filebot.localserver.peer import Peer
from filebot.protocol.profile import photo_digest, read_picture
from tests.e2e.conftest import World, world_in
from tests.support.waiting import until

VCARD = "{vcard-temp}"
PUBSUB = "{http://jabber.org/protocol/pubsub}"
PHOTO = "{vcard-temp:x:update}x/{vcard-temp:x:update}photo"
OURS = read_picture(AVATAR.read_bytes())
DESCRIPTION = "I keep files. Send me one, and get it back whenever you like."

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def named(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_in(tmp_path_factory.mktemp("named"), bot={"name": "Filo"}) as made:
        yield made


async def ask(peer: Peer, to: str, payload: Element) -> Element:
    iq = peer.client.make_iq_get(ito=JID(to))
    iq.xml.append(payload)
    answer: Element = (await iq.send(timeout=10)).xml  # type: ignore[no-untyped-call]
    return answer


async def vcard_of(peer: Peer, to: str) -> Element:
    found = (await ask(peer, to, Element(f"{VCARD}vCard"))).find(f"{VCARD}vCard")
    assert found is not None
    return found


async def item_of(peer: Peer, to: str, node: str) -> Element:
    pubsub = Element(f"{PUBSUB}pubsub")
    SubElement(pubsub, f"{PUBSUB}items", {"node": node})
    item = (await ask(peer, to, pubsub)).find(f"{PUBSUB}pubsub/{PUBSUB}items/{PUBSUB}item")
    assert item is not None
    return item[0]


async def subscribed(peer: Peer, bot: str) -> list[Element]:
    """Add the bot to somebody's contacts; its presences until one has its photo."""
    came = list[Element]()
    handler = Callback(
        "presences",
        MatchXPath("{jabber:client}presence"),
        lambda stanza: came.append(stanza.xml) if stanza["from"].bare == bot else None,
    )
    peer.client.register_handler(handler)
    peer.client.send_presence_subscription(JID(bot))
    await until(lambda: any(each.get("type") is None and each.find(PHOTO) is not None for each in came))
    return came


@pytest.mark.smoke
async def test_a_new_contact_is_welcomed_and_sees_the_picture(named: World) -> None:
    async with await named.login("alice") as alice:
        came = await subscribed(alice, named.bot_jid)
        [photo] = {each.findtext(PHOTO) for each in came if each.find(PHOTO) is not None}
        assert photo == OURS.digest
        welcome = (await alice.next_message(named.from_bot)).body
        assert len(welcome.splitlines()) == 3
        assert "I keep your files" in welcome
        await named.bot.stop()
        named.bot.log.clear()
        await named.bot.start()
        assert not [line for line in named.bot.log if "is published" in line], "it has not changed"
        alice.client.send_presence(pto=JID(named.bot_jid), ptype="unsubscribe")
        await subscribed(alice, named.bot_jid)
        # The next that is heard is the answer: no second welcome came before.
        assert (await named.ask(alice, "ls")).body.startswith("You have no files")


async def test_name_description_and_picture_are_in_the_vcard(world: World, bob: Peer) -> None:
    vcard = await vcard_of(bob, world.bot_jid)
    assert vcard.findtext(f"{VCARD}FN") == "filebot"
    assert DESCRIPTION in {vcard.findtext(f"{VCARD}DESC"), vcard.findtext(f"{VCARD}NOTE")}
    assert photo_digest(vcard) == OURS.digest


@pytest.mark.needs("an account")
async def test_the_avatar_is_published_for_all(world: World, bob: Peer) -> None:
    metadata = await item_of(bob, world.bot_jid, "urn:xmpp:avatar:metadata")
    assert metadata[0].get("id") == OURS.digest
    data = await item_of(bob, world.bot_jid, "urn:xmpp:avatar:data")
    assert b64decode(data.text or "") == OURS.data


async def test_strangers_are_not_welcomed(world: World, eve: Peer) -> None:
    eve.client.send_presence_subscription(JID(world.bot_jid))
    # It is answered after the request before it.
    refused = await world.ask(eve, "ls")
    assert [each.body for each in eve.messages if world.from_bot(each)] == [refused.body]
    assert "I keep your files" not in refused.body


async def test_disco_has_the_name_and_the_kind(world: World, bob: Peer) -> None:
    room = await world.room(bob, bob, "shown")
    answer = await ask(bob, f"{room.room}/filebot", Element("{http://jabber.org/protocol/disco#info}query"))
    identities = [each.attrib for each in answer.iter("{http://jabber.org/protocol/disco#info}identity")]
    assert identities == [{"category": "client", "type": "bot", "name": "filebot"}]


async def test_without_a_picture_in_the_config_none_is_shown(tmp_path: Path) -> None:
    async with world_in(tmp_path, bot={"avatar": ""}) as world, await world.login("bob") as bob:
        vcard = await vcard_of(bob, world.bot_jid)
        assert vcard.findtext(f"{VCARD}FN") == "filebot"
        assert photo_digest(vcard) == ""
