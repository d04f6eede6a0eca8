"""Nothing is removed for its age while machine and server disagree on what time it is."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from filebot.files.trusted_time import (
    LOOK_AGAIN_S,
    LOOK_EVERY_S,
    MOST_APART,
    OLDEST_STAMP,
    TrustedTime,
    look_every_hour,
)
from filebot.system.server_clock import ServerTime
from tests.support.virtual_time import in_virtual_time

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def trusted(machine: datetime, told: ServerTime | None) -> datetime | None:
    async def ask() -> ServerTime | None:
        return told

    return await TrustedTime(ask, lambda: machine).now()


async def test_no_time_is_certain_before_the_server_has_told_its_own() -> None:
    assert await trusted(NOON, None) is None


@pytest.mark.parametrize("apart", [MOST_APART, -MOST_APART])
async def test_time_is_certain_only_if_both_clocks_agree(apart: timedelta) -> None:
    further = SECOND if apart > timedelta() else -SECOND
    assert await trusted(NOON + apart, ServerTime(NOON)) == min(NOON, NOON + apart)
    assert await trusted(NOON + apart + further, ServerTime(NOON)) is None


async def test_a_stamp_must_be_young_and_not_from_the_future() -> None:
    assert await trusted(NOON + OLDEST_STAMP, ServerTime(NOON, exact=False)) == NOON + OLDEST_STAMP
    assert await trusted(NOON + OLDEST_STAMP + SECOND, ServerTime(NOON, exact=False)) is None
    assert await trusted(NOON - MOST_APART - SECOND, ServerTime(NOON, exact=False)) is None


async def test_disagreement_is_logged_once_with_both_times(caplog: pytest.LogCaptureFixture) -> None:
    machine = NOON + timedelta(days=91)

    async def ask() -> ServerTime:
        return ServerTime(NOON)

    clock = TrustedTime(ask, lambda: machine)
    for _ in range(3):
        assert await clock.now() is None
    [line] = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert "2027-02-23 12:00:00 UTC" in line
    assert "2026-11-24 12:00:00 UTC" in line
    machine = NOON
    assert await clock.now() == NOON


@in_virtual_time
async def test_it_is_looked_every_hour_and_sooner_while_the_time_is_not_certain() -> None:
    looks: list[float] = []

    async def look() -> bool:
        looks.append(asyncio.get_running_loop().time())
        return len(looks) > 2

    with suppress(TimeoutError):
        async with asyncio.timeout(2 * LOOK_AGAIN_S + LOOK_EVERY_S + 1):
            await look_every_hour(look)
    assert looks == [0.0, LOOK_AGAIN_S, 2 * LOOK_AGAIN_S, 2 * LOOK_AGAIN_S + LOOK_EVERY_S]
