"""Requests of the webhook, to a service in memory."""

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest

from filebot.plugin import HttpResponse, TransferError
from filebot.testing import ROOM, ConfigError, FakeBot, in_room
from tests.api1.examples import webhook

URL = "https://service.example.org/files"
SETTINGS = {"webhook": {"url": URL, "secret": "quiet"}}


def told(bot: FakeBot) -> list[Any]:
    return [each.json() for each in bot.web.requests]


async def test_files_that_come_and_go_are_told_once_each_in_their_order() -> None:
    async with FakeBot(webhook.plugin, settings=SETTINGS) as bot:
        bot.web.answers[URL] = HttpResponse(204)
        await bot.drop("a.txt", b"abc")
        await bot.drop("again.txt", b"abc")
        await bot.say("rm a.txt")
        await bot.jobs.run()
    file = {
        "id": 1,
        "name": "a.txt",
        "bytes": 3,
        "type": "text/plain",
        "owner": "alice@example.org",
        "room": None,
    }
    assert told(bot) == [{"event": "stored", "file": file}, {"event": "removed", "file": file}]


async def test_a_file_of_a_room_names_it() -> None:
    async with FakeBot(webhook.plugin, settings=SETTINGS) as bot:
        bot.web.answers[URL] = HttpResponse(200)
        await bot.drop("a.txt", b"a", in_room())
        await bot.say("keep", in_room())
        await bot.jobs.run()
    assert [each["file"]["room"] for each in told(bot)] == [ROOM]


async def test_a_request_is_signed() -> None:
    async with FakeBot(webhook.plugin, settings=SETTINGS) as bot:
        bot.web.answers[URL] = HttpResponse(200)
        await bot.drop("a.txt", b"a")
        await bot.jobs.run()
    [request] = bot.web.requests
    expected = hmac.new(b"quiet", request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Signature"] == f"sha256={expected}"


async def test_what_the_service_does_not_take_is_sent_again() -> None:
    async with FakeBot(webhook.plugin, settings=SETTINGS) as bot:
        bot.web.answers[URL] = HttpResponse(503)
        await bot.drop("a.txt", b"a")
        with pytest.raises(TransferError, match="status 503"):
            await bot.jobs.run()
        bot.web.answers[URL] = HttpResponse(200)
        bot.now += timedelta(minutes=1)
        await bot.jobs.run()
        bot.now += timedelta(days=1)
        await bot.jobs.run()
    assert len(told(bot)) == 2


async def test_without_a_url_nothing_is_sent() -> None:
    async with FakeBot(webhook.plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.jobs.run()
    assert told(bot) == []


def test_a_url_needs_a_secret() -> None:
    with pytest.raises(ConfigError, match="secret is missing"):
        FakeBot(webhook.plugin, settings={"webhook": {"url": URL}})
