"""When people are told how far a transfer is."""

import pytest

from filebot.chat.progress_messages import ProgressReports, Told, is_due
from filebot.files.transfers import Direction, Transfers
from filebot.model import Address, AddressKind, Method, Progress, Sender
from filebot.replies import Replies
from filebot.replies.renderer import ReplySender
from filebot.testing import ALICE, in_room
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.messenger import RecordingMessenger, Said


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("told", "age_s", "progress", "corrects", "due"),
    [
        (Told(), 4, Progress(10, 100), True, True),
        (Told(), 4, Progress(10, None), True, True),
        (Told(), 4, Progress(0, 100), True, False),
        (Told("m", 4, 0.1, 10), 5, Progress(20, 100), True, False),
        (Told("m", 4, 0.1, 10), 7, Progress(20, 100), True, True),
        (Told("m", 4, 0.1, 10), 7, Progress(10, 100), True, False),
        (Told(), 4, Progress(10, 100), False, False),
        (Told(), 4, Progress(30, 100), False, True),
        (Told("m", 4, 0.3, 30), 9, Progress(40, 100), False, False),
        (Told("m", 4, 0.3, 30), 9, Progress(50, 100), False, True),
        (Told("m", 4, 0.8, 80), 9, Progress(99, 100), False, False),
        (Told(), 4, Progress(10, None), False, False),
    ],
)
def test_a_report_is_due_or_not(
    told: Told, age_s: float, progress: Progress, corrects: bool, due: bool
) -> None:
    assert is_due(told, age_s, progress, corrects=corrects) is due


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("corrects", [True, False])
async def test_a_long_transfer_is_told_once_and_corrected_or_at_its_marks(
    corrects: bool, whole: bool
) -> None:
    clock, messenger = Clock(), RecordingMessenger()
    messenger.corrections = corrects
    transfers = Transfers(clock)
    reports = ProgressReports(transfers, ReplySender(messenger, Replies(), MemoryCatalog()))
    alice = Sender(Address(ALICE), ALICE)
    with transfers.running(alice, None, "a.bin", Direction.TO_BOT, Method.IBB, 100_000) as transfer:
        for second in range(20):
            clock.now = float(second)
            transfer.moved(second * 5000)
            await reports.look()
        transfer.moved(100_000 if whole else 95_000)
    await reports.look()
    await reports.look()  # nothing more is said of it
    said = [each for each in messenger.sent if isinstance(each, Said)]
    if corrects:
        assert [each.replaces for each in said] == [None, "0", "0", "0", "0", "0", "0"]
        assert said[-1].text == ("a.bin: done, 100 kB" if whole else "a.bin: stopped after 95 kB")
        assert said[0].text == "a.bin: 20%, 20 kB of 100 kB, 5 kB a second, 16 seconds left"
    else:
        assert [each.text.split(",")[0] for each in said] == ["a.bin: 25%", "a.bin: 50%", "a.bin: 75%"]


async def test_short_transfers_and_rooms_are_told_nothing() -> None:
    clock, messenger = Clock(), RecordingMessenger()
    transfers = Transfers(clock)
    reports = ProgressReports(transfers, ReplySender(messenger, Replies(), MemoryCatalog()))
    assert in_room().address.kind is AddressKind.ROOM
    with transfers.running(in_room(), None, "a.bin", Direction.FROM_BOT, Method.HTTP, 100):
        clock.now = 100.0
        with transfers.running(Sender(Address(ALICE), ALICE), None, "b.bin", Direction.TO_BOT, Method.HTTP):
            clock.now = 102.0
            await reports.look()
    assert not messenger.sent
