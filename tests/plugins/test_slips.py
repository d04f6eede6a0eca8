"""Slips around commands: what is meant is done, and asked about first if it changes something."""

import pytest

from filebot.testing import ALICE, BOB, FakeBot

FILES = ("old.zip", "报告.pdf", "report.pdf")
WITH_VALUE = (
    *(
        "{0}: {1}",
        "{0} - {1}",
        "{0}- {1}",
        "/{0} {1}",
        "{0}  {1}",
        "{0}={1}",
        "{0}({1})",
        "@filebot {0} {1}",
    ),
    *(
        '{0} "{1}',
        '{0} ""{1}""',
        "{0} '{1}",
        "{0} <{1}>",
        "{0} [{1}]",
        "{0} ({1})",
        "“{0} {1}”",
        '"{0} {1}"',
    ),
    *(
        "{0}（{1}）",
        "{0}：{1}",
        "{0}　{1}",
        "{0}，{1}",
        "{0} 〈{1}〉",
        "／{0} {1}",
        "{0} {0} {1}",
        "type: {0} {1}",
    ),
    *("{0} {1} please", "{0} {1}, thanks", "{0} {1}谢谢", "{0} {1}.", "{0} {1}。", "{0}, {1}", "{0}. {1}"),
)
"""Ways to type a command (0) and its value (1)."""
ALONE = ("/{0}", "{0} please", "{0}:", "{0}.", "{0}，谢谢", "“{0}”", "{0}谢谢", "type: {0}", "/{0}, thanks")
ASKS = "Did you mean: {}?\nTo go on, type: yes"


def ways(word: str) -> list[str]:
    """Return a command's word as it is, in capitals, and as it begins a sentence."""
    return list(dict.fromkeys([word, word.upper(), word.title()]))


async def prepared(bot: FakeBot) -> FakeBot:
    for name in FILES:
        await bot.drop(name, name.encode())
    return bot


@pytest.mark.parametrize("form", WITH_VALUE)
@pytest.mark.parametrize("word", ["get", "GET", "获取"])
async def test_a_file_is_brought(bot: FakeBot, form: str, word: str) -> None:
    await prepared(bot)
    assert await bot.say(form.format(word, "report.pdf")) == []
    assert [each.entry.name for each in bot.sent] == ["report.pdf"]


@pytest.mark.parametrize("form", WITH_VALUE)
@pytest.mark.parametrize(
    ("command", "value"), [("info", "report.pdf"), ("find", "report"), ("help", "get"), ("lang", "en")]
)
async def test_it_is_answered_as_the_exact_command_is(
    bot: FakeBot, form: str, command: str, value: str
) -> None:
    await prepared(bot)
    meant = await bot.say(f"{command} {value}")
    for word in ways(command):
        assert await bot.say(form.format(word, value)) == meant


@pytest.mark.parametrize("form", ALONE)
@pytest.mark.parametrize("command", ["ls", "quota", "help", "more", "transfers", "列表", "帮助"])
async def test_a_command_alone_is_answered_as_well(bot: FakeBot, form: str, command: str) -> None:
    await prepared(bot)
    meant = await bot.say(command)
    assert await bot.say(form.format(command)) == meant


@pytest.mark.parametrize("form", sorted({*WITH_VALUE} - {"{0}  {1}", "{0}　{1}", "{0} 〈{1}〉"}))
@pytest.mark.parametrize("word", ["rm", "RM", "删除"])
async def test_a_removal_is_asked_about(bot: FakeBot, form: str, word: str) -> None:
    await prepared(bot)
    assert await bot.say(form.format(word, "report.pdf")) == [ASKS.format("rm report.pdf")]
    assert await bot.catalog.entry(3) is not None
    await bot.say("yes, please")
    assert await bot.catalog.entry(3) is None
    assert bot.sent == []


@pytest.mark.parametrize(
    "text",
    [
        *("send report.pdf {}", "send {} report.pdf", "send to {} report.pdf", "send report.pdf to: {}"),
        *(
            "send report.pdf -> {}",
            "send report.pdf for {}",
            "send report.pdf,{}",
            "send report.pdf too {}",
        ),
        *("send report.pdf to <{}>", "send report.pdf to xmpp:{}", "send report.pdf to mailto:{}"),
        *('send ""report.pdf"" to {}', "send report.pdf to {} please", "send report.pdf to {}谢谢"),
        *("send: report.pdf to {}", "SEND: report.pdf {}", "发送 report.pdf {}", "发送：report.pdf 给 {}"),
        *("/send report.pdf to {}", "send report.pdf to {}."),
    ],
)
async def test_a_file_is_sent_when_that_is_confirmed(bot: FakeBot, text: str) -> None:
    await prepared(bot)
    assert await bot.say(text.format(BOB)) == [ASKS.format(f"send report.pdf to {BOB}")]
    assert bot.sent == []
    await bot.say("yes")
    assert [(each.to.jid, each.entry.name) for each in bot.sent] == [(BOB, "report.pdf")]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "rename report.pdf b.pdf please",
            "rename report.pdf to b.pdf, thanks",
            "rename: report.pdf b.pdf",
        ),
        *("rename report.pdf to <b.pdf>", "rename report.pdf: b.pdf", "rename from report.pdf to b.pdf"),
        *(
            'rename ""report.pdf"" to ""b.pdf""',
            "/rename report.pdf to b.pdf",
            "rename report.pdf -> b.pdf",
        ),
        *("改名：report.pdf 为 b.pdf", "改名 report.pdf b.pdf 谢谢", "rename report.pdf to b.pdf。"),
    ],
)
async def test_a_file_is_renamed_when_that_is_confirmed(bot: FakeBot, text: str) -> None:
    await prepared(bot)
    said = await bot.say(text)
    assert said[0].startswith("Did you mean: rename report.pdf ")
    await bot.say("yes")
    entry = await bot.catalog.entry(3)
    assert entry is not None
    assert entry.name == "b.pdf"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        *(("get reprot.pdf please", "get report.pdf"), ("rm: reprot.pdf", "rm report.pdf")),
        *(("send it 2 bob@example.org", f"send report.pdf to {BOB}"), ("/rm reprot.pdf", "rm report.pdf")),
    ],
)
async def test_a_slip_beside_another_is_asked_about(bot: FakeBot, text: str, question: str) -> None:
    await prepared(bot)
    assert await bot.say(text) == [ASKS.format(question)]
    assert bot.sent == []


@pytest.mark.parametrize("new", ["(final).pdf", "[final].pdf", "a (1).pdf", "b, please.pdf"])
async def test_a_new_name_keeps_its_signs(bot: FakeBot, new: str) -> None:
    await prepared(bot)
    await bot.say(f"rename report.pdf to {new}")
    entry = await bot.catalog.entry(3)
    assert entry is not None
    assert entry.name == new


@pytest.mark.parametrize("text", ["rename report.pdf to", "rename report.pdf TO", "rename report.pdf"])
async def test_a_file_keeps_its_name_while_the_new_one_is_missing(bot: FakeBot, text: str) -> None:
    await prepared(bot)
    assert "rename OLD to NEW" in (await bot.say(text))[-1]
    await bot.say("yes")
    entry = await bot.catalog.entry(3)
    assert entry is not None
    assert entry.name == "report.pdf"


async def test_in_quotes_such_a_word_is_a_name(bot: FakeBot) -> None:
    await prepared(bot)
    await bot.say('rename report.pdf "to"')
    entry = await bot.catalog.entry(3)
    assert entry is not None
    assert entry.name == "to.pdf"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("<draft>", "get <draft>"), ("(1).txt", "get (1).txt"), ("get get.txt", "get get get.txt")),
        *(("a.txt, please", "get a.txt, please"), ('"x', 'get "x')),
    ],
)
async def test_the_file_of_exactly_that_name_comes_first(bot: FakeBot, name: str, text: str) -> None:
    for each in ("draft", "1", "get.txt", "a.txt", "x", name):
        await bot.drop(each, each.encode())
    await bot.say(text)
    assert [(each.to.jid, each.entry.name) for each in bot.sent] == [(ALICE, name)]


@pytest.mark.parametrize(
    "text",
    ["get.txt", "help, my old.zip is gone for ever", "rm, I said to bob, is a command", "list.of things"],
)
async def test_no_command_is_seen_in_other_sentences(bot: FakeBot, text: str) -> None:
    await prepared(bot)
    said = await bot.say(text)
    assert not any("Did you mean: rm" in each for each in said)
    await bot.say("yes")
    assert [(await bot.catalog.entry(each)) is not None for each in (1, 2, 3)] == [True] * 3
