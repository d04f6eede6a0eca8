"""Messages that a room rejects for now are sent again; those that it rejects for good are not."""

import asyncio
from typing import cast

import pytest
from slixmpp.stanza import Message

from filebot.xmpp.rooms import room_sender
from filebot.xmpp.rooms.room_sender import BURST, ENTRY_LIMIT_S, REMEMBERED, TRIES, RoomSender
from tests.support.virtual_time import in_virtual_time, seconds

ROOM = "room@muc.example.org"


class Recorded(dict[str, str]):
    """A message that counts how often it was sent."""

    def __init__(self, message_id: str, body: str = "") -> None:
        super().__init__(id=message_id, body=body)
        self.times = 0

    def send(self) -> None:
        self.times += 1


def a_message(message_id: str = "m1") -> tuple[Recorded, Message]:
    recorded = Recorded(message_id)
    return recorded, cast("Message", recorded)


async def always_in(room: str, limit_s: float) -> bool:
    return True


class Door:
    """The bot is in no room before it opens."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def until_in(self, room: str, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await self.open.wait()
        except TimeoutError:
            return False
        return True


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_sender, "AGAIN_S", 0.0)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_came_too_fast_is_said_again_some_times() -> None:
    rooms = RoomSender(always_in)
    recorded, message = a_message()
    await rooms.send(ROOM, message)
    for tries in range(1, TRIES + 3):
        assert recorded.times == min(tries, TRIES)
        rooms.bounced(ROOM, "m1", "policy-violation", "wait")
        await turns()
    await rooms.close()


@pytest.mark.parametrize(
    ("condition", "kind"),
    [("policy-violation", "modify"), ("forbidden", "auth"), ("not-allowed", "wait"), ("", "")],
)
async def test_what_is_not_wanted_is_not_said_again(condition: str, kind: str) -> None:
    rooms = RoomSender(always_in)
    recorded, message = a_message()
    await rooms.send(ROOM, message)
    rooms.bounced(ROOM, "m1", condition, kind)
    rooms.bounced(ROOM, "never sent", "policy-violation", "wait")
    await turns()
    assert recorded.times == 1
    await rooms.close()


async def test_only_who_was_spoken_to_can_say_that_it_was_not_heard() -> None:
    rooms = RoomSender(always_in)
    recorded, message = a_message()
    rooms.send_aside(f"{ROOM}/anna", message)
    assert recorded.times == 1
    anna = f"{ROOM}/anna"
    assert rooms.wants_none_aside(anna, "m1", "forbidden", "auth")
    assert rooms.wants_none_aside(anna, "m1", "policy-violation", "cancel")
    assert not rooms.wants_none_aside(anna, "m1", "policy-violation", "wait")
    assert not rooms.wants_none_aside(anna, "m1", "recipient-unavailable", "wait")
    assert not rooms.wants_none_aside(
        anna, "m1", "not-acceptable", "modify"
    )  # it is the bot that is not there
    assert not rooms.wants_none_aside(anna, "m2", "forbidden", "auth")
    assert not rooms.wants_none_aside(f"{ROOM}/bert", "m1", "forbidden", "auth")
    await rooms.send(ROOM, a_message("m3")[1])
    assert not rooms.wants_none_aside(ROOM, "m3", "forbidden", "auth")
    await rooms.close()


async def test_a_room_is_spoken_to_at_a_pace_and_another_one_does_not_wait_for_it() -> None:
    rooms = RoomSender(always_in)
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


@in_virtual_time
async def test_what_is_said_in_a_room_waits_until_the_bot_is_there_and_not_for_ever() -> None:
    door = Door()
    rooms = RoomSender(door.until_in)
    too_late, message = a_message("too late")
    assert await seconds(rooms.send(ROOM, message)) == ENTRY_LIMIT_S
    assert too_late.times == 0
    recorded, message = a_message()
    sending = asyncio.create_task(rooms.send(ROOM, message))
    await asyncio.sleep(ENTRY_LIMIT_S - 1)
    assert recorded.times == 0
    door.open.set()
    await sending
    assert recorded.times == 1
    await rooms.close()


@pytest.mark.parametrize(
    ("condition", "kind"), [("not-acceptable", "modify"), ("item-not-found", "cancel")]
)
async def test_what_a_room_refused_because_the_bot_was_out_is_said_after_its_entry(
    condition: str, kind: str
) -> None:
    door = Door()
    door.open.set()
    rooms = RoomSender(door.until_in)
    recorded, message = a_message()
    await rooms.send(ROOM, message)
    door.open.clear()
    rooms.bounced(ROOM, "m1", condition, kind)
    await turns()
    assert recorded.times == 1
    door.open.set()
    for tries in range(2, TRIES + 3):
        await turns()
        assert recorded.times == min(tries, TRIES)
        rooms.bounced(ROOM, "m1", condition, kind)
    await rooms.close()


@in_virtual_time
async def test_a_room_that_refuses_everything_takes_no_other_room_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room_sender, "AGAIN_S", 10.0)
    rooms = RoomSender(always_in)
    elsewhere, message = a_message("elsewhere")
    await rooms.send("other@muc.example.org", message)
    for number in range(300):
        await rooms.send(ROOM, a_message(str(number))[1])
        rooms.bounced(ROOM, str(number), "resource-constraint", "wait")
    assert len(rooms._again._running) <= REMEMBERED
    rooms.bounced("other@muc.example.org", "elsewhere", "resource-constraint", "wait")
    await asyncio.sleep(11)
    assert elsewhere.times == 2
    await rooms.close()


async def test_what_was_said_in_a_room_is_remembered_up_to_a_bound_in_bytes() -> None:
    said = RoomSender(always_in)
    for number in range(100):
        await said.send(ROOM, cast("Message", Recorded(f"m{number}", "x" * 15_000)))
        said._rooms[ROOM].limiter._level = 0
    assert said._rooms[ROOM].said.currsize <= room_sender.REMEMBERED_BYTES
    assert "m99" in said._rooms[ROOM].said
