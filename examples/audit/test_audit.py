"""The log of what was done, and the rights of people to it."""

import json
import stat
from pathlib import Path
from typing import Any

import audit

from filebot.testing import ALICE, BOB, FakeBot


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def audited(path: Path) -> FakeBot:
    return FakeBot(audit.plugin, settings={"audit": {"path": str(path)}})


async def test_what_is_done_to_files_is_written_down(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(path) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say("rename a.txt b.txt")
        await bot.say("rm b.txt")
        await bot.jobs.run()
        assert [(each["done"], each["name"]) for each in lines(path)] == [
            ("stored", "a.txt"),
            ("renamed", "b.txt"),
            ("removed: owner", "b.txt"),
        ]
        assert {each["who"] for each in lines(path)} == {ALICE}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_person_is_given_their_lines_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with audited(path) as bot:
        await bot.drop("a.txt", b"a")
        await bot.drop("b.txt", b"b", BOB)
        await bot.jobs.run()
        told: Any = (await bot.export_person(ALICE)).told["audit"]
        assert [each["name"] for each in told] == ["a.txt"]
        assert await bot.forget_person(ALICE) == []
        await bot.drop("c.txt", b"c", BOB)
        await bot.jobs.run()
        assert [each["name"] for each in lines(path)] == ["b.txt", "c.txt"]


async def test_the_log_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for name in ("a.txt", "b.txt"):
        async with audited(path) as bot:
            await bot.drop(name, name.encode())
            await bot.jobs.run()
    assert [each["name"] for each in lines(path)] == ["a.txt", "b.txt"]
