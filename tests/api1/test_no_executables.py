"""Conversations about programs."""

from filebot.testing import FakeBot
from tests.api1.examples import no_executables

PROGRAM = b"MZ" + bytes(58) + b"\x80" + bytes(67) + b"PE\0\0\x4c\x01" + bytes(200)
"""The headers of a program for Windows."""


async def test_a_program_is_refused_by_its_name_before_it_is_fetched() -> None:
    async with FakeBot(no_executables.plugin) as bot:
        assert await bot.drop("Setup.EXE", PROGRAM) == [
            '"Setup.EXE" is called as a program is, and I keep no programs.'
        ]
        assert bot.web.asked == []


async def test_a_program_under_another_name_is_refused_by_its_content() -> None:
    async with FakeBot(no_executables.plugin) as bot:
        assert await bot.drop("holiday.txt", PROGRAM) == ['"holiday.txt" is a program, and I keep none.']
        assert not bot.store.blobs
        assert "no files" in (await bot.say("ls"))[0]


async def test_everything_else_is_kept() -> None:
    async with FakeBot(no_executables.plugin) as bot:
        assert "Stored" in (await bot.drop("exe.txt", b"Dear exe, all is well."))[0]


async def test_the_operator_chooses_the_endings() -> None:
    settings = {"no_executables": {"endings": [".sh"], "types": []}}
    async with FakeBot(no_executables.plugin, settings=settings) as bot:
        assert "Stored" in (await bot.drop("setup.exe", PROGRAM))[0]
        assert "called as a program" in (await bot.drop("setup.sh", b"#!/bin/sh"))[0]
