"""How the bot stays in its rooms, and when it stays out, on a real server."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp import JID, ComponentXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.errors import CannotEnterRoom
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from filebot.xmpp.rooms import keeper as rooms
from tests.e2e.test_session import LIMIT_S, Bot, account, next_presence, online, person, presences
from tests.servers import private_server
from tests.support.components import log_in
from tests.support.muc import MUC, affiliate, configure, destroy, leave, set_role
from tests.support.waiting import loop_turns, until

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
ROOM = "den@conference.localhost"
ELSEWHERE = "rooms.localhost"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    users = ["bot", "anna", "eve"]
    async with private_server(tmp_path / "server", users=users, components=[ELSEWHERE]) as running:
        yield running


@pytest.fixture
async def anna(server: Server) -> AsyncIterator[Peer]:
    """She makes the room, and so is its owner."""
    async with person(server, "anna") as peer:
        await peer.join(ROOM, "Anna")
        yield peer


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def log_says(caplog: pytest.LogCaptureFixture, words: str) -> None:
    await until(lambda: words in caplog.text, LIMIT_S)


async def test_whom_somebody_kicks_stays_away_for_a_while_and_comes_back(
    server: Server, anna: Peer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "KICKED_FOR_S", 1.5)
    came = presences(anna)
    async with online(account(server, ROOM)) as bot:
        await set_role(anna, ROOM, "Filebot", "none")
        await next_presence(came, lambda each: each.get("type") == "unavailable")
        await log_says(caplog, "(kicked); trying again in 1.5 s")
        await next_presence(came, lambda each: each.get("type") is None)
        await until(lambda: bot.session.rooms.joined() == {ROOM})
        await set_role(anna, ROOM, "Filebot", "none")
        await log_says(caplog, "(kicked); trying again in 3.0 s")


async def test_after_a_ban_the_bot_does_not_come_back(
    server: Server, anna: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    async with online(account(server, ROOM)) as bot:
        await affiliate(anna, ROOM, server.jid("bot"), "outcast")
        await log_says(caplog, "does not want the bot")
        assert bot.session.rooms.joined() == frozenset()


async def test_who_is_no_member_any_more_does_not_come_back(
    server: Server, anna: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    await configure(anna, ROOM, membersonly="1")
    await affiliate(anna, ROOM, server.jid("bot"), "member")
    async with online(account(server, ROOM)) as bot:
        assert bot.session.rooms.joined() == {ROOM}
        await affiliate(anna, ROOM, server.jid("bot"), "none")
        await log_says(caplog, "does not want the bot")
        assert "321" in caplog.text
        assert bot.session.rooms.joined() == frozenset()


async def test_a_room_that_closes_to_others_than_members_does_not_see_the_bot_again(
    server: Server, anna: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    async with online(account(server, ROOM)):
        await configure(anna, ROOM, membersonly="1")
        await log_says(caplog, "does not want the bot")
        assert "322" in caplog.text


async def test_a_destroyed_room_is_not_made_again_nor_is_the_other_one_that_it_names_entered(
    server: Server, anna: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    other = "other@conference.localhost"
    await anna.join(other, "Anna")
    came = presences(anna)
    async with online(account(server, ROOM)) as bot:
        await destroy(anna, ROOM, other)
        await log_says(caplog, "does not want the bot")
        assert bot.session.rooms.joined() == frozenset()
        seen = [came.get_nowait().get("from") for _ in range(came.qsize())]
        assert f"{ROOM}/Anna" in seen
        assert f"{other}/Filebot" not in seen


@pytest.mark.smoke
async def test_rights_follow_what_the_room_says_now(server: Server, anna: Peer) -> None:
    await configure(anna, ROOM, whois="anyone")
    async with online(account(server, ROOM)) as bot, person(server, "eve") as eve:

        def manages(room: str, jid: str) -> bool:
            room_role = bot.session.rooms.room_role(room, jid)
            return room_role is not None and room_role.manages

        assert manages(ROOM, "anna@localhost")
        await eve.join(ROOM, "Eve")
        await until(lambda: bot.session.rooms.room_role(ROOM, "eve@localhost") is not None)
        assert not manages(ROOM, "eve@localhost")
        await affiliate(anna, ROOM, "eve@localhost", "admin")
        await until(lambda: manages(ROOM, "eve@localhost"))
        await affiliate(anna, ROOM, "eve@localhost", "none")
        await until(lambda: not manages(ROOM, "eve@localhost"))


async def test_in_a_semi_anonymous_room_the_nick_of_an_owner_gives_nothing(
    server: Server, anna: Peer
) -> None:
    async with online(account(server, ROOM)) as bot, person(server, "eve") as eve:
        await leave(anna, ROOM, "Anna")
        await until(lambda: "Anna" not in bot.session.rooms._rooms[ROOM].occupants._entries)
        await eve.join(ROOM, "Anna")
        eve.say("!ls", ROOM, mtype="groupchat")
        heard = await bot.next()
        assert (heard.sender.jid, heard.sender.nick) == (None, "Anna")
        assert bot.session.rooms.room_role(ROOM, "anna@localhost") is None


@pytest.mark.needs("occupant-id")
async def test_a_semi_anonymous_room_tells_people_apart_by_ids_that_outlive_nicks(
    server: Server, anna: Peer
) -> None:
    async with online(account(server, ROOM)) as bot, person(server, "eve") as eve:
        anna.say("!ls", ROOM, mtype="groupchat")
        first = (await bot.next()).sender
        assert first.jid is None
        assert first.identity is not None
        assert first.identity.startswith(f"{ROOM}/")
        room_role = bot.session.rooms.room_role(ROOM, first.identity)
        assert room_role is not None
        assert room_role.manages
        await leave(anna, ROOM, "Anna")
        await until(lambda: bot.session.rooms.room_role(ROOM, first.identity or "") is None)
        await eve.join(ROOM, "Anna")
        # Whoever writes an id in by themselves has it taken out by the room.
        forged = eve.client.make_message(mto=ROOM, mbody="!ls", mtype="groupchat")
        SubElement(forged.xml, "{urn:xmpp:occupant-id:0}occupant-id", {"id": first.identity.split("/")[1]})
        forged.send()
        thief = (await bot.next()).sender
        assert (thief.nick, thief.jid) == ("Anna", None)
        assert thief.identity not in {None, first.identity}
        await anna.join(ROOM, "Anna again")
        anna.say("!ls", ROOM, mtype="groupchat")
        assert (await bot.next()).sender.identity == first.identity


async def test_who_takes_a_nick_a_second_later_is_not_told_what_was_for_its_last_owner(
    server: Server, anna: Peer
) -> None:
    await configure(anna, ROOM, whois="anyone")
    async with online(account(server, ROOM)) as bot, person(server, "eve") as eve:
        anna.say("get diary.txt", f"{ROOM}/Filebot")
        asked = (await bot.next()).sender
        await bot.session.messenger.say(asked.address, "for Anna")
        assert (await anna.next_message(lambda heard: heard.body == "for Anna")).kind == "chat"
        await leave(anna, ROOM, "Anna")
        await until(lambda: bot.session.rooms.room_role(ROOM, "anna@localhost") is None)
        await bot.session.messenger.say(asked.address, "for Anna, who has left")
        await eve.join(ROOM, "Anna")
        await until(lambda: bot.session.rooms.room_role(ROOM, "eve@localhost") is not None)
        await bot.session.messenger.say(asked.address, "for Anna, not for Eve")
        eve.say("ls", f"{ROOM}/Filebot")
        await bot.session.messenger.say((await bot.next()).sender.address, "for Eve")
        heard = await eve.next_message(lambda heard: heard.body.startswith("for "))
        assert heard.body == "for Eve"


# --- being told to come and go -----------------------------------------------------------------------


@pytest.mark.smoke
async def test_the_bot_enters_a_room_with_a_password_comes_back_to_it_and_leaves_it(
    server: Server, anna: Peer
) -> None:
    await configure(anna, ROOM, passwordprotectedroom="1", roomsecret="sesame")
    async with online(account(server)) as bot:
        for wrong in ("", "wrong"):
            with pytest.raises(CannotEnterRoom) as closed:
                await bot.session.rooms.join(ROOM, wrong)
            assert closed.value.reason == "password"
        assert ROOM not in bot.session.rooms.addresses
        await bot.session.rooms.join(ROOM, "sesame")
        assert bot.session.rooms.joined() == {ROOM}
        came = presences(anna)
        await bot.session.rooms.leave(ROOM)
        gone = await next_presence(came, lambda each: each.get("type") == "unavailable")
        assert gone.get("from") == f"{ROOM}/Filebot"
        assert bot.session.rooms.joined() == frozenset()


async def test_a_room_is_tried_by_one_at_a_time(server: Server, anna: Peer) -> None:
    async with online(account(server)) as bot:
        await asyncio.gather(*(bot.session.rooms.join(ROOM, "") for _ in range(3)))
        assert bot.session.rooms.joined() == {ROOM}
        await asyncio.gather(bot.session.rooms.leave(ROOM), bot.session.rooms.join(ROOM, ""))
        assert bot.session.rooms.joined() == {ROOM}


async def test_why_a_room_is_closed_is_known(server: Server, anna: Peer) -> None:
    async with online(account(server)) as bot:
        await configure(anna, ROOM, membersonly="1")
        with pytest.raises(CannotEnterRoom) as closed:
            await bot.session.rooms.join(ROOM, "")
        assert closed.value.reason == "members"
        await configure(anna, ROOM, membersonly="0")
        await affiliate(anna, ROOM, server.jid("bot"), "outcast")
        with pytest.raises(CannotEnterRoom) as closed:
            await bot.session.rooms.join(ROOM, "")
        assert closed.value.reason == "banned"


async def test_a_remembered_room_is_entered_at_the_start_and_forgotten_after_a_ban(
    server: Server, anna: Peer
) -> None:
    bot, gone = Bot(account(server), lambda _: True), asyncio.Queue[tuple[str, bool]]()

    async def shut_out(room: str, destroyed: bool) -> None:
        gone.put_nowait((room, destroyed))

    bot.session._rooms._shut_out = shut_out
    bot.session.rooms.expect(ROOM, "")
    async with bot.session:
        await asyncio.wait_for(bot.session.run_until_ready(), LIMIT_S)
        assert bot.session.rooms.joined() == {ROOM}
        await affiliate(anna, ROOM, server.jid("bot"), "outcast")
        assert await asyncio.wait_for(gone.get(), LIMIT_S) == (ROOM, False)


async def test_a_remembered_room_that_is_no_more_is_not_made_but_waited_for(
    server: Server, anna: Peer
) -> None:
    await leave(anna, ROOM, "Anna")
    bot = Bot(account(server), lambda _: True)
    bot.session.rooms.expect(ROOM, "")
    async with bot.session:
        bot.session.start()
        await until(bot.session._ready.is_set)
        await asyncio.sleep(1.0)
        assert bot.session.rooms.joined() == frozenset()
        items = await anna.client.plugin["xep_0030"].get_items(jid=JID("conference.localhost"))
        assert not items["disco_items"]["items"]
        await anna.join(ROOM, "Anna")
        await until(lambda: bot.session.rooms.joined() == {ROOM})


# --- a room service that forgets ---------------------------------------------------------------------


class ForgetfulRooms(ComponentXMPP):
    """A room service just able to let one occupant in, answer its self-ping, and forget it silently.

    The stock service forgets nobody without ending the bot's own connection as well.
    """

    def __init__(self, server: Server) -> None:
        login = server.component(ELSEWHERE)
        super().__init__(  # type: ignore[no-untyped-call]  # untyped in slixmpp
            login.domain, login.secret, login.host, login.port
        )
        self.register_plugin("xep_0030")
        self.inside: str | None = None
        self.entered = 0
        self.pings = 0
        self.answer = "not-acceptable"
        space = "{jabber:component:accept}"
        for name, take in (("presence", self._presence), ("iq", self._iq)):
            self.register_handler(Callback(f"rooms {name}", MatchXPath(space + name), take))

    def _presence(self, stanza: Any) -> None:
        if stanza.xml.get("type") is not None or stanza["to"].resource == "":
            return
        self.inside, self.entered = stanza["from"].full, self.entered + 1
        answer = self.make_presence(pto=stanza["from"], pfrom=stanza["to"])
        x = SubElement(answer.xml, f"{{{MUC}#user}}x")
        SubElement(x, f"{{{MUC}#user}}item", {"affiliation": "none", "role": "participant"})
        SubElement(x, f"{{{MUC}#user}}status", {"code": "110"})
        answer.send()

    def _iq(self, stanza: Any) -> None:
        if stanza.xml.get("type") != "get":
            return
        answer = self.make_iq_result(stanza["id"], stanza["from"], stanza["to"])
        condition = "feature-not-implemented"
        if stanza.xml.find("{urn:xmpp:ping}ping") is not None:
            self.pings += 1
            condition = "" if self.inside is not None else self.answer
        if condition:
            answer["type"] = "error"
            error = SubElement(answer.xml, "{jabber:component:accept}error", {"type": "cancel"})
            error.append(Element(f"{{{STANZAS}}}{condition}"))
        answer.send()  # type: ignore[no-untyped-call]  # untyped in slixmpp


@asynccontextmanager
async def room_service(server: Server) -> AsyncIterator[ForgetfulRooms]:
    service = ForgetfulRooms(server)
    await log_in(service)
    try:
        yield service
    finally:
        service.abort()  # without a word, as a crash would
        await loop_turns()  # COMPAT(slixmpp, 1.17): its cancelled tasks need a turn to end


@pytest.fixture
async def forgetful(server: Server) -> AsyncIterator[ForgetfulRooms]:
    async with room_service(server) as service:
        yield service


async def in_the_forgetful_room(bot: Bot, service: ForgetfulRooms) -> None:
    await until(lambda: bot.session.rooms.joined() == {f"den@{ELSEWHERE}"})
    await until(lambda: service.pings >= 2)
    assert service.entered == 1


async def test_a_room_that_forgot_the_bot_without_a_word_is_entered_again(
    server: Server, forgetful: ForgetfulRooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SELF_PING_S", 0.2)
    async with online(account(server, f"den@{ELSEWHERE}")) as bot:
        await in_the_forgetful_room(bot, forgetful)
        forgetful.inside = None
        await until(lambda: forgetful.entered == 2)
        await until(lambda: bot.session.rooms.joined() == {f"den@{ELSEWHERE}"})


async def test_a_rooms_host_that_went_away_and_came_back_without_a_word_is_entered_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SELF_PING_S", 0.2)
    async with AsyncExitStack() as host:
        before = await host.enter_async_context(room_service(server))
        async with online(account(server, f"den@{ELSEWHERE}")) as bot:
            await in_the_forgetful_room(bot, before)
            await host.aclose()
            await asyncio.sleep(1.0)  # some pings, which the servers answer for the host, each in its way
            async with room_service(server) as after:
                await until(lambda: after.entered == 1)
                await until(lambda: bot.session.rooms.joined() == {f"den@{ELSEWHERE}"})


@pytest.mark.parametrize("answer", ["service-unavailable", "item-not-found", "remote-server-timeout"])
async def test_an_answer_that_proves_nothing_makes_nobody_come_again(
    server: Server, forgetful: ForgetfulRooms, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(rooms, "SELF_PING_S", 0.2)
    async with online(account(server, f"den@{ELSEWHERE}")) as bot:
        await in_the_forgetful_room(bot, forgetful)
        forgetful.answer, forgetful.inside = answer, None
        pings = forgetful.pings
        await until(lambda: forgetful.pings >= pings + 3)
        assert forgetful.entered == 1
        assert bot.session.rooms.joined() == {f"den@{ELSEWHERE}"}
