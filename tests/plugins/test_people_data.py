"""Data of people: exported and forgotten by all plugins."""

import asyncio
from typing import Any

import pytest

from filebot.plugin import Context, Identity, Plugin, PluginError
from filebot.plugin import people as people_module
from filebot.testing import ALICE, BOB, FakeBot
from tests.support.manual import example


def keeping(name: str) -> Plugin[None]:
    """A plugin that keeps a word of people."""
    plugin = Plugin[None](name, api=1, needs={"store"})

    @plugin.command(name, usage=f"{name} WORD")
    async def keep(ctx: Context[None], word: str) -> None:
        """Keep it."""
        await ctx.store.person(ctx.sender.identity).set("word", word)

    return plugin


async def test_all_that_plugins_keep_of_somebody_is_exported_and_forgotten() -> None:
    first, second, forgotten = keeping("first"), keeping("second"), list[Any]()

    @second.export
    async def export(ctx: Context[None], person: Identity) -> Any:
        return {"who": person}

    @second.forget
    async def forget(ctx: Context[None], person: Identity) -> None:
        forgotten.append((person, await ctx.store.person(person).get("word")))

    async with FakeBot(first, second) as bot:
        await bot.say("first red")
        await bot.say("second blue")
        await bot.say("first green", BOB)
        export_ = await bot.export_person(ALICE)
        assert export_.kept == {"first": {"word": "red"}, "second": {"word": "blue"}}
        assert (export_.told, export_.failed) == ({"second": {"who": ALICE}}, [])
        assert await bot.forget_person(ALICE) == []
        assert forgotten == [(ALICE, "blue")]
        assert (await bot.export_person(ALICE)).kept == {}
        assert (await bot.export_person(BOB)).kept == {"first": {"word": "green"}}
        await bot.say("first again")
        catalog = bot.catalog
    async with FakeBot(second, catalog=catalog) as bot:
        assert (await bot.export_person(ALICE)).kept == {"first": {"word": "again"}}
        await bot.forget_person(ALICE)
        assert (await bot.export_person(ALICE)).kept == {}


async def test_many_values_are_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_module, "_PAGE", 3)
    plugin = Plugin[None]("many", api=1, needs={"store"})

    @plugin.command("many", usage="many")
    async def keep(ctx: Context[None]) -> None:
        """Keep many."""
        for number in range(10):
            await ctx.store.person(ALICE).set(f"key {number}", number)

    async with FakeBot(plugin) as bot:
        await bot.say("many")
        kept = (await bot.export_person(ALICE)).kept
        assert kept == {"many": {f"key {number}": number for number in range(10)}}
        monkeypatch.setattr(people_module, "MOST_EXPORT_BYTES", 5)
        export = await bot.export_person(ALICE)
        assert len(export.kept["many"]) == 5
        assert export.failed == ["many"]


@pytest.mark.parametrize("fault", ["raises", "hangs", "no json", "too much", "speaks"])
async def test_a_plugin_that_fails_is_named_and_stops_no_other(
    fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(people_module, "HOOK_LIMIT_S", 0.05)
    monkeypatch.setattr(people_module, "MOST_EXPORT_BYTES", 1000)
    broken, sound = Plugin[None]("broken", api=1, templates={"none": "No."}), Plugin[None]("sound", api=1)
    forgotten = list[str]()

    @broken.export
    @broken.forget
    async def fail(ctx: Context[None], person: Identity) -> Any:
        if fault == "raises":
            raise ZeroDivisionError
        if fault == "hangs":
            await asyncio.Event().wait()
        if fault == "speaks":
            await ctx.reply("broken/none")
        return {"no json": object(), "too much": "x" * 2000}[fault]

    @sound.export
    async def export(ctx: Context[None], person: Identity) -> Any:
        return 1

    @sound.forget
    async def forget(ctx: Context[None], person: Identity) -> None:
        forgotten.append(person)

    async with FakeBot(broken, sound, may_fail=True) as bot:
        told = await bot.export_person(ALICE)
        assert (told.told, told.failed) == ({"sound": 1}, ["broken"])
        assert "plugin broken, export 'fail', " in caplog.text
        failed = await bot.forget_person(ALICE)
        assert failed == ([] if fault in {"no json", "too much"} else ["broken"])
        assert forgotten == [ALICE]


def test_mistakes_in_declarations_are_found_at_once() -> None:
    plugin = Plugin[None]("p", api=1)

    async def good(ctx: Context[None], person: Identity) -> None: ...

    def no_coroutine(ctx: Context[None], person: Identity) -> Any: ...

    async def one(ctx: Context[None]) -> None: ...

    for declare in (plugin.export, plugin.forget):
        with pytest.raises(PluginError, match="write async def"):
            declare(no_coroutine)
        with pytest.raises(PluginError, match="a context and an identity"):
            declare(one)  # type: ignore[arg-type]
        declare(good)
        with pytest.raises(PluginError, match="one function does it all"):
            declare(good)


async def test_the_example_of_the_manual_exports_and_forgets() -> None:
    async with FakeBot(example("guests").plugin) as bot:
        await bot.say("sign I was here")
        assert (await bot.export_person(ALICE)).told == {"guests": "I was here"}
        await bot.forget_person(ALICE)
        assert (await bot.export_person(ALICE)).told == {"guests": None}
