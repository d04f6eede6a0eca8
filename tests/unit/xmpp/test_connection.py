"""How long the bot waits before it tries again."""

import pytest

from filebot.xmpp.connection import LONGEST_WAIT_S, wait_s


@pytest.mark.parametrize("failures", [1, 2, 5, 20, 10_000])
def test_the_wait_is_spread_and_never_longer_than_the_longest(failures: int) -> None:
    shortest, longest = wait_s(failures, 0.0), wait_s(failures, 1.0)
    assert shortest == longest / 2
    assert longest <= LONGEST_WAIT_S


def test_the_wait_grows_with_the_failures() -> None:
    waits = [wait_s(failures, 0.5) for failures in range(12)]
    assert waits == sorted(waits)
    assert waits[1] < 3
