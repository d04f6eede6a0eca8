"""Invitations as real clients send them, on a real server; rooms of a service that nobody vouches for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp import JID, ComponentXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.demo.botprocess import BotProcess, write_config
from filebot.demo.peer import Peer, Received
from filebot.demo.server import Server
from filebot.errors import RoomClosed
from filebot.model import RememberedRoom
from filebot.xmpp import rooms
from tests.e2e.components import logged_in
from tests.e2e.conftest import bot_config
from tests.e2e.muc import MUC, affiliate, configure, destroy
from tests.e2e.test_room_life import becomes
from tests.e2e.test_session import LIMIT_S, account, online, person
from tests.servers import private_server

INFO = "http://jabber.org/protocol/disco#info"
REASON = f"{{{MUC}#user}}x/{{{MUC}#user}}decline/{{{MUC}#user}}reason"
ROOM = "den@conference.localhost"
EVIL = "muc.evil.example"
STRANGE = f"den@{EVIL}"
GATEWAY = "irc.localhost"
USERS = ["alice", "bob", "carol", "eve", "filebot"]


def invite_directly(peer: Peer, bot: str, room: str, password: str = "") -> None:
    """As Dino and Gajim do (XEP-0249), with words for clients that know no invitations."""
    message = peer.client.make_message(mto=JID(bot), mbody=f"Come to {room}", mtype="normal")
    extra = {"password": password} if password else {}
    message.append(Element("{jabber:x:conference}x", {"jid": room, "reason": "files"} | extra))
    message.send()


def invite_through_room(peer: Peer, bot: str, room: str = ROOM) -> None:
    """As Conversations and Psi do (XEP-0045 section 7.8.2)."""
    message = peer.client.make_message(mto=JID(room), mtype="normal")
    invite = SubElement(SubElement(message.xml, f"{{{MUC}#user}}x"), f"{{{MUC}#user}}invite", {"to": bot})
    SubElement(invite, f"{{{MUC}#user}}reason").text = "files"
    message.send()


class World:
    """A server, a bot on it that serves alice (its admin) and bob, and those who log in."""

    def __init__(self, server: Server, folder: Path, stack: AsyncExitStack) -> None:
        self.server = server
        self.bot = server.jid("filebot")
        self._folder = folder
        self._stack = stack

    async def start(self, **access: list[str]) -> BotProcess:
        access = {"allow": ["bob@localhost"]} | access
        config = bot_config(self.server, rooms={"join": []}, access=access)
        path = write_config(self._folder / "config.toml", config)
        return await self._stack.enter_async_context(BotProcess(path))

    async def login(self, user: str) -> Peer:
        return await self._stack.enter_async_context(await Peer.of(self.server, user))

    async def told(self, peer: Peer) -> str:
        """What the bot says next to somebody in private."""
        heard = await peer.next_message(lambda each: each.sender.startswith(self.bot) and bool(each.body))
        return heard.body


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        server = private_server(
            tmp_path / "server", users=USERS, components=[EVIL, *getattr(request, "param", [])]
        )
        await stack.enter_async_context(server)
        yield World(server, tmp_path, stack)


def declined(heard: Received) -> bool:
    return heard.element.find(f"{{{MUC}#user}}x/{{{MUC}#user}}decline") is not None


# --- coming and going --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["direct", "mediated", "both"])
async def test_somebody_who_is_served_invites_the_bot_into_a_room(world: World, form: str) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone")
    if form != "mediated":
        invite_directly(bob, world.bot, ROOM)
    if form != "direct":
        invite_through_room(bob, world.bot)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    assert (await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")).body
    assert not [heard for heard in bob.messages if declined(heard)]
    assert sum("now." in heard.body for heard in bob.messages) == 1, [*bot.log]


async def test_an_invited_room_is_remembered_across_a_restart_and_left_for_its_inviter(
    world: World,
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    await bot.stop()
    await bot.start()
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
    bob.say(f"leave {ROOM}", world.bot)
    assert (await world.told(bob)).startswith("I left")
    await bot.stop()
    await bot.start()
    bob.say(f"leave {ROOM}", world.bot)
    assert "whoever brought me there" in await world.told(bob)


@pytest.mark.parametrize("form", ["direct", "mediated"])
async def test_an_invitation_while_the_bot_was_away_is_followed_when_it_is_back(
    world: World, form: str
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bot.stop()
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone")
    (invite_directly if form == "direct" else invite_through_room)(bob, world.bot, ROOM)
    await bot.start()
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")


async def test_an_inviter_who_is_not_served_any_more_does_not_bring_it_back(world: World) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    await bot.stop()
    again = await world.start(deny=["bob@localhost"])
    assert any(f"not going to {ROOM}" in line for line in again.log)


async def test_the_bot_is_invited_into_a_members_only_room_by_its_owner(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, membersonly="1", publicroom="0", whois="anyone")
    invite_directly(bob, world.bot, ROOM)
    assert (await world.told(bob)).startswith("Only members may enter")
    # Of whom an owner invites through the room, that makes a member.
    await asyncio.sleep(5.5)  # what comes at once is taken for the other form of the same
    invite_through_room(bob, world.bot)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')


async def test_a_password_comes_with_the_invitation(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, passwordprotectedroom="1", roomsecret="sesame")
    invite_directly(bob, world.bot, ROOM, "sesame")
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')


async def test_who_invites_through_a_room_that_has_shut_the_bot_out_reads_why(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone")
    await affiliate(bob, ROOM, world.bot, "outcast")
    invite_through_room(bob, world.bot)
    heard = await bob.next_message(declined)
    assert heard.element.findtext(REASON) == f'I am banned from "{ROOM}".'


@pytest.mark.needs("hidden inviters")
async def test_who_is_hidden_by_the_room_through_which_they_invite_reads_what_to_do(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_through_room(bob, world.bot)
    heard = await bob.next_message(declined)
    assert f"join {ROOM}" in (heard.element.findtext(REASON) or "")
    bob.say(f"join {ROOM}", world.bot)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}"')


async def test_a_fresh_invitation_brings_it_back_after_a_ban_was_lifted(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    await affiliate(bob, ROOM, world.bot, "outcast")
    await affiliate(bob, ROOM, world.bot, "none")
    await asyncio.sleep(5.5)
    invite_directly(bob, world.bot, ROOM)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")


@pytest.mark.parametrize("user", ["eve", "carol"])
async def test_strangers_and_the_denied_do_not_bring_it_into_rooms(world: World, user: str) -> None:
    await world.start(allow=["bob@localhost", "carol@localhost"], deny=["carol@localhost"])
    peer = await world.login(user)
    await peer.join(ROOM, "Somebody")
    await configure(peer, ROOM, whois="anyone")
    invite_through_room(peer, world.bot)
    heard = await peer.next_message(declined)
    assert "I only serve certain people" in (heard.element.findtext(REASON) or "")
    invite_directly(peer, world.bot, ROOM)
    peer.say("help", world.bot)
    await asyncio.sleep(1.0)
    assert not [each for each in peer.messages if each.sender.startswith(world.bot)]
    room = peer.client.plugin["xep_0045"]
    assert room.get_roster(JID(ROOM)) == ["Somebody"]


async def test_a_mistyped_address_makes_no_room_and_a_persons_address_is_none(world: World) -> None:
    await world.start()
    alice = await world.login("alice")
    for target, words in (
        ("dem@conference.localhost", "There is no room"),
        ("bob@localhost", "no rooms at the server"),
        ("den@nowhere.invalid", "no rooms at the server"),
    ):
        alice.say(f"join {target}", world.bot)
        assert words in await world.told(alice)
        invite_directly(alice, world.bot, target)
        assert words in await world.told(alice)
    items = await alice.client.plugin["xep_0030"].get_items(jid=JID("conference.localhost"))
    assert not items["disco_items"]["items"]


async def test_nobody_gets_around_the_limits_by_haste(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "MOST_INVITED_BY_ONE", 2)
    monkeypatch.setattr(rooms, "MOST_INVITED", 3)
    dens = [f"den{n}@conference.localhost" for n in range(5)]
    async with (
        private_server(tmp_path / "server", users=["bot", "anna"]) as server,
        person(server, "anna") as anna,
        online(account(server)) as bot,
    ):
        for den in dens:
            await anna.join(den, "Anna")
        join = bot.session.rooms.join
        came = await asyncio.gather(
            *(join(den, "", "anna@localhost") for den in dens), return_exceptions=True
        )
        assert [each.reason for each in came if isinstance(each, RoomClosed)] == ["own limit"] * 3
        others = await asyncio.gather(
            *(join(den, "", f"p{den}") for den in dens if den not in bot.session.rooms.joined()),
            return_exceptions=True,
        )
        assert [each.reason for each in others if isinstance(each, RoomClosed)] == ["limit"] * 2
        await join(next(den for den in dens if den not in bot.session.rooms.joined()), "")
        assert len(bot.session.rooms.joined()) == 4


# --- a room that is no more --------------------------------------------------------------------------


async def share(world: World, bob: Peer, tmp_path: Path) -> None:
    """Bob posts two files into a room of his that the bot is in, and has one of them in private, too."""
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone", persistentroom="1")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    (tmp_path / "plan.txt").write_bytes(b"plan")
    await bob.drop(tmp_path / "plan.txt", world.bot)
    await world.told(bob)
    bob.say(f"send plan.txt to {ROOM}", world.bot)
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
    (tmp_path / "posted.txt").write_bytes(b"posted")
    await bob.drop(tmp_path / "posted.txt", ROOM, mtype="groupchat")
    bob.say("!keep", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")


async def test_the_files_of_a_room_that_is_destroyed_go_back_to_their_owners(
    world: World, tmp_path: Path
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await share(world, bob, tmp_path)
    bob.say("!ls", ROOM, mtype="groupchat")
    heard = await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
    assert ("plan.txt" in heard.body, "posted.txt" in heard.body) == (True, True)
    await destroy(bob, ROOM)
    await becomes(lambda: any("is no more" in line for line in bot.log))
    bob.say("ls", world.bot)
    told = await world.told(bob)
    assert (told.count("plan.txt"), told.count("posted.txt")) == (1, 1)


@pytest.mark.needs("tombstones")
async def test_what_a_room_had_that_was_destroyed_while_the_bot_was_away_is_its_owners(
    world: World, tmp_path: Path
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await share(world, bob, tmp_path)
    await bot.stop()
    await destroy(bob, ROOM)
    await bot.start()
    await becomes(lambda: any("is no more" in line for line in bot.log))
    bob.say("ls", world.bot)
    told = await world.told(bob)
    assert (told.count("plan.txt"), told.count("posted.txt")) == (1, 1)


# --- a service that nobody vouches for ---------------------------------------------------------------


class StrangeRooms(ComponentXMPP):
    """A room service that says of its one other occupant whatever it likes, in all of its rooms."""

    def __init__(self, server: Server, claimed: str, domain: str, kind: str) -> None:
        login = server.component(domain)
        super().__init__(  # type: ignore[no-untyped-call]  # untyped in slixmpp
            login.domain, login.secret, login.host, login.port
        )
        self.claimed = claimed
        self.kind = kind
        self.den = f"den@{domain}"
        self.entered: asyncio.Queue[str] = asyncio.Queue()
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        space = "{jabber:component:accept}"
        for name, take in (("presence", self._presence), ("iq", self._iq), ("message", self._message)):
            self.register_handler(Callback(f"strange {name}", MatchXPath(space + name), take))

    def say(self, text: str, to: str, *, public: bool = True) -> None:
        """As the occupant who is called admin."""
        kind: Any = "groupchat" if public else "chat"
        message = self.make_message(mto=JID(to), mbody=text, mtype=kind, mfrom=f"{self.den}/admin")
        if not public:
            message.xml.append(Element(f"{{{MUC}#user}}x"))
        message.send()

    def put_out(self, occupant: str, to: str, *, destroyed: bool = False) -> None:
        """By a ban, or because the room is no more."""
        presence = self.make_presence(pto=JID(to), pfrom=JID(occupant), ptype="unavailable")
        x = SubElement(presence.xml, f"{{{MUC}#user}}x")
        SubElement(x, f"{{{MUC}#user}}item", {"affiliation": "outcast", "role": "none"})
        for code in ("110",) if destroyed else ("110", "301"):
            SubElement(x, f"{{{MUC}#user}}status", {"code": code})
        if destroyed:
            SubElement(x, f"{{{MUC}#user}}destroy")
        presence.send()

    def invite(self, to: str) -> None:
        message = self.make_message(mto=JID(to), mtype="normal", mfrom=self.den)
        x = SubElement(message.xml, f"{{{MUC}#user}}x")
        SubElement(x, f"{{{MUC}#user}}invite", {"from": self.claimed})
        message.append(Element("{jabber:x:conference}x", {"jid": self.den}))
        message.send()

    def _presence(self, stanza: Any) -> None:
        if stanza.xml.get("type") is not None or not stanza["to"].node:
            return
        for nick, jid, codes in (
            ("admin", f"{self.claimed}/phone", ()),
            (stanza["to"].resource, stanza["from"].full, ("100", "110")),
        ):
            answer = self.make_presence(pto=stanza["from"], pfrom=f"{stanza['to'].bare}/{nick}")
            x = SubElement(answer.xml, f"{{{MUC}#user}}x")
            item = {"affiliation": "owner", "role": "moderator", "jid": jid}
            SubElement(x, f"{{{MUC}#user}}item", item)
            for code in codes:
                SubElement(x, f"{{{MUC}#user}}status", {"code": code})
            answer.send()
        self.entered.put_nowait(stanza["from"].full)

    def _iq(self, stanza: Any) -> None:
        if stanza.xml.get("type") != "get":
            return
        answer = self.make_iq_result(stanza["id"], stanza["from"], stanza["to"])
        query = SubElement(answer.xml, f"{{{INFO}}}query")
        SubElement(query, f"{{{INFO}}}identity", {"category": "conference", "type": self.kind})
        SubElement(query, f"{{{INFO}}}feature", {"var": MUC})
        answer.send()  # type: ignore[no-untyped-call]  # untyped in slixmpp

    def _message(self, stanza: Any) -> None:
        if stanza["body"]:
            self.heard.put_nowait(stanza["body"])

    async def answer(self) -> str:
        return await asyncio.wait_for(self.heard.get(), LIMIT_S)


@asynccontextmanager
async def strange(
    server: Server, claimed: str, domain: str = EVIL, kind: str = "text"
) -> AsyncIterator[StrangeRooms]:
    service = StrangeRooms(server, claimed, domain, kind)
    async with logged_in(service):
        yield service


async def has_a_secret(world: World, alice: Peer, tmp_path: Path) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(b"secret")
    await alice.drop(path, world.bot)
    await world.told(alice)


async def test_a_room_of_a_strange_service_that_says_somebody_is_the_admin_gives_nothing_of_the_admins(
    world: World, tmp_path: Path
) -> None:
    await world.start()
    alice, bob = await world.login("alice"), await world.login("bob")
    await has_a_secret(world, alice, tmp_path)
    async with strange(world.server, "alice@localhost") as service:
        invite_directly(bob, world.bot, STRANGE)
        bot = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        assert (await world.told(bob)).startswith(f'I am in "{STRANGE}" now.')
        for public in (True, False):
            service.say("!ls" if public else "ls", bot, public=public)
            assert "diary" not in await service.answer()
            for command in ("get diary.txt", "info #1", "rm #1"):
                service.say(f"!{command}" if public else command, bot, public=public)
                assert "#1" in (answer := await service.answer()) or "diary.txt" in answer
                assert "http" not in answer
                assert "removed" not in answer
        service.say("transfers", bot, public=False)
        assert "believe" in await service.answer()
    alice.say("ls", world.bot)
    assert "diary.txt" in await world.told(alice)


async def test_an_admin_who_names_a_room_vouches_for_its_service(world: World, tmp_path: Path) -> None:
    await world.start()
    alice = await world.login("alice")
    await has_a_secret(world, alice, tmp_path)
    async with strange(world.server, "alice@localhost") as service:
        alice.say(f"join {STRANGE}", world.bot)
        bot = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        await world.told(alice)
        service.say("info diary.txt", bot, public=False)
        assert "diary.txt" in await service.answer()
        service.say("get diary.txt", bot, public=False)
        assert "http" in await service.answer()


@pytest.mark.parametrize("world", [[GATEWAY]], indirect=True)
async def test_people_of_another_network_are_not_whom_they_make_its_gateway_show(world: World) -> None:
    # Before the bot looks which services its server has.
    async with strange(world.server, "alice@localhost", GATEWAY, "irc") as service:
        await world.start()
        alice, bob = await world.login("alice"), await world.login("bob")
        invite_directly(bob, world.bot, service.den)
        bot = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        assert (await world.told(bob)).startswith(f'I am in "{service.den}" now.')
        service.say("transfers", bot, public=False)
        assert "believe" in await service.answer()
        alice.say(f"join {service.den}", world.bot)
        await world.told(alice)
        service.say("transfers", bot, public=False)
        assert "believe" in await service.answer()


@pytest.mark.parametrize("end", ["left", "banned"])
async def test_a_service_is_believed_while_those_who_run_the_bot_want_it_in_a_room_there(
    tmp_path: Path, end: str
) -> None:
    trap = f"trap@{EVIL}"
    async with (
        private_server(tmp_path / "server", users=["bot"], components=[EVIL]) as server,
        strange(server, "anna@localhost") as service,
        online(account(server)) as bot,
    ):
        known = bot.session.rooms
        assert await known.join(trap, "", "eve@localhost") == RememberedRoom(trap, "", "eve@localhost")
        assert known.occupant(trap, "admin").jid is None
        await known.join(STRANGE, "")
        assert known.occupant(trap, "admin").jid == "anna@localhost"
        if end == "left":
            await known.leave(STRANGE)
        else:
            service.put_out(f"{STRANGE}/Filebot", await service.entered.get())
            await becomes(lambda: not known.is_ours(STRANGE))
        assert known.occupant(trap, "admin").jid is None
        assert known.joined() == {trap}


async def test_whoever_makes_a_destroyed_room_anew_gets_none_of_its_files_even_if_an_admin_joins_it(
    world: World, tmp_path: Path
) -> None:
    # With this service, since Prosody gives the address of a destroyed room to nobody else for a month.
    bot = await world.start()
    alice, bob = await world.login("alice"), await world.login("bob")
    async with strange(world.server, "bob@localhost") as service:
        alice.say(f"join {STRANGE}", world.bot)
        occupant = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        await world.told(alice)
        (tmp_path / "plan.txt").write_bytes(b"plan")
        await bob.drop(tmp_path / "plan.txt", world.bot)
        await world.told(bob)
        bob.say(f"send plan.txt to {STRANGE}", world.bot)
        assert "http" in await service.answer()
        service.claimed = "eve@localhost"
        service.put_out(f"{STRANGE}/filebot", occupant, destroyed=True)
        await becomes(lambda: any(f"{STRANGE} is no more" in line for line in bot.log))
        alice.say(f"join {STRANGE}", world.bot)
        assert "and stay there" in await world.told(alice)
        for command in ("!ls", "!get plan.txt", "!get #1", "!get #2"):
            service.say(command, occupant)
            assert (await service.answer()).startswith(("This room has no files", "I have no file"))


async def test_who_invites_at_the_same_time_as_somebody_else_takes_nothing_over(tmp_path: Path) -> None:
    async with (
        private_server(tmp_path / "server", users=["bot", "anna"]) as server,
        person(server, "anna") as anna,
        online(account(server)) as bot,
    ):
        await anna.join(ROOM, "Anna")
        join = bot.session.rooms.join
        first, second = await asyncio.gather(
            join(ROOM, "", "anna@localhost"), join(ROOM, "other", "eve@localhost")
        )
        assert first == second == RememberedRoom(ROOM, "", "anna@localhost")
        assert await join(ROOM, "", None) == RememberedRoom(ROOM)
        assert await join(ROOM, "", "eve@localhost") == RememberedRoom(ROOM)


async def test_who_invites_through_a_room_of_a_strange_service_is_not_believed(world: World) -> None:
    bot = await world.start()
    bob = await world.login("bob")
    async with strange(world.server, "bob@localhost") as service:
        service.invite(world.bot)
        await becomes(
            lambda: any(f"ignored: {STRANGE} says that bob@localhost" in line for line in bot.log)
        )
        bob.say("help", world.bot)
        assert "I am in" not in await world.told(bob)
        assert service.entered.empty()


async def test_a_room_of_the_bots_own_server_is_believed_when_the_bot_is_invited(tmp_path: Path) -> None:
    async with (
        private_server(tmp_path / "server", users=["bot", "anna"]) as server,
        person(server, "anna") as anna,
        online(account(server)) as bot,
    ):
        await anna.join(ROOM, "Anna")
        await configure(anna, ROOM, whois="anyone")
        await bot.session.rooms.join(ROOM, "", "anna@localhost")
        anna.say("!ls", ROOM, mtype="groupchat")
        sender = (await bot.next()).sender
        assert (sender.jid, sender.claimed) == ("anna@localhost", None)
        await affiliate(anna, ROOM, "bot@localhost", "outcast")
        await becomes(lambda: not bot.session.rooms.is_ours(ROOM))
