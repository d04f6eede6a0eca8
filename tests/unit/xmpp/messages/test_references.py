"""Messages about earlier messages: whose word counts for which."""

from datetime import UTC, datetime

import pytest

from filebot.model import IncomingMessage, MessageIds, Reaction, Retraction
from tests.unit.xmpp.messages.test_reader import BOT, ROOM, message, read, reader, stanza

AT = datetime(2026, 11, 23, tzinfo=UTC)
NEW = "<retract xmlns='urn:xmpp:message-retract:1' id='m1'/>"
OLD = "<apply-to xmlns='urn:xmpp:fasten:0' id='m1'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>"
MODERATED = (
    "<retract xmlns='urn:xmpp:message-retract:1' id='s1'>"
    f"<moderated xmlns='urn:xmpp:message-moderate:1' by='{ROOM}/carl'/></retract>"
)
OLD_MODERATED = (
    "<apply-to xmlns='urn:xmpp:fasten:0' id='s1'>"
    f"<moderated xmlns='urn:xmpp:message-moderate:0' by='{ROOM}/carl'>"
    "<retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to>"
)
BY_MODERATOR = "<moderated xmlns='urn:xmpp:message-moderate:1'/>"
BODY = "<body>rm *</body>"


@pytest.mark.conformance(113)
@pytest.mark.parametrize("inner", [NEW, OLD, NEW + BODY, BODY + OLD])
def test_a_retraction_is_read_in_both_versions_and_never_as_words(inner: str) -> None:
    private = read(stanza(inner))
    assert isinstance(private, Retraction)
    assert (private.sender.jid, private.message_ids, private.by_room) == (
        "anna@example.org",
        ("m1",),
        False,
    )
    public = read(stanza(inner, f"{ROOM}/carl", "groupchat"))
    assert isinstance(public, Retraction)
    assert (public.sender.author, public.by_room) == (f"{ROOM}/c4r1", False)


@pytest.mark.conformance(114)
@pytest.mark.parametrize("inner", [MODERATED, OLD_MODERATED, MODERATED + BODY])
def test_a_moderation_is_believed_from_the_room_itself_alone(inner: str) -> None:
    said = read(stanza(inner, ROOM, "groupchat"))
    assert isinstance(said, Retraction)
    assert (said.sender.room, said.message_ids) == (ROOM, ("s1",))
    assert said.by_room
    assert said.is_moderation
    for sender, kind in (
        (f"{ROOM}/carl", "groupchat"),
        (f"{ROOM}/carl", "chat"),
        (ROOM, "chat"),
        ("anna@example.org/phone", "chat"),
        ("other@muc.example.org", "groupchat"),
    ):
        assert read(stanza(inner, sender, kind)) is None
    assert reader(inside=False).read(stanza(inner, ROOM, "groupchat")) is None


@pytest.mark.parametrize("inner", [NEW, OLD])
def test_a_room_itself_retracts_nothing_without_a_moderator(inner: str) -> None:
    assert read(stanza(inner, ROOM, "groupchat")) is None


@pytest.mark.conformance(113)
@pytest.mark.parametrize(
    ("inner", "moderated"),
    [
        ("<retracted xmlns='urn:xmpp:message-retract:1' stamp='x'/>", False),
        ("<retracted xmlns='urn:xmpp:message-retract:0' stamp='x'/>", False),
        (f"<retracted xmlns='urn:xmpp:message-retract:1'>{BY_MODERATOR}</retracted>", True),
        ("<moderated><retracted xmlns='urn:xmpp:message-retract:0'/></moderated>", True),
    ],
)
def test_a_tombstone_in_an_archive_takes_its_message_back(inner: str, *, moderated: bool) -> None:
    in_room = reader().read(
        stanza(BODY + inner, f"{ROOM}/carl", "groupchat"), archived_at=AT, archive=ROOM, archive_id="s1"
    )
    assert isinstance(in_room, Retraction)
    assert (in_room.message_ids, in_room.by_room, in_room.is_moderation) == (("s1",), True, moderated)
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"
    own = reader().read(stanza(inner + origin, extra="id='m1'"), archived_at=AT)
    assert isinstance(own, Retraction)
    assert (own.sender.jid, own.message_ids) == ("anna@example.org", ("m1", "o1"))
    assert read(stanza(BODY + inner)) is None, "live, nothing is left of a message"


@pytest.mark.conformance(115)
def test_reactions_are_read_live_alone_each_once_and_never_as_words() -> None:
    inner = (
        "<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction><reaction> 👍 </reaction>"
        f"<reaction>{'x' * 100}</reaction><reaction/></reactions>"
    )
    said = read(stanza(BODY + inner))
    assert isinstance(said, Reaction)
    assert (said.sender.jid, said.message_id, said.emoji) == ("anna@example.org", "m1", ("👍",))
    assert reader().read(stanza(inner), archived_at=AT) is None
    delay = "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-03-01T12:00:00Z'/>"
    assert read(stanza(inner + delay)) is None


def test_a_message_is_known_by_all_its_ids() -> None:
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"
    given = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='s1'/>"
    assert message(stanza(f"<body>ls</body>{origin}", extra="id='m1'")).ids == (
        MessageIds("", ("m1", "o1")),
    )
    said = message(stanza(f"<body>!ls</body>{origin}{given}", f"{ROOM}/anna", "groupchat", "id='m1'"))
    assert said.ids == (MessageIds("s1", ("m1", "o1")),)
    archived = reader().read(
        stanza(
            "<body>!ls</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>",
            f"{ROOM}/anna",
            "groupchat",
        ),
        archived_at=AT,
        archive=ROOM,
        archive_id="s9",
    )
    assert isinstance(archived, IncomingMessage)
    assert archived.ids == (MessageIds("s9"),)


def test_a_file_in_two_messages_has_the_ids_of_both() -> None:
    one = reader()
    announced = (
        "<file-sharing xmlns='urn:xmpp:sfs:0' id='f1'><file xmlns='urn:xmpp:file:metadata:0'>"
        "<name>a.txt</name></file></file-sharing>"
    )
    sources = (
        "<attach-to xmlns='urn:xmpp:message-attaching:1' id='m1'/><sources xmlns='urn:xmpp:sfs:0' id='f1'>"
        "<url-data xmlns='http://jabber.org/protocol/url-data' target='https://example.org/a.txt'/></sources>"
    )
    assert one.read(stanza(announced, extra="id='m1'")) is None
    said = one.read(stanza(sources, extra="id='m2'"))
    assert isinstance(said, IncomingMessage)
    assert said.ids == (MessageIds("", ("m2",)), MessageIds("", ("m1",)))


def test_a_reply_tells_whether_it_is_to_the_bot_and_a_correction_of_what() -> None:
    def said(to: str) -> IncomingMessage:
        reply = f"<reply xmlns='urn:xmpp:reply:0' to='{to}' id='s1'/>"
        replace = "<replace xmlns='urn:xmpp:message-correct:0' id='m0'/>"
        return message(stanza(f"<body>get</body>{reply}{replace}", f"{ROOM}/anna", "groupchat"))

    assert said(f"{ROOM}/filebot").replies_to_bot
    assert not said(f"{ROOM}/carl").replies_to_bot
    assert not said(BOT).replies_to_bot
    assert said("").replaces == "m0"
