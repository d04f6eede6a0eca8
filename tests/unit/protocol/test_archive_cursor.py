"""The mark in an archive: whatever ends in whatever order, and wherever the bot is killed."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.model import ArchivePosition
from filebot.protocol.archive_cursor import (
    MOST,
    MOST_CHARACTERS,
    MOST_PASSED,
    SHOWN_WITHIN,
    ArchiveCursor,
    id_of,
    message_key,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
START = ArchivePosition("bot@example.org", "", NOW)


def moment(message_id: str) -> datetime:
    return NOW + timedelta(seconds=int(message_id))


def ids(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


def after(mark: ArchivePosition, archive: list[str]) -> list[str]:
    """Return the part of the archive after the mark."""
    return archive[archive.index(mark.last_id) + 1 :] if mark.last_id else archive


def caught_up(mark: ArchivePosition, archive: list[str]) -> tuple[ArchiveCursor, list[str]]:
    """Return a cursor that has read the archive, and the messages to handle."""
    cursor = ArchiveCursor(mark)
    new = [each for each in after(mark, archive) if cursor.missed(each, moment(each))]
    cursor.caught_up(NOW)
    return cursor, new


def test_the_mark_stands_before_the_first_that_is_not_dealt_with() -> None:
    cursor, new = caught_up(START, ids(4))
    assert new == ids(4)
    for each in ("3", "1", "4"):
        cursor.handled(each)
    assert cursor.position == ArchivePosition(START.archive, "1", moment("1"), frozenset({"3", "4"}))
    cursor.handled("2")
    assert cursor.position == ArchivePosition(START.archive, "4", moment("4"))
    assert cursor.open == 0


def test_while_the_archive_is_read_nothing_live_moves_the_mark() -> None:
    cursor = ArchiveCursor(START)
    assert cursor.live("9", moment("9"))
    cursor.handled("9")
    assert cursor.position == replace(START, ahead=frozenset({"9"}))
    assert cursor.missed("8", moment("8"))
    cursor.handled("8")
    assert cursor.position.last_id == "8"
    assert not cursor.missed("9", moment("9"))
    assert cursor.position.last_id == "8"  # the next may have the same id
    cursor.caught_up(NOW)
    assert cursor.position == ArchivePosition(START.archive, "9", moment("9"))


def test_a_message_that_comes_twice_is_new_once() -> None:
    cursor, _ = caught_up(START, ["1"])
    assert not cursor.live("1", moment("1"))
    cursor.handled("1")
    assert not cursor.live("1", moment("1"))  # long dealt with
    assert cursor.live("2", moment("2"))
    assert not cursor.live("2", moment("2"))
    cursor.begin()
    assert not cursor.missed("2", moment("2"))  # still being dealt with
    cursor.handled("2")
    assert cursor.position.last_id == "2"


def test_a_new_session_finds_what_came_between_what_is_known() -> None:
    cursor, _ = caught_up(START, ["1", "4"])
    cursor.handled("4")
    cursor.begin()
    assert [each for each in ids(5) if cursor.missed(each, moment(each))] == ["2", "3", "5"]
    cursor.caught_up(NOW)
    cursor.handled("1")
    assert cursor.position == ArchivePosition(START.archive, "1", moment("1"), frozenset({"4"}))


def written(sender: str, message_id: str) -> Element:
    return Element("message", {"from": sender, "id": message_id})


def test_messages_with_one_id_are_told_apart_by_sender_and_id() -> None:
    twins = [
        written("ann@example.org/a", "1"),
        written("bob@example.org/b", "1"),
        written("bob@example.org/b", "2"),
    ]
    keys = [message_key("5", each) for each in twins]
    assert len(set(keys)) == 3
    assert keys == [message_key("5", each) for each in twins]
    assert {id_of(each) for each in keys} == {"5"}


@pytest.mark.parametrize("in_order", [True, False])
def test_of_two_messages_with_one_id_both_are_handled_also_after_a_crash(in_order: bool) -> None:
    ann, bob = (message_key("5", written(each, "m")) for each in ("ann@example.org", "bob@example.org"))
    cursor = ArchiveCursor(START, in_order=in_order)
    cursor.caught_up(NOW)
    assert cursor.live(ann, moment("5"))
    assert cursor.live(bob, moment("5"))
    cursor.handled(ann)
    cursor.missed(ann, moment("5"))
    cursor.missed(bob, moment("5"))
    cursor.caught_up(NOW)
    assert cursor.position == replace(START, ahead=frozenset({ann}))
    again = ArchiveCursor(cursor.position, in_order=in_order)
    assert [each for each in (ann, bob) if again.missed(each, moment("5"))] == [bob]
    again.handled(bob)
    again.caught_up(NOW)
    assert again.position == ArchivePosition(START.archive, "5", moment("5"))


def test_ids_alone_that_an_older_version_saved_count_as_handled() -> None:
    cursor = ArchiveCursor(replace(START, ahead=frozenset({"2"})))
    assert cursor.missed(message_key("1", written("ann@example.org", "m")), moment("1"))
    assert not cursor.missed(message_key("2", written("ann@example.org", "n")), moment("2"))


def test_what_was_ahead_and_never_came_again_is_forgotten() -> None:
    cursor, new = caught_up(replace(START, ahead=frozenset({"2", "gone"})), ids(2))
    assert new == ["1"]
    assert cursor.position == replace(START, ahead=frozenset({"2"}))


def test_what_is_unknown_is_no_mistake() -> None:
    cursor, _ = caught_up(START, [])
    cursor.handled("7")
    assert cursor.position == START


def test_thousands_that_were_dealt_with_behind_one_that_takes_long_are_not_met_again() -> None:
    archive = ids(15_000)
    cursor, _ = caught_up(START, [])
    for each in archive:
        assert cursor.live(each, moment(each))
    for each in archive[1:]:
        cursor.handled(each)
    _, new = caught_up(cursor.position, archive)
    assert new == ["1"]


def test_what_is_remembered_has_a_bound() -> None:
    cursor, _ = caught_up(START, [])
    for each in ids(MOST + 10):
        assert cursor.live(each, moment(each))
    assert cursor.open == MOST
    for each in ids(MOST + 10):
        cursor.handled(each)
    assert cursor.position.last_id == str(MOST)
    assert len(cursor._passed) == MOST_PASSED


def test_what_is_remembered_of_long_ids_has_a_bound() -> None:
    cursor, _ = caught_up(START, [])
    long = [f"{number}".ljust(500, "\U0001f600") for number in range(MOST)]
    for each in long:
        assert cursor.live(each, NOW)
    assert sum(map(len, cursor._messages)) < MOST_CHARACTERS + 500
    for each in long:
        cursor.handled(each)
    assert cursor.live("last", NOW)
    cursor.handled("last")
    assert cursor.position.last_id == "last"
    assert sys.getsizeof(next(iter(cursor._passed))) < 100


def test_an_archive_is_read_no_further_than_can_be_remembered() -> None:
    cursor = ArchiveCursor(START)
    archive = ids(MOST)
    assert cursor.missed("first", NOW)
    for each in archive:
        assert not cursor.is_crowded
        assert cursor.missed(each, NOW)
        cursor.handled(each)
        if len(cursor._messages) == MOST:
            break
    assert cursor.is_crowded
    cursor.handled("first")
    assert not cursor.is_crowded
    # A live message gets its place in the archive by reading on, so it must not stop the reading.
    cursor = ArchiveCursor(START, in_order=False)
    for each in archive:
        cursor.live(each, NOW)
    assert not cursor.is_crowded


def test_where_others_may_have_had_messages_only_the_archive_gives_places() -> None:
    cursor = ArchiveCursor(START, in_order=False)
    cursor.caught_up(NOW)
    for each in ("1", "3"):
        assert cursor.live(each, NOW)
        cursor.handled(each)
    assert cursor.unplaced
    assert cursor.position == replace(START, ahead=frozenset({"1", "3"}))
    assert [each for each in ids(3) if cursor.missed(each, moment(each))] == ["2"]
    cursor.caught_up(NOW)
    assert not cursor.unplaced
    assert cursor.position == ArchivePosition(START.archive, "1", moment("1"), frozenset({"3"}))
    cursor.handled("2")
    assert cursor.position == ArchivePosition(START.archive, "3", moment("3"))


def test_what_the_archive_never_shows_is_not_waited_for() -> None:
    cursor = ArchiveCursor(START, in_order=False)
    assert cursor.live("1", NOW)
    assert cursor.live("2", NOW)
    cursor.handled("1")
    cursor.caught_up(NOW + SHOWN_WITHIN)
    assert cursor.unplaced
    cursor.caught_up(NOW + SHOWN_WITHIN + timedelta(seconds=1))
    assert cursor.position == START
    assert not cursor.live("1", NOW)  # it is remembered for a while
    cursor.handled("2")
    cursor.caught_up(NOW + SHOWN_WITHIN + timedelta(seconds=1))
    assert not cursor.unplaced


@pytest.mark.parametrize("in_order", [True, False])
@given(data=st.data())
def test_whatever_the_order_and_wherever_it_is_killed_everything_is_dealt_with_once(
    in_order: bool, data: st.DataObject
) -> None:
    """Messages come missed and live, end in any order, and the process dies after any number of steps.

    What a real bot does between two saved marks may be done again after a kill; here every step is saved,
    so that each message has to be dealt with exactly once. Where they need not come in order, some go to
    another client alone.
    """
    archive: list[str] = []
    dealt_with: list[str] = []
    mark = START
    for _ in range(data.draw(st.integers(1, 4), "lives")):
        unread = data.draw(st.integers(0, 6), "came while away")
        archive += [str(len(archive) + 1 + number) for number in range(unread)]
        mark = _live(data.draw, mark, archive, dealt_with, in_order=in_order)
    cursor, new = caught_up(mark, archive)
    for each in new:
        dealt_with.append(each)
        cursor.handled(each)
    assert sorted(dealt_with, key=int) == archive
    if archive:
        assert cursor.position == ArchivePosition(START.archive, archive[-1], moment(archive[-1]))


def _live(
    draw: Callable[..., int],
    mark: ArchivePosition,
    archive: list[str],
    dealt_with: list[str],
    *,
    in_order: bool,
) -> ArchivePosition:
    """One life of a bot, to its kill; the mark that it leaves."""
    cursor = ArchiveCursor(mark, in_order=in_order)
    to_read = list(after(mark, archive))
    at_work: list[str] = []
    reading = True
    for _ in range(draw(st.integers(0, 25))):
        step = draw(st.integers(0, 4 if in_order else 6))
        reading = reading or step == 6
        if step in {0, 5}:
            archive.append(str(len(archive) + 1))
            to_read.append(archive[-1])
            if step == 0 and cursor.live(archive[-1], moment(archive[-1])):
                at_work.append(archive[-1])
        elif step == 1 and reading and to_read:
            each = to_read.pop(0)
            if cursor.missed(each, moment(each)):
                at_work.append(each)
        elif step == 2 and reading and not to_read:
            reading = False
            cursor.caught_up(NOW)
        elif step == 3 and not reading:
            cursor.begin()
            reading, to_read = True, list(after(cursor.position, archive))
        elif step == 4 and at_work:
            each = at_work.pop(draw(st.integers(0, len(at_work) - 1)))
            dealt_with.append(each)
            cursor.handled(each)
        assert all(each in dealt_with for each in archive[: _place(cursor.position, archive)])
    return cursor.position


def _place(mark: ArchivePosition, archive: list[str]) -> int:
    return archive.index(mark.last_id) + 1 if mark.last_id else 0
