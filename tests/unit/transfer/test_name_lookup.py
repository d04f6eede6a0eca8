"""Names that are never answered hold up nobody but those who ask for them, and not for long."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.concurrency.locks import Shares, on_behalf_of
from filebot.filetype.inspector import LibmagicInspector
from filebot.model import Scope
from filebot.transfer.http import resolver
from filebot.transfer.http.resolver import Found, NameLookup
from tests.support.waiting import loop_turns, until

QUICK_S = 20.0
"""Shorter than the look-ups that hang, and long enough for a busy machine."""


class Hanging:
    """The system's look-up: names below ``.hang`` are answered when the test ends."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._end = threading.Event()

    def __call__(self, host: str, port: int, *_: object, **__: object) -> Found:
        self.asked.append(host)
        if host.endswith(".hang"):
            self._end.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    def end(self) -> None:
        self._end.set()


@contextmanager
def hanging() -> Iterator[Hanging]:
    system = Hanging()
    try:
        yield system
    finally:
        system.end()


async def ask(names: NameLookup, host: str, person: str) -> Found:
    with on_behalf_of(person):
        return await names.addresses(host, 80)


async def test_a_name_that_is_not_answered_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "LOOK_UP_S", 0.05)
    with hanging() as system, pytest.raises(OSError, match="no answer"):
        await ask(NameLookup(system), "a.hang", "anna")


async def test_who_asks_for_many_dead_names_has_a_few_threads_and_others_are_answered_at_once() -> None:
    with hanging() as system:
        names = NameLookup(system)
        dead = [asyncio.create_task(ask(names, f"{number}.hang", "anna")) for number in range(1500)]
        await asyncio.sleep(0)
        async with asyncio.timeout(QUICK_S):
            assert await ask(names, "files.example.org", "bob")

        def hang() -> int:
            return len([each for each in system.asked if each.endswith(".hang")])

        await until(lambda: hang() == resolver.SHARES.per_person)
        await loop_turns()
        assert hang() == resolver.SHARES.per_person
        for each in dead:
            each.cancel()
        await asyncio.wait(dead)


async def test_a_look_up_that_was_given_up_counts_until_its_thread_has_ended() -> None:
    with hanging() as system:
        names = NameLookup(system, Shares(total=8, per_person=1))
        given_up = asyncio.create_task(ask(names, "a.hang", "anna"))
        await until(lambda: system.asked)
        given_up.cancel()
        again = asyncio.create_task(ask(names, "files.example.org", "anna"))
        await until(lambda: names._threads.waits("anna"))
        assert system.asked == ["a.hang"]
        system.end()
        async with asyncio.timeout(QUICK_S):
            assert await again


async def test_what_the_system_raises_is_raised() -> None:
    def look_up(*_: object) -> Found:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(socket.gaierror):
        await NameLookup(look_up).addresses("nowhere.example", 80)


@pytest.mark.timeout(60)
async def test_dead_names_delay_neither_the_look_at_files_nor_the_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hanging() as system:
        monkeypatch.setattr(socket, "getaddrinfo", system)
        names = NameLookup()
        dead = [asyncio.create_task(ask(names, f"{n}.hang", f"person{n}")) for n in range(200)]
        await until(lambda: len(system.asked) == resolver.SHARES.total)
        file = tmp_path / "a.txt"
        file.write_text("plain words")
        async with asyncio.timeout(QUICK_S):
            assert (await LibmagicInspector().inspect(file, "a.txt", None)).media_type == "text/plain"
        async with open_catalog(tmp_path / "catalog.sqlite") as catalog, asyncio.timeout(QUICK_S):
            assert await catalog.nearest(Scope(owner="anna@example.org"), "a.txt", 3) == []
        for each in dead:
            each.cancel()
        await asyncio.wait(dead)
