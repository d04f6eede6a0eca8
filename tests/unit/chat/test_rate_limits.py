"""Nobody, and no room with as many occupants as it likes, leaves others without their turn."""

from contextlib import ExitStack

import pytest

from filebot.chat import rate_limits
from filebot.chat.rate_limits import RateLimiter, RateLimits
from filebot.model import Address, AddressKind, Sender
from filebot.xmpp.rooms.joined_rooms import MOST_INVITED_BY_ONE

ANNA = Sender(Address("anna@example.org"), "anna@example.org")


def occupant(number: int, room: str = "den@muc.evil.example") -> Sender:
    return Sender(Address(room, AddressKind.ROOM), None, room, f"nick{number}", f"{room}/{number}")


def test_a_room_that_makes_up_occupants_fills_its_own_share_only() -> None:
    load = RateLimiter(RateLimits())
    with ExitStack() as waiting:
        for number in range(rate_limits.WAITING_PER_ROOM):
            assert not load.is_full(occupant(number))
            waiting.enter_context(load.waiting(occupant(number)))
        assert load.is_full(occupant(rate_limits.WAITING_PER_ROOM))
        assert load.is_full(occupant(0).privately)
        assert not load.is_full(occupant(0, "other@muc.example.org"))
        assert not load.is_full(ANNA)
    assert not load.is_full(occupant(0))


def test_one_person_waits_for_so_much_and_no_more() -> None:
    load = RateLimiter(RateLimits())
    with ExitStack() as waiting:
        for _ in range(rate_limits.WAITING_PER_PERSON):
            assert not load.is_full(ANNA)
            waiting.enter_context(load.waiting(ANNA))
        assert load.is_full(ANNA)
        assert not load.is_full(occupant(0))
    assert not load.is_full(ANNA)


def test_there_is_an_end_to_what_all_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "WAITING", 2)
    load = RateLimiter(RateLimits())
    with load.waiting(occupant(0)), load.waiting(occupant(0, "other@muc.example.org")):
        assert load.is_full(ANNA)
    assert not load.is_full(ANNA)


async def test_all_of_a_room_together_ask_for_so_much_in_a_minute_and_others_may_ask_all_the_same() -> None:
    load = RateLimiter(RateLimits(commands_per_minute=2))
    most = RateLimits(commands_per_minute=2).commands_per_minute_in_a_room
    assert [await load.is_in_pace(occupant(number)) for number in range(most + 1)] == [True] * most + [
        False
    ]
    assert not await load.is_in_pace(occupant(most + 1).privately)
    assert [await load.is_in_pace(ANNA) for _ in range(3)] == [True, True, False]
    assert await load.is_in_pace(occupant(0, "other@muc.example.org"))


def test_rooms_of_one_inviter_cannot_take_everything() -> None:
    assert MOST_INVITED_BY_ONE * rate_limits.WAITING_PER_ROOM < rate_limits.WAITING
