"""Dino, Gajim and Converse.js show files once, as card or picture, and each answer once.

Of each test a screenshot is kept in pytest's cache, below ``shown``.
"""

import asyncio
import random
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.converse import Converse
from tests.interop.desktop_world import DesktopWorld, bot_in_a_network
from tests.interop.dino import Dino
from tests.interop.gajim import Gajim
from tests.interop.peers import random_file
from tests.interop.shown import Chat, Kind, Shown
from tests.interop.trace import MoveBy

CLIENTS: dict[str, tuple[type[Dino | Gajim | Converse], str]] = {
    "dino": (Dino, "alice"),
    "gajim": (Gajim, "bob"),
    "converse": (Converse, "carol"),
}
POLL_S = 0.2
"""Between two looks at a client, which tells nobody that it shows something new."""
LIMIT_S = 30.0
PAUSE_S = 16.0
"""Time after which the next answer begins another burst (BurstTimes)."""
SETTLE_S = 2.0
"""Time in which a further message, or one shown twice, would come."""

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
    pytest.mark.needs("stanzas in its log"),
    pytest.mark.needs("a contact with an account"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DesktopWorld]:
    async with bot_in_a_network(tmp_path_factory.mktemp("shown"), MoveBy.UPLOAD, websockets=True) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=CLIENTS)
async def client(request: pytest.FixtureRequest, world: DesktopWorld) -> AsyncIterator[Chat]:
    made, user = CLIENTS[request.param]
    async with made(world.network, world.server, user, world.folder / user) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def chat(
    request: pytest.FixtureRequest, world: DesktopWorld, client: Chat
) -> AsyncIterator["Watched"]:
    """Watch the chat with the bot, and keep a screenshot of what it shows in the end."""
    watched = Watched(client, world.bot_jid, len(await client.shown(world.bot_jid)))
    yield watched
    name = request.node.name.removeprefix("test_").replace("[", "-").rstrip("]")
    await client.picture(request.config.cache.mkdir("shown") / f"{name}.png")


class Watched:
    """Chat with the bot, as it goes on since the beginning of a test."""

    def __init__(self, client: Chat, bot: str, before: int) -> None:
        self.client = client
        self._bot = bot
        self._before = before

    async def give(self, *paths: Path) -> None:
        await self.client.give(self._bot, paths)

    async def ask_for(self, text: str) -> None:
        await self.client.ask_for(self._bot, text)

    async def until(self, wanted: Callable[[list[Shown]], bool]) -> list[Shown]:
        """Wait until the wanted is shown; return everything a while later."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not wanted(found := await self.shown()):
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise AssertionError(found) from None
        await asyncio.sleep(SETTLE_S)
        return await self.shown()

    async def shown(self) -> list[Shown]:
        return (await self.client.shown(self._bot))[self._before :]

    async def stored(self, path: Path) -> Shown:
        """Give a file to the bot, and return the answer."""
        await self.give(path)
        [answer] = await self.until(lambda shown: any(path.name in each.text for each in shown))
        self._before += 1
        return answer

    async def is_idle(self) -> bool:
        """Return whether the bot is shown as neither composing nor pausing."""
        return (await self.client.contact(self._bot)).chat_state in {None, "active", "inactive"}


def photo(path: Path) -> Path:
    """Write a picture of noise, different each time."""
    width, height = 160, 30
    rows = b"".join(b"\0" + random.randbytes(3 * width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
    )
    return path


def is_file(shown: list[Shown]) -> bool:
    return any(each.kind is not Kind.TEXT for each in shown)


async def test_a_picture_is_shown_once_as_a_picture(chat: Watched, tmp_path: Path) -> None:
    path = photo(tmp_path / "summit.png")
    answer = await chat.stored(path)
    assert answer.text.startswith(f'Stored "{path.name}"')
    await chat.ask_for(f"get {path.name}")
    assert await chat.until(lambda shown: Shown(Kind.PICTURE, path.name) in shown) == [
        Shown(Kind.PICTURE, path.name)
    ]
    assert await chat.is_idle()


async def test_a_file_is_shown_once_as_a_card(chat: Watched, tmp_path: Path) -> None:
    path = random_file(tmp_path / "notes.bin", 2000)
    await chat.stored(path)
    await chat.ask_for(f"get {path.name}")
    # Converse.js has cards for pictures, sounds and films only.
    kind = Kind.LINK if isinstance(chat.client, Converse) else Kind.CARD
    assert await chat.until(is_file) == [Shown(kind, path.name)]
    assert await chat.is_idle()


async def test_five_photos_have_one_answer(chat: Watched, tmp_path: Path) -> None:
    await asyncio.sleep(PAUSE_S)  # so that no answer of another test is corrected
    paths = [photo(tmp_path / f"photo{number}.png") for number in range(1, 6)]
    await chat.give(*paths)
    shown = await chat.until(lambda shown: all(path.name in str(shown[-1:]) for path in paths))
    assert [each.text.partition(",")[0] for each in shown] == ["Stored 5 files"]
    assert await chat.is_idle()


async def test_the_bot_has_a_name_and_an_avatar(chat: Watched, world: DesktopWorld) -> None:
    contact = await chat.client.contact(world.bot_jid)
    assert contact.has_avatar
    # Dino shows the name that its user gave, or else the address: it reads neither nicks nor vCards.
    assert contact.name == (world.bot_jid if isinstance(chat.client, Dino) else "filebot")
