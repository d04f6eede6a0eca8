"""Addresses with names of any Unicode version, and those that are none."""

import pytest
from slixmpp.jid import InvalidJID
from slixmpp.stanza import Iq, Message, Presence

from filebot.xmpp.jid import parse_jid
from filebot.xmpp.xml import jid_or_none

ROOM = "team@muc.example.org"
NICKS = [
    "Carol 🦊",
    "👩‍🚀",  # joined by a character that resourceprep drops
    "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "ａ",  # which resourceprep makes the other person "a"
    "Ⅳ",
    "ﬁn",
    "אבa",  # both directions
    "ᏸᏹ",
    "a/b@c",
    "𞤀𞤁",
    "x" * 1023,
]


@pytest.mark.parametrize("nick", NICKS)
def test_a_resource_is_what_the_server_wrote(nick: str) -> None:
    jid = parse_jid(f"Team@MUC.Example.org/{nick}")
    assert (jid.bare, jid.resource, jid.full) == (ROOM, nick, f"{ROOM}/{nick}")
    assert (jid.node, jid.domain, str(jid)) == ("team", "muc.example.org", jid.full)


@pytest.mark.parametrize(
    "nick",
    ["", "a\nb", "a\x00", "a\x7f", "a\x85", "\ud83d", "a\u2028", "a\u2029", "x" * 1024, "🦊" * 256],
)
def test_hostile_resources_are_no_addresses(nick: str) -> None:
    assert jid_or_none(f"{ROOM}/{nick}") is None


@pytest.mark.parametrize(
    "text", ["/x", "@example.org/x", "a b@example.org", "a@/x", "a@b@c", "a@" + "b" * 5000]
)
def test_what_has_no_bare_jid_is_no_address(text: str) -> None:
    with pytest.raises(InvalidJID):
        parse_jid(text)


@pytest.mark.parametrize("nick", NICKS)
@pytest.mark.parametrize("kind", [Message, Presence, Iq])
def test_slixmpp_answers_whom_it_would_not_know(kind: type[Message | Presence | Iq], nick: str) -> None:
    stanza = kind()
    stanza.xml.set("from", f"{ROOM}/{nick}")
    stanza.xml.set("to", f"{ROOM}/bot {nick}"[:1000])
    assert str(stanza["from"]) == f"{ROOM}/{nick}"
    assert stanza["from"].bare == ROOM
    assert stanza.reply()["to"].full == f"{ROOM}/{nick}"
    assert f"{ROOM}/bot" in str(stanza["to"])
