"""Values that people type: numbers, switches, addresses, spans of time and moments."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.plugin import values

NOW = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
"""A Monday."""


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("#12", 12), (" -3 ", -3), ("+7", 7)])
def test_a_whole_number_is_read_with_or_without_its_sign(text: str, number: int) -> None:
    assert values.whole_number(text) == number


@pytest.mark.parametrize("text", ["", "#", "1.5", "one", "1 2", "9" * 19, "²", "٣"])
def test_anything_else_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        values.whole_number(text)


@pytest.mark.parametrize(
    ("text", "is_on"), [("on", True), ("YES", True), ("开", True), ("off", False), ("no", False)]
)
def test_a_switch_is_on_or_off(text: str, is_on: bool) -> None:
    assert values.switch(text) is is_on


def test_a_switch_is_nothing_else() -> None:
    with pytest.raises(ValueError, match="neither"):
        values.switch("maybe")


def test_an_address_is_without_client_and_scheme() -> None:
    assert values.bare_jid("xmpp:Bob@Example.org/phone") == "bob@example.org"
    for text in ("bob", "@example.org", "bob@", "a b@example.org"):
        with pytest.raises(ValueError, match="no address"):
            values.bare_jid(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90),
        ("1h30m", 5400),
        ("1 hour and 30 min", 5400),
        ("1 day, 2 h", 93_600),
        ("2 weeks", 1_209_600),
        ("1.5 h", 5400),
        ("30天", 2_592_000),
        ("1小时30分钟", 5400),
        ("10 d", 864_000),
    ],
)
def test_a_span_of_time_is_a_sum_of_numbers_with_units(text: str, seconds: float) -> None:
    assert values.duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "h",
        "0 s",
        "-1 h",
        "1 fortnight",
        "1 h x",
        "x 1 h",
        "11 years",
        "9" * 9 + " weeks",
        "1 h" * 30,
    ],
)
def test_a_text_that_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no span of time"):
        values.duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("18:00", datetime(2026, 11, 30, 18, tzinfo=UTC)),
        ("08:00", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("tomorrow 08:00", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("Tomorrow at 8:00", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("tomorrow", NOW + timedelta(days=1)),
        ("明天 08:00", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("monday", NOW + timedelta(days=7)),
        ("周五 9:30", datetime(2026, 12, 4, 9, 30, tzinfo=UTC)),
        ("in 2 hours", NOW + timedelta(hours=2)),
        ("2小时后", NOW + timedelta(hours=2)),
        ("30 min from now", NOW + timedelta(minutes=30)),
        ("2026-12-24", datetime(2026, 12, 24, 16, 30, tzinfo=UTC)),
        ("2026-12-24 18:30", datetime(2026, 12, 24, 18, 30, tzinfo=UTC)),
        ("2026-12-24T18:30", datetime(2026, 12, 24, 18, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_day_a_time_or_a_span_from_now(text: str, moment: datetime) -> None:
    assert values.moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "2026-13-01", "2026-02-30", "friday 9", "in", "x" * 99]
)
def test_a_text_that_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no|must|month|day|Invalid"):
        values.moment(text, NOW)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    for read in (values.whole_number, values.switch, values.bare_jid, values.duration):
        with suppress(ValueError):
            read(text)
    with suppress(ValueError):
        assert values.moment(text, NOW).tzinfo is UTC
