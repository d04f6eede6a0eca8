"""How the bot speaks in a room: to whom, about what, and how much at once; on a real server."""

from pathlib import Path
from xml.etree.ElementTree import SubElement

import pytest
from slixmpp import JID

from filebot.localserver.peer import Peer, Received
from tests.e2e.conftest import ROOM
from tests.support.hidden_room import HERE, OCCUPANT, HiddenRoom, hidden_room_in
from tests.support.muc import configure, set_role


def stanza_id(heard: Received) -> str:
    given = heard.element.find("{urn:xmpp:sid:0}stanza-id")
    assert given is not None
    assert given.get("by") == ROOM
    return given.get("id", "")


async def kept(den: HiddenRoom, peer: Peer, name: str) -> None:
    await den.post(peer, name)
    peer.say("!keep", ROOM, mtype="groupchat")
    await den.heard(peer, "groupchat")


@pytest.mark.conformance(96)
async def test_an_answer_refers_to_the_question_by_the_id_that_the_room_gave(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        den.bob.say("!ls", ROOM, mtype="groupchat")
        question = await den.alice.next_message(lambda each: each.body == "!ls")
        answer = await den.heard(den.alice, "groupchat")
        reply = answer.element.find("{urn:xmpp:reply:0}reply")
        assert reply is not None
        assert (reply.get("id"), reply.get("to")) == (stanza_id(question), f"{ROOM}/Bob")
        den.bob.say("ls", OCCUPANT)
        private = await den.heard(den.bob, "chat")
        assert private.element.find("{urn:xmpp:reply:0}reply") is None


@pytest.mark.needs("occupant-id")
async def test_a_bot_that_may_only_listen_answers_in_private(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await configure(den.alice, ROOM, moderatedroom="1")
        await set_role(den.alice, ROOM, "Bob", "participant")
        await den.let_the_bot_in()
        den.bob.say("!ls", ROOM, mtype="groupchat")
        assert "no files" in (await den.heard(den.bob, "chat")).body.lower()
        await set_role(den.alice, ROOM, "filebot", "participant")
        await kept(den, den.bob, "plan.txt")
        assert "plan.txt" in await den.ask(den.bob, "ls")


async def test_many_questions_at_once_are_all_answered_and_in_order(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        for number in range(30):
            den.bob.say(f"!find word{number}", ROOM, mtype="groupchat")
        answers = [(await den.heard(den.alice, "groupchat")).body for _ in range(30)]
        assert [f"word{number}" in answer for number, answer in enumerate(answers)] == [True] * 30


@pytest.mark.needs("rooms without private messages")
async def test_a_room_without_private_messages_is_told_so_and_where_to_ask(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await configure(den.alice, ROOM, whois="anyone", allowpm="none")
        await den.let_the_bot_in()
        assert "only members" in (await HERE.ask(den.alice, "!room set who-may-get members")).body
        assert f"My address: {den.bot_jid}" in (await HERE.ask(den.alice, "!ls")).body


async def test_who_cannot_be_answered_in_private_is_told_in_the_room_where_to_ask(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        den.bob.say("ls", OCCUPANT)
        answer = await den.heard(den.bob, "chat")
        # A room in which nobody may send private messages gives this error, too.
        refused = den.bob.client.make_message(mto=JID(OCCUPANT), mtype="error")
        refused["id"] = answer.element.get("id")
        error = SubElement(refused.xml, "{jabber:client}error", {"type": "auth"})
        SubElement(error, "{urn:ietf:params:xml:ns:xmpp-stanzas}forbidden")
        refused.send()
        assert f"My address: {den.bot_jid}" in (await den.heard(den.alice, "groupchat")).body


@pytest.mark.needs("occupant-id")
async def test_keep_as_a_reply_keeps_the_file_that_is_replied_to(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        for name in ("first.txt", "second.txt"):
            await den.post(den.bob, name)
        first = await den.alice.next_message(lambda each: each.body.endswith("first.txt"))
        command = den.bob.client.make_message(mto=JID(ROOM), mbody="> first\n!keep", mtype="groupchat")
        SubElement(command.xml, "{urn:xmpp:reply:0}reply", {"to": f"{ROOM}/Bob", "id": stanza_id(first)})
        mark = {"for": "urn:xmpp:reply:0"}
        fallback = SubElement(command.xml, "{urn:xmpp:fallback:0}fallback", mark)
        SubElement(fallback, "{urn:xmpp:fallback:0}body", {"start": "0", "end": "8"})
        command.send()
        assert 'Stored "first.txt"' in (await den.heard(den.alice, "groupchat")).body


async def test_an_occupant_cannot_make_the_bot_believe_that_the_room_put_it_out(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        for condition in ("not-acceptable", "forbidden"):
            forged = den.bob.client.make_message(mto=JID(OCCUPANT), mtype="chat")
            forged["type"] = "error"
            error = SubElement(forged.xml, "{jabber:client}error", {"type": "cancel"})
            SubElement(error, f"{{urn:ietf:params:xml:ns:xmpp-stanzas}}{condition}")
            forged.send()
        den.alice.say("!ls", ROOM, mtype="groupchat")
        assert "no files" in (await den.heard(den.alice, "groupchat")).body.lower()
