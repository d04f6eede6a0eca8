"""Access: the verified JID decides, and nothing else."""

import pytest

from filebot.files.access import Access
from filebot.model import Address, AddressKind, Sender

ACCESS = Access(
    admins=["root@example.org"],
    allow=["*@example.org", "guest?@other.example"],
    deny=["mallory@example.org"],
)
ROOM = "team@conference.example.org"


@pytest.mark.parametrize(
    ("jid", "served"),
    [
        ("alice@example.org", True),
        ("root@example.org", True),
        ("guest1@other.example", True),
        ("guest12@other.example", False),
        ("mallory@example.org", False),
        ("alice@example.org.evil.example", False),
        ("alice@evil.example", False),
        ("alice@exampleXorg", False),
        (None, False),
    ],
)
def test_globs_decide_who_is_served(jid: str | None, served: bool) -> None:
    assert ACCESS.serves(jid) is served


def test_a_dot_and_brackets_in_a_glob_stand_for_themselves() -> None:
    access = Access(allow=["[ab]@example.org"])
    assert not access.serves("a@example.org")
    assert access.serves("[ab]@example.org")


def test_a_denied_admin_is_no_admin() -> None:
    access = Access(admins=["root@example.org"], deny=["root@example.org"])
    assert not access.is_admin("root@example.org")
    assert not access.serves("root@example.org")


def test_a_nickname_equal_to_an_admins_jid_gives_nothing() -> None:
    """The errbot#334 class of mistake."""
    occupant = Sender(
        Address(f"{ROOM}/root@example.org", AddressKind.ROOM_PRIVATE),
        jid=None,
        room=ROOM,
        nick="root@example.org",
    )
    assert not ACCESS.is_admin(occupant.jid)
    assert not ACCESS.serves(occupant.jid)
    assert ACCESS.may_speak(occupant)


def test_a_denied_person_is_not_heard_in_rooms_either() -> None:
    occupant = Sender(Address(ROOM, AddressKind.ROOM), jid="mallory@example.org", room=ROOM, nick="m")
    assert not ACCESS.may_speak(occupant)
