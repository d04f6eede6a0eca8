"""Words of ad-hoc commands beside those of the commands themselves."""

import pytest

from filebot.chat.command_words import command_words
from filebot.errors import TooManyRequests
from filebot.model import Address, Sender
from filebot.testing import ALICE, FakeBot

PERSON = Sender(Address(ALICE), ALICE)


async def test_errors_and_templates_have_words_and_nothing_is_said_in_the_chat() -> None:
    async with FakeBot() as bot:
        channel = bot._running.channel
        busy = await command_words(channel, PERSON, "en", TooManyRequests())
        assert busy == channel.reply_sender.replies.render("errors/too_many_requests", "en")
        assert await command_words(channel, PERSON, "zh", TooManyRequests()) != busy
        late = await command_words(channel, PERSON, "en", "reception/command_late")
        assert late == channel.reply_sender.replies.render("reception/command_late", "en")
        assert bot.messenger.sent == []


async def test_an_error_without_words_is_named_by_an_incident_that_the_log_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with FakeBot(may_fail=True) as bot:
        text = await command_words(bot._running.channel, PERSON, "en", RuntimeError("broken"))
        assert bot.messenger.sent == []
    [line] = [each.message for each in caplog.records if each.levelname == "ERROR"]
    assert line.startswith("incident ")
    assert line.split()[1].rstrip(":") in text
    assert line.endswith("RuntimeError: broken")
