"""Waits between attempts: they grow, are spread, and have a longest one."""

import random
from collections.abc import Callable

import pytest

from filebot.concurrency.backoff import SPREAD, Backoff


def pick(monkeypatch: pytest.MonkeyPatch, choose: Callable[[float, float], float]) -> None:
    monkeypatch.setattr(random, "uniform", choose)


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(2.0, 15.0)
    assert [backoff.next_s() for _ in range(5)] == [2.0, 4.0, 8.0, 15.0, 15.0]


def test_factor_sets_the_growth() -> None:
    backoff = Backoff(0.1, 3.0, factor=10.0)
    assert [backoff.next_s() for _ in range(4)] == [0.1, 1.0, 3.0, 3.0]


def test_success_makes_the_next_wait_short_again() -> None:
    backoff = Backoff(2.0, 300.0)
    backoff.next_s()
    backoff.next_s()
    assert backoff.failures == 2
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next_s() == 2.0


def test_jitter_spreads_each_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    pick(monkeypatch, min)
    assert Backoff(4.0, 300.0, SPREAD).next_s() == 2.0
    pick(monkeypatch, max)
    assert Backoff(4.0, 300.0, SPREAD).next_s() == 4.0


@pytest.mark.parametrize("factor", [2.0, 10.0, 1e4])
def test_thousands_of_failures_do_not_overflow(factor: float) -> None:
    backoff = Backoff(1.0, 300.0, factor=factor)
    assert max(backoff.next_s() for _ in range(10_000)) == 300.0
