"""Sentences as people type them: nearly all are understood, and none does what was not meant.

Those in ``tests/sentences`` were written by people who did not know the grammar. A sentence is understood
if it comes to the same as the commands that it means, once all questions are answered with yes. A sentence
that means no command must do nothing even then.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

import pytest

from filebot.chat.rate_limits import RateLimits
from filebot.testing import ALICE, FakeBot
from filebot.testing.messenger import FileShown

FOLDER: Final = Path(__file__).parent.parent / "sentences"
UNDERSTOOD: Final = 0.9
"""Lowest share of sentences that are understood."""
QUESTIONS: Final = 4
"""Questions to one sentence that are answered."""
MANY: Final = 100_000
AGE: Final = re.compile(r"\d+ \w+ ago")
FILES: Final[Mapping[str, Sequence[str]]] = {
    "english": (
        *("readme.md", "cat.gif", "agenda.txt", "合同.pdf", "holiday.mp4", "old.zip"),
        *("song.mp3", "notes.txt", "beach.png", "budget 2024.xlsx", "report.pdf", "ticket.pdf"),
    ),
    "chinese": (
        *("beach.png", "report.pdf", "notes.txt", "旅行.mp4", "旧版.zip", "会议记录.docx"),
        *("song.mp3", "预算表.xlsx", "海滩.jpg", "报告.pdf", "合同.pdf", "车票.pdf"),
    ),
}
"""Files of whoever says the sentences, by their language, the oldest first."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Effects of some lines."""

    files: Mapping[int, str]
    """Names of all files by their ids."""
    shared: frozenset[tuple[str, str]]
    """Names of files that went to others, and to whom."""
    got: frozenset[str] = frozenset()
    """Names of files that came back to whoever asked."""
    said: Sequence[str] = field(default=(), hash=False)
    """Answers, apart from questions."""

    def harms(self, meant: Self, before: Mapping[int, str]) -> bool:
        """Whether files are removed, renamed or sent to others in other ways than was meant."""
        kept = all(self.files.get(each) in {name, meant.files.get(each)} for each, name in before.items())
        return not kept or not self.shared <= meant.shared


class Trial:
    """Bot to which sentences are said; each finds the same files."""

    def __init__(self, language: str) -> None:
        self._names = FILES[language]
        self._stack = AsyncExitStack()
        self._bot: FakeBot | None = None
        self.before: Mapping[int, str] = {}
        self._known = dict[tuple[str, ...], Effects]()

    async def close(self) -> None:
        await self._stack.aclose()
        self._bot = None

    async def meant(self, commands: Sequence[str]) -> Effects:
        """Return the effects of commands in their exact form."""
        if (known := self._known.get(tuple(commands))) is None:
            known = self._known[tuple(commands)] = (await self.say(commands))[1]
        return known

    async def say(self, lines: Sequence[str]) -> tuple[Effects, Effects]:
        """Return the effects before any question to the last line is answered, and those after."""
        bot = await self._fresh()
        start, said = len(bot.messenger.sent), list[str]()
        at_once = await self._effects(bot, start, said)
        for line in lines:
            said += await bot.say(line)
            at_once = await self._effects(bot, start, said)
            for _ in range(QUESTIONS):
                if not said or "type: yes" not in said[-1]:
                    break
                said.pop()
                said += await bot.say("yes")
        after = await self._effects(bot, start, said)
        if after.files != self.before or after.shared or await bot.catalog.language(ALICE):
            await self.close()
        return at_once, after

    async def _fresh(self) -> FakeBot:
        """Return a bot that has the files, and has just listed them."""
        if self._bot is None:
            self._bot = await self._stack.enter_async_context(
                FakeBot(rate_limits=RateLimits(commands_per_minute=MANY))
            )
            for name in self._names:
                await self._bot.drop(name, name.encode())
        self._bot.now += timedelta(hours=1)  # nothing that was said before is remembered
        await self._bot.say("ls")
        self.before = await self._files(self._bot)
        return self._bot

    async def _files(self, bot: FakeBot) -> Mapping[int, str]:
        found = [await bot.catalog.entry(each + 1) for each in range(len(self._names) + 3)]
        return {each.id: each.name for each in found if each is not None}

    async def _effects(self, bot: FakeBot, start: int, said: Sequence[str]) -> Effects:
        sent = [
            (each.entry.name, each.to.jid)
            for each in bot.messenger.sent[start:]
            if isinstance(each, FileShown)
        ]
        return Effects(
            await self._files(bot),
            frozenset(each for each in sent if each[1] != ALICE),
            frozenset(name for name, to in sent if to == ALICE),
            tuple(AGE.sub("", each) for each in said),
        )


@dataclass(slots=True)
class Score:
    """Result of a trial."""

    sentences: int
    missed: list[str] = field(default_factory=list)
    harmful: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return 1 - len(self.missed) / self.sentences


def sentences_in(path: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each sentence of a file, and the commands that it means."""
    rows: Sequence[Mapping[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["sentence"]
    yield from ((each["text"], each["means"]) for each in rows)


async def tried(path: Path) -> Score:
    """Say all sentences of a file to a bot."""
    trial, score = Trial(path.stem.rpartition("_")[2]), Score(0)
    listed = {command: (await trial.meant([command])).said for command in ("ls", "quota", "transfers")}
    for text, means in sentences_in(path):
        meant = await trial.meant(means)
        at_once, after = await trial.say([text])
        if means:
            same = (after.files, after.shared, after.got) == (meant.files, meant.shared, meant.got)
            understood = same and sorted(after.said) == sorted(meant.said)
        else:
            idle = (after.files, after.shared, after.got) == (trial.before, frozenset(), frozenset())
            understood = idle and after.said not in listed.values()
        score.sentences += 1
        if not understood:
            score.missed.append(f"{text!r} means {means} and led to {[*at_once.said, *after.said]}")
        if at_once.harms(meant, trial.before):
            score.harmful.append(text)
    await trial.close()
    return score


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
async def test_nearly_all_is_understood_and_nothing_is_done_that_was_not_meant(path: Path) -> None:
    score = await tried(path)
    assert score.harmful == []
    assert score.share >= UNDERSTOOD, "\n".join(score.missed)
