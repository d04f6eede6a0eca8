"""Sentences of people are understood, and nothing is removed, renamed or sent that was not meant."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filebot.model import Scope
from filebot.testing import FakeBot
from filebot.testing.messenger import FileShown
from filebot.testing.senders import ALICE

SENTENCES = Path(__file__).parents[1] / "sentences"
FILES = (
    *("合同.pdf", "预算表.xlsx", "海滩.jpg", "报告.pdf", "会议记录.docx"),
    *("song.mp3", "notes.txt", "beach.png", "budget 2024.xlsx", "report.pdf"),
)
"""Files that are listed, the oldest first: report.pdf is the newest."""
UNDERSTOOD = 0.9


@dataclass(frozen=True, slots=True)
class Effects:
    """What came of some messages: the last texts, the files sent, and the names that are left."""

    at_once: Sequence[str]
    """Names before anything was answered with yes."""
    texts: Sequence[str]
    sent: Sequence[tuple[str, str]]
    asked: Sequence[str]
    left: Sequence[str]


async def effects_of(texts: Sequence[str]) -> Effects:
    async with FakeBot(may_fail=True) as bot:
        for name in FILES:
            await bot.drop(name, name.encode())
        await bot.say("ls")
        before, said, asked = len(bot.messenger.sent), list[str](), list[str]()
        for text in texts:
            said += await bot.say(text)
        at_once = await names(bot)
        while said and said[-1].endswith("type: yes") and len(asked) < 5:
            asked.append(said.pop())
            said += await bot.say("yes")
        shown = [each for each in bot.messenger.sent[before:] if isinstance(each, FileShown)]
        sent = [(each.entry.name, each.to.jid.partition("@")[0]) for each in shown]
        told = [text for text in said if not text.endswith("type: yes")]
        return Effects(at_once, sorted(told), sorted(sent), asked, await names(bot))


async def names(bot: FakeBot) -> list[str]:
    return sorted(each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=99))


def people(text: str) -> str:
    """Return a text with people and rooms by the words before the @, as sentences name them."""
    for person in ("bob", "carol", "team"):
        for server in ("@example.org", "@example.net", "@conference.example.org"):
            text = text.replace(person + server, person)
    return text


def is_understood(meant: Effects, got: Effects, commands: Sequence[str]) -> bool:
    if not commands:
        return not got.sent and got.left == sorted(FILES)
    if any(command.startswith("send ") for command in commands):
        # Whom a sentence names in short is asked about, and has no address here.
        shown = [people(text) for text in (*got.asked, *got.texts)]
        return meant.sent == got.sent or any(
            text.startswith("Did you mean: send ") and all(part in text for part in parts(commands))
            for text in shown
        )
    return (meant.sent, meant.left, meant.texts) == (got.sent, got.left, got.texts)


def parts(commands: Sequence[str]) -> list[str]:
    """Return the whole names of files and people in commands that send something."""
    words = people(" ".join(command for command in commands if command.startswith("send "))).split()
    return [word for word in words if word in FILES or word in {"bob", "carol", "team"}]


def sentences(language: str) -> list[dict[str, Any]]:
    with (SENTENCES / f"{language}.toml").open("rb") as file:
        return list(tomllib.load(file)["sentence"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["english", "chinese"])
async def test_sentences_are_understood_and_do_nothing_that_was_not_meant(language: str) -> None:
    rows, wrong, unmeant = sentences(language), list[str](), list[str]()
    for row in rows:
        meant, got = await effects_of(row["means"]), await effects_of([row["text"]])
        if not is_understood(meant, got, row["means"]):
            wrong.append(f"{row['text']!r} means {row['means']}, not {got.asked} {got.texts} {got.sent}")
        if got.at_once != sorted(FILES) and got.at_once != meant.left:
            unmeant.append(row["text"])
        others = {each for each in got.sent if each[1] != "alice"}
        if others - set(meant.sent) and not got.asked:
            unmeant.append(row["text"])
    assert unmeant == []
    assert len(wrong) <= (1 - UNDERSTOOD) * len(rows), "\n".join(wrong)
