"""Files that no link can bring: they find their way by themselves, also to people who are offline."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from filebot.errors import TransferError
from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.server import Server
from filebot.model import Address, IncomingMessage, Method, Negotiation, StreamMethod
from filebot.ports import StreamOffer
from filebot.protocol.jingle.features import OWN_IN_BAND
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.socks5.connections import Socks5Connections
from filebot.xmpp.jingle.incoming import JingleOffer
from filebot.xmpp.session import Handlers, SessionSettings, StreamHandlers, StreamLimits, XmppSession
from tests.e2e.conftest import USERS, bot_config
from tests.servers import private_server
from tests.support.streams import entry
from tests.support.waiting import until_answered

LIMIT_S = 40.0
MB = 1_000_000

speaking = pytest.mark.parametrize("jingle", [True, False], ids=["jingle", "si"])


class Person:
    """Somebody whose client knows nothing of HTTP upload, and maybe nothing of Jingle."""

    def __init__(
        self, server: Server, user: str, *, jingle: bool = True, resource: str = "filebot"
    ) -> None:
        self.bot = server.jid("filebot")
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.speakers: set[str] = set()
        """People who have said something."""
        self.offers: list[StreamOffer] = []
        self.content = bytearray()
        """Bytes of the last file; another offer of it resumes where the one before ended."""
        self.complete = asyncio.Event()
        self.stop_after: int | None = None
        """Read no further than this, once."""
        self.stopped = asyncio.Event()
        settings = SessionSettings(
            f"{server.jid(user)}/{resource}",
            server.password(user),
            host="127.0.0.1",
            port=server.c2s_port,
            ca_file=server.ca_file,
        )
        self.session = XmppSession(
            settings,
            Handlers(message=self._hear, is_served=lambda _: True, streams=StreamHandlers(self._take)),
            connections=Socks5Connections(AddressPolicy(allow_insecure=True, allow_private=True), 60.0),
            stream_limits=StreamLimits(idle_s=60.0),
        )
        if not jingle:
            self.session._features -= OWN_IN_BAND

    async def said(self, part: str) -> str:
        """The next message of the bot that has this in it; others are passed over."""
        passed = []
        try:
            async with asyncio.timeout(LIMIT_S):
                while part not in (text := await self.heard.get()):
                    passed.append(text)
        except TimeoutError:
            raise AssertionError(f"nobody said {part!r}, but {passed}") from None
        return text

    async def ask(self, text: str, part: str) -> str:
        """Write to the bot and wait for an answer with this in it."""
        await self.session.messenger.say(Address(self.bot), text)
        return await self.said(part)

    async def befriend(self) -> None:
        """Be in each other's contacts; returns when both see the other's presence."""
        self.session._stream.make_presence(ptype="subscribe", pto=self.bot).send()
        await self.bots_client()
        await asyncio.sleep(1)  # until the bot has been sent ours

    async def bots_client(self) -> str:
        clients = await until_answered(lambda: self.session.streams.clients(self.bot), LIMIT_S)
        return clients[-1].jid

    async def drop(self, path: Path) -> None:
        """Send the bot a file by a stream."""
        way = StreamMethod(Negotiation.SI, Method.SOCKS5)
        to = await self.bots_client()
        async with asyncio.timeout(LIMIT_S):
            await self.session.streams.send(to, path, entry(path), way, lambda _: None)
        await self.said("Stored")

    async def until_nothing_moves(self) -> None:
        """Nor waits."""

        async def over() -> bool:
            return "None of your files" in await self.ask("transfers", "")

        await until_answered(over, LIMIT_S)

    async def file(self) -> bytes:
        """The file that comes."""
        await asyncio.wait_for(self.complete.wait(), LIMIT_S)
        return bytes(self.content)

    async def _hear(self, message: IncomingMessage) -> None:
        self.speakers.add(message.sender.address.jid)
        self.heard.put_nowait(message.text)

    async def _take(self, offer: StreamOffer) -> None:
        self.offers.append(offer)
        with suppress(TransferError):
            async with offer.accept(len(self.content)) as download:
                async for piece in download.chunks():
                    self.content += piece
                    if self.stop_after is not None and len(self.content) >= self.stop_after:
                        self.stop_after = None
                        self.stopped.set()
                        await asyncio.sleep(LIMIT_S)
        if len(self.content) == offer.offer.size:
            self.complete.set()


@asynccontextmanager
async def online(
    server: Server, user: str, content: bytes = b"", *, jingle: bool = True, resource: str = "filebot"
) -> AsyncIterator[Person]:
    """``content`` is what the client has of a file from an earlier run."""
    person = Person(server, user, jingle=jingle, resource=resource)
    person.content += content
    async with person.session as session:
        await asyncio.wait_for(session.run_until_ready(), LIMIT_S)
        yield person


@asynccontextmanager
async def bot_on(
    folder: Path, upload_limit_bytes: int | None = None
) -> AsyncIterator[tuple[Server, BotProcess]]:
    async with private_server(
        folder / "prosody", users=USERS, upload_limit_bytes=upload_limit_bytes
    ) as server:
        tables = bot_config(server, limits={"max_file_size": "30 MB", "idle_timeout": "10 s"})
        async with BotProcess(write_config(folder / "config.toml", tables)) as bot:
            yield server, bot


def a_file(folder: Path, size: int) -> tuple[Path, bytes]:
    content = os.urandom(size)
    path = folder / "big.bin"
    path.write_bytes(content)
    return path, content


@pytest.mark.parametrize(
    ("limit", "why"),
    [(None, "Your server has no upload service"), (MB, "Your server takes files up to 1 MB")],
    ids=["no service", "1 MB"],
)
@speaking
async def test_a_large_file_comes_and_goes_without_any_hint(
    tmp_path: Path, limit: int | None, why: str, *, jingle: bool
) -> None:
    path, content = a_file(tmp_path, 20 * MB)
    async with bot_on(tmp_path, limit) as (server, _), online(server, "alice", jingle=jingle) as alice:
        await alice.befriend()
        await alice.drop(path)
        await alice.ask("get big.bin", f'{why}, so I am sending "big.bin" directly.')
        assert await alice.file() == content
        await alice.until_nothing_moves()
        assert [isinstance(each, JingleOffer) for each in alice.offers] == [jingle]


async def test_a_killed_bot_brings_it_to_who_was_offline(tmp_path: Path) -> None:
    path, content = a_file(tmp_path, 2 * MB)
    async with bot_on(tmp_path) as (server, bot), online(server, "alice") as alice:
        async with online(server, "bob") as bob:
            await bob.befriend()
        await alice.befriend()
        await alice.drop(path)
        await alice.ask(
            "send big.bin to bob@localhost", "I will send it as soon as bob@localhost is online"
        )
        await bot.kill()
        await bot.start()
        await alice.ask("transfers", "big.bin (waiting for bob@localhost to come online)")
        async with online(server, "bob") as bob:
            why = await bob.said("directly")
            assert why == (
                '"big.bin" is from "alice@localhost".\n'
                'Your server has no upload service, so I am sending "big.bin" directly.'
            )
            assert await bob.file() == content
            await alice.said('Sent "big.bin" to "bob@localhost".')
            assert len(bob.offers) == 1
        await alice.until_nothing_moves()
        async with online(server, "bob") as bob:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(bob.complete.wait(), 6)
            assert bob.offers == []


@pytest.mark.parametrize(
    "who",
    ["bot", "server", "person"],
)
@speaking
async def test_whoever_is_killed_in_the_middle_the_rest_comes_afterwards(
    tmp_path: Path, who: str, *, jingle: bool
) -> None:
    path, content = a_file(tmp_path, 20 * MB)
    async with bot_on(tmp_path) as (server, bot), AsyncExitStack() as stack:
        first = online(server, "alice", jingle=jingle)
        alice = await first.__aenter__()
        await alice.befriend()
        await alice.drop(path)
        alice.stop_after = 12 * MB
        await alice.ask("get big.bin", "directly")
        await asyncio.wait_for(alice.stopped.wait(), LIMIT_S)
        kept = bytes(alice.content)
        if who == "person":
            alice.session._stream.abort()
            await first.__aexit__(None, None, None)
            alice = await stack.enter_async_context(online(server, "alice", kept, jingle=jingle))
        else:
            stack.push_async_exit(first)
            if who == "server":
                await server.kill()
                await server.restart()
            else:
                await bot.kill()
                await bot.start()
        # The bytes that had arrived are not sent again: they would be in the file twice.
        assert await alice.file() == content
        assert alice.offers[-1].resumable
        assert len(kept) >= 12 * MB
        await alice.until_nothing_moves()


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_waits_can_be_dropped(tmp_path: Path, *, restarted: bool) -> None:
    path, _ = a_file(tmp_path, 2 * MB)
    async with bot_on(tmp_path) as (server, bot), online(server, "alice") as alice:
        async with online(server, "bob") as bob:
            await bob.befriend()
        await alice.befriend()
        await alice.drop(path)
        said = await alice.ask("send big.bin to bob@localhost", "To cancel it")
        if restarted:
            await bot.kill()
            await bot.start()
        number = re.search(r"cancel (\d+)", said)
        assert number is not None
        await alice.ask(number[0], 'Cancelled "big.bin".')
        async with online(server, "bob") as bob:
            await asyncio.sleep(6)
            assert bob.offers == []
