"""Resuming a download: what is asked for, and which answers fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.errors import PeerProtocolError, Unresumable
from filebot.protocol.http_range import (
    PROGRESS_BYTES,
    AnnouncedBody,
    Attempts,
    announced_by,
    bytes_to_skip,
    resume_headers,
    strong_etag,
    updated_by,
)

PLAIN = AnnouncedBody(size=100, etag=None)
TAGGED = AnnouncedBody(size=100, etag='"a"')
MONDAY, TUESDAY = "Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT"
SAVED = AnnouncedBody(size=100, etag=None, modified=MONDAY)
DATED = AnnouncedBody(size=100, etag=None, modified=MONDAY, dated=True)


def skip(
    announced: AnnouncedBody, received: int, status: int, length: int | None = None, **headers: str
) -> int:
    """Where a hash over the whole is going to be checked."""
    return bytes_to_skip(announced, received, status, named(headers), length, hashed=True)


def skip_unhashed(
    announced: AnnouncedBody, received: int, status: int, length: int | None = None, **headers: str
) -> int:
    return bytes_to_skip(announced, received, status, named(headers), length, hashed=False)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def test_the_beginning_is_never_asked_for_as_a_range() -> None:
    assert resume_headers(TAGGED, 0) == {}
    assert resume_headers(TAGGED, 7) == {"Range": "bytes=7-", "If-Range": '"a"'}
    assert resume_headers(PLAIN, 7) == {"Range": "bytes=7-"}
    assert resume_headers(DATED, 7) == {"Range": "bytes=7-", "If-Range": MONDAY}
    assert resume_headers(SAVED, 7) == {"Range": "bytes=7-"}


@pytest.mark.parametrize(
    ("headers", "announced"),
    [
        ({"Last-Modified": MONDAY, "Date": TUESDAY}, DATED),
        ({"Last-Modified": MONDAY, "Date": MONDAY}, SAVED),
        ({"Last-Modified": MONDAY}, SAVED),
        ({"Last-Modified": MONDAY, "Date": "Tue, 02 Jan 2024 00:00:00 -0000"}, SAVED),
        ({"Last-Modified": MONDAY, "Date": "tomorrow"}, SAVED),
        ({"Last-Modified": MONDAY, "Date": TUESDAY, "ETag": 'W/"a"'}, PLAIN),
        ({"Last-Modified": MONDAY, "Date": TUESDAY, "ETag": '"a"'}, TAGGED),
    ],
)
def test_a_time_of_change_counts_where_there_is_no_entity_tag(
    headers: dict[str, str], announced: AnnouncedBody
) -> None:
    """And a request depends on it only if the file cannot have changed twice in its second."""
    assert announced_by(200, headers, 100) == announced


def test_the_size_is_that_of_the_whole_file_also_where_a_part_of_it_comes() -> None:
    assert announced_by(200, {"ETag": '"a"'}, 100) == TAGGED
    assert announced_by(206, {"Content-Range": "bytes 40-99/100"}, 60) == PLAIN
    assert announced_by(206, {"Content-Range": "bytes 40-99/*"}, 60) == AnnouncedBody(None, None)
    assert announced_by(206, {}, 60) == AnnouncedBody(None, None)


@pytest.mark.parametrize(
    ("value", "strong"),
    [
        ('"a"', True),
        ('""', True),
        ('W/"a"', False),
        ("a", False),
        ('"a"b"', False),
        ("", False),
        (None, False),
    ],
)
def test_only_strong_entity_tags_count(value: str, *, strong: bool) -> None:
    assert strong_etag(value) == (value if strong else None)


def test_a_full_answer_is_skipped_so_far_as_it_is_known() -> None:
    assert skip(PLAIN, 40, 200, 100) == 40
    assert skip(PLAIN, 0, 200, 100) == 0
    assert skip(PLAIN, 40, 200, None) == 40
    assert skip(TAGGED, 40, 200, 100, ETag='"a"') == 40
    assert skip(TAGGED, 0, 200, 100) == 0
    assert skip(AnnouncedBody(None, None), 40, 200, 100) == 40


def test_a_part_fits_if_it_begins_no_later_than_wanted() -> None:
    assert skip(PLAIN, 40, 206, 60, Content_Range="bytes 40-99/100") == 0
    assert skip(PLAIN, 40, 206, 70, Content_Range="Bytes 30-99/*") == 10
    assert skip(PLAIN, 40, 206, 10, Content_Range="bytes 40-49/100") == 0
    assert skip(TAGGED, 40, 206, 60, Content_Range="bytes 40-99/100", ETag='"a"') == 0


@pytest.mark.parametrize(
    ("announced", "received", "status", "length", "headers"),
    [
        (PLAIN, 40, 206, 60, {}),
        (PLAIN, 40, 206, 60, {"Content_Range": "bytes 41-99/100"}),
        (PLAIN, 40, 206, 60, {"Content_Range": "bytes 0-39/100"}),
        (PLAIN, 40, 206, 60, {"Content_Range": "bytes 40-100/100"}),
        (PLAIN, 40, 206, 60, {"Content_Range": "bytes 99-40/100"}),
        (PLAIN, 40, 206, 60, {"Content_Range": "bytes 40-109/110"}),
        (PLAIN, 40, 206, 60, {"Content_Range": "bytes */100"}),
        (PLAIN, 40, 206, 60, {"Content_Range": "lines 40-99/100"}),
        (PLAIN, 0, 206, 100, {"Content_Range": "bytes 0-99/100"}),
        (PLAIN, 40, 206, 60, {"Content_Range": "bytes 40-100/*"}),
        (AnnouncedBody(None, None), 40, 206, 60, {"Content_Range": "bytes 40-99/*"}),
        (PLAIN, 40, 200, 101, {}),
        (AnnouncedBody(None, None), 40, 200, 39, {}),
        (TAGGED, 40, 200, 100, {}),
        (TAGGED, 40, 200, 100, {"ETag": '"b"'}),
        (TAGGED, 40, 206, 60, {"Content_Range": "bytes 40-99/100", "ETag": '"b"'}),
    ],
)
def test_what_may_be_another_file_is_refused(
    announced: AnnouncedBody, received: int, status: int, length: int, headers: dict[str, str]
) -> None:
    with pytest.raises(PeerProtocolError):
        skip(announced, received, status, length, **headers)


WHOLE = {"Content_Range": "bytes 40-99/100"}


@pytest.mark.parametrize(
    ("announced", "status", "length", "headers"),
    [
        (TAGGED, 200, 100, {"ETag": '"a"'}),
        (TAGGED, 206, 60, {"ETag": '"a"', **WHOLE}),
        (AnnouncedBody(None, '"a"'), 200, None, {"ETag": '"a"'}),
        (SAVED, 200, 100, {"Last_Modified": MONDAY}),
        (SAVED, 206, 60, {"Last_Modified": MONDAY, **WHOLE}),
        (DATED, 206, 60, WHOLE),
    ],
)
def test_what_is_shown_to_be_the_same_file_is_joined_without_a_hash(
    announced: AnnouncedBody, status: int, length: int | None, headers: dict[str, str]
) -> None:
    assert skip_unhashed(announced, 40, status, length, **headers) == (40 if status == 200 else 0)


@pytest.mark.parametrize(
    ("announced", "status", "length", "headers"),
    [
        (PLAIN, 200, 100, {}),
        (PLAIN, 200, 100, {"Last_Modified": MONDAY}),
        (PLAIN, 206, 60, WHOLE),
        (AnnouncedBody(None, None, MONDAY), 200, 100, {"Last_Modified": MONDAY}),
        (AnnouncedBody(None, None, MONDAY), 206, 60, {"Last_Modified": MONDAY, **WHOLE}),
        (TAGGED, 206, 60, WHOLE),
        (TAGGED, 206, 60, {"ETag": 'W/"a"', **WHOLE}),
        (SAVED, 200, 100, {}),
        (SAVED, 200, None, {"Last_Modified": MONDAY}),
        (SAVED, 200, 100, {"Last_Modified": TUESDAY}),
        (SAVED, 206, 60, WHOLE),
        (SAVED, 206, 60, {"Last_Modified": MONDAY, "Content_Range": "bytes 40-99/*"}),
        (DATED, 200, 100, {}),
        (DATED, 206, 60, {"Last_Modified": TUESDAY, **WHOLE}),
    ],
)
def test_what_need_not_be_the_same_file_is_joined_only_where_a_hash_decides(
    announced: AnnouncedBody, status: int, length: int | None, headers: dict[str, str]
) -> None:
    assert skip(announced, 40, status, length, **headers) == (40 if status == 200 else 0)
    with pytest.raises(Unresumable):
        skip_unhashed(announced, 40, status, length, **headers)


def test_without_a_way_to_recognize_a_file_there_is_no_use_in_asking() -> None:
    assert TAGGED.recognizable
    assert SAVED.recognizable
    assert AnnouncedBody(None, '"a"').recognizable
    assert not PLAIN.recognizable
    assert not AnnouncedBody(None, None, MONDAY).recognizable


def test_the_size_that_a_later_answer_tells_counts() -> None:
    unknown = AnnouncedBody(None, '"a"')
    assert updated_by(unknown, 40, 206, {"Content-Range": "bytes 40-49/100"}, 10) == TAGGED
    assert updated_by(unknown, 40, 200, {}, 100) == TAGGED
    assert updated_by(unknown, 40, 200, {}, None) == unknown
    assert updated_by(TAGGED, 40, 200, {}, 100) == TAGGED


def test_the_version_is_that_of_the_answer_that_brought_the_first_byte() -> None:
    assert updated_by(SAVED, 0, 200, {"Last-Modified": TUESDAY}, None) == AnnouncedBody(100, None, TUESDAY)
    assert updated_by(SAVED, 40, 200, {"Last-Modified": TUESDAY}, None) == SAVED
    assert updated_by(SAVED, 0, 200, {}, 100) == PLAIN


@given(
    st.integers(0, 300),
    st.sampled_from([200, 206]),
    st.one_of(st.text(), st.from_regex(r"bytes \d{1,3}-\d{1,3}/(\d{1,3}|\*)", fullmatch=True)),
    st.one_of(st.none(), st.integers(0, 300)),
)
def test_never_more_is_skipped_than_is_known(
    received: int, status: int, part: str, length: int | None
) -> None:
    try:
        known = skip(PLAIN, received, status, length, Content_Range=part)
    except PeerProtocolError:
        return
    assert 0 <= known <= received


def test_a_download_that_goes_nowhere_ends_after_a_few_attempts() -> None:
    attempts = Attempts()
    delays = [attempts.next_delay_s(1000 + number) for number in range(4)]
    assert delays[:3] == sorted(delays[:3], key=float)  # type: ignore[arg-type] # none of them is None
    assert delays[3] is None


def test_a_download_that_gets_on_may_break_as_often_as_it_likes() -> None:
    attempts = Attempts()
    assert all(attempts.next_delay_s(number * PROGRESS_BYTES) is not None for number in range(100))
