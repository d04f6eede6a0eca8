"""Verified senders of every kind of message that a server or a room can deliver."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from unittest.mock import Mock
from xml.etree.ElementTree import Element

import pytest
from slixmpp.stanza import Message
from slixmpp.xmlstream import ET

from filebot.concurrency.bounded_store import weight
from filebot.model import (
    LONGEST_TEXT,
    Address,
    AddressKind,
    EncryptedMessage,
    IncomingMessage,
    Invitation,
    MessageRef,
    Occupant,
)
from filebot.xmpp.archive.mam_query import LONGEST_ID
from filebot.xmpp.messages.reader import SEEN_FOR_S, Read, Reader

BOT = "bot@example.org"
ROOM = "room@muc.example.org"
X = "<x xmlns='http://jabber.org/protocol/muc#user'/>"

MARY = Occupant(None, f"{ROOM}/m4ry", claimed="mallory@example.org")
"""Occupant whose claimed JID is not trusted."""


class OneRoom:
    """The bot is in one room as ``filebot``; it tells who Anna is, an id of Carl, and nothing of Bert."""

    addresses = frozenset({ROOM})

    def __init__(self, *, inside: bool = True, gives_stanza_ids: bool = True) -> None:
        self._inside = inside
        self._gives_stanza_ids = gives_stanza_ids

    def nick_in(self, room: str) -> str:
        return "filebot" if room == ROOM else ""

    def occupant(self, room: str, nick: str) -> Occupant:
        known = {
            "anna": Occupant("anna@example.org"),
            "carl": Occupant(key=f"{ROOM}/c4r1"),
            "mary": MARY,
        }
        return known.get(nick, Occupant()) if self._inside and room == ROOM else Occupant()

    def author(self, room: str, stanza: Element) -> Occupant | None:
        ids = [each.get("id") for each in stanza if each.tag.endswith("occupant-id")]
        if ids == ["m4ry"]:
            return MARY
        return Occupant(key=f"{room}/{ids[0]}") if ids else None

    def believes(self, room: str) -> bool:
        return room.endswith("@muc.example.org")

    def gives_stanza_ids(self, room: str) -> bool:
        return self._gives_stanza_ids and room == ROOM

    def is_filebot(self, room: str, nick: str) -> bool:
        return (room, nick) == (ROOM, "otherbot")

    def joined(self) -> frozenset[str]:
        return frozenset({ROOM} if self._inside else ())


def stanza(
    inner: str, sender: str = "anna@example.org/phone", kind: str = "chat", extra: str = ""
) -> Element:
    xml = (
        f"<message xmlns='jabber:client' from='{sender}' to='{BOT}' type='{kind}' {extra}>{inner}</message>"
    )
    element: Element = Message(xml=ET.fromstring(xml)).xml  # type: ignore[no-untyped-call]  # as slixmpp does
    return element


def reader(*, inside: bool = True) -> Reader:
    return Reader(BOT, OneRoom(inside=inside), "!", "filebot")


def read(element: Element) -> Read | None:
    return reader().read(element)


def message(element: Element) -> IncomingMessage:
    result = read(element)
    assert isinstance(result, IncomingMessage)
    return result


# --- people ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["chat", "normal"])
def test_a_person_is_known_by_the_bare_jid_and_answered_where_they_wrote(kind: str) -> None:
    said = message(stanza("<body>help</body>", sender="Anna@Example.org/Phone", kind=kind))
    assert said.sender.jid == "anna@example.org"
    assert said.sender.address == Address("anna@example.org/Phone", AddressKind.CHAT)
    assert (said.text, said.addressed, said.sender.room) == ("help", True, None)


@pytest.mark.parametrize("sender", ["anna@example.org/phone", f"{ROOM}/anna"])
@pytest.mark.parametrize("body", ["!get x", "/get x", "filebot: get x", "get x"])
def test_in_private_nothing_need_stand_before_a_command_and_much_may(sender: str, body: str) -> None:
    said = message(stanza(f"<body>{body}</body>", sender=sender))
    assert (said.text, said.addressed, said.sender.in_public) == ("get x", True, False)


def test_a_caption_is_taken_as_it_is() -> None:
    shared = (
        "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>"
        "<name>a.png</name></file><sources>"
        "<url-data xmlns='http://jabber.org/protocol/url-data' target='https://up.example.org/a'/>"
        "</sources></file-sharing>"
    )
    said = message(stanza(f"<body>!wow</body>{shared}"))
    assert (said.text, len(said.offers)) == ("!wow", 1)


def test_the_language_of_the_client_is_told() -> None:
    assert message(stanza("<body>hilfe</body>", extra="xml:lang='de'")).language == "de"
    assert message(stanza("<body>help</body>")).language is None
    assert message(stanza("<body>help</body>", extra=f"xml:lang='{'x' * 99}'")).language is None


def test_a_message_kept_by_the_server_tells_since_when() -> None:
    delay = "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-03-01T12:00:00+01:00'/>"
    said = message(stanza(f"<body>help</body>{delay}"))
    assert said.delayed_since == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert (
        message(stanza("<body>a</body><delay xmlns='urn:xmpp:delay' stamp='soon'/>")).delayed_since is None
    )


def test_interest_in_chat_states_is_noticed() -> None:
    active = "<active xmlns='http://jabber.org/protocol/chatstates'/>"
    assert message(stanza(f"<body>a</body>{active}")).wants_chat_states
    assert not message(stanza("<body>a</body>")).wants_chat_states


def test_a_file_comes_without_words() -> None:
    url = "https://up.example.org/1/a.png"
    said = message(stanza(f"<body>{url}</body><x xmlns='jabber:x:oob'><url>{url}</url></x>"))
    assert (said.text, [offer.urls for offer in said.offers]) == ("", [(url,)])


def test_an_announced_file_and_its_source_are_one_message() -> None:
    one = reader()
    announcement = (
        "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/><file-sharing xmlns='urn:xmpp:sfs:0' id='f'>"
        "<file xmlns='urn:xmpp:file:metadata:0'><name>a.png</name><size>3</size></file></file-sharing>"
    )
    source = (
        "<body>https://up.example.org/a</body><x xmlns='jabber:x:oob'><url>https://up.example.org/a</url></x>"
        "<attach-to xmlns='urn:xmpp:message-attaching:1' id='o1'/><sources xmlns='urn:xmpp:sfs:0' id='f'>"
        "<url-data xmlns='http://jabber.org/protocol/url-data' target='https://up.example.org/a'/></sources>"
    )
    assert one.read(stanza(announcement)) is None
    joined = one.read(stanza(source))
    assert isinstance(joined, IncomingMessage)
    assert [(offer.name, offer.urls) for offer in joined.offers] == [
        ("a.png", ("https://up.example.org/a",))
    ]


@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        ("<body>broken</body><error type='cancel'/>", "error"),
        ("<body>news</body>", "headline"),
        ("<active xmlns='http://jabber.org/protocol/chatstates'/>", "chat"),
        ("<received xmlns='urn:xmpp:receipts' id='1'/>", "chat"),
        ("<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "chat"),
        ("<subject>topic</subject>", "normal"),
        ("<body> </body>", "chat"),
        ("<body>+1</body><reactions xmlns='urn:xmpp:reactions:0'/>", "chat"),
        ("<body>unsaid</body><retract xmlns='urn:xmpp:message-retract:1'/>", "chat"),
        ("<body>unsaid</body><apply-to xmlns='urn:xmpp:fasten:0' id='1'/>", "chat"),
        ("<body>ls</body><sent xmlns='urn:xmpp:carbons:2'/>", "chat"),
        ("<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>", "chat"),
        ("<result xmlns='urn:xmpp:mam:2' id='1'/><body>ls</body>", "chat"),
    ],
)
def test_what_asks_for_no_answer_is_ignored(inner: str, kind: str) -> None:
    assert read(stanza(inner, kind=kind)) is None


@pytest.mark.conformance(25)
@pytest.mark.parametrize("sender", [BOT, f"{BOT}/phone", "", "@@@"])
def test_the_bot_itself_and_nobody_are_not_heard(sender: str) -> None:
    assert read(stanza("<body>ls</body>", sender=sender)) is None


# --- repetitions -------------------------------------------------------------------------------------


@pytest.mark.conformance(23)
@pytest.mark.parametrize(
    "ids",
    [
        "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>",
        f"<stanza-id xmlns='urn:xmpp:sid:0' by='{BOT}' id='1'/>",
    ],
)
def test_the_same_message_is_heard_once(ids: str) -> None:
    one = reader()
    assert one.read(stanza(f"<body>ls</body>{ids}")) is not None
    assert one.read(stanza(f"<body>ls</body>{ids}")) is None


def test_a_resent_message_with_only_an_id_is_heard_once_but_the_id_may_be_used_again() -> None:
    one = reader()
    assert one.read(stanza("<body>ls</body>", extra="id='1'")) is not None
    assert one.read(stanza("<body>ls</body>", extra="id='1'")) is None
    assert one.read(stanza("<body>usage</body>", extra="id='1'")) is not None


def test_a_client_that_counts_its_ids_anew_is_heard_but_what_was_stored_is_not_heard_twice() -> None:
    clock = Mock(return_value=0.0)
    one = Reader(BOT, OneRoom(), "!", "filebot", clock=clock)
    assert one.read(stanza("<body>quota</body>", extra="id='1'")) is not None
    clock.return_value = 6.0
    assert one.read(stanza("<body>quota</body>", extra="id='1'")) is not None
    kept = "<stanza-id xmlns='urn:xmpp:sid:0' by='{}' id='{}'/>"
    for number in range(2):  # as on a server that archives
        clock.return_value += 6.0
        words = f"<body>ls</body>{kept.format(BOT, number)}"
        assert one.read(stanza(words, extra="id='1'")) is not None
    clock.return_value = 60.0
    delay = "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-11-23T12:00:00Z'/>"
    assert one.read(stanza(f"<body>quota</body>{delay}", extra="id='1'")) is None


def test_message_without_ids_is_always_heard() -> None:
    one = reader()
    assert one.read(stanza("<body>ls</body>")) is not None
    assert one.read(stanza("<body>ls</body>")) is not None


def test_ids_are_forgotten_with_age() -> None:
    clock = Mock(return_value=0.0)
    one = Reader(BOT, OneRoom(), "!", "filebot", clock=clock)
    said = stanza("<body>ls</body><origin-id xmlns='urn:xmpp:sid:0' id='1'/>")
    for since in (0.0, SEEN_FOR_S):
        clock.return_value = since
        assert one.read(said) is not None
        clock.return_value = since + SEEN_FOR_S - 1.0
        assert one.read(said) is None


def test_the_oldest_ids_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filebot.xmpp.messages.reader.MOST_SEEN", 100)
    one = reader()
    said = [stanza("<body>ls</body>", extra=f"id='{number}'") for number in range(1000)]
    assert all(one.read(each) is not None for each in said)
    assert one.read(said[900]) is None
    assert one.read(said[899]) is not None


def test_ids_of_others_do_not_silence_anybody() -> None:
    one = reader()
    forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='1'/>"
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>"
    assert one.read(stanza(f"<body>ls</body>{forged}{origin}", sender="mallory@example.org/x")) is not None
    assert one.read(stanza(f"<body>ls</body>{origin}")) is not None
    assert (
        one.read(stanza(f"<body>!ls</body>{forged}", sender=f"{ROOM}/anna", kind="groupchat")) is not None
    )


def test_two_people_whose_messages_were_given_one_id_are_both_heard() -> None:
    """The ids of ejabberd are times: two messages of one moment have the same."""
    one, given = reader(), f"<stanza-id xmlns='urn:xmpp:sid:0' by='{BOT}' id='1796093074813903'/>"
    assert (
        one.read(stanza(f"<body>ls</body>{given}", sender="ann@example.org/a", extra="id='1'")) is not None
    )
    assert (
        one.read(stanza(f"<body>ls</body>{given}", sender="bob@example.org/b", extra="id='1'")) is not None
    )


# --- rooms -------------------------------------------------------------------------------------------


def test_in_a_room_the_room_tells_who_speaks() -> None:
    said = message(stanza("<body>!get x</body>", sender=f"{ROOM}/anna", kind="groupchat"))
    assert said.sender.jid == "anna@example.org"
    assert said.sender.address == Address(ROOM, AddressKind.ROOM)
    assert (said.sender.room, said.sender.nick, said.text, said.addressed) == (ROOM, "anna", "get x", True)


def test_who_is_hidden_by_the_room_has_no_identity() -> None:
    assert message(stanza("<body>!ls</body>", sender=f"{ROOM}/bert", kind="groupchat")).sender.jid is None


@pytest.mark.parametrize("nick", ["anna@example.org", "ANNA", "аnna", "anna "])
def test_a_nick_that_looks_like_somebody_gains_nothing(nick: str) -> None:
    room = read(stanza("<body>!ls</body>", sender=f"{ROOM}/{nick}", kind="groupchat"))
    private = read(stanza(f"<body>ls</body>{X}", sender=f"{ROOM}/{nick}"))
    for each in (room, private):
        assert not isinstance(each, Invitation)
        assert each is None or each.sender.jid is None


def test_talk_among_others_is_told_as_such() -> None:
    said = message(stanza("<body>get x</body>", sender=f"{ROOM}/anna", kind="groupchat"))
    assert (said.addressed, said.text) == (False, "get x")


def test_a_file_in_a_room_is_told_although_nobody_asked_the_bot() -> None:
    url = "https://up.example.org/1/a.png"
    inner = f"<body>{url}</body><x xmlns='jabber:x:oob'><url>{url}</url></x>"
    said = message(stanza(inner, sender=f"{ROOM}/anna", kind="groupchat"))
    assert (said.addressed, len(said.offers)) == (False, 1)


@pytest.mark.parametrize(
    ("nick", "extra", "expected"),
    [
        ("anna", "", False),
        ("anna", "<posted xmlns='https://github.com/filebot-xmpp/filebot'/>", True),
        ("otherbot", "", True),
    ],
)
def test_file_of_a_filebot_is_known_by_its_mark_or_its_presence(
    nick: str, extra: str, *, expected: bool
) -> None:
    url = "https://up.example.org/1/a.png"
    inner = f"<body>{url}</body><x xmlns='jabber:x:oob'><url>{url}</url></x>{extra}"
    assert message(stanza(inner, sender=f"{ROOM}/{nick}", kind="groupchat")).by_bot == expected


@pytest.mark.conformance(24, 25)
@pytest.mark.parametrize(
    ("inner", "sender"),
    [
        ("<body>!ls</body>", f"{ROOM}/filebot"),
        ("<body>!ls</body>", ROOM),
        ("<subject>topic</subject>", f"{ROOM}/anna"),
        (
            f"<body>!ls</body><delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='2026-03-01T12:00:00Z'/>",
            f"{ROOM}/anna",
        ),
        ("<body>!ls</body>", "other@muc.example.org/anna"),
    ],
)
def test_echoes_history_and_foreign_rooms_are_ignored(inner: str, sender: str) -> None:
    assert read(stanza(inner, sender=sender, kind="groupchat")) is None


def test_before_the_bot_is_in_the_room_nobody_is_heard_there() -> None:
    outside = reader(inside=False)
    assert outside.read(stanza("<body>!ls</body>", sender=f"{ROOM}/anna", kind="groupchat")) is None
    private = outside.read(stanza("<body>ls</body>", sender=f"{ROOM}/anna"))
    assert isinstance(private, IncomingMessage)
    assert (private.sender.jid, private.sender.room) == (None, None)


@pytest.mark.parametrize("mark", [X, ""])
def test_a_private_message_through_the_room_is_answered_through_the_room(mark: str) -> None:
    said = message(stanza(f"<body>get x</body>{mark}", sender=f"{ROOM}/anna"))
    assert said.sender.address == Address(f"{ROOM}/anna", AddressKind.ROOM_PRIVATE, "anna@example.org")
    assert (said.sender.jid, said.sender.room, said.text, said.addressed) == (
        "anna@example.org",
        ROOM,
        "get x",
        True,
    )


def test_the_mark_of_a_private_message_from_elsewhere_takes_the_identity_away() -> None:
    for sender in ("anna@example.org/phone", "other@muc.example.org/anna"):
        said = message(stanza(f"<body>ls</body>{X}", sender=sender))
        assert (said.sender.jid, said.sender.room) == (None, None)


# --- invitations --------------------------------------------------------------------------------------

DEN = "den@muc.example.org"
CONFERENCE = f"<x xmlns='jabber:x:conference' jid='{DEN}' password='sesame' reason='come'/>"


def mediated(inviter: str = "anna@example.org/phone", password: str = "") -> str:
    inner = f"<invite from='{inviter}'><reason>come</reason></invite>{password}"
    return f"<body>come!</body><x xmlns='http://jabber.org/protocol/muc#user'>{inner}</x>"


def test_a_direct_invitation_is_the_senders_and_no_command() -> None:
    said = stanza(f"<body>ls</body>{CONFERENCE}", kind="normal", extra="xml:lang='de'")
    assert read(said) == Invitation(DEN, "anna@example.org", "sesame", language="de")


def test_an_invitation_through_a_room_that_is_believed_is_the_inviters() -> None:
    password = "<password>sesame</password>"
    for extra in ("", CONFERENCE.replace("sesame", "other")):
        said = stanza(mediated(password=password) + extra, sender=DEN, kind="normal")
        assert read(said) == Invitation(DEN, "anna@example.org", "sesame", "anna@example.org/phone")


def test_who_invites_through_a_room_of_a_strange_service_is_not_believed() -> None:
    for extra in ("", CONFERENCE):
        assert read(stanza(mediated() + extra, sender="den@muc.evil.example", kind="normal")) is None


@pytest.mark.parametrize(
    ("inner", "sender"),
    [
        (mediated(), "mallory@example.org/phone"),  # a person who plays the room
        (mediated(), f"{DEN}/mallory"),  # an occupant who plays the room
        (CONFERENCE, f"{ROOM}/anna"),  # an occupant is not a person
        (CONFERENCE, ROOM),
        (CONFERENCE + X, f"{DEN}/anna"),
        (CONFERENCE, BOT),
        (mediated(""), DEN),
        (mediated(), "muc.example.org"),
        (CONFERENCE.replace(DEN, "muc.example.org"), "anna@example.org/phone"),
        (CONFERENCE.replace(DEN, ""), "anna@example.org/phone"),
        ("<x xmlns='jabber:x:conference'/>", "anna@example.org/phone"),
    ],
)
def test_what_only_looks_like_an_invitation_is_neither_that_nor_a_command(inner: str, sender: str) -> None:
    assert read(stanza(f"{inner}<body>rm *</body>", sender=sender, kind="normal")) is None


def test_a_room_that_hides_its_people_does_not_say_who_invites() -> None:
    password = f"<password>{'x' * 1001}</password>"
    said = stanza(mediated(f"{DEN}/anna", password), sender=DEN, kind="normal")
    assert read(said) == Invitation(DEN, None, "", f"{DEN}/anna")


def test_nobody_is_invited_by_what_is_said_in_a_room() -> None:
    said = message(stanza(f"<body>!ls</body>{CONFERENCE}", sender=f"{ROOM}/anna", kind="groupchat"))
    assert said.text == "ls"


def test_an_invitation_that_is_repeated_is_one() -> None:
    one = reader()
    said = stanza(CONFERENCE, extra="id='i1'")
    assert isinstance(one.read(said), Invitation)
    assert one.read(said) is None


# --- encryption --------------------------------------------------------------------------------------

OMEMO = (
    "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='27183'/>{payload}</encrypted>"
    "<body>I sent you an OMEMO encrypted message</body>"
)


def test_an_omemo_message_is_told_with_its_device_and_not_its_fallback() -> None:
    told = read(stanza(OMEMO.format(payload="<payload>AA==</payload>")))
    assert isinstance(told, EncryptedMessage)
    assert (told.sender.jid, told.device) == ("anna@example.org", "27183")


def test_omemo_keys_without_words_are_ignored() -> None:
    assert read(stanza(OMEMO.format(payload=""))) is None


def test_encryption_in_a_room_is_among_others() -> None:
    inner = OMEMO.format(payload="<payload>AA==</payload>")
    assert read(stanza(inner, sender=f"{ROOM}/anna", kind="groupchat")) is None


@pytest.mark.conformance(91)
def test_an_encrypted_file_is_told_as_encrypted_and_its_key_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = "ab" * 44
    with caplog.at_level("DEBUG"):
        told = read(stanza(f"<body>aesgcm://up.example.org/a.png#{key}</body>"))
    assert isinstance(told, EncryptedMessage)
    assert told.device == ""
    assert key not in repr(told) + caplog.text


def test_whom_the_room_knows_by_an_id_only_is_no_jid() -> None:
    said = message(stanza("<body>!ls</body>", sender=f"{ROOM}/carl", kind="groupchat"))
    assert (said.sender.jid, said.sender.identity) == (None, f"{ROOM}/c4r1")
    private = message(stanza(f"<body>ls</body>{X}", sender=f"{ROOM}/carl"))
    assert (private.sender.jid, private.sender.identity) == (None, f"{ROOM}/c4r1")
    assert private.sender.address.occupant == f"{ROOM}/c4r1"


# --- the bot's own archive ---------------------------------------------------------------------------

ARCHIVED_AT = datetime(2026, 3, 1, 11, tzinfo=UTC)


def archived(element: Element) -> Read | None:
    return reader().read(element, archived_at=ARCHIVED_AT)


def test_who_invited_while_the_bot_was_away_invited_all_the_same() -> None:
    assert archived(stanza(CONFERENCE)) == Invitation(DEN, "anna@example.org", "sesame")
    by_room = archived(stanza(mediated(), sender=DEN, kind="normal"))
    assert by_room == Invitation(DEN, "anna@example.org", "", "anna@example.org/phone")
    assert archived(stanza(mediated(), sender="den@muc.evil.example", kind="normal")) is None


def test_what_lay_in_the_archive_is_as_old_as_the_archive_says() -> None:
    forged = "<delay xmlns='urn:xmpp:delay' stamp='2038-01-01T00:00:00Z'/>"
    said = archived(stanza(f"<body>ls</body>{forged}"))
    assert isinstance(said, IncomingMessage)
    assert (said.text, said.sender.jid, said.delayed_since) == ("ls", "anna@example.org", ARCHIVED_AT)


@pytest.mark.parametrize(
    ("inner", "sender", "kind"),
    [
        ("<body>a</body>", f"{ROOM}/anna", "groupchat"),
        ("<body>a</body>", f"{ROOM}/anna", "chat"),
        (f"<body>a</body>{X}", "left@muc.example.org/anna", "chat"),
        ("<body>a</body>", BOT, "chat"),
        ("<body>a</body>", f"{BOT}/filebot", "chat"),
    ],
)
def test_whoever_had_a_nick_once_is_nobody_now_and_own_words_are_no_order(
    inner: str, sender: str, kind: str
) -> None:
    assert archived(stanza(inner, sender=sender, kind=kind)) is None


def test_a_copy_of_what_somebody_told_another_client_is_theirs() -> None:
    said = reader().read(stanza("<body>ls</body>"), is_copy=True)
    assert isinstance(said, IncomingMessage)
    assert said.sender.jid == "anna@example.org"
    assert said.delayed_since is None


@pytest.mark.parametrize("sender", [f"{ROOM}/anna", "left@muc.example.org/anna"])
def test_what_another_client_hears_through_a_room_is_not_said_to_the_bot(sender: str) -> None:
    assert reader().read(stanza(f"<body>ls</body>{X}", sender=sender), is_copy=True) is None


KNOWN = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='b0b'/>"


def in_archive(element: Element) -> Read | None:
    return reader().read(element, archived_at=ARCHIVED_AT, archive=ROOM)


def test_out_of_a_room_s_archive_the_author_is_whom_the_room_names_by_an_id() -> None:
    said = in_archive(stanza(f"<body>!ls</body>{KNOWN}", sender=f"{ROOM}/anna", kind="groupchat"))
    assert isinstance(said, IncomingMessage)
    assert (said.text, said.addressed, said.delayed_since) == ("ls", True, ARCHIVED_AT)
    # Anna has that nick now; at that time somebody else may have had it.
    assert (said.sender.jid, said.sender.identity) == (None, f"{ROOM}/b0b")


@pytest.mark.parametrize(
    ("inner", "sender", "kind"),
    [
        ("<body>!ls</body>", f"{ROOM}/anna", "groupchat"),
        (f"<body>!ls</body>{KNOWN}", f"{ROOM}/anna", "chat"),
        (f"<body>!ls</body>{KNOWN}", "other@muc.example.org/anna", "groupchat"),
        (f"<body>!ls</body>{KNOWN}", ROOM, "groupchat"),
        (
            f"<body>!ls</body>{KNOWN}<retracted xmlns='urn:xmpp:message-retract:1'/>",
            f"{ROOM}/anna",
            "groupchat",
        ),
    ],
)
def test_what_nobody_known_said_in_a_room_is_not_taken_from_its_archive(
    inner: str, sender: str, kind: str
) -> None:
    assert in_archive(stanza(inner, sender=sender, kind=kind)) is None


def test_whom_a_doubtful_room_calls_somebody_is_called_so_whenever_they_spoke() -> None:
    written = stanza("<body>!ls</body>", sender=f"{ROOM}/mary", kind="groupchat")
    aside = stanza(f"<body>ls</body>{X}", sender=f"{ROOM}/mary")
    past = "<body>!ls</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='m4ry'/>"
    archived_there = in_archive(stanza(past, sender=f"{ROOM}/nick", kind="groupchat"))
    for said in (read(written), read(aside), archived_there):
        assert isinstance(said, IncomingMessage)
        assert (said.sender.jid, said.sender.identity) == (None, f"{ROOM}/m4ry")
        assert said.sender.claimed == "mallory@example.org"


def test_only_the_own_archive_gives_archive_ids() -> None:
    ids = "".join(
        f"<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='{number}'/>"
        for number, by in enumerate(["anna@example.org", f"{BOT}/filebot", "example.org", BOT, BOT])
    )
    assert reader().archive_id(stanza(f"<body>a</body>{ids}"), BOT) == "3"
    assert reader().archive_id(stanza("<body>a</body>"), BOT) is None
    long = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{BOT}' id='{'1' * (LONGEST_ID + 1)}'/>"
    assert reader().archive_id(stanza(long), BOT) is None
    assert reader().archive_id(stanza(f"<stanza-id xmlns='urn:xmpp:sid:0' by='{BOT}' id=''/>"), BOT) is None


@pytest.mark.parametrize(
    ("giver", "kept"),
    [("example.org", True), (BOT, True), ("anna@example.org", False), ("other.org", False), ("", False)],
)
def test_only_the_own_server_can_have_kept_a_message_back(giver: str, *, kept: bool) -> None:
    delay = f"<delay xmlns='urn:xmpp:delay' from='{giver}' stamp='2026-03-01T12:00:00Z'/>"
    assert reader().was_kept_back(stanza(f"<body>a</body>{delay}")) is kept


@pytest.mark.conformance(96)
def test_a_message_in_a_room_is_referred_to_by_the_rooms_own_id() -> None:
    def message_ref(inner: str, *, gives_stanza_ids: bool = True) -> MessageRef | None:
        one = Reader(BOT, OneRoom(gives_stanza_ids=gives_stanza_ids), "!", "filebot")
        said = one.read(stanza(f"<body>!ls</body>{inner}", f"{ROOM}/anna", "groupchat", "id='m1'"))
        assert isinstance(said, IncomingMessage)
        return said.sender.message_ref

    def given(by: str, name: str = "s1") -> str:
        return f"<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='{name}'/>"

    assert message_ref(given(ROOM)) == MessageRef(f"{ROOM}/anna", "s1")
    assert message_ref(given("elsewhere@muc.example.org") + given(ROOM)) == MessageRef(f"{ROOM}/anna", "s1")
    assert message_ref(given(ROOM), gives_stanza_ids=False) is None
    assert message_ref(given(f"{ROOM}/anna") + "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>") is None
    assert message_ref(given(ROOM) + given(ROOM, "s2")) is None
    assert message_ref(given(ROOM, "s" * (LONGEST_ID + 1))) is None


@pytest.mark.conformance(96)
def test_a_message_in_private_is_referred_to_by_its_origin_id_or_else_by_its_id() -> None:
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"
    assert message(stanza("<body>ls</body>", extra="id='m1'")).sender.spoken_id == "m1"
    assert message(stanza(f"<body>ls</body>{origin}", extra="id='m1'")).sender.spoken_id == "o1"
    assert message(stanza("<body>ls</body>")).sender.spoken_id == ""
    through_room = stanza(f"<body>ls</body>{X}", f"{ROOM}/anna", extra="id='m1'")
    assert message(through_room).sender.spoken_id == "m1"
    assert (
        message(stanza("<body>!ls</body>", f"{ROOM}/anna", "groupchat", "id='m1'")).sender.spoken_id == ""
    )


def test_what_a_reply_quotes_is_no_part_of_the_command() -> None:
    quote = "> 😀 !rm all\n"
    inner = (
        f"<body>{quote.replace('>', '&gt;')}!keep</body><reply xmlns='urn:xmpp:reply:0' to='x' id='s0'/>"
        f"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='{len(quote)}'/>"
        "</fallback>"
    )
    said = message(stanza(inner, f"{ROOM}/anna", "groupchat"))
    assert (said.text, said.replies_to, said.addressed) == ("keep", "s0", True)


def test_a_huge_body_is_cut_before_it_is_kept_and_its_length_is_told() -> None:
    said = message(stanza(f"<body>{'ls ' * 100_000}</body>"))
    assert len(said.text) == LONGEST_TEXT
    assert len(said.text) + said.left_out == 299_999
    assert weight(said) < 20_000


def test_a_text_of_the_longest_length_is_whole() -> None:
    said = message(stanza(f"<body>{'x' * LONGEST_TEXT}</body>"))
    assert (len(said.text), said.left_out) == (LONGEST_TEXT, 0)


OOB = "<x xmlns='jabber:x:oob'><url>https://example.org/{}</url></x>"
FALLBACK = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>{}</fallback>"
FILE = (
    "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>a</name></file>"
    "</file-sharing>"
)
HUGE: dict[str, Callable[[int], str]] = {
    "words": lambda n: f"<body>{'word ' * (n // 5)}</body>",
    "lines": lambda n: f"<body>{'x&#10;' * (n // 2)}</body>{OOB}",
    "blanks": lambda n: f"<body>{' ' * n}x{' ' * n}</body>",
    "nicks": lambda n: f"<body>{'filebot: ' * (n // 9)}</body>",
    "prefixes": lambda n: f"<body>{'!' * n}</body>",
    "fallbacks": lambda n: f"<body>{'x' * n}</body>" + FALLBACK.format("<body start='1'/>" * (n // 20)),
    "files": lambda n: FILE * (n // 120),
    "urls": lambda n: "".join(map(OOB.format, range(n // 60))),
    "ids": lambda n: "".join(
        f"<origin-id xmlns='urn:xmpp:sid:0' id='{number}'/>" for number in range(n // 45)
    ),
    "children": lambda n: "<a/>" * (n // 4),
}


@pytest.mark.parametrize("shape", HUGE)
def test_the_time_for_a_huge_message_grows_no_faster_than_it(shape: str) -> None:
    def seconds(size: int) -> float:
        element, fresh = stanza(HUGE[shape](size)), [reader() for _ in range(3)]
        times = []
        for each in fresh:
            began = time.process_time()
            each.read(element)
            times.append(time.process_time() - began)
        return min(times)

    small, large = seconds(100_000), seconds(800_000)
    assert large < max(40 * small, 0.05)  # eight times as much; what is quadratic takes 64 times as long


# --- components -----------------------------------------------------------------------------------------


def component_stanza(inner: str, to: str, sender: str = "anna@example.org/phone") -> Element:
    element = stanza(inner, sender)
    element.set("to", to)
    return element


@pytest.mark.parametrize("to", ["files.example.org", "drop@files.example.org"])
def test_a_component_is_answered_for_by_the_address_that_was_written_to(to: str) -> None:
    mine = Reader("files.example.org", OneRoom(), "!", "filebot", whole_domain=True)
    heard = mine.read(component_stanza("<body>ls</body>", to))
    assert isinstance(heard, IncomingMessage)
    assert (heard.sender.address, heard.sender.address.own) == (Address("anna@example.org/phone"), to)
    invited = mine.read(component_stanza("<x xmlns='jabber:x:conference' jid='tea@muc.example.org'/>", to))
    assert isinstance(invited, Invitation)
    assert invited.own == to


def test_a_component_does_not_talk_with_itself() -> None:
    mine = Reader("bot@files.example.org", OneRoom(), "!", "filebot", whole_domain=True)
    said = component_stanza("<body>ls</body>", "files.example.org", "drop@files.example.org/x")
    assert mine.read(said) is None


def test_an_account_has_one_address() -> None:
    heard = read(stanza("<body>ls</body>"))
    assert isinstance(heard, IncomingMessage)
    assert heard.sender.address.own == ""


# --- nicks of any Unicode ----------------------------------------------------------------------------


@pytest.mark.parametrize("nick", ["Carol 🦊", "👩‍🚀", "ａnna", "Ⅳ"])
def test_nicks_of_any_unicode_are_read_as_the_room_has_them(nick: str) -> None:
    asked = message(stanza("<body>!ls</body>", sender=f"{ROOM}/{nick}", kind="groupchat"))
    assert (asked.sender.nick, asked.text, asked.addressed) == (nick, "ls", True)
    aside = message(stanza(f"<body>ls</body>{X}", sender=f"{ROOM}/{nick}"))
    assert aside.sender.address.jid == f"{ROOM}/{nick}"
    # Resourceprep makes the third of them "anna", who is somebody else.
    assert asked.sender.jid is aside.sender.jid is None


def test_clients_of_people_may_have_newer_names() -> None:
    said = message(stanza("<body>ls</body>", sender="anna@example.org/Phone 📱"))
    assert (said.sender.jid, said.sender.address.jid) == ("anna@example.org", "anna@example.org/Phone 📱")


@pytest.mark.parametrize("nick", ["x" * 1024, "a\x7fb", "a\u2028b"])
@pytest.mark.parametrize("kind", ["groupchat", "chat"])
def test_hostile_nicks_are_refused_in_silence(nick: str, kind: str) -> None:
    assert read(stanza("<body>!ls</body>", sender=f"{ROOM}/{nick}", kind=kind)) is None
