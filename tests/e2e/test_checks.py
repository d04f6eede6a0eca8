"""Checks of plugins on a real server: programs are refused by all ways, and nothing of them stays."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.errors import TransferError
from filebot.model import Method, Negotiation, StreamMethod
from tests.e2e.conftest import World, world_in
from tests.e2e.test_cascade import Person, online
from tests.support.streams import entry

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLE = Path(__file__).parents[2] / "examples/no_executables/no_executables.py"
PROGRAM = b"MZ" + bytes(58) + b"\x80" + bytes(67) + b"PE\0\0\x4c\x01" + bytes(200_000)
OTHERS = '''"""Replace the bytes of some files, and be slow or wrong with others."""

import asyncio
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from filebot.plugin import Context, FileReceived, Plugin

plugin = Plugin[None]("others", api=1, needs={"checks"})


@plugin.check(FileReceived)
async def check(ctx: Context[None], file: FileReceived) -> FileReceived | None:
    if file.name.startswith("slow"):
        await asyncio.sleep(60)
    if file.name.startswith("scribbled"):
        file.path.write_bytes(b"scribble")
    if file.name.startswith("quiet"):
        handle, name = tempfile.mkstemp()
        os.write(handle, (await file.read()).upper())
        os.close(handle)
        return replace(file, name="loud.txt", replacement=Path(name))
    return None
'''


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    plugins = folder / "plugins"
    plugins.mkdir(mode=0o700)
    shutil.copy(EXAMPLE, plugins)
    (plugins / "others.py").write_text(OTHERS)
    limits = {"max_file_size": "2 MB", "idle_timeout": "10 s"}
    async with world_in(folder, plugins={"paths": [str(plugins)]}, limits=limits) as made:
        yield made


def file_of(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def nothing_is_left(world: World) -> bool:
    return not (world.blobs() or world.temporary_files() or world.partials())


async def test_programs_are_refused_by_link_and_texts_are_not(world: World, tmp_path: Path) -> None:
    alice = await world.login("alice")
    async with alice:
        for name, words in (
            ("setup.exe", '"setup.exe" is called as a program is, and I keep no programs.'),
            ("holiday.txt", '"holiday.txt" is a program, and I keep none.'),
        ):
            await alice.drop(file_of(tmp_path, name, PROGRAM), world.bot_jid)
            assert (await alice.next_message(world.from_bot)).body == words
        assert nothing_is_left(world)
        text = file_of(tmp_path, "exe.txt", b"Dear exe")
        await alice.drop(text, world.bot_jid)
        assert 'Stored "exe.txt"' in (await alice.next_message(world.from_bot)).body
        assert world.keeps(text)
        await world.ask(alice, "rm exe.txt")
        assert nothing_is_left(world)


async def send(person: Person, path: Path, way: StreamMethod) -> TransferError | None:
    """Send the bot a file by a stream; return the error by which it did not go."""
    try:
        await person.session.streams.send(
            await person.bots_client(), path, entry(path), way, lambda _: None
        )
    except TransferError as error:
        return error
    return None


@pytest.mark.parametrize("negotiation", [Negotiation.SI, Negotiation.JINGLE])
async def test_programs_are_refused_by_stream_and_texts_are_not(
    world: World, tmp_path: Path, negotiation: Negotiation
) -> None:
    way = StreamMethod(negotiation, Method.SOCKS5)
    async with online(world.server, "bob") as bob:
        await bob.befriend()
        assert await send(bob, file_of(tmp_path, "setup.exe", PROGRAM), way) is not None
        await bob.said('"setup.exe" is called as a program is')
        await send(bob, file_of(tmp_path, "holiday.txt", PROGRAM), way)
        await bob.said('"holiday.txt" is a program, and I keep none.')
        await bob.until_nothing_moves()
        assert nothing_is_left(world)
        # Another name each time: the server says once more what the session before had not acknowledged.
        name = f"exe by {negotiation.value}.txt"
        text = file_of(tmp_path, name, f"Dear exe, {negotiation}".encode())
        assert await send(bob, text, way) is None
        await bob.said(f'Stored "{name}"')
        assert world.keeps(text)
        await bob.ask(f"rm {name}", f'Deleted "{name}"')
        assert nothing_is_left(world)


@pytest.mark.parametrize(
    ("name", "logged"),
    [
        ("slow.txt", "FileReceived of bob@localhost is not checked: plugin others, check "),
        (
            "scribbled.txt",
            "changed a file in place: plugin no_executables, plugin others",
        ),
    ],
)
async def test_a_file_that_cannot_be_checked_is_not_kept(
    world: World, tmp_path: Path, name: str, logged: str
) -> None:
    async with online(world.server, "bob") as bob:
        await bob.befriend()
        path = file_of(tmp_path, name, b"some bytes")
        await send(bob, path, StreamMethod(Negotiation.JINGLE, Method.SOCKS5))
        await bob.said(f'"{name}" could not be checked')
        await bob.until_nothing_moves()
        assert nothing_is_left(world)
        assert any(logged in line for line in world.bot.log)


async def test_replaced_bytes_are_stored_and_the_original_is_not(world: World, tmp_path: Path) -> None:
    async with online(world.server, "bob") as bob:
        await bob.befriend()
        path = file_of(tmp_path, "quiet.txt", b"hush " * 100_000)
        assert await send(bob, path, StreamMethod(Negotiation.JINGLE, Method.SOCKS5)) is None
        await bob.said('Stored "loud.txt"')
        assert world.keeps(file_of(tmp_path, "loud.txt", b"HUSH " * 100_000))
        assert not world.keeps(path)
        assert len(world.blobs()) == 1
        assert not world.temporary_files()
        assert not world.partials()
