"""How long blobs stay in unreferenced/, whatever the clock does."""

import os
import time
from pathlib import Path

import pytest

from filebot.storage.file_system import place_in
from filebot.storage.unreferenced import LONGEST_GAP_S, UnreferencedFolder

DIGEST = "ab" * 32
DAY_S = 86_400.0


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        real = os.utime

        def utime(path: Path, times: tuple[float, float] | None = None) -> None:
            real(path, times or (self.now, self.now))

        monkeypatch.setattr(time, "time", lambda: self.now)
        monkeypatch.setattr(os, "utime", utime)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def aside(tmp_path: Path, clock: Clock) -> UnreferencedFolder:
    """With one blob, written a year ago and moved now."""
    place = place_in(tmp_path / "blobs", DIGEST)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"abc")
    os.utime(place, (clock.now - 365 * DAY_S,) * 2)
    aside = UnreferencedFolder(tmp_path)
    aside.put(DIGEST)
    return aside


def days_until_expired(aside: UnreferencedFolder, clock: Clock, keep_days: float = 7) -> float:
    """Look every hour."""
    for hour in range(24 * 30):
        if aside.expired(keep_days * DAY_S):
            return hour / 24
        clock.now += 3600
    raise AssertionError("never")


def test_the_time_counts_from_the_move_not_from_the_drop(aside: UnreferencedFolder, clock: Clock) -> None:
    assert 7 <= days_until_expired(aside, clock) < 7.1


@pytest.mark.parametrize("leap_s", [400 * DAY_S, LONGEST_GAP_S + 1, -1.0, -400 * DAY_S])
def test_after_a_leap_of_the_clock_ages_count_anew(
    aside: UnreferencedFolder, clock: Clock, leap_s: float
) -> None:
    aside.expired(7 * DAY_S)
    clock.now += leap_s
    assert 7 <= days_until_expired(aside, clock) < 7.1


@pytest.mark.parametrize("wrong_s", [-400 * DAY_S, 400 * DAY_S])
def test_a_clock_that_was_wrong_at_the_move_alone_shortens_nothing(
    aside: UnreferencedFolder, clock: Clock, tmp_path: Path, wrong_s: float
) -> None:
    aside.expired(7 * DAY_S)
    other = place_in(tmp_path / "blobs", "cd" * 32)
    other.parent.mkdir(parents=True)
    other.write_bytes(b"def")
    clock.now += wrong_s
    aside.put("cd" * 32)
    clock.now -= wrong_s - 3600
    assert 7 <= days_until_expired(aside, clock) < 7.1


def test_a_kill_while_times_begin_anew_shortens_nothing(
    aside: UnreferencedFolder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside.expired(7 * DAY_S)
    clock.now += 400 * DAY_S

    utime = os.utime

    def killed(path: Path, times: tuple[float, float] | None = None) -> None:
        if path.name == DIGEST:
            raise KeyboardInterrupt
        utime(path, times)

    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", killed)
        with pytest.raises(KeyboardInterrupt):
            aside.expired(7 * DAY_S)
    assert 7 <= days_until_expired(aside, clock) < 7.1


def test_a_restart_keeps_the_ages(aside: UnreferencedFolder, clock: Clock, tmp_path: Path) -> None:
    assert aside.expired(7 * DAY_S) == []
    for _ in range(6):
        clock.now += DAY_S
        assert UnreferencedFolder(tmp_path).expired(7 * DAY_S) == []
    clock.now += DAY_S + 1
    assert UnreferencedFolder(tmp_path).expired(7 * DAY_S) == [DIGEST]


def test_only_blobs_are_listed_and_removed(aside: UnreferencedFolder, tmp_path: Path) -> None:
    (tmp_path / "unreferenced" / "notes.txt").touch()
    assert aside.digests() == [DIGEST]
    assert aside.expired(-1) == [DIGEST]
    aside.forget(DIGEST)
    assert aside.digests() == []
    assert (tmp_path / "unreferenced" / "notes.txt").exists()


def test_nothing_is_made_where_nothing_was_set_aside(tmp_path: Path) -> None:
    aside = UnreferencedFolder(tmp_path)
    assert aside.digests() == aside.expired(0) == []
    assert not aside.bring_back(DIGEST)
    assert list(tmp_path.iterdir()) == []
