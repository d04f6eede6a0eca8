"""Commands that people fill in (XEP-0050), in Gajim and in Converse.js, as they do: by the labels they see.

Of each test a screenshot of its last window and the stanzas are kept in pytest's cache, below ``commands``.
"""

from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.conftest import ROOM
from tests.interop.command_window import Button, CommandWindow, Page, exchanged
from tests.interop.converse import Converse
from tests.interop.desktop_world import DesktopWorld, bot_in_a_network
from tests.interop.gajim import Gajim
from tests.interop.gajim_commands import GajimCommands
from tests.interop.peers import random_file, sha256_of
from tests.interop.trace import MoveBy
from tests.servers import mode
from tests.support.waiting import until

SEND = "Send a file to somebody, or into a room that we are both in"
DELETE = "Delete a file for good, or several"
LIST = "List the files, newest first"

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
    pytest.mark.needs("stanzas in its log"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DesktopWorld]:
    folder = tmp_path_factory.mktemp("commands")
    async with bot_in_a_network(folder, MoveBy.UPLOAD, websockets=True) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def alice(world: DesktopWorld) -> AsyncIterator[Gajim]:
    async with Gajim(world.network, world.server, "alice", world.folder / "alice") as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bob(world: DesktopWorld) -> AsyncIterator[Gajim]:
    async with Gajim(world.network, world.server, "bob", world.folder / "bob") as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["gajim", "converse"])
async def window(
    request: pytest.FixtureRequest, world: DesktopWorld, alice: Gajim
) -> AsyncIterator[CommandWindow]:
    """Open alice's window for commands, in one of the two clients."""
    if request.param == "gajim":
        yield GajimCommands(alice)
        return
    async with Converse(world.network, world.server, "alice", world.folder / "converse") as client:
        yield client


class Record:
    """Screenshots and stanzas of a test, which are kept after the run."""

    def __init__(self, world: DesktopWorld, window: CommandWindow, folder: Path) -> None:
        self._world = world
        self._window = window
        self._folder = folder
        self._since = world.server.log_file.stat().st_size

    async def picture(self, name: str) -> None:
        """Keep a picture of what the window shows."""
        await self._window.screenshot(self._folder / f"{name}.png")

    def stanzas(self) -> None:
        """Keep the stanzas of commands since the beginning of the test."""
        stanzas = exchanged(self._world.server, self._since)
        (self._folder / "stanzas.xml").write_text("\n".join(stanzas))


@pytest.fixture
def record(request: pytest.FixtureRequest, world: DesktopWorld, window: CommandWindow) -> Iterator[Record]:
    folder = request.config.cache.mkdir("commands") / request.node.name
    folder.mkdir(exist_ok=True)
    record = Record(world, window, folder)
    yield record
    record.stanzas()


async def stored(world: DesktopWorld, client: Gajim, path: Path) -> Path:
    """Give a file to the bot."""
    await client.send(world.bot_jid, path)
    # The answer to the first of several is corrected; another test looks at what the client shows.
    await until(lambda: world.keeps(path), 30)
    return path


async def address(world: DesktopWorld, client: Gajim) -> str:
    """Return the address under which the bot has its commands: that of its device, if it has an account."""
    return world.bot_jid if mode() == "component" else await client.device(world.bot_jid)


def option(page: Page, beginning: str) -> str:
    """Return the label of the file whose name begins so."""
    [found] = [each for each in page.field("Files").options if each.startswith(beginning)]
    return found


async def test_a_file_is_sent_to_a_friend(
    world: DesktopWorld, alice: Gajim, bob: Gajim, window: CommandWindow, record: Record, tmp_path: Path
) -> None:
    path = await stored(world, alice, random_file(tmp_path / f"R&D_{type(window).__name__}.bin", 2000))
    await bob.offered(world.bot_jid)  # Gajim looks at links of chats that are open
    told = len(bob.events)
    assert SEND in await window.commands_of(await address(world, alice))
    form = await window.run(SEND)
    assert [each.label for each in form.fields] == ["Files", "Recipient"]
    await window.fill("Files", option(form, path.name))
    await window.fill("Recipient", bob.jid)
    await record.picture("form")
    done = await window.press(Button.COMPLETE)
    await record.picture("result")
    assert done.buttons == frozenset()
    assert f'Sent "{path.name}" to "{bob.jid}".' in done.texts
    url = await bob.said(world.bot_jid, "https://", since=told)
    assert sha256_of((await bob.received(url)).path) == sha256_of(path)


async def test_several_files_are_deleted_when_the_question_is_answered(
    world: DesktopWorld, alice: Gajim, window: CommandWindow, record: Record, tmp_path: Path
) -> None:
    kept, *old = [
        await stored(
            world, alice, random_file(tmp_path / f"{word}_{type(window).__name__}.bin", 1000 + number)
        )
        for number, word in enumerate(("kept", "old", "Q&A"))
    ]

    async def asked() -> Page:
        await window.commands_of(await address(world, alice))
        form = await window.run(DELETE)
        await window.fill("Files", *(option(form, path.name) for path in old))
        await record.picture("form")
        return await window.press(Button.COMPLETE)

    question = await asked()
    await record.picture("question")
    text = "\n".join(question.texts)
    assert "Delete 2 files" in text
    assert all(path.name in unescape(text).replace("＆", "&") for path in old)
    assert question.buttons == {Button.COMPLETE, Button.PREVIOUS, Button.CANCEL}
    await window.press(Button.CANCEL)
    await asked()
    assert all(map(world.keeps, (kept, *old)))
    done = await window.press(Button.COMPLETE)
    await record.picture("result")
    assert done.buttons == frozenset()
    assert any(text.startswith("Deleted 2 files") for text in done.texts)
    assert [world.keeps(path) for path in (kept, *old)] == [True, False, False]


async def test_a_list_of_files_is_shown(
    world: DesktopWorld, alice: Gajim, window: CommandWindow, record: Record, tmp_path: Path
) -> None:
    path = await stored(world, alice, random_file(tmp_path / f"shown_{type(window).__name__}.bin", 3000))
    await window.commands_of(await address(world, alice))
    shown = await window.run(LIST)
    await record.picture("result")
    assert any(path.name in text for text in shown.texts)
    # Gajim 1.7 would fail at a table, and a component does not learn which software asks.
    in_rows = isinstance(window, Converse) and mode() == "client"
    assert (path.name in shown.texts) is in_rows


async def test_the_bot_of_a_room_has_its_commands_there(world: DesktopWorld, alice: Gajim) -> None:
    await alice.join(ROOM, "alice")
    window, since = GajimCommands(alice), alice.log_size()
    assert LIST in await window.commands_of_occupant(ROOM, "filebot")
    shown = await window.run(LIST)
    assert "Completed" in shown.texts
    stanzas = "".join(exchanged(world.server, since))
    assert f"jid='{ROOM}/filebot'" in stanzas
    assert f"from='{ROOM}/filebot'" in stanzas
