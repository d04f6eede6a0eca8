"""Rooms of every kind through the whole bot: what is said, and what is visible to whom."""

import os
from pathlib import Path

import pytest

from filebot.localserver.peer import Peer
from tests.e2e.conftest import World, sha256
from tests.support.muc import affiliate, configure, destroy, leave, set_role
from tests.support.room import NICK, BotRoom

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS: dict[str, dict[str, str]] = {
    "non-anonymous": {"whois": "anyone"},
    "semi-anonymous": {"whois": "moderators"},
    "members-only": {"membersonly": "1", "whois": "anyone"},
    "moderated": {"moderatedroom": "1", "whois": "anyone"},
    "password-protected": {"passwordprotectedroom": "1", "roomsecret": "open sesame", "whois": "anyone"},
}
NEEDS_IDS = pytest.mark.needs("occupant-id")
OWNERS_ONLY = "Only the file's owner and the room's owners and admins can do that."
LISTENS_ONLY = "You are not allowed to post in that room"


def file(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(os.urandom(5_000))
    return path


@pytest.mark.smoke
@pytest.mark.parametrize(
    "kind", [pytest.param(each, marks=NEEDS_IDS if each == "semi-anonymous" else ()) for each in KINDS]
)
async def test_a_file_lives_in_a_room_of_every_kind(
    world: World, alice: Peer, bob: Peer, carol: Peer, eve: Peer, tmp_path: Path, kind: str
) -> None:
    fields = KINDS[kind]
    password = fields.get("roomsecret", "")
    here = await world.room(alice, carol, kind, password=password, **fields)
    for peer in (bob, eve):
        if "membersonly" in fields:
            await affiliate(carol, here.room, world.server.jid(peer.user), "member")
        await peer.join(here.room, peer.user, password)
        if "moderatedroom" in fields:
            await set_role(carol, here.room, peer.user, "participant")
    if "moderatedroom" in fields:
        await set_role(carol, here.room, NICK, "participant")
    path = file(tmp_path, f"{kind}.bin")
    assert "Stored" in await here.keep(bob, path)
    # Everybody in the room sees it, whether the bot serves them or not, and in public or not.
    for peer in (bob, carol, eve):
        for ask, mark in ((here.ask, "!"), (here.ask_privately, "")):
            assert "This room has one file" in (await ask(peer, f"{mark}ls")).body
            assert path.name in (await ask(peer, f"{mark}find {kind}")).body
            assert sha256(path.read_bytes()) in (await ask(peer, f"{mark}info {path.name}")).body
        await here.say(peer, f"!get {path.name}")
        assert await here.got(peer, "groupchat") == path.read_bytes()
        peer.say(f"get {path.name}", here.bot)
        assert await here.got(peer, "chat") == path.read_bytes()
    # Nobody else heard the private messages to one person.
    assert [len(here.words(peer, "chat")) for peer in (bob, carol, eve)] == [4, 4, 4]
    # With a file that somebody else shared goes a line that says who.
    assert len(here.words(bob, "groupchat")) == len(here.words(eve, "groupchat")) == 1 + 3 * 4 + 2
    # It is the poster's, and the room's owner's.
    assert (await here.ask(eve, f"!rm {path.name}")).body == OWNERS_ONLY
    assert (await here.ask_privately(eve, f"rm {path.name}")).body == OWNERS_ONLY
    assert "Deleted" in (await here.ask_privately(bob, f"rm {path.name}")).body
    assert "no files yet" in (await here.ask(eve, "!ls")).body
    assert "Stored" in await here.keep(eve, path)
    assert (await here.ask(bob, f"!rm {path.name}")).body == OWNERS_ONLY
    assert "Deleted" in (await here.ask(carol, f"!rm {path.name}")).body
    assert not world.keeps(path)


# --- whom the room hides ----------------------------------------------------------------------------


@NEEDS_IDS
async def test_in_a_semi_anonymous_room_files_belong_to_the_occupant_and_not_to_the_nick(
    world: World, alice: Peer, bob: Peer, carol: Peer, eve: Peer, tmp_path: Path
) -> None:
    here = await world.room(alice, carol, "masks", whois="moderators")
    path, other = file(tmp_path, "mask.bin"), file(tmp_path, "thief.bin")
    await eve.join(here.room, "Eve")
    await bob.join(here.room, "Zorro")
    assert "Stored" in await here.keep(bob, path)
    await here.post(bob, other)
    await leave(bob, here.room, "Zorro")
    # Whoever has the nick a second later gets neither the file nor what was posted and not yet kept.
    await leave(eve, here.room, "Eve")
    await eve.join(here.room, "Zorro")
    assert (await here.ask(eve, "!rm mask.bin")).body == OWNERS_ONLY
    assert (await here.ask_privately(eve, "rename mask.bin to mine.bin")).body == OWNERS_ONLY
    assert "not seen a file from you" in (await here.ask(eve, "!keep")).body
    # Under another nick he is who he was.
    await bob.join(here.room, "Don Diego")
    assert "Stored" in (await here.ask(bob, "!keep")).body
    assert "Deleted" in (await here.ask_privately(bob, "rm mask.bin")).body
    assert "Deleted" in (await here.ask(bob, "!rm thief.bin")).body
    # Elsewhere the file was nobody's: a private chat knows nothing of it.
    assert "no file called" in (await world.ask(bob, "get mask.bin")).body


# --- who may only listen ------------------------------------------------------------------------


async def test_who_has_no_voice_gets_files_and_puts_none_in(
    world: World, alice: Peer, bob: Peer, carol: Peer, tmp_path: Path
) -> None:
    here = await world.room(alice, carol, "lecture", moderatedroom="1", whois="anyone")
    await set_role(carol, here.room, NICK, "participant")
    await bob.join(here.room, "bob")
    path, own = file(tmp_path, "slides.bin"), file(tmp_path, "handout.bin")
    assert "Stored" in await here.keep(carol, path)
    await bob.drop(own, here.room, mtype="groupchat")
    await bob.next_message(lambda each: each.kind == "error")
    assert "not seen a file from you" in (await here.ask_privately(bob, "keep")).body
    bob.say("get slides.bin", here.bot)
    assert await here.got(bob, "chat") == path.read_bytes()
    assert "one file" in (await here.ask_privately(bob, "ls")).body
    assert (await here.ask_privately(bob, "rm slides.bin")).body == OWNERS_ONLY
    # By the private chat there is no way around it.
    await bob.drop(own, world.bot_jid)
    assert "Stored" in (await bob.next_message(world.from_bot)).body
    assert LISTENS_ONLY in (await world.ask(bob, f"send handout.bin to {here.room}")).body
    assert "one file" in (await here.ask(carol, "!ls")).body
    # With a voice he may, and without one again not what he posted meanwhile.
    await set_role(carol, here.room, "bob", "participant")
    await here.post(bob, own)
    await set_role(carol, here.room, "bob", "visitor")
    assert LISTENS_ONLY in (await here.ask_privately(bob, "keep")).body
    await set_role(carol, here.room, "bob", "participant")
    assert "handout.bin" in (await here.ask(bob, "!keep")).body


# --- doors ------------------------------------------------------------------------------------------


async def test_a_room_with_a_password_is_entered_with_it_only(
    world: World, alice: Peer, bob: Peer, carol: Peer
) -> None:
    room = f"vault@{world.server.conference}"
    await carol.join(room, "Carol")
    await configure(carol, room, passwordprotectedroom="1", roomsecret="a secret")
    for person in (alice, bob):
        for wrong in ("", " with something else"):
            assert "needs a password" in (await world.ask(person, f"join {room}{wrong}")).body
    assert "I am in" in (await world.ask(bob, f"join {room} with a secret")).body
    assert "no files yet" in (await BotRoom(room).ask(carol, "!ls")).body


async def test_who_is_not_in_a_members_only_room_sees_nothing_of_it(
    world: World, alice: Peer, bob: Peer, carol: Peer, tmp_path: Path
) -> None:
    here = await world.room(alice, carol, "club", membersonly="1", whois="anyone")
    path = file(tmp_path, "minutes.bin")
    assert "Stored" in await here.keep(carol, path)
    number = (await here.ask(carol, "!ls")).body.split("#")[1].split()[0]
    await affiliate(carol, here.room, "bob@localhost", "member")
    await bob.join(here.room, "bob")
    bob.say(f"get #{number}", world.bot_jid)
    url = (await bob.next_message(world.from_bot)).body
    assert await bob.download(url) == path.read_bytes()
    # Without his membership he is out, and with that it is over.
    await affiliate(carol, here.room, "bob@localhost", "none")
    for name in ("minutes.bin", f"#{number}"):
        assert "no file called" in (await world.ask(bob, f"get {name}")).body
    bob.say("get minutes.bin", here.bot)
    refused = await bob.next_message(lambda each: each.sender == here.bot)
    assert refused.kind == "error"


async def test_a_destroyed_room_gives_nothing_and_its_files_stay_with_the_operator(
    world: World, alice: Peer, bob: Peer, carol: Peer, tmp_path: Path
) -> None:
    here = await world.room(alice, carol, "ruin", whois="anyone")
    path = file(tmp_path, "relic.bin")
    assert "Stored" in await here.keep(carol, path)
    number = (await here.ask(carol, "!ls")).body.split("#")[1].split()[0]
    await destroy(carol, here.room)
    assert "no file called" in (await world.ask(bob, f"get #{number}")).body
    # Whoever makes a room of the same name is its owner, and the bot is not in it by itself.
    await bob.join(here.room, "Bob")
    bob.say("!ls", here.room, mtype="groupchat")
    with pytest.raises(TimeoutError):
        await bob.next_message(lambda each: each.sender == here.bot, timeout_s=1.5)
    assert world.keeps(path)
