"""A newcomer types whatever the bot shows, and what that shows in turn: all of it is known."""

import re
from typing import Final

import pytest

from filebot.errors import BadCommand, UnknownCommand
from filebot.model import Sender
from filebot.plugin_loader import bundled
from filebot.testing import ALICE, BOB, FakeBot
from tests.plugins.test_hints import PLACES, Replies, places_of, prepare, replies, said_to_bot

assert replies is not None  # a fixture

BEGINNINGS: Final = ("hi", "help", "help all", "ls", "你好", "帮助", "列表")
COMMANDS: Final = {
    name for plugin in bundled() for each in plugin.commands for name in (each.name, *each.aliases)
}
MOST_LINES: Final = 120
"""Lines that are typed at one place."""
SHOWN: Final = re.compile(r"(?:\btype|请输入)[:：] ?(?!$)(.*)$", re.MULTILINE)
USAGE: Final = re.compile(r"^!?([a-z]+(?: (?:[A-Z]+|\[[A-Z]+\]|[a-z]+))*)(?=:|：|$)", re.MULTILINE)
"""Usage at the beginning of a line, as help shows it."""
QUOTED: Final = re.compile(r"[\"“]([a-z]+(?: \w+)*)[\"”]")
WORDS: Final = {
    "OLD": "plan.pdf",
    "NEW": "new.pdf",
    "TARGET": BOB,
    "METHOD": "http",
    "COMMAND": "get",
    "LANGUAGE": "en",
    "DAYS": "7",
    "SETTING": "archive on",
    "CODE": "none",
}
"""Words that a usage has beside those of hints."""


def shown(line: str, answers: list[str], place: str) -> list[str]:
    """Return what the answers say can be typed at the place."""
    found = list[str]()
    patterns = [SHOWN, USAGE, QUOTED] if line.startswith(("help", "帮助")) else [SHOWN]
    for text in answers:
        for pattern in patterns:
            for match in pattern.finditer(text):
                before = text[text.rfind("\n", 0, match.start(1)) + 1 : match.end(1)]
                elsewhere = re.search(r"private (?:chat|message)|a room|私聊|私信|聊天室", before)
                typed = re.sub(r"\[([A-Z]+)\]", r"\1", match[1]).removeprefix("!").strip()
                word = typed.split(maxsplit=1)[0]
                if word in COMMANDS and not elsewhere and place in places_of(typed):
                    found += [typed, f"help {word}"]
    return found


@pytest.mark.parametrize("place", PLACES)
async def test_all_that_is_shown_can_be_typed(place: str, replies: Replies) -> None:
    queue, tried = [*BEGINNINGS], dict[str, list[str]]()
    while queue and len(tried) < MOST_LINES:
        line = queue.pop(0)
        if line not in tried:
            tried[line] = await typed(line, place, replies)
            queue += tried[line]
    assert not queue or len(tried) == MOST_LINES
    assert len(tried) > 30, tried
    assert any(each.startswith("help ") for each in tried)


async def typed(line: str, place: str, replies: Replies) -> list[str]:
    """Type one line to a bot that has all it may be about; return what the answers show in turn."""
    sender: Sender | str = PLACES[place]
    async with FakeBot() as bot:
        ready = await prepare(
            bot, sender, re.sub(r"\b[A-Z]+\b", lambda each: WORDS.get(each[0], each[0]), line)
        )
        replies.errors.clear()
        prefix = "!" if place == "room" else ""
        answers = await bot.say(said_to_bot(prefix + ready, place), sender)
        answers += bot.messenger.texts(ALICE)[-1:] if place == "room" else []
    wrong = [each for each in replies.errors if isinstance(each, UnknownCommand | BadCommand)]
    assert wrong == [], f"{line!r} was shown, and is answered: {answers}"
    return shown(line, answers, place)
