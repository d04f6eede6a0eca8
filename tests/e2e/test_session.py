"""The session against a real server: what other clients and the server see of the bot."""

import asyncio
import base64
import hashlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp import JID
from slixmpp.stanza import Message
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.errors import LoginFailed, NoUploadService, TooLargeForService
from filebot.localserver.certificate import self_signed
from filebot.localserver.peer import Peer
from filebot.localserver.server import ComponentLogin, Server
from filebot.model import Address, AddressKind, EncryptedMessage, IncomingMessage
from filebot.xmpp.connection.disco_features import CAPS_NODE, FEATURES
from filebot.xmpp.session import Handlers, SessionSettings, XmppSession
from tests.servers import component_login, private_server
from tests.support.waiting import loop_turns

LIMIT_S = 20.0
DISCO = "{http://jabber.org/protocol/disco#info}"
CAPS = "{http://jabber.org/protocol/caps}c"


class Bot:
    """A session and what it heard."""

    def __init__(self, settings: SessionSettings, serves: Callable[[str], bool]) -> None:
        self.heard: asyncio.Queue[IncomingMessage] = asyncio.Queue()
        self.encrypted: asyncio.Queue[EncryptedMessage] = asyncio.Queue()
        self.session = XmppSession(
            settings,
            Handlers(message=self.heard.put_nowait, encrypted=self.encrypted.put_nowait, is_served=serves),
            unserved_reason="Not for you.",
        )

    async def next(self) -> IncomingMessage:
        return await asyncio.wait_for(self.heard.get(), LIMIT_S)


@pytest.fixture
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    components = getattr(request, "param", [])
    async with private_server(
        tmp_path / "server", users=["bot", "anna", "eve"], components=components
    ) as running:
        yield running


with_component = pytest.mark.parametrize("server", [["files.localhost"]], indirect=True)


def account(
    server: Server, *rooms: str, password: str = "", ca_file: Path | None = None
) -> SessionSettings:
    login = component_login(server, "bot")
    if login is not None:
        return replace(component(server, *rooms, login=login), password=password or login.secret)
    return SessionSettings(
        server.jid("bot"),
        password or server.password("bot"),
        host="127.0.0.1",
        port=server.c2s_port,
        ca_file=ca_file or server.ca_file,
        nick="Filebot",
        rooms=rooms,
    )


def full_jid(server: Server) -> str:
    return "bot.localhost/Filebot" if component_login(server, "bot") else f"{server.jid('bot')}/filebot"


def component(
    server: Server, *rooms: str, secret: str = "", login: ComponentLogin | None = None
) -> SessionSettings:
    login = login or server.component("files.localhost")
    return SessionSettings(
        login.domain,
        secret or login.secret,
        mode="component",
        host=login.host,
        port=login.port,
        nick="Filebot",
        rooms=rooms,
    )


@asynccontextmanager
async def online(settings: SessionSettings) -> AsyncIterator[Bot]:
    bot = Bot(settings, lambda jid: jid == "anna@localhost")
    async with bot.session:
        await asyncio.wait_for(bot.session.run_until_ready(), LIMIT_S)
        yield bot


@asynccontextmanager
async def person(server: Server, name: str) -> AsyncIterator[Peer]:
    async with await Peer.of(server, name) as peer:
        peer.client.auto_authorize = None
        peer.client.auto_subscribe = False
        # Otherwise the server keeps answers about subscriptions to itself (RFC 6121 section 2.2).
        await peer.client.get_roster()
        yield peer


@pytest.fixture
async def anna(server: Server) -> AsyncIterator[Peer]:
    async with person(server, "anna") as peer:
        yield peer


def presences(peer: Peer) -> asyncio.Queue[Element]:
    """All presences that this person is sent from now on."""
    came: asyncio.Queue[Element] = asyncio.Queue()
    # Not slixmpp's event: it is silent about rooms.
    peer.client.register_handler(
        Callback(
            "presences", MatchXPath("{jabber:client}presence"), lambda stanza: came.put_nowait(stanza.xml)
        )
    )
    return came


async def next_presence(came: asyncio.Queue[Element], fits: Callable[[Element], bool]) -> Element:
    async with asyncio.timeout(LIMIT_S):
        while not fits(presence := await came.get()):
            pass
    return presence


async def query(peer: Peer, to: str, namespace: str, node: str = "") -> Element:
    iq = peer.client.make_iq_get(ito=JID(to))
    SubElement(iq.xml, f"{{{namespace}}}query", {"node": node} if node else {})
    answer = await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp
    result: Element | None = answer.xml.find(f"{{{namespace}}}query")
    assert result is not None
    return result


# --- login -------------------------------------------------------------------------------------------


async def test_the_bot_logs_in_and_is_ready(server: Server) -> None:
    async with online(account(server)) as bot:
        assert await bot.session.run_until_ready() == full_jid(server)


@pytest.mark.parametrize("mode", ["client", "component"])
@pytest.mark.needs("an account")
@with_component
async def test_wrong_credentials_end_the_first_login(server: Server, mode: str) -> None:
    settings = account(server, password="wrong") if mode == "client" else component(server, secret="wrong")
    async with Bot(settings, lambda _: True).session as session:
        with pytest.raises(LoginFailed):
            await asyncio.wait_for(session.run_until_ready(), LIMIT_S)
        with pytest.raises(LoginFailed):
            await session.ended()


@pytest.mark.needs("an account")
async def test_an_untrusted_certificate_is_refused_before_anything_is_said(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other, _ = await self_signed(tmp_path, ["localhost"], [])
    async with Bot(account(server, ca_file=other), lambda _: True).session as session:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.run_until_ready(), 3.0)
    assert "certificate is not valid for localhost" in caplog.text
    # Prosody and ejabberd log a login in these words.
    assert not re.search(r"authenticat(ed|ion) (as|for) ", server.log_file.read_text(), re.IGNORECASE)


async def test_the_bot_may_start_before_its_server(server: Server) -> None:
    await server.stop()
    async with Bot(account(server), lambda _: True).session as session:
        ready = asyncio.create_task(session.run_until_ready())
        await asyncio.sleep(0.5)
        await server.restart()
        assert await asyncio.wait_for(ready, LIMIT_S) == full_jid(server)


async def test_small_stanzas_are_not_held_back(server: Server) -> None:
    async with online(account(server)) as bot:
        transport = bot.session._stream.transport
        assert transport is not None
        assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# --- what it says of itself --------------------------------------------------------------------------

EXPECTED = {
    "http://jabber.org/protocol/caps",
    "http://jabber.org/protocol/chatstates",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/muc",
    "jabber:iq:version",
    "jabber:x:conference",
    "jabber:x:oob",
    "urn:xmpp:fallback:0",
    "urn:xmpp:hash-function-text-names:blake2b-256",
    "urn:xmpp:hash-function-text-names:blake2b-512",
    "urn:xmpp:hash-function-text-names:sha-1",
    "urn:xmpp:hash-function-text-names:sha-256",
    "urn:xmpp:hash-function-text-names:sha-384",
    "urn:xmpp:hash-function-text-names:sha-512",
    "urn:xmpp:hash-function-text-names:sha3-256",
    "urn:xmpp:hash-function-text-names:sha3-512",
    "urn:xmpp:hashes:2",
    "urn:xmpp:message-correct:0",
    "urn:xmpp:message-moderate:0",
    "urn:xmpp:message-moderate:1",
    "urn:xmpp:message-retract:0",
    "urn:xmpp:message-retract:1",
    "urn:xmpp:ping",
    "urn:xmpp:reactions:0",
    "urn:xmpp:receipts",
    "urn:xmpp:reply:0",
    "urn:xmpp:sfs:0",
    "urn:xmpp:sid:0",
    "urn:xmpp:sims:1",
    "vcard-temp",
}


def verification(info: Element) -> str:
    """XEP-0115 section 5.1, for one identity and no forms."""
    identity = info.find(f"{DISCO}identity")
    assert identity is not None
    text = f"{identity.get('category')}/{identity.get('type')}//{identity.get('name')}<"
    text += "".join(f"{each}<" for each in sorted(features(info)))
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def features(info: Element) -> list[str]:
    return [each.get("var", "") for each in info.iter(f"{DISCO}feature")]


async def test_the_features_are_exactly_those_that_work_and_hash_to_the_caps(
    server: Server, anna: Peer
) -> None:
    came = presences(anna)
    async with online(account(server)) as bot:
        full = await bot.session.run_until_ready()
        anna.client.send_presence(pto=JID(server.jid("bot")), ptype="subscribe")
        caps = (
            await next_presence(came, lambda each: each.find(CAPS) is not None and each.get("from") == full)
        ).find(CAPS)
        assert caps is not None
        plain = await query(anna, full, DISCO[1:-1])
        assert sorted(features(plain)) == sorted(EXPECTED) == sorted(FEATURES)
        assert [dict(each.attrib) for each in plain.iter(f"{DISCO}identity")] == [
            {"category": "client", "type": "bot", "name": "Filebot"}
        ]
        assert (caps.get("node"), caps.get("hash")) == (CAPS_NODE, "sha-1")
        assert caps.get("ver") == verification(plain)
        named = await query(anna, full, DISCO[1:-1], f"{CAPS_NODE}#{caps.get('ver')}")
        assert features(named) == features(plain)


async def test_the_version_is_told_without_the_system(server: Server, anna: Peer) -> None:
    async with online(account(server)) as bot:
        version = await query(anna, await bot.session.run_until_ready(), "jabber:iq:version")
        assert [each.tag.partition("}")[2] for each in version] == ["name", "version"]
        assert version.findtext("{jabber:iq:version}name") == "filebot"


# --- people ------------------------------------------------------------------------------------------


async def test_served_people_become_contacts_both_ways(server: Server, anna: Peer) -> None:
    came = presences(anna)
    async with online(account(server)):
        anna.client.send_presence(pto=JID(server.jid("bot")), ptype="subscribe")
        await next_presence(came, lambda each: each.get("type") == "subscribed")
        await next_presence(came, lambda each: each.get("type") == "subscribe")
        anna.client.send_presence(pto=JID(server.jid("bot")), ptype="subscribed")
        anna.client.send_presence(pto=JID(server.jid("bot")), ptype="unsubscribe")
        await next_presence(came, lambda each: each.get("type") == "unsubscribe")


async def test_subscriptions_of_strangers_are_declined(server: Server) -> None:
    async with person(server, "eve") as eve, online(account(server)):
        came = presences(eve)
        eve.client.send_presence(pto=JID(server.jid("bot")), ptype="subscribe")
        await next_presence(came, lambda each: each.get("type") == "unsubscribed")


@pytest.mark.smoke
async def test_private_messages_are_received_and_sent(server: Server, anna: Peer) -> None:
    async with online(account(server)) as bot:
        anna.say("help", server.jid("bot"))
        heard = await bot.next()
        assert (heard.sender.jid, heard.text) == ("anna@localhost", "help")
        assert heard.sender.address == Address(anna.jid)
        await bot.session.messenger.say(heard.sender.address, "Hallo", language="de")
        answer = await anna.next_message()
        assert (JID(answer.sender).bare, answer.body) == (server.jid("bot"), "Hallo")


async def test_a_receipt_is_given_to_served_people_only(server: Server, anna: Peer) -> None:
    async with person(server, "eve") as eve, online(account(server)) as bot:
        for peer in (eve, anna):
            message = peer.client.make_message(JID(server.jid("bot")), "ls", mtype="chat")
            message.xml.append(Element("{urn:xmpp:receipts}request"))
            message.send()
            await bot.next()
        assert "urn:xmpp:receipts" in (await anna.next_message()).xml
        assert eve.messages == []


@pytest.mark.needs("an archive of its own")
async def test_what_was_said_while_the_bot_was_away_is_told_as_late(server: Server, anna: Peer) -> None:
    async with online(account(server)) as bot:
        await bot.session.run_until_ready()
    anna.say("ls", server.jid("bot"))
    await anna.until_taken()
    async with online(account(server)) as bot:
        heard = await bot.next()
        assert heard.text == "ls"
        assert heard.delayed_since is not None


# --- rooms -------------------------------------------------------------------------------------------


@pytest.mark.smoke
async def test_the_bot_is_in_its_room_and_knows_who_speaks(server: Server, anna: Peer) -> None:
    room = f"den@{server.conference}"
    async with online(account(server, room)) as bot:
        rooms = bot.session.rooms
        assert rooms.joined() == {room}
        assert await rooms.joined_room(f"xmpp:{room.upper()}?join") == room
        await anna.join(room, "Anna")
        anna.say("filebot: ls", room, mtype="groupchat")
        heard = await bot.next()
        # Prosody hides real JIDs by default, and the bot owns the room that it made.
        assert (heard.sender.jid, heard.sender.room, heard.text) == ("anna@localhost", room, "ls")
        assert rooms.room_role(room, "anna@localhost") is not None
        await bot.session.messenger.say(heard.sender.address, "in public")
        assert (await anna.next_message(lambda each: each.body == "in public")).kind == "groupchat"
        assert bot.heard.empty()


async def test_private_messages_go_through_the_room(server: Server, anna: Peer) -> None:
    room = f"den@{server.conference}"
    async with online(account(server, room)) as bot:
        await anna.join(room, "Anna")
        anna.say("ls", f"{room}/Filebot")
        heard = await bot.next()
        assert heard.sender.address == Address(f"{room}/Anna", AddressKind.ROOM_PRIVATE, "anna@localhost")
        assert (heard.sender.jid, heard.sender.room) == ("anna@localhost", room)
        await bot.session.messenger.say(heard.sender.address, "for you")
        answer = await anna.next_message(lambda each: each.body == "for you")
        assert (answer.sender, answer.kind) == (f"{room}/Filebot", "chat")


async def test_where_the_room_hides_people_nobody_is_anybody(server: Server, anna: Peer) -> None:
    room = f"den@{server.conference}"
    async with person(server, "eve") as eve:
        await eve.join(room, "anna@localhost")
        async with online(account(server, room)) as bot:
            eve.say("!ls", room, mtype="groupchat")
            heard = await bot.next()
            assert (heard.sender.jid, heard.sender.nick) == (None, "anna@localhost")
            assert bot.session.rooms.room_role(room, "anna@localhost") is None


async def test_a_taken_nick_is_varied(server: Server, anna: Peer) -> None:
    room = f"den@{server.conference}"
    await anna.join(room, "Filebot")
    async with online(account(server, room)) as bot:
        anna.say("filebot_: ls", room, mtype="groupchat")
        assert (await bot.next()).text == "ls"


async def test_at_the_end_the_bot_says_good_bye(server: Server, anna: Peer) -> None:
    room = f"den@{server.conference}"
    await anna.join(room, "Anna")
    came = presences(anna)
    async with online(account(server, room)):
        pass
    gone = await next_presence(came, lambda each: each.get("type") == "unavailable")
    assert gone.findtext("{jabber:client}status") == "Back soon."


# --- troubles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("crash", [True, False])
async def test_after_a_restart_of_the_server_the_bot_is_back(server: Server, *, crash: bool) -> None:
    room = f"den@{server.conference}"
    async with online(account(server, room)) as bot:
        if crash:
            await server.kill()
        await server.restart()
        async with person(server, "anna") as anna:
            came = presences(anna)
            await anna.join(room, "Anna")
            await next_presence(came, lambda each: each.get("from") == f"{room}/Filebot")
            # Prosody shows a component as an occupant although it is not back yet.
            while bot.heard.empty():
                anna.say("!ls", room, mtype="groupchat")
                await asyncio.sleep(1)
            while not bot.heard.empty():
                assert (await bot.next()).text == "ls"
            anna.say("help", server.jid("bot"))
            assert (await bot.next()).text == "help"
            assert await bot.session.uploads.size_limit() is not None


@pytest.mark.needs("stream management")
async def test_what_the_server_did_not_hear_before_it_crashed_is_said_again(server: Server) -> None:
    async with online(account(server)) as bot:
        os.kill(server.pid, signal.SIGSTOP)
        said = await bot.session.messenger.say(Address("anna@localhost"), "stored")
        await bot.session.messenger.composing(Address("anna@localhost"), active=True)
        await loop_turns()  # it is in the server's socket now
        await server.kill()
        await server.restart()
        async with person(server, "anna") as anna:
            heard = await anna.next_message()
            assert (heard.element.get("id"), heard.body) == (said, "stored")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anna.next_message(), 0.5)


@pytest.mark.needs("stream management")
@pytest.mark.parametrize("in_room", [False, True])
async def test_what_the_server_had_taken_before_it_crashed_is_not_said_twice(
    server: Server, *, in_room: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its acknowledgement is lost, and after the crash the server knows of no session."""
    room = f"den@{server.conference}"
    to = Address(room, AddressKind.ROOM) if in_room else Address("anna@localhost")
    async with online(account(server, room)) as bot:
        stream = bot.session._stream
        management, heard = stream.plugin["xep_0198"], stream._spawn_event

        def deaf_to_acks(xml: Element) -> None:
            if xml.tag != "{urn:xmpp:sm:3}a":
                heard(xml)

        with monkeypatch.context() as deaf:
            deaf.setattr(stream, "_spawn_event", deaf_to_acks)
            async with person(server, "anna") as anna:
                await anna.join(room, "Anna")
                await bot.session.messenger.say(to, "once")
                await anna.next_message(lambda each: each.body == "once")
            await asyncio.sleep(0.5)  # it is in the archive now
            assert [each for _, each in management.unacked_queue if isinstance(each, Message)]
            await server.kill()
        await server.restart()
        async with person(server, "anna") as anna:
            await anna.join(room, "Anna")
            await bot.session.messenger.say(Address("anna@localhost"), "later")
            await anna.next_message(lambda each: each.body == "later")
            await asyncio.sleep(1)
            said = [
                each.body for each in anna.messages if each.element.find("{urn:xmpp:delay}delay") is None
            ]
            assert "once" not in said


async def test_what_is_said_in_a_room_while_the_server_is_away_is_said_when_the_bot_is_back(
    server: Server,
) -> None:
    room = f"den@{server.conference}"
    async with online(account(server, room)) as bot:
        await server.kill()
        saying = asyncio.create_task(bot.session.messenger.say(Address(room, AddressKind.ROOM), "kept"))
        await server.restart()
        async with person(server, "anna") as anna:
            # The bot may be back first: then it is history for her.
            await anna.client.plugin["xep_0045"].join_muc_wait(JID(room), "Anna", timeout=LIMIT_S)
            await anna.next_message(lambda each: (each.kind, each.body) == ("groupchat", "kept"))
            await saying


@pytest.mark.needs("stream management")
async def test_a_broken_connection_loses_no_word(server: Server, anna: Peer) -> None:
    room = f"den@{server.conference}"
    async with online(account(server, room)) as bot:
        bot.session._stream.abort()
        anna.say("help", server.jid("bot"))
        assert (await bot.next()).text == "help"
        assert bot.session.rooms.joined() == {room}
        await bot.session.messenger.say(Address("anna@localhost"), "still here")
        assert (await anna.next_message()).body == "still here"
        assert bot.heard.empty()


# --- components --------------------------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.needs("an account")
@with_component
async def test_a_component_talks_in_private_and_in_rooms(server: Server, anna: Peer) -> None:
    room = f"den@{server.conference}"
    async with online(component(server, room)) as bot:
        assert await bot.session.run_until_ready() == "files.localhost/Filebot"
        anna.say("help", "files.localhost")
        heard = await bot.next()
        assert (heard.sender.jid, heard.text) == ("anna@localhost", "help")
        await bot.session.messenger.say(heard.sender.address, "hello")
        assert (await anna.next_message()).sender == "files.localhost"
        await anna.join(room, "Anna")
        anna.say("!ls", room, mtype="groupchat")
        heard = await bot.next()
        await bot.session.messenger.say(heard.sender.address, "in public")
        assert (
            await anna.next_message(lambda each: each.kind == "groupchat" and each.body == "in public")
        ).body


@pytest.mark.needs("an account")
@with_component
async def test_a_component_is_seen_by_its_contacts(server: Server, anna: Peer) -> None:
    came = presences(anna)
    async with online(component(server)):
        anna.client.send_presence(pto=JID("files.localhost"), ptype="subscribe")
        caps = (await next_presence(came, lambda each: each.find(CAPS) is not None)).find(CAPS)
        info = await query(anna, "files.localhost", DISCO[1:-1])
        assert caps is not None
        assert caps.get("ver") == verification(info)


# --- uploads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "make"), [([], account), (["files.localhost"], component)], indirect=["server"]
)
async def test_slots_are_given_up_to_the_limit(
    server: Server, make: Callable[..., SessionSettings]
) -> None:
    async with online(make(server)) as bot:
        uploads = bot.session.uploads
        limit = await uploads.size_limit()
        assert limit == 10 * 1024 * 1024
        slot = await uploads.slot("Grüße vom Gipfel.jpg", 5, "image/jpeg")
        assert slot.get_url.endswith(".jpg")
        assert uploads.hosts() == {"localhost"}
        with pytest.raises(TooLargeForService) as refused:
            await uploads.slot("a.bin", limit + 1, "application/octet-stream")
        assert refused.value.limit_bytes == limit


async def test_without_a_service_there_are_no_slots(tmp_path: Path) -> None:
    bare = private_server(tmp_path / "bare", users=["bot"], upload_limit_bytes=None)
    async with bare as server, online(account(server)) as bot:
        with pytest.raises(NoUploadService):
            await bot.session.uploads.slot("a.bin", 1, "application/octet-stream")
