"""Inspectors and scanners of other packages: what they do wrong costs one file, and lets none pass."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from filebot.backends import bounded
from filebot.backends.bounded import BoundedInspector, ScannerCheck
from filebot.concurrency import bounded_call
from filebot.errors import HarmfulFile, Refusal
from filebot.model import FileKind
from filebot.plugin import Context, FileReceived, Plugin
from filebot.testing import ROOM, FakeBot, in_room
from tests.support.manual import example

Act = Callable[[Path], Awaitable[Any]]


class Doing:
    """Scanner and inspector that does what a test wants."""

    def __init__(self, act: Act) -> None:
        self._act = act

    async def scan(self, file: Path) -> Any:
        return await self._act(file)

    async def inspect(self, file: Path, name: str, claimed: str | None) -> Any:
        return await self._act(file)


async def finds_eicar(file: Path) -> str | None:
    return "Eicar-\nTest" if b"EICAR" in file.read_bytes() else None


async def fails(_: Path) -> None:
    raise ConnectionRefusedError("the scanner is down")


async def hangs(_: Path) -> None:
    await asyncio.Event().wait()


async def hears_nothing(_: Path) -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def leaves(_: Path) -> None:
    raise SystemExit(3)


async def cancels(_: Path) -> None:
    raise asyncio.CancelledError


async def refuses(_: Path) -> None:
    raise Refusal("no/template")


async def answers_oddly(_: Path) -> bool:
    return False


async def names_nothing(_: Path) -> str:
    return ""


WRONG = (fails, hangs, hears_nothing, leaves, cancels, refuses, answers_oddly, names_nothing)


async def test_a_file_in_which_a_scanner_finds_something_is_not_kept() -> None:
    async with FakeBot(scanners={"eicar": Doing(finds_eicar)}) as bot:
        [said] = await bot.drop("a.txt", b"xx EICAR xx")
        assert said == 'I do not keep "a.txt": a scanner found Eicar- Test in it.'
        assert (await bot.drop("b.txt", b"harmless"))[0].startswith("Stored")
        assert len(bot.store.blobs) == 1
        assert bot.store.partials == {}
        await bot.say("lang zh")
        assert "Eicar- Test" in (await bot.drop("a.txt", b"xx EICAR xx"))[0]


async def test_so_it_is_whichever_way_a_file_comes() -> None:
    async with FakeBot(scanners={"eicar": Doing(finds_eicar)}) as bot:
        await bot.drop("a.txt", b"EICAR", in_room())
        [said] = await bot.say("keep", in_room())
        assert "a scanner found" in said
        bot.rooms.managers[ROOM] = frozenset({"alice@example.org"})
        assert bot.store.blobs == {}


@pytest.mark.parametrize("act", WRONG)
async def test_a_file_that_cannot_be_scanned_is_not_kept_and_the_log_names_the_scanner(
    act: Act, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounded_call, "GRACE_S", 0.05)
    async with asyncio.timeout(10), FakeBot(scanners={"odd": Doing(act)}, may_fail=True) as bot:
        bot._services.checks.limit_s = 0.1
        [said] = await bot.drop("a.txt", b"abc")
        assert said.startswith('"a.txt" could not be checked')
        assert bot.store.blobs == {}
        assert await bot.catalog.used_in_all() == (0, 0)
    assert "is not checked: scanner odd" in caplog.text


async def test_it_sees_what_is_kept_and_not_what_a_plugin_replaced() -> None:
    plugin = Plugin[None]("clean", api=1, needs={"checks"})

    @plugin.check(FileReceived)
    async def clean(ctx: Context[None], file: FileReceived) -> FileReceived | None:
        from dataclasses import replace

        data = await file.read()
        return replace(file, replacement=data.swapcase())

    async with FakeBot(plugin, scanners={"eicar": Doing(finds_eicar)}) as bot:
        assert (await bot.drop("a.txt", b"EICAR"))[0].startswith("Stored")
        assert "a scanner found" in (await bot.drop("b.txt", b"eicar"))[0]


async def test_scanners_stay_when_the_plugins_are_replaced() -> None:
    async with FakeBot(scanners={"eicar": Doing(finds_eicar)}) as bot:
        await bot.reload(example("seal").plugin)
        assert "a scanner found" in (await bot.drop("a.txt", b"EICAR"))[0]


async def test_each_scanner_is_asked() -> None:
    async def finds_other(file: Path) -> str | None:
        return "Other" if b"OTHER" in file.read_bytes() else None

    scanners = {"eicar": Doing(finds_eicar), "other": Doing(finds_other)}
    async with FakeBot(scanners=scanners) as bot:
        assert "found Other in it" in (await bot.drop("a.txt", b"OTHER"))[0]
        assert "found Eicar- Test in it" in (await bot.drop("a.txt", b"EICAR"))[0]


async def test_a_long_name_is_cut(tmp_path: Path) -> None:
    async def finds_much(_: Path) -> str:
        return "x" * 10_000

    with pytest.raises(HarmfulFile) as found:
        await ScannerCheck("much", Doing(finds_much)).scan(tmp_path)
    assert len(found.value.found) == bounded.MOST_FOUND


@pytest.mark.parametrize("act", WRONG)
async def test_a_file_whose_inspector_fails_is_of_unknown_type(
    act: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounded_call, "GRACE_S", 0.05)
    monkeypatch.setattr(bounded, "INSPECT_LIMIT_S", 0.1)
    inspector = BoundedInspector("odd", Doing(act))
    async with asyncio.timeout(10):
        assert await inspector.inspect(tmp_path, "a.png", None) == FileKind("application/octet-stream")
    assert "inspector odd" in caplog.text


@pytest.mark.parametrize(
    "kind",
    [
        *(("image/png\r\nX-Header: 1",), ("png",), ("",), ("image/" + "x" * 1000,), (None,), ("a/b c",)),
        *(("image/png", 10**30, 1), ("image/png", 1, -1), ("image/png", "3", "2"), ("image/png", True, 1)),
    ],
)
async def test_a_type_that_cannot_be_kept_is_a_failure(
    kind: tuple[Any, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def knows(_: Path) -> FileKind:
        return FileKind(*kind)

    inspector = BoundedInspector("odd", Doing(knows))
    assert await inspector.inspect(tmp_path, "a", None) == FileKind("application/octet-stream")
    assert "inspector odd" in caplog.text


async def test_an_inspector_that_works_is_believed(tmp_path: Path) -> None:
    async def knows(_: Path) -> FileKind:
        return FileKind("image/png", 3, 2)

    assert await BoundedInspector("a", Doing(knows)).inspect(tmp_path, "a", None) == FileKind(
        "image/png", 3, 2
    )
