"""Held-out sentences: nearly all are understood, and none does what was not meant.

Their author had not read the grammar. A sentence is understood if it comes to the same as the commands that
it means, once all questions are answered with yes. A sentence that means no command must do nothing even
then.
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
from filebot.testing import ALICE, BOB, FakeBot
from filebot.testing.messenger import FileShown

FOLDER: Final = Path(__file__).parent.parent / "sentences"
UNDERSTOOD: Final = 0.9
"""Lowest share of sentences that are understood."""
QUESTIONS: Final = 4
"""Questions to one sentence that are answered."""
MANY: Final = 100_000
ASKED: Final = "Did you mean: {}?\nTo go on, type: yes"
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
        """``language`` is that of the sentences."""
        self._names = FILES[language]
        self._stack = AsyncExitStack()
        self._bot: FakeBot | None = None
        self.before: Mapping[int, str] = {}
        self._known = dict[tuple[str, ...], Effects]()

    async def close(self) -> None:
        await self._stack.aclose()
        self._bot = None

    async def forget(self, commands: Sequence[str]) -> None:
        """Begin anew with another bot, and the effects of some commands anew as well."""
        await self.close()
        self._known.pop(tuple(commands), None)
        await self.meant(commands)
        await self.close()

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


async def _judged(
    trial: Trial, text: str, means: Sequence[str], listed: Sequence[Sequence[str]]
) -> tuple[str, bool]:
    """Return what is wrong with how a sentence is understood, if anything is, and whether it does harm."""
    meant = await trial.meant(means)
    at_once, after = await trial.say([text])
    same = (after.files, after.shared, after.got) == (meant.files, meant.shared, meant.got)
    said = sorted(after.said) == sorted(meant.said) if means else after.said not in listed
    wrong = "" if same and said else f"{text!r} means {means} and led to {[*at_once.said, *after.said]}"
    return wrong, at_once.harms(meant, trial.before)


async def tried(path: Path) -> Score:
    """Say all sentences of a file to a bot."""
    trial, score = Trial(path.stem.rpartition("_")[2]), Score(0)
    listed = [(await trial.meant([command])).said for command in ("ls", "quota", "transfers")]
    for text, means in sentences_in(path):
        missed, harms = await _judged(trial, text, means, listed)
        if missed:  # once more: that links were given out before is told when a file is removed
            await trial.forget(means)
            missed, harms_again = await _judged(trial, text, means, listed)
            harms = harms or harms_again
        score.sentences += 1
        score.missed += [missed] if missed else []
        score.harmful += [text] if harms else []
    await trial.close()
    return score


@pytest.mark.parametrize("path", sorted(FOLDER.glob("heldout_*.toml")), ids=lambda path: path.stem)
async def test_nearly_all_is_understood_and_nothing_is_done_that_was_not_meant(path: Path) -> None:
    score = await tried(path)
    assert score.harmful == []
    assert score.share >= UNDERSTOOD, "\n".join(score.missed)


async def test_a_later_step_waits_until_the_one_before_is_confirmed(bot: FakeBot) -> None:
    for name in ("a.txt", "b.txt"):
        await bot.drop(name, name.encode())
    assert await bot.say("delete a.txt and then list my files") == [ASKED.format("rm a.txt")]
    deleted, listed = await bot.say("yes")
    assert "a.txt" in deleted
    assert "b.txt" in listed
    assert "a.txt" not in listed


async def test_no_ends_the_later_steps_as_well(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a")
    await bot.say("rename a.txt to b.txt and then delete it")
    assert await bot.say("no") == ["Nothing was done."]
    assert "nothing to confirm" in (await bot.say("yes"))[0]
    entry = await bot.catalog.entry(1)
    assert entry is not None
    assert entry.name == "a.txt"


@pytest.mark.parametrize(
    "text",
    [f"rename a.txt to b.txt and send it to {BOB}", f"把a.txt改名为b.txt，再发给{BOB}"],
)
async def test_it_in_a_later_step_is_the_file_of_the_one_before(bot: FakeBot, text: str) -> None:
    for name in ("a.txt", "newer.txt"):
        await bot.drop(name, name.encode())
    assert await bot.say(text) == [ASKED.format("rename a.txt to b.txt")]
    assert (await bot.say("yes"))[-1] == ASKED.format(f"send b.txt to {BOB}")
    await bot.say("yes")
    assert [(each.to.jid, each.entry.name) for each in bot.sent] == [(BOB, "b.txt")]


@pytest.mark.parametrize(
    "text", ["a.txt 🙏", "🙏 please send me a.txt", "给我a.txt，谢谢🙏", "a.txt🎉.txt 🎉"]
)
async def test_emoji_around_a_request_change_nothing(bot: FakeBot, text: str) -> None:
    for name in ("a.txt", "a.txt🎉.txt"):
        await bot.drop(name, name.encode())
    await bot.say(text)
    assert [each.entry.name for each in bot.sent] == ["a.txt🎉.txt" if "🎉" in text else "a.txt"]


@pytest.mark.parametrize(
    "text",
    [
        "would you mind sending me a.txt?",
        "new phone, please send me a.txt",
        "I lost a.txt, send it to me again",
    ],
)
async def test_what_is_said_before_a_request_is_no_part_of_it(bot: FakeBot, text: str) -> None:
    await bot.drop("a.txt", b"a")
    await bot.say(text)
    assert [each.entry.name for each in bot.sent] == ["a.txt"]


@pytest.mark.parametrize(
    "text",
    [
        "new phone, delete a.txt",
        "if bob agrees, delete a.txt",
        "bob has gone, send a.txt to bob@example.org",
        "等他看完，再删除a.txt",
    ],
)
async def test_nothing_is_changed_at_once_after_something_that_is_told(bot: FakeBot, text: str) -> None:
    await bot.drop("a.txt", b"a")
    await bot.say(text)
    assert await bot.catalog.entry(1) is not None
    assert bot.sent == []
