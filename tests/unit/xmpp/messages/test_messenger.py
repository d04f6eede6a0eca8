"""Messages as they go out."""

from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slixmpp.features.feature_limits.limits import Limits
from slixmpp.xmlstream import tostring

from filebot.model import Address, AddressKind, BlobRef, Entry, MessageRef
from filebot.xmpp.jid import parse_jid
from filebot.xmpp.messages.messenger import MAX_TEXT, StreamMessenger, first_part
from filebot.xmpp.rooms.room_sender import RoomSender
from tests.unit.xmpp.conftest import Mode, SentStanzas
from tests.unit.xmpp.rooms.test_room_sender import always_in

ANNA = Address("anna@example.org/phone")
ROOM = Address("room@muc.example.org", AddressKind.ROOM)
PRIVATE = Address("room@muc.example.org/anna", AddressKind.ROOM_PRIVATE)
MARK = "{http://jabber.org/protocol/muc#user}x"
STATES = "{http://jabber.org/protocol/chatstates}"
BODY = "{jabber:client}body"
URL = "https://up.example.org/1/a.png"


def same_as_ever(_: Address) -> bool:
    return True


async def corrects_nothing(jid: str) -> bool:
    """Shows no corrections."""
    return False


def a_messenger(outbox: SentStanzas) -> StreamMessenger:
    return StreamMessenger(outbox.stream, corrects_nothing, same_as_ever, RoomSender(always_in))


def entry() -> Entry:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Entry(
        name="a.png", owner="anna@example.org", room=None, caption="", blob=BlobRef("ab" * 32, 3),
        media_type="image/png", created_at=now, id=1, modified_at=now,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("to", "kind", "marked", "state"),
    [(ANNA, "chat", False, True), (ROOM, "groupchat", False, False), (PRIVATE, "chat", True, True)],
)
async def test_words_go_out_in_the_manner_of_the_address(
    outbox: SentStanzas, to: Address, kind: str, *, marked: bool, state: bool
) -> None:
    await a_messenger(outbox).say(to, "Hallo", language="de")
    [message] = outbox.sent
    assert (message.get("to"), message.get("type")) == (to.jid, kind)
    assert message.findtext(BODY) == "Hallo"
    assert message.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    assert (message.find(MARK) is not None) is marked
    assert (message.find(f"{STATES}active") is not None) is state
    origin = message.find("{urn:xmpp:sid:0}origin-id")
    assert origin is not None
    assert origin.get("id") == message.get("id") != ""
    assert message.find("{urn:xmpp:chat-markers:0}markable") is None
    assert message.get("from") is None


async def test_a_file_is_a_message_whose_body_is_the_url_alone(outbox: SentStanzas) -> None:
    await a_messenger(outbox).send_file(ROOM, entry(), URL)
    [message] = outbox.sent
    assert message.get("type") == "groupchat"
    assert message.findtext(BODY) == message.findtext("{jabber:x:oob}x/{jabber:x:oob}url") == URL
    assert message.find("{urn:xmpp:sfs:0}file-sharing") is not None
    assert message.find("{urn:xmpp:reference:0}reference/{urn:xmpp:sims:1}media-sharing") is not None


async def test_the_state_of_work_is_shown_to_people_and_never_to_rooms(outbox: SentStanzas) -> None:
    messenger = a_messenger(outbox)
    await messenger.composing(ROOM, active=True)
    assert outbox.sent == []
    await messenger.composing(ANNA, active=True)
    await messenger.composing(PRIVATE, active=False)
    composing, active = outbox.sent
    assert composing.find(f"{STATES}composing") is not None
    assert active.find(f"{STATES}active") is not None  # "paused" would be shown for ever
    assert active.find(MARK) is not None
    assert composing.find(BODY) is None


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b", "a\uffffb"])
async def test_signs_that_would_end_the_stream_are_replaced(outbox: SentStanzas, text: str) -> None:
    await a_messenger(outbox).say(ANNA, text)
    assert outbox.sent[0].findtext(BODY) == "a\ufffdb"


def bodies(outbox: SentStanzas) -> list[str]:
    return [message.findtext(BODY) or "" for message in outbox.sent]


def size(message: Element) -> int:
    return len(tostring(message, xmlns="jabber:client").encode())


async def test_a_long_list_is_said_in_several_messages_cut_at_line_ends(outbox: SentStanzas) -> None:
    lines = [f"#{number} {'<长&名>' * 20}.pdf" for number in range(50)]
    await a_messenger(outbox).say(ANNA, "\n".join(lines), language="zh-CN")
    assert len(outbox.sent) > 1
    assert "\n".join(bodies(outbox)).split("\n") == lines
    assert max(map(size, outbox.sent)) < 10_000
    assert len({message.get("id") for message in outbox.sent}) == len(outbox.sent)


async def test_a_text_without_an_end_is_cut(outbox: SentStanzas) -> None:
    await a_messenger(outbox).say(ANNA, "😀" * (MAX_TEXT + 1))
    text = "".join(bodies(outbox))
    assert len(text) == MAX_TEXT
    assert text.endswith("…")
    assert max(map(size, outbox.sent)) < 10_000


async def test_a_server_that_takes_less_is_sent_less(outbox: SentStanzas) -> None:
    vars(outbox.stream)["limits"] = Limits(max_bytes=3_000)
    await a_messenger(outbox).say(ANNA, "word " * 2_000)
    assert " ".join(bodies(outbox)) == "word " * 2_000
    assert max(map(size, outbox.sent)) < 3_000


async def test_addresses_that_leave_no_room_for_words_cost_no_time(
    outbox_of: Callable[[Mode], SentStanzas],
) -> None:
    outbox = outbox_of("component")
    long = "'" * 1023  # six bytes each in XML
    to = Address(f"anna@example.org/{long}", own=f"box@files.example.org/{long}")
    await a_messenger(outbox).say(to, "a" * MAX_TEXT)
    assert len(outbox.sent) <= 1
    await a_messenger(outbox).say(Address(f"anna@example.org/{long}"), "a")
    assert bodies(outbox)[-1] == "a"


async def test_a_long_reference_leaves_room_for_words(outbox: SentStanzas) -> None:
    about = MessageRef(f"{ROOM.jid}/{chr(39) * 1023}", "'" * 500)
    await a_messenger(outbox).say(ROOM, "word " * 1_000, answers=about)
    assert len(outbox.sent) == 1
    assert max(map(size, outbox.sent)) < 10_000


async def test_a_correction_is_one_message(outbox: SentStanzas) -> None:
    await a_messenger(outbox).say(ANNA, "word " * 5_000, replaces="m1")
    [body] = bodies(outbox)
    assert body.endswith("…")
    assert size(outbox.sent[0]) < 10_000


async def test_only_the_first_part_of_an_answer_names_what_it_answers(outbox: SentStanzas) -> None:
    await a_messenger(outbox).say(ROOM, "word " * 3_000, answers=MessageRef("room@muc.example.org/a", "s1"))
    first, *rest = [message.find("{urn:xmpp:reply:0}reply") is not None for message in outbox.sent]
    assert first
    assert rest
    assert not any(rest)


@pytest.mark.parametrize(("length", "children"), [(100, 7), (2_100, 6), (3_000, 4), (6_000, 1)])
async def test_a_long_link_leaves_out_what_fewer_clients_read(
    outbox: SentStanzas, length: int, children: int
) -> None:
    url = f"https://up.example.org/{'1' * length}/a.png"
    await a_messenger(outbox).send_file(ANNA, entry(), url)
    [message] = outbox.sent
    assert message.findtext(BODY) == url
    kinds = [child.tag for child in message if child.tag != "{urn:xmpp:sid:0}origin-id"]
    every = [
        BODY, "{jabber:x:oob}x", "{urn:xmpp:hints}store", "{https://github.com/filebot-xmpp/filebot}posted",
        "{urn:xmpp:sfs:0}file-sharing", "{urn:xmpp:fallback:0}fallback", "{urn:xmpp:reference:0}reference",
    ]  # fmt: skip
    assert kinds == every[:children]
    assert size(message) < 10_000


async def test_an_impossible_address_is_no_reason_to_fail(outbox: SentStanzas) -> None:
    messenger = a_messenger(outbox)
    nobody = Address("@@@")
    await messenger.say(nobody, "a")
    await messenger.send_file(nobody, entry(), URL)
    await messenger.composing(nobody, active=True)
    assert outbox.sent == []


async def test_a_component_is_one_address_to_people_and_one_occupant_to_rooms(
    outbox_of: Callable[[Mode], SentStanzas],
) -> None:
    outbox = outbox_of("component")
    messenger = a_messenger(outbox)
    for to in (ANNA, ROOM, PRIVATE):
        await messenger.say(to, "a")
    full = "files.example.org/filebot"
    assert [message.get("from") for message in outbox.sent] == ["files.example.org", full, full]


async def test_an_answer_names_what_it_answers(outbox: SentStanzas) -> None:
    question = MessageRef("room@muc.example.org/anna", "s1")
    await a_messenger(outbox).say(ROOM, "Hallo", answers=question)
    reply = outbox.sent[0].find("{urn:xmpp:reply:0}reply")
    assert reply is not None
    assert (reply.get("to"), reply.get("id")) == (question.author, question.message_id)


async def test_a_receipt_names_the_message(outbox: SentStanzas) -> None:
    a_messenger(outbox).acknowledge(parse_jid("anna@example.org/phone"), "m1")
    received = outbox.sent[0].find("{urn:xmpp:receipts}received")
    assert received is not None
    assert received.get("id") == "m1"


@pytest.mark.conformance(95)
async def test_nothing_is_said_to_the_next_owner_of_a_nick(outbox: SentStanzas) -> None:
    messenger = StreamMessenger(outbox.stream, corrects_nothing, lambda _: False, RoomSender(always_in))
    await messenger.say(PRIVATE, "Hallo")
    await messenger.send_file(PRIVATE, entry(), URL)
    await messenger.composing(PRIVATE, active=True)
    assert outbox.sent == []
    await messenger.say(ANNA, "Hallo")
    await messenger.say(ROOM, "Hallo")
    assert len(outbox.sent) == 2


@pytest.mark.parametrize(
    ("client", "condition", "again"),
    [
        ("anna@example.org/phone", "service-unavailable", True),
        ("anna@example.org/phone", "recipient-unavailable", True),
        ("anna@example.org/phone", "not-acceptable", False),
        ("anna@example.org/other", "service-unavailable", False),
        ("eve@example.org/phone", "service-unavailable", False),
    ],
)
async def test_what_a_client_was_not_there_to_take_is_said_to_the_person_once(
    outbox: SentStanzas, client: str, condition: str, *, again: bool
) -> None:
    messenger = a_messenger(outbox)
    said = await messenger.say(ANNA, "Hallo")
    for _ in range(2):
        messenger.came_back(parse_jid(client), said, condition)
    assert len(outbox.sent) == (2 if again else 1)
    if again:
        assert outbox.sent[1].get("to") == "anna@example.org"
        assert outbox.sent[1].get("id") == said


async def test_a_correction_is_not_kept_for_a_session_to_come(outbox: SentStanzas) -> None:
    messenger = a_messenger(outbox)
    said = await messenger.say(Address("anna@example.org"), "25%")
    outbox.stream._session_started = False
    assert await messenger.say(Address("anna@example.org"), "50%", replaces=said) == said
    assert [each.get("id") for each in outbox.sent] == [said]


async def test_a_component_speaks_from_where_it_was_spoken_to_or_is_known(
    outbox_of: Callable[[Mode], SentStanzas],
) -> None:
    outbox = outbox_of("component")

    def known_as(person: str) -> str:
        return "known@files.example.org" if person == "anna@example.org" else ""

    messenger = StreamMessenger(
        outbox.stream, corrects_nothing, same_as_ever, RoomSender(always_in), known_as=known_as
    )
    await messenger.say(Address("anna@example.org", own="drop@files.example.org"), "here")
    await messenger.say(ANNA, "here")
    await messenger.say(Address("bob@example.org"), "here")
    await messenger.say(PRIVATE, "here")
    messenger.acknowledge(parse_jid("anna@example.org/phone"), "m1", "drop@files.example.org")
    assert [each.get("from") for each in outbox.sent] == [
        "drop@files.example.org",
        "known@files.example.org",
        "files.example.org",
        "files.example.org/filebot",
        "drop@files.example.org",
    ]


@given(st.text(max_size=300), st.integers(1, 40))
def test_a_cut_text_loses_nothing_but_the_signs_at_its_cuts(text: str, most: int) -> None:
    parts, rest = list[str](), text
    while rest:
        part, rest = first_part(rest, most)
        assert part
        element = Element("a")
        element.text = part
        assert len(part) == 1 or len(tostring(element).encode()) - len("<a></a>") <= most
        parts.append(part)
    assert sum(map(len, parts)) >= len(text) - len(parts)
    kept = iter(text)
    assert all(sign in kept for sign in "".join(parts))
