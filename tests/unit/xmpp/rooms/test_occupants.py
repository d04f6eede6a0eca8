"""A room tells who is in it, and what becomes of the bot there."""

from xml.etree.ElementTree import Element, fromstring

import pytest

from filebot.model import Occupant, RoomRole
from filebot.xmpp.connection.disco_features import CAPS_NODE
from filebot.xmpp.rooms.occupants import (
    LONGEST_ID,
    MAX_OCCUPANTS,
    MAX_OCCUPANTS_BYTES,
    MOST_OF_ALL_BYTES,
    SMALL_BYTES,
    Change,
    OccupantList,
    RoomChange,
)

ROOM = "room@muc.example.org"


def presence(
    nick: str,
    *codes: int,
    jid: str = "",
    kind: str = "",
    inner: str = "",
    new_nick: str = "",
    affiliation: str = "none",
    role: str = "participant",
    ids: tuple[str, ...] = (),
) -> Element:
    item = f"<item affiliation='{affiliation}' role='{role}' jid='{jid}' nick='{new_nick}'/>"
    marks = "".join(f"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{each}'/>" for each in ids)
    states = "".join(f"<status code='{code}'/>" for code in codes)
    what = f"type='{kind}'" if kind else ""
    return fromstring(
        f"<presence xmlns='jabber:client' from='{ROOM}/{nick}' {what}>"
        f"<x xmlns='http://jabber.org/protocol/muc#user'>{item}{states}{inner}</x>{marks}</presence>"
    )


def manages(occupants: OccupantList, jid: str) -> bool:
    room_role = occupants.room_role(jid)
    return room_role is not None and room_role.manages


def error(condition: str) -> Element:
    return fromstring(
        f"<presence xmlns='jabber:client' from='{ROOM}/filebot' type='error'><error type='cancel'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )


@pytest.fixture
def inside() -> OccupantList:
    occupants = OccupantList(ROOM, "filebot")
    occupants.believed = True
    assert occupants.presence(presence("anna", jid="Anna@example.org/phone")) is None
    assert occupants.presence(presence("bert")) is None
    assert occupants.presence(presence("filebot", 110, jid="bot@example.org/x")) == RoomChange(
        Change.ENTERED
    )
    return occupants


def test_the_room_shows_people_by_their_bare_jids(inside: OccupantList) -> None:
    assert inside.occupant("anna").jid == "anna@example.org"
    assert inside.room_role("anna@example.org") is not None
    assert inside.occupant("bert").jid is None
    assert inside.room_role("bert@example.org") is None


@pytest.mark.parametrize(("node", "expected"), [(CAPS_NODE, True), ("https://gajim.org", False)])
def test_another_filebot_is_known_by_what_its_presence_says(
    inside: OccupantList, node: str, *, expected: bool
) -> None:
    stanza = presence("otherbot")
    stanza.append(
        fromstring(f"<c xmlns='http://jabber.org/protocol/caps' node='{node}' ver='x' hash='y'/>")
    )
    inside.presence(stanza)
    assert inside.is_filebot("otherbot") == expected
    assert not inside.is_filebot("anna")


def test_nobody_is_known_before_the_bot_is_in() -> None:
    outside = OccupantList(ROOM, "filebot")
    outside.presence(presence("anna", jid="anna@example.org/phone"))
    assert outside.occupant("anna").jid is None
    assert outside.room_role("anna@example.org") is None


def test_who_leaves_or_takes_another_nick_is_gone_under_the_old_one(inside: OccupantList) -> None:
    inside.presence(presence("anna", 303, kind="unavailable", jid="anna@example.org/phone", new_nick="ann"))
    assert inside.occupant("anna").jid is None
    inside.presence(presence("ann", jid="anna@example.org/phone"))
    assert inside.room_role("anna@example.org") is not None
    inside.presence(presence("ann", kind="unavailable"))
    assert inside.room_role("anna@example.org") is None


def test_the_next_owner_of_a_nick_is_not_the_last_one(inside: OccupantList) -> None:
    inside.presence(presence("anna", kind="unavailable"))
    inside.presence(presence("anna", jid=""))
    assert inside.occupant("anna").jid is None


@pytest.mark.parametrize(
    ("affiliation", "expected"),
    [("owner", True), ("admin", True), ("member", False), ("none", False), ("OWNER", False), ("", False)],
)
def test_owners_and_admins_manage_the_room(
    inside: OccupantList, affiliation: str, *, expected: bool
) -> None:
    inside.presence(presence("carl", jid="carl@example.org/pc", affiliation=affiliation))
    assert manages(inside, "carl@example.org") is expected


def test_an_affiliation_that_is_taken_away_is_gone_at_once(inside: OccupantList) -> None:
    inside.presence(presence("carl", jid="carl@example.org/pc", affiliation="admin"))
    inside.presence(presence("carl2", jid="carl@example.org/phone", affiliation="admin"))
    assert manages(inside, "carl@example.org")
    inside.presence(presence("carl", jid="carl@example.org/pc", affiliation="member"))
    assert not manages(inside, "carl@example.org")


def test_who_left_manages_nothing(inside: OccupantList) -> None:
    inside.presence(presence("carl", jid="carl@example.org/pc", affiliation="owner"))
    inside.presence(presence("carl", kind="unavailable", affiliation="owner"))
    assert not manages(inside, "carl@example.org")


def test_an_owner_whom_the_room_hides_is_nobody(inside: OccupantList) -> None:
    inside.presence(presence("carl@example.org", affiliation="owner"))
    assert not manages(inside, "carl@example.org")
    assert not manages(inside, "")


def test_whom_a_room_hides_is_known_by_an_id(inside: OccupantList) -> None:
    inside.has_ids = True
    inside.presence(presence("carl", affiliation="admin", ids=("c4r1",)))
    assert inside.occupant("carl").identity == f"{ROOM}/c4r1"
    assert manages(inside, f"{ROOM}/c4r1")
    inside.presence(presence("carla", ids=("c4r1",), affiliation="member"))
    assert not manages(inside, f"{ROOM}/c4r1")
    inside.presence(presence("carl", kind="unavailable"))
    inside.presence(presence("carl", ids=("th1ef",)))
    assert inside.occupant("carl").identity == f"{ROOM}/th1ef"


def test_ids_count_only_where_the_room_itself_gives_them(inside: OccupantList) -> None:
    inside.presence(presence("carl", affiliation="admin", ids=("c4r1",)))
    assert inside.occupant("carl").identity is None
    assert inside.room_role(f"{ROOM}/c4r1") is None


@pytest.mark.parametrize("ids", [("c4r1", "d0ra"), ("",), ("x" * (LONGEST_ID + 1),)])
def test_ids_that_no_room_gives_are_none(inside: OccupantList, ids: tuple[str, ...]) -> None:
    inside.has_ids = True
    inside.presence(presence("carl", affiliation="admin", ids=ids))
    assert inside.occupant("carl").identity is None
    assert inside.room_role(f"{ROOM}/{ids[0]}") is None


def test_a_room_that_is_not_believed_gives_nobody_the_address_that_it_shows(inside: OccupantList) -> None:
    inside.believed = False
    inside.presence(presence("mallory", jid="admin@example.org/phone"))
    occupant = inside.occupant("mallory")
    assert occupant == Occupant(None, f"{ROOM}/admin@example.org", "admin@example.org")
    assert occupant.identity == f"{ROOM}/admin@example.org"


def test_where_a_room_is_not_believed_its_ids_still_tell_its_people_apart(inside: OccupantList) -> None:
    inside.believed = False
    inside.has_ids = True
    inside.presence(presence("mallory", jid="admin@example.org/phone", ids=("m4",)))
    inside.presence(presence("nobody"))
    assert inside.occupant("mallory") == Occupant(None, f"{ROOM}/m4", "admin@example.org")
    assert inside.occupant("nobody") == Occupant()


def test_what_somebody_may_do_in_a_room_is_for_the_room_to_say(inside: OccupantList) -> None:
    inside.believed = False
    inside.presence(presence("carl", jid="carl@example.org/pc", affiliation="owner"))
    assert manages(inside, f"{ROOM}/carl@example.org")
    assert manages(inside, "carl@example.org")


def test_a_destroyed_room_tells_of_the_other_one_for_the_log(inside: OccupantList) -> None:
    other = "<destroy jid='den@muc.example.org'/>"
    events = inside.presence(presence("filebot", 110, kind="unavailable", inner=other))
    assert events is not None
    assert "den@muc.example.org: invite the bot" in events.reason


def test_visitors_have_no_voice(inside: OccupantList) -> None:
    inside.presence(presence("carl", jid="carl@example.org/pc", role="visitor"))
    assert inside.room_role("carl@example.org") == RoomRole(has_voice=False)
    assert inside.room_role("anna@example.org") == RoomRole(has_voice=True)


def test_once_out_the_bot_knows_no_managers(inside: OccupantList) -> None:
    inside.presence(presence("carl", jid="carl@example.org/pc", affiliation="owner"))
    inside.leave()
    assert not manages(inside, "carl@example.org")


def test_the_bot_follows_its_own_nick(inside: OccupantList) -> None:
    assert inside.presence(presence("filebot", 110, 303, kind="unavailable", new_nick="files")) is None
    assert inside.nick == "files"
    assert inside.presence(presence("files", 110)) is None
    assert inside.present


def test_a_service_may_choose_another_nick() -> None:
    occupants = OccupantList(ROOM, "Filebot")
    assert occupants.presence(presence("filebot", 110, 210)) == RoomChange(Change.ENTERED)
    assert occupants.nick == "filebot"


@pytest.mark.parametrize(
    ("codes", "inner", "change"),
    [
        ((110, 307), "", Change.KICKED),
        ((110, 307, 333), "", Change.PUT_OUT),
        ((110, 332), "", Change.PUT_OUT),
        ((307,), "", Change.KICKED),
        ((110,), "", Change.PUT_OUT),
        ((110, 321), "", Change.SHUT_OUT),
        ((110, 307, 321), "", Change.SHUT_OUT),
        ((110, 322), "", Change.SHUT_OUT),
        ((110, 301), "", Change.SHUT_OUT),
        ((110,), "<destroy/>", Change.DESTROYED),
        ((110,), "<destroy jid='elsewhere@muc.example.org'/>", Change.DESTROYED),
    ],
)
def test_once_out_the_bot_forgets_everybody(
    inside: OccupantList, codes: tuple[int, ...], inner: str, change: Change
) -> None:
    events = inside.presence(presence("filebot", *codes, kind="unavailable", inner=inner))
    assert events is not None
    assert events.change is change
    assert not inside.present
    assert inside.occupant("anna").jid is None


@pytest.mark.parametrize(
    ("condition", "change"),
    [
        ("conflict", Change.NICK_TAKEN),
        ("gone", Change.DESTROYED),
        ("forbidden", Change.SHUT_OUT),
        ("registration-required", Change.REFUSED),
        ("remote-server-not-found", Change.UNREACHED),
    ],
)
def test_a_refusal_says_whether_to_try_again(condition: str, change: Change) -> None:
    assert OccupantList(ROOM, "filebot").presence(error(condition)) == RoomChange(change, condition)


def test_an_error_while_inside_changes_nothing(inside: OccupantList) -> None:
    assert inside.presence(error("conflict")) is None
    assert inside.present


def test_a_new_room_is_told_as_new() -> None:
    assert OccupantList(ROOM, "filebot").presence(presence("filebot", 110, 201)) == RoomChange(
        Change.CREATED
    )


@pytest.mark.parametrize(
    "xml",
    [
        f"<presence xmlns='jabber:client' from='{ROOM}/anna'/>",
        f"<presence xmlns='jabber:client' from='{ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'/></presence>",
        f"<presence xmlns='jabber:client' from='{ROOM}/a' type='subscribe'/>",
        f"<presence xmlns='jabber:client' from='{ROOM}/a'><x xmlns='http://jabber.org/protocol/muc#user'/></presence>",
        f"<presence xmlns='jabber:client' from='{ROOM}/x' type='error'/>",
        "<presence xmlns='jabber:client'/>",
    ],
)
def test_odd_presences_do_no_harm(inside: OccupantList, xml: str) -> None:
    assert inside.presence(fromstring(xml)) is None
    assert inside.present


@pytest.mark.parametrize("believed", [True, False])
def test_who_has_several_nicks_is_found_by_what_is_left_of_them(
    inside: OccupantList, *, believed: bool
) -> None:
    inside.believed, inside.has_ids = believed, True
    ids = ("c4r1",)
    inside.presence(presence("carl", jid="carl@example.org/a", affiliation="member", ids=ids))
    inside.presence(presence("carl2", jid="carl@example.org/b", ids=ids))
    for who in ("carl@example.org", f"{ROOM}/c4r1"):
        assert inside.room_role(who) == RoomRole(is_member=False, manages=False, has_voice=True)
    inside.presence(presence("carl2", kind="unavailable"))
    # The room says something else of this nick: neither the JID nor the id lead to it any more.
    for who in ("carl@example.org", f"{ROOM}/c4r1"):
        assert inside.room_role(who) == RoomRole(is_member=True, manages=False, has_voice=True)
    inside.presence(presence("carl", jid="dora@example.org/a", ids=("d0ra",)))
    assert inside.room_role("carl@example.org") is inside.room_role(f"{ROOM}/c4r1") is None
    assert inside.room_role("dora@example.org") is not None
    assert inside.room_role(f"{ROOM}/d0ra") is not None
    inside.leave()
    inside.presence(presence("filebot", 110))
    assert inside.room_role("dora@example.org") is None


def test_an_id_that_looks_like_somebodys_address_is_no_address(inside: OccupantList) -> None:
    inside.has_ids = True
    inside.presence(presence("mallory", affiliation="owner", ids=("anna@example.org",)))
    assert inside.occupant("mallory").jid is None
    assert not manages(inside, "anna@example.org")
    assert manages(inside, f"{ROOM}/anna@example.org")


def test_words_of_the_room_that_mean_nothing_are_not_kept(inside: OccupantList) -> None:
    inside.presence(presence("anna", jid="anna@example.org/x", affiliation="owner" * 999, role="boss" * 99))
    assert inside.room_role("anna@example.org") == RoomRole(is_member=False, manages=False, has_voice=True)
    assert inside._entries["anna"].affiliation == inside._entries["anna"].role == ""


def test_the_roll_is_bounded(inside: OccupantList) -> None:
    for number in range(MAX_OCCUPANTS + 5):
        inside.presence(presence(f"n{number}", jid=f"p{number}@example.org/x"))
    assert inside.occupant("n0").jid == "p0@example.org"
    assert inside.occupant(f"n{MAX_OCCUPANTS + 4}").jid is None


def test_a_room_that_lets_the_bot_say_nothing_is_believed_until_it_says_what_the_bot_is() -> None:
    room = OccupantList(ROOM, "filebot")
    room.presence(presence("filebot", 110))
    assert room.has_voice
    room.mute()
    assert not room.has_voice
    room.presence(presence("anna"))
    assert not room.has_voice
    room.presence(presence("filebot", 110))
    assert room.has_voice


def test_the_roll_is_bounded_in_bytes() -> None:
    room = OccupantList(ROOM, "filebot")
    room.presence(presence("filebot", 110))
    for number in range(MAX_OCCUPANTS - 1):
        room.presence(presence(f"{number}".ljust(1000, "x"), jid=f"{'y' * 900}{number}@example.org/x"))
    assert room._bytes <= MAX_OCCUPANTS_BYTES
    assert 500 < len(room._entries) < MAX_OCCUPANTS - 1
    for nick in [*room._entries]:
        room._put(nick, None)
    assert room._bytes == 0


def test_a_room_of_usual_people_is_known_whole() -> None:
    room = OccupantList(ROOM, "filebot")
    room.presence(presence("filebot", 110))
    for number in range(MAX_OCCUPANTS - 1):
        room.presence(presence(f"Somebody {number}", jid=f"somebody.else.{number}@example.org/x"))
    assert len(room._entries) == MAX_OCCUPANTS


def test_the_rolls_of_all_rooms_are_bounded_together_and_a_small_one_always_has_room() -> None:
    occupants: list[OccupantList] = []
    for _ in range(3):
        room = OccupantList(
            ROOM, "filebot", lambda: MOST_OF_ALL_BYTES + sum(each.size_bytes for each in occupants)
        )
        occupants.append(room)
        room.presence(presence("filebot", 110))
        for number in range(1_000):
            room.presence(presence(f"Somebody {number}", jid=f"somebody.else.{number}@example.org/x"))
    assert [room.size_bytes <= SMALL_BYTES for room in occupants] == [True] * 3
    assert [room.size_bytes > SMALL_BYTES - 2_000 for room in occupants] == [True] * 3
