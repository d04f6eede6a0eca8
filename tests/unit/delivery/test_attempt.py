"""How long people are left alone between two attempts."""

from datetime import timedelta

from filebot.delivery.attempt import FIRST_PAUSE, LONGEST_PAUSE, MOST_TRIES, pause


def test_pauses_grow_up_to_an_hour() -> None:
    pauses = [pause(tries) for tries in range(1, MOST_TRIES + 1)]
    assert pauses[:4] == [FIRST_PAUSE, FIRST_PAUSE * 4, FIRST_PAUSE * 16, FIRST_PAUSE * 64]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pause(10**6) == LONGEST_PAUSE == timedelta(hours=1)
