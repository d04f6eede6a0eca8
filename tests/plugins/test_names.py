"""Names as clients send them: kept, isolated in sentences, and found as people type them."""

from collections.abc import Callable

import pytest

from filebot.replies import Replies
from filebot.testing import FakeBot

HEBREW = "דוח 2024.pdf"
SHOWN = f"\u2068{HEBREW}\u2069"


@pytest.mark.parametrize(
    "name",
    [
        "می\u200cخواهم.pdf",
        "क्\u200dष.png",
        "👨\u200d👩\u200d👧\u200d👦 trip.mp4",
        "\U0001fa77 card.jpg",
    ],
)
async def test_a_name_is_kept_as_it_is_spelled(bot: FakeBot, name: str) -> None:
    await bot.drop(name, b"1")
    assert name in (await bot.say("ls"))[0]
    await bot.say(f"get {name}")
    assert bot.sent[-1].entry.name == name


async def test_every_sentence_isolates_a_name_that_runs_from_right_to_left(bot: FakeBot) -> None:
    said = [*(await bot.drop(HEBREW, b"1"))]
    for command in ("ls", "info 1", "find 2024", f"rename 1 to {HEBREW}", "get דוח 2025", f"rm {HEBREW}"):
        said += await bot.say(command)
    assert len(said) >= 7
    for sentence in said:
        assert sentence.count(HEBREW) == sentence.count(SHOWN) > 0


@pytest.mark.parametrize("typed", [HEBREW, SHOWN, f'"{SHOWN}"', f"\u2068{HEBREW}", f"\u2067{HEBREW}\u2069"])
async def test_a_name_is_found_with_and_without_isolates(bot: FakeBot, typed: str) -> None:
    await bot.drop(HEBREW, b"1")
    await bot.drop("other.pdf", b"2")
    await bot.say(f"get {typed}")
    assert bot.sent[-1].entry.name == HEBREW


async def test_a_hint_works_as_it_is_shown(bot: FakeBot) -> None:
    [stored] = await bot.drop(HEBREW, b"1")
    hint = f"get {SHOWN}"
    assert hint in stored
    await bot.say(hint)
    assert bot.sent[-1].entry.name == HEBREW
    assert SHOWN in (await bot.say(f"rename {SHOWN} to {SHOWN}"))[0]


async def test_blanks_and_underscores_are_equal(bot: FakeBot) -> None:
    await bot.drop("My_ejabberd_file.txt", b"1")
    await bot.say("get my ejabberd file.txt")
    assert bot.sent[-1].entry.name == "My_ejabberd_file.txt"
    await bot.drop("annual report.pdf", b"2")
    await bot.say("get Annual_report.pdf")
    assert bot.sent[-1].entry.name == "annual report.pdf"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Łódź.txt", "lodz.txt"),
        ("résumé.pdf", "resume.pdf"),
        ("Smørrebrød.txt", "smorrebrod.txt"),
        ("Đà Nẵng.jpg", "da nang.jpg"),
        ("ırmak.txt", "irmak.txt"),
        ("cœur.txt", "coeur.txt"),
        ("ёлка.txt", "елка.txt"),
    ],
)
async def test_a_name_with_accents_is_suggested_without(bot: FakeBot, name: str, asked: str) -> None:
    await bot.drop(name, b"1")
    said = await bot.say(f"get {asked}")
    assert bot.sent or any(name in each for each in said)


async def test_accents_decide_between_names_that_differ_in_them(bot: FakeBot) -> None:
    await bot.drop("résumé.pdf", b"1")
    await bot.drop("resume.pdf", b"2")
    await bot.say("get résumé.pdf")
    assert bot.sent[-1].entry.name == "résumé.pdf"


@pytest.mark.parametrize("make", [Replies, lambda: Replies("zh_CN")])
def test_the_filters_isolate(make: Callable[[], Replies]) -> None:
    replies = make()
    replies.add("x", {"a": "{{ n|line }}", "b": "{{ n|quoted }}", "c": "{{ [n, n]|either }}"})
    for template, times in (("x/a", 1), ("x/b", 1), ("x/c", 2)):
        assert replies.render(template, "zh_CN", n=HEBREW).count(SHOWN) == times
    assert replies.render("x/a", "en", n="report.pdf") == "report.pdf"
