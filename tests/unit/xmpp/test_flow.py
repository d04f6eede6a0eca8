"""What a room does not take just now is said again; what it does not want at all is not."""

import asyncio
from typing import cast

import pytest
from slixmpp.stanza import Message

from filebot.xmpp import flow
from filebot.xmpp.flow import BURST, TRIES, RoomFlow

ROOM = "room@muc.example.org"


class Recorded(dict[str, str]):
    """A message that counts how often it was sent."""

    def __init__(self, message_id: str) -> None:
        super().__init__(id=message_id)
        self.times = 0

    def send(self) -> None:
        self.times += 1


def a_message(message_id: str = "m1") -> tuple[Recorded, Message]:
    recorded = Recorded(message_id)
    return recorded, cast("Message", recorded)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "AGAIN_S", 0.0)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_came_too_fast_is_said_again_some_times() -> None:
    rooms = RoomFlow()
    recorded, message = a_message()
    await rooms.send(ROOM, message)
    for tries in range(1, TRIES + 3):
        assert recorded.times == min(tries, TRIES)
        rooms.bounced(ROOM, "m1", "policy-violation", "wait")
        await turns()
    await rooms.close()


@pytest.mark.parametrize(
    ("condition", "kind"),
    [("policy-violation", "modify"), ("forbidden", "auth"), ("not-acceptable", "wait"), ("", "")],
)
async def test_what_is_not_wanted_is_not_said_again(condition: str, kind: str) -> None:
    rooms = RoomFlow()
    recorded, message = a_message()
    await rooms.send(ROOM, message)
    rooms.bounced(ROOM, "m1", condition, kind)
    rooms.bounced(ROOM, "never sent", "policy-violation", "wait")
    await turns()
    assert recorded.times == 1
    await rooms.close()


async def test_only_who_was_spoken_to_can_say_that_it_was_not_heard() -> None:
    rooms = RoomFlow()
    recorded, message = a_message()
    rooms.send_aside(f"{ROOM}/anna", message)
    assert recorded.times == 1
    assert rooms.is_unheard(f"{ROOM}/anna", "m1", "not-allowed")
    assert not rooms.is_unheard(f"{ROOM}/anna", "m1", "recipient-unavailable")
    assert not rooms.is_unheard(f"{ROOM}/anna", "m2", "not-allowed")
    assert not rooms.is_unheard(f"{ROOM}/bert", "m1", "not-allowed")
    await rooms.send(ROOM, a_message("m3")[1])
    assert not rooms.is_unheard(ROOM, "m3", "forbidden")
    await rooms.close()


async def test_a_room_is_spoken_to_at_a_pace_and_another_one_does_not_wait_for_it() -> None:
    rooms = RoomFlow()
    many = [a_message(str(number)) for number in range(BURST + 5)]
    tasks = [asyncio.create_task(rooms.send(ROOM, message)) for _, message in many]
    await turns()
    assert [recorded.times for recorded, _ in many] == [1] * BURST + [0] * 5
    recorded, message = a_message("elsewhere")
    await rooms.send("other@muc.example.org", message)
    assert recorded.times == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await rooms.close()
