"""Throttles: at most one of the same thing in a period."""

from filebot.concurrency.throttle import DAY_S, Throttle


def test_a_throttle_lets_each_key_pass_once_in_a_period() -> None:
    throttle = Throttle(DAY_S)
    assert [throttle.passes("anna", reason) for reason in ("a", "b", "a")] == [True, True, False]
    throttle.note("bob")
    assert throttle.has_passed("bob")
    assert not throttle.has_passed("carol")


def test_a_throttle_forgets_after_its_period_and_beyond_its_size() -> None:
    assert [Throttle(-1.0).passes("anna") for _ in range(2)] == [True, True]
    small = Throttle(DAY_S, most=1)
    assert [small.passes(person) for person in ("anna", "bob", "anna")] == [True, True, True]
