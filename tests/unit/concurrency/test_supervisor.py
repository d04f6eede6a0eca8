"""Work that is to go on as long as the bot does, goes on."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from filebot.app import assembled
from filebot.concurrency.supervisor import FIRST_PAUSE_S, LONGEST_PAUSE_S, run_supervised
from filebot.config import load
from filebot.files.trusted_time import TrustedTime
from filebot.storage.disk import DiskStore
from tests.support.virtual_time import in_virtual_time


class Work:
    """Fails some times after some seconds."""

    def __init__(self, failures: int, after_s: float = 0.0) -> None:
        self.failures = failures
        self.after_s = after_s
        self.began: list[float] = []

    async def __call__(self) -> str:
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.after_s)
        if len(self.began) <= self.failures:
            raise RuntimeError("a bug")
        return "done"

    def pauses(self) -> list[float]:
        begins = zip(self.began, self.began[1:], strict=False)
        return [round(later - earlier - self.after_s, 3) for earlier, later in begins]


@in_virtual_time
async def test_after_an_error_it_goes_on_and_waits_longer_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work(9)
    assert await run_supervised(work, "the work") == "done"
    assert work.pauses() == [min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n in range(9)]
    assert "the work failed" in caplog.text
    assert "RuntimeError: a bug" in caplog.text


@in_virtual_time
async def test_what_went_well_for_long_is_not_waited_for_long() -> None:
    work = Work(9, after_s=LONGEST_PAUSE_S + 1)
    await run_supervised(work, "the work")
    assert work.pauses() == [FIRST_PAUSE_S] * 9


@in_virtual_time
async def test_supervised_task_can_be_ended() -> None:
    task = asyncio.create_task(run_supervised(partial(asyncio.sleep, 10**6), "the work"))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_the_bot_does_all_the_time_goes_on_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, again = 0, asyncio.Event()

    async def forget_partials(_: DiskStore, older_than_s: float) -> None:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise OSError("the disk is away")
        again.set()

    monkeypatch.setattr("filebot.concurrency.supervisor.FIRST_PAUSE_S", 0.01)

    async def certain(_: TrustedTime) -> datetime:
        return datetime.now(UTC)

    monkeypatch.setattr(TrustedTime, "now", certain)
    monkeypatch.setattr(DiskStore, "forget_partials", forget_partials)
    file = tmp_path / "config.toml"
    file.write_text('[xmpp]\njid = "bot@example.org"\npassword = "hunter2"\n')
    file.chmod(0o600)
    async with assembled(load(file, {})) as bot:
        await asyncio.wait_for(again.wait(), 5)
        await bot.session.stop()
