"""Sizes are read whole, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.model import size_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("1000000", 1_000_000),
        ("500 MB", 500_000_000),
        ("500MB", 500_000_000),
        (" 500 mb ", 500_000_000),
        ("20M", 20_000_000),
        ("1 GiB", 2**30),
        ("1.5 GB", 1_500_000_000),
        (".5 kb", 500),
        ("0.1 GB", 100_000_000),
        ("1.0001 b", 1),
        ("3 bytes", 3),
        ("8.9 EB", 8_900_000_000_000_000_000),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GB",
        "1,5 GB",
        "1,000",
        "100%",
        "1_000",
        "1e3",
        "1.",
        "1.5.5 GB",
        "-5 MB",
        "5 GB/s",
        "20 MB MB",
        "500 MB (decimal)",
        "1 GB.",
        "1 kbit",
        "٣ MB",
        "0",
        "0.1 b",
        "9" * 5000,
        "1" + " " * 40 + "GB",
    ],
)
def test_what_is_no_size_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match=r'write it like "500 MB", "1\.5 GB"'):
        size_bytes(text)


@given(st.text(st.sampled_from("0123456789., kmgib%")))
def test_a_size_is_what_its_digits_say(text: str) -> None:
    try:
        size = size_bytes(text)
    except ValueError:
        return
    assert size >= int(float("0" + "".join(c for c in text if c in "0123456789.")))


def test_a_size_beyond_the_catalogs_integers_is_refused() -> None:
    with pytest.raises(ValueError, match="must be at most"):
        size_bytes("10 EB")
