"""The bot's clock: the server's time once it is told, whatever happens to the machine's clock."""

from datetime import UTC, datetime, timedelta

from filebot.system.server_clock import ServerClock, ServerTime

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AHEAD = timedelta(days=91)


class Machine:
    """A clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.now = NOON
        self.passed_s = 1000.0
        self.clock = ServerClock(lambda: self.now, lambda: self.passed_s)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed_s += seconds


def test_machine_time_counts_until_server_has_told_its_own() -> None:
    machine = Machine()
    machine.now += AHEAD
    assert machine.clock() == NOON + AHEAD
    machine.clock.told(ServerTime(NOON))
    machine.wait(5)
    assert machine.clock() == NOON + timedelta(seconds=5)


def test_setting_the_machine_clock_changes_nothing_afterwards() -> None:
    machine = Machine()
    machine.clock.told(ServerTime(NOON))
    machine.now += AHEAD
    machine.wait(60)
    assert machine.clock() == NOON + timedelta(seconds=60)


def test_a_stamp_moves_only_a_clock_that_is_behind_it() -> None:
    machine = Machine()
    machine.clock.told(ServerTime(NOON - timedelta(days=3), exact=False))
    assert machine.clock() == NOON
    machine.clock.told(ServerTime(NOON + AHEAD, exact=False))
    assert machine.clock() == NOON + AHEAD
    assert not machine.clock.is_told


def test_a_stamp_does_not_overrule_what_the_server_has_told() -> None:
    machine = Machine()
    machine.clock.told(ServerTime(NOON))
    machine.clock.told(ServerTime(NOON + AHEAD, exact=False))
    assert machine.clock() == NOON
