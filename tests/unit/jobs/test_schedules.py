"""When something is due again: through missed times and changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from filebot.jobs.schedules import Daily, Every

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def test_intervals_are_read_to_the_last_character() -> None:
    assert Every.parse("1m").interval == timedelta(minutes=1)
    assert Every.parse("1d12h").interval == timedelta(hours=36)
    assert Every.parse("90m").interval == 1.5 * HOUR


@pytest.mark.parametrize(
    "text", ["", "1", "h", "1 h", "1h ", "1x", "1.5h", "-1h", "0m", "32d", "1h1d", "٣h"]
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like|not between"):
        Every.parse(text)


@pytest.mark.parametrize("text", ["", "8:00", "24:00", "08:60", "08:00:00", " 08:00", "8am"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        Daily.parse(text)


def test_an_interval_keeps_its_rhythm_and_missed_times_count_once() -> None:
    every = Every(HOUR)
    assert every.first(NOW) == NOW + HOUR
    assert every.after(NOW, NOW + timedelta(minutes=5)) == NOW + HOUR
    assert every.after(NOW, NOW + HOUR) == NOW + 2 * HOUR
    assert every.after(NOW, NOW + timedelta(hours=5, minutes=5)) == NOW + 6 * HOUR
    assert every.after(NOW, NOW - 5 * HOUR) == NOW + HOUR  # the clock was set back


def test_a_day_has_one_time_and_missed_days_count_once() -> None:
    daily = Daily.parse("08:00", BERLIN)
    first = daily.first(NOW)
    assert first == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert daily.after(first, first) == first + timedelta(days=1)
    assert daily.after(first, first + timedelta(days=3, hours=2)) == first + timedelta(days=4)
    assert daily.after(first, first - timedelta(days=2)) == first + timedelta(days=1)
    assert daily.first(first - timedelta(seconds=1)) == first


@pytest.mark.parametrize(
    ("time", "day", "due"),
    [
        ("08:00", datetime(2026, 3, 28, 12, tzinfo=UTC), ["29 06:00", "30 06:00"]),  # summer time begins
        ("02:30", datetime(2026, 3, 27, 12, tzinfo=UTC), ["28 01:30", "29 01:30", "30 00:30"]),
        ("02:30", datetime(2026, 10, 24, 12, tzinfo=UTC), ["25 00:30", "26 01:30", "27 01:30"]),  # and ends
        ("08:00", datetime(2026, 10, 24, 12, tzinfo=UTC), ["25 07:00", "26 07:00"]),
    ],
)
def test_a_local_time_comes_once_a_day_when_clocks_change(time: str, day: datetime, due: list[str]) -> None:
    daily, found = Daily.parse(time, BERLIN), list[datetime]()
    at = daily.first(day)
    for _ in due:
        found.append(at)
        at = daily.after(at, at)
    assert [f"{each:%d %H:%M}" for each in found] == due


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 10, 24, 12, tzinfo=UTC), "26 07:00"),
        (datetime(2026, 10, 26, 6, 59, tzinfo=UTC), "26 07:00"),
        (datetime(2026, 10, 19, 6, tzinfo=UTC), "26 07:00"),
        (datetime(2026, 10, 18, 23, tzinfo=UTC), "19 06:00"),
    ],
)
def test_a_weekday_is_that_of_the_local_time(now: datetime, due: str) -> None:
    weekly = Daily.parse("08:00", BERLIN, weekday="monday")
    first = weekly.first(now)
    assert f"{first:%d %H:%M}" == due
    assert weekly.after(first, first).astimezone(BERLIN) - first.astimezone(BERLIN) == timedelta(days=7)


def test_a_time_without_a_zone_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    local = Daily.parse("08:00").first(NOW).astimezone()
    assert (local.hour, local.minute) == (8, 0)


def test_another_rule_is_another_text() -> None:
    rules = {Every(HOUR).rule, Every(2 * HOUR).rule, Daily.parse("08:00").rule, Daily.parse("08:01").rule}
    rules |= {Daily.parse("08:00", weekday="monday").rule, Daily.parse("08:00", weekday="friday").rule}
    assert len(rules) == 6


def test_what_is_due_at_each_start_goes_on_from_there() -> None:
    now, hour = datetime(2026, 5, 1, 12, tzinfo=UTC), timedelta(hours=1)
    every = Every.parse("1h", at_start=True)
    assert (every.first(now), every.after(now, now)) == (now, now + hour)
    assert every.rule == Every.parse("1h").rule
