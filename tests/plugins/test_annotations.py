"""Annotations by checks: what a plugin keeps of a file from the file's first moment on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filebot.model import DataOwner, OwnerKind
from filebot.plugin import Context, FileReceived, FileStored, Plugin
from filebot.testing import FakeBot, open_catalog

FAILED = "could not be checked"
NOTES = {"checks", "files.annotate"}


def noting(notes: dict[str, Any], *, on_failure: Any = "refuse", needs: Any = NOTES) -> Plugin[None]:
    """A plugin whose check keeps these details of each file."""
    plugin = Plugin[None]("noting", api=1, needs=needs)

    @plugin.check(FileReceived, on_failure=on_failure)
    async def note(ctx: Context[None], file: FileReceived) -> FileReceived:
        assert file.annotations == {}
        return replace(file, annotations=notes)

    return plugin


async def details(bot: FakeBot, entry_id: int = 1) -> dict[str, Any]:
    owner = DataOwner(OwnerKind.ENTRY, str(entry_id))
    found = await bot.catalog.plugin_data.of_owner(owner, 9, key="details")
    return {plugin: json.loads(text) for plugin, _, text in found}


async def test_a_check_annotates_a_file_from_its_first_moment_on(tmp_path: Path) -> None:
    seen = list[Any]()
    other = Plugin[None]("other", api=1, needs={"files.read", "checks", "files.annotate"})

    @other.check(FileReceived)
    async def first(ctx: Context[None], file: FileReceived) -> FileReceived:
        return replace(file, annotations={"colour": "red"}, name="b.txt")

    @other.check(FileReceived)
    async def second(ctx: Context[None], file: FileReceived) -> FileReceived:
        return replace(file, annotations={"size": file.size})

    @other.on(FileStored)
    async def stored(ctx: Context[None], event: FileStored) -> None:
        seen.append(await ctx.files.details(event.entry))

    plugins = (noting({"safe": True, "nothing": None}), other)
    async with open_catalog(tmp_path / "catalog.sqlite") as catalog:
        for bot in (FakeBot(*plugins), FakeBot(*plugins, catalog=catalog)):
            async with bot:
                await bot.drop("a.txt", b"abc")
                assert seen.pop() == {"noting": {"safe": True}, "other": {"colour": "red", "size": 3}}


async def test_what_is_there_already_is_annotated_as_well() -> None:
    async with FakeBot(noting({"a": 1})) as bot:
        await bot.drop("a.txt", b"abc")
        await bot.reload(noting({"b": 2}))
        await bot.drop("a.txt", b"abc")
        assert await details(bot) == {"noting": {"a": 1, "b": 2}}


@pytest.mark.parametrize("notes", [{"a": "x" * 10_000_000}, {"a": object()}, {7: "a"}, {"a": float("nan")}])
async def test_annotations_that_cannot_be_kept_are_a_failure_of_the_check(
    notes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeBot(noting(notes), may_fail=True) as bot:
        assert FAILED in (await bot.drop("a.txt", b"abc"))[0]
        assert bot.store.blobs == {}
    assert "is not checked: plugin noting" in caplog.text
    async with FakeBot(noting(notes, on_failure="pass"), may_fail=True) as bot:
        assert (await bot.drop("a.txt", b"abc"))[0].startswith("Stored")
        assert await details(bot) == {}


async def test_annotations_are_declared_as_a_need(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeBot(noting({"a": 1}, needs={"checks"}), may_fail=True) as bot:
        assert FAILED in (await bot.drop("a.txt", b"abc"))[0]
    assert 'annotations needs "files.annotate", which is not declared' in caplog.text


async def test_a_plugin_that_keeps_too_much_costs_files_only_if_its_check_may_not_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in ("filebot.testing.plugin_data", "filebot.catalog.plugin_data"):
        monkeypatch.setattr(f"{module}.MOST_PLUGIN_BYTES", 10)
    async with open_catalog(tmp_path / "catalog.sqlite") as catalog:
        for each in (None, catalog):
            async with FakeBot(noting({"a": 1}), catalog=each) as bot:
                [said] = await bot.drop("a.txt", b"abc")
                assert not said.startswith("Stored")
                assert bot.store.blobs == {}
                assert await bot.catalog.used_in_all() == (0, 0)
            async with FakeBot(noting({"a": 1}, on_failure="pass"), catalog=each) as bot:
                assert (await bot.drop("a.txt", b"abc"))[0].startswith("Stored")
                assert await details(bot) == {}
