"""Files that people post in rooms, as plugins hear of them with the room's consent."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from filebot.errors import FilebotError, NoHistory, NotAllowed, PeerGone, PluginError
from filebot.filetype.inspector import LibmagicInspector
from filebot.model import AddressKind, Entry, IncomingMessage, Offer, Scope, Sender
from filebot.plugin import Context, Event, Place, Plugin, RoomFilePosted
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room
from filebot.testing.http import HostedFile
from filebot.testing.messenger import Said
from tests.support.manual import example
from tests.support.virtual_time import in_virtual_time

ANNA = in_room(ALICE, "anna")
BEN = in_room(BOB, "ben")
HAL = in_room(None, "hal", occupant_id="9000")


def posting(bot: FakeBot, sender: Sender, name: str, media_type: str = "image/png") -> IncomingMessage:
    url = f"https://upload.example.org/{sender.nick}/{name}"
    bot.web.hosted[url] = HostedFile(name.encode())
    offer = Offer(urls=(url,), name=name, media_type=media_type)
    return IncomingMessage(sender, "", offers=(offer,), addressed=False)


async def kept(bot: FakeBot) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(room=ROOM), limit=50)]


async def test_the_example_of_posted_files_works() -> None:
    async with FakeBot(example("gallery").plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.occupants[ROOM] |= HAL.identities
        await bot.receive(posting(bot, BEN, "before.png"))
        assert "gallery" not in bot.rooms.followed
        await bot.say("room set gallery on", ANNA)
        assert "gallery without me" in bot.rooms.followed[ROOM]
        assert await bot.receive(posting(bot, BEN, "cat.png")) == []
        assert await bot.receive(posting(bot, BEN, "plan.txt", "text/plain")) == []
        assert await bot.receive(posting(bot, HAL, "dog.png")) == []
        assert await kept(bot) == ["dog.png", "cat.png"]
        assert "2 pictures in the gallery." in (await bot.say("room", ANNA))[0]
        assert await bot.say("gallery without me", BEN) == ["I keep none of yours. I removed 1."]
        await bot.receive(posting(bot, BEN, "later.png"))
        assert await kept(bot) == ["dog.png"]
        gone = posting(bot, HAL, "gone.png")
        bot.web.hosted.clear()
        [told] = await bot.receive(gone)
        assert "gone.png" in told
        last = bot.messenger.sent[-1]
        assert isinstance(last, Said)
        assert last.to.kind is AddressKind.ROOM_PRIVATE
        assert await bot.receive(gone) == []
        await bot.say("room set gallery off", ANNA)
        assert bot.rooms.followed == {}
        await bot.receive(posting(bot, HAL, "last.png"))
        assert await kept(bot) == ["dog.png"]


class Listening:
    """Plugin that notes what it hears, and does what a test wants then."""

    def __init__(self, name: str = "ears", *, consent: bool = True) -> None:
        self.heard: list[Event] = []
        self.then: Any = None
        self.plugin = Plugin[None](
            name,
            api=1,
            needs={"files.unasked", "files.read", "rooms"},
            templates={"here": "I listen.", "line": "{{ value.text }}"},
        )
        self.setting = (
            self.plugin.room_setting(name, bool, default=False, consent=True, presence=f"{name}/here")
            if consent
            else None
        )

        @self.plugin.on(Event)
        async def hear(ctx: Context[None], event: Event) -> None:
            if isinstance(event, RoomFilePosted):
                self.heard.append(event)
                if self.then is not None:
                    await self.then(ctx, event)

        @self.plugin.command(f"{name}do", usage=f"{name}do", place=Place.ROOM)
        async def do(ctx: Context[None]) -> None:
            """Do it."""
            await self.then(ctx, None)


async def test_only_plugins_with_the_rooms_consent_hear_of_it() -> None:
    ears, others, without = Listening(), Listening("others"), Listening("without", consent=False)
    async with FakeBot(ears.plugin, others.plugin, without.plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.receive(posting(bot, BEN, "a.png"))
        await bot.say("room set ears on", ANNA)
        message = posting(bot, BEN, "b.png")
        await bot.receive(message)
        assert ears.heard == [RoomFilePosted(BEN.privately, None, message)]
        assert others.heard == without.heard == []
        await bot.say("room set others on", ANNA)
        assert bot.rooms.followed == {ROOM: "I listen.\nI listen."}
        await bot.say("room set ears off", ANNA)
        await bot.receive(posting(bot, BEN, "c.png"))
        assert (len(ears.heard), len(others.heard)) == (1, 1)
        await bot.receive(IncomingMessage(BEN, "no file", addressed=False))
        assert len(others.heard) == 1


def test_what_others_post_is_not_told_later() -> None:
    plugin = Plugin[None]("ears", api=1)
    with pytest.raises(PluginError, match="leave out durable=True"):

        @plugin.on(RoomFilePosted, durable=True)
        async def hear(ctx: Context[None], event: RoomFilePosted) -> None:
            """Too late."""


async def wanted(_: str | None) -> bool:
    return True


@in_virtual_time
async def test_a_download_does_not_count_as_the_listeners_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ears = Listening()
    async with FakeBot(ears.plugin, may_fail=True) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set ears on", ANNA)
        inspect = LibmagicInspector.inspect

        async def slow(*arguments: Any) -> Any:
            await asyncio.sleep(3600)
            return await inspect(*arguments)

        async def keep(ctx: Context[None], event: RoomFilePosted) -> None:
            assert ears.setting is not None
            await ctx.files.keep_unasked(event.message, 0, under=ears.setting, wanted=wanted)
            await asyncio.sleep(70)  # this does

        monkeypatch.setattr(LibmagicInspector, "inspect", slow)
        ears.then = keep
        assert await bot.receive(posting(bot, BEN, "a.png")) == []
        assert await kept(bot) == ["a.png"]
    assert "plugin ears, for RoomFilePosted, took over 60 s" in caplog.text


async def test_what_a_plugin_cannot_say_to_be_wanted_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filebot.rooms.unasked_files.WANTED_LIMIT_S", 0.05)
    ears, errors = Listening(), list[type[Exception]]()
    async with FakeBot(ears.plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set ears on", ANNA)

        async def keep(ctx: Context[None], event: RoomFilePosted) -> None:
            assert ears.setting is not None

            async def hangs(sha256: str | None) -> bool:
                if sha256 is not None or event.message.text == "at once":
                    await asyncio.sleep(60)
                return True

            try:
                await ctx.files.keep_unasked(event.message, 0, under=ears.setting, wanted=hangs)
            except TimeoutError as error:
                errors.append(type(error))

        ears.then = keep
        post = posting(bot, BEN, "a.png")
        for text in ("at once", "later"):
            await bot.receive(replace(post, text=text))
        assert errors == [TimeoutError, TimeoutError]
        assert await kept(bot) == []
        assert bot.store.blobs == {}


async def test_a_listener_that_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    ears, others = Listening(), Listening("others")
    async with FakeBot(ears.plugin, others.plugin, may_fail=True) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        for each in ("ears", "others"):
            await bot.say(f"room set {each} on", ANNA)

        async def fail(*_: object) -> None:
            raise ZeroDivisionError

        ears.then = fail
        [told] = await bot.receive(posting(bot, BEN, "a.png"))
        assert "ZeroDivisionError" not in told
        last = bot.messenger.sent[-1]
        assert isinstance(last, Said)
        assert last.to.kind is AddressKind.ROOM_PRIVATE
        assert len(others.heard) == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("change", ["hidden", "by a bot", "denied", "off", "unwanted"])
async def test_what_is_not_to_be_kept_is_not(change: str) -> None:
    ears = Listening()
    sender = {"hidden": in_room(None, "x"), "denied": in_room("mallory@example.org")}.get(change, BEN)
    async with FakeBot(ears.plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set ears on", ANNA)
        results = list[object]()
        post = posting(bot, sender, "a.png")
        if change == "by a bot":
            post = IncomingMessage(sender, "", offers=post.offers, addressed=False, by_bot=True)

        async def keep(ctx: Context[None], _: object) -> None:
            assert ears.setting is not None

            async def no(_: str | None) -> bool:
                return change != "unwanted"

            results.append(await ctx.files.keep_unasked(post, 0, under=ears.setting, wanted=no))

        ears.then = keep
        if change == "off":
            await bot.say("room set ears off", ANNA)
        await bot.say("earsdo", ANNA)
        assert results == [None]
        assert await kept(bot) == []
        assert bot.web.asked == []


async def test_nobody_removes_what_is_not_theirs_or_was_asked_for() -> None:
    ears = Listening()
    async with FakeBot(ears.plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set ears on", ANNA)

        async def keep(ctx: Context[None], event: RoomFilePosted) -> None:
            assert ears.setting is not None
            await ctx.files.keep_unasked(event.message, 0, under=ears.setting, wanted=wanted)

        ears.then = keep
        for sender, name in ((BEN, "bens.png"), (ANNA, "hers.png"), (BEN, "asked.png")):
            await bot.receive(posting(bot, sender, name))
        await bot.say("keep", BEN)
        entries = {each.name: each for each in await bot.catalog.page(Scope(room=ROOM), limit=9)}
        mine, refused = list[Entry](), list[str]()

        async def remove(ctx: Context[None], _: object) -> None:
            mine.extend(await ctx.files.kept_unasked())
            for name, entry in entries.items():
                try:
                    await ctx.files.remove_unasked(entry)
                except NotAllowed:
                    refused.append(name)

        ears.then = remove
        await bot.say("earsdo", BEN)
        assert [each.name for each in mine] == ["bens.png"]
        assert sorted(refused) == ["asked.png", "hers.png"]
        assert await kept(bot) == ["asked.png", "hers.png"]


async def test_the_history_of_a_room_is_read_with_its_consent_alone() -> None:
    ears, found = Listening(), list[object]()
    async with FakeBot(ears.plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.histories.posts[ROOM] = [posting(bot, BEN, f"{number}.png") for number in range(15)]

        async def read(ctx: Context[None], _: object) -> None:
            assert ears.setting is not None
            assert ctx.rooms.is_in(ROOM)
            assert not ctx.rooms.is_in("other@muc.example.org")
            try:
                page = await ctx.rooms.history(ROOM, under=ears.setting, since=bot.now - timedelta(days=1))
                rest = await ctx.rooms.history(ROOM, under=ears.setting, after=page.last_id)
            except FilebotError as error:
                found.append(getattr(error, "reason", type(error)))
            else:
                found.append((len(page.posts), page.complete, len(rest.posts), rest.complete))

        ears.then = read
        await bot.say("earsdo", BEN)
        await bot.say("room set ears on", ANNA)
        await bot.say("earsdo", BEN)
        bot.rooms.with_ids.add(ROOM)
        await bot.say("earsdo", BEN)
        bot.histories.failures = [PeerGone("out")]
        await bot.say("earsdo", BEN)
        assert found == ["off", "ids", (10, False, 5, True), PeerGone]
        assert isinstance(NoHistory(ROOM, reason="off"), FilebotError)


@pytest.mark.parametrize("fault", ["raises", "hangs", "has no such value"])
async def test_a_line_of_a_room_that_fails_is_left_out(
    fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("filebot.plugin.room_lines.ROOM_LINE_LIMIT_S", 0.05)
    ears = Listening()

    @ears.plugin.room_line("ears/line")
    async def line(ctx: Context[None], room: str) -> object:
        if fault == "raises":
            raise ZeroDivisionError(room)
        if fault == "hangs":
            await asyncio.sleep(60)
        return 7

    async with FakeBot(ears.plugin, may_fail=True) as bot:
        [state] = await bot.say("room", ANNA)
    assert "ears off" in state
    assert "plugin ears, room line 'ears/line', " in caplog.text


def test_a_line_of_a_room_is_checked_when_it_is_declared() -> None:
    plugin = Plugin[None]("ears", api=1)

    async def line(ctx: Context[None], room: str) -> object:
        return None

    def plain(ctx: Context[None], room: str) -> Any:
        return None

    async def alone(ctx: Context[None]) -> object:
        return None

    plugin.room_line("ears/line")(line)
    wrong: list[tuple[str, Any, str]] = [
        ("other/line", line, "name a template of your own, ears/"),
        ("ears/line", line, "is declared twice"),
        ("ears/second", plain, "write async def"),
        ("ears/second", alone, "is given a context and a room"),
    ]
    for template, function, words in wrong:
        with pytest.raises(PluginError, match=words):
            plugin.room_line(template)(function)


async def test_what_is_said_seldom_is_said_once_a_day_to_each() -> None:
    ears, answers = Listening(), list[bool]()

    async def ask(ctx: Context[None], _: object) -> None:
        answers.extend(ctx.is_first_today(reason) for reason in ("full", "full", "gone"))

    ears.then = ask
    async with FakeBot(ears.plugin) as bot:
        await bot.say("earsdo", ANNA)
        await bot.say("earsdo", BEN)
    assert answers == [True, False, True] * 2
