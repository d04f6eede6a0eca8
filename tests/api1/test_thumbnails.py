"""Thumbnails of pictures."""

import builtins
import importlib
import io
import sys
from typing import Any

import pytest
from PIL import Image

from filebot.plugin import PluginError
from filebot.testing import ROOM, FakeBot, in_room
from tests.api1.examples import thumbnails


def picture(width: int = 800, height: int = 600, mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, (width, height), "red").save(written, "PNG")
    return written.getvalue()


async def test_a_thumbnail_is_made_in_the_background_and_sent() -> None:
    async with FakeBot(thumbnails.plugin) as bot:
        await bot.drop("photo.png", picture())
        assert await bot.say("thumbnail photo.png") == ['I have no thumbnail of "photo.png".']
        await bot.jobs.run()
        await bot.say("thumbnail photo.png")
        [shown] = bot.sent
        assert shown.entry.name == "small photo.png.png"
        with Image.open(io.BytesIO(bot.store.blobs[shown.entry.blob.digest])) as small:
            assert small.size == (256, 192)
        assert await bot.jobs.dead("thumbnails") == []


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nbroken", picture()[:-40]])
async def test_a_broken_picture_has_no_thumbnail_and_is_no_trouble(
    content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeBot(thumbnails.plugin) as bot:
        await bot.drop("photo.png", content or b"x")
        await bot.jobs.run()
        assert await bot.say("thumbnail photo.png") == ['I have no thumbnail of "photo.png".']
        assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_a_picture_that_is_too_large_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "MOST_PIXELS", 100)
    async with FakeBot(thumbnails.plugin) as bot:
        await bot.drop("photo.png", picture())
        await bot.jobs.run()
        assert await bot.say("thumbnail photo.png") == ['I have no thumbnail of "photo.png".']


async def test_the_operator_chooses_the_size() -> None:
    async with FakeBot(thumbnails.plugin, settings={"thumbnails": {"pixels": 32}}) as bot:
        await bot.drop("photo.png", picture(mode="P"))
        await bot.jobs.run()
        [small] = [each for each in bot.store.blobs.values() if each != picture(mode="P")]
        with Image.open(io.BytesIO(small)) as image:
            assert image.size == (32, 24)


async def test_a_shared_picture_has_a_thumbnail_in_its_room_and_all_go_with_their_files() -> None:
    async with FakeBot(thumbnails.plugin) as bot:
        await bot.drop("photo.png", picture())
        await bot.say(f"send photo.png to {ROOM}")
        await bot.jobs.run()
        await bot.say("thumbnail photo.png", in_room())
        assert bot.sent[-1].entry.name == "small photo.png.png"
        await bot.say("rm photo.png", in_room())
        await bot.say("rm photo.png")
        await bot.say('rm "small photo.png.png"')
        assert bot.store.blobs == {}


async def test_a_picture_that_is_removed_at_once_is_no_trouble() -> None:
    async with FakeBot(thumbnails.plugin) as bot:
        await bot.drop("photo.png", picture())
        await bot.say("rm photo.png")
        await bot.jobs.run()
        assert await bot.jobs.dead("thumbnails") == []
        assert bot.store.blobs == {}


async def test_other_files_are_left_alone() -> None:
    async with FakeBot(thumbnails.plugin) as bot:
        await bot.drop("a.txt", b"text")
        await bot.jobs.run()
        assert list(bot.store.blobs.values()) == [b"text"]


def test_without_pillow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "PIL":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, thumbnails.__name__)
    with pytest.raises(PluginError, match="pip install pillow"):
        importlib.import_module(thumbnails.__name__)
