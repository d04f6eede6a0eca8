"""Two hundred files at once, half of which stand still: the others come in, and everybody is answered."""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import bot_config
from tests.servers import private_server
from tests.support.waiting import until

PEOPLE = 20
EACH = 10
SIZE = 100_000

SI = "http://jabber.org/protocol/si"
FILE_TRANSFER = "http://jabber.org/protocol/si/profile/file-transfer"
NEGOTIATION = "http://jabber.org/protocol/feature-neg"
FORMS = "jabber:x:data"
BYTESTREAMS = "http://jabber.org/protocol/bytestreams"


class StreamHost:
    """A SOCKS5 server that sends each session its file, or the beginning of it and then nothing."""

    def __init__(self) -> None:
        self.files: dict[bytes, bytes] = {}
        self.over = asyncio.Event()
        self.stalled = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            greeting = await reader.readexactly(2)
            await reader.readexactly(greeting[1])
            writer.write(b"\5\0")
            request = await reader.readexactly(5)
            destination = await reader.readexactly(request[4])
            await reader.readexactly(2)
            writer.write(b"\5\0\0\3" + bytes([len(destination)]) + destination + b"\0\0")
            content = self.files[destination]
            if content:
                writer.write(content)
                await writer.drain()
            else:
                writer.write(b"x" * 1000)
                self.stalled += 1
                await self.over.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def stream_host() -> AsyncIterator[tuple[StreamHost, int]]:
    host = StreamHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    try:
        yield host, server.sockets[0].getsockname()[1]
    finally:
        host.over.set()
        server.close()


async def offer(peer: Peer, bot: str, host: tuple[StreamHost, int], sid: str, content: bytes) -> None:
    """Offer a file and name the stream host (XEP-0096, XEP-0065); returns when the bot is in."""
    server, port = host
    destination = hashlib.sha1(f"{sid}{peer.jid}{bot}".encode()).hexdigest().encode()
    server.files[destination] = content
    si = Element(f"{{{SI}}}si", {"id": sid, "profile": FILE_TRANSFER})
    SubElement(si, f"{{{FILE_TRANSFER}}}file", {"name": f"{sid}.bin", "size": str(SIZE)})
    form = SubElement(SubElement(si, f"{{{NEGOTIATION}}}feature"), f"{{{FORMS}}}x", {"type": "form"})
    field = SubElement(form, f"{{{FORMS}}}field", {"var": "stream-method", "type": "list-single"})
    SubElement(SubElement(field, f"{{{FORMS}}}option"), f"{{{FORMS}}}value").text = BYTESTREAMS
    await request(peer, bot, si)
    query = Element(f"{{{BYTESTREAMS}}}query", {"sid": sid, "mode": "tcp"})
    attributes = {"jid": peer.jid, "host": "127.0.0.1", "port": str(port)}
    SubElement(query, f"{{{BYTESTREAMS}}}streamhost", attributes)
    await request(peer, bot, query)


async def request(peer: Peer, bot: str, payload: Element) -> None:
    iq = peer.client.make_iq_set(ito=bot)
    iq.append(payload)
    await iq.send(timeout=40)  # type: ignore[no-untyped-call]  # slixmpp's own lack


def memory_kib(bot: BotProcess, line: str) -> int:
    status = Path(f"/proc/{bot.pid}/status").read_text()
    return int(next(each for each in status.splitlines() if each.startswith(line)).split()[1])


def sockets(bot: BotProcess) -> int:
    opened = Path(f"/proc/{bot.pid}/fd").iterdir()
    return sum(str(each.readlink()).startswith("socket:") for each in opened)


async def test_stalled_transfers_disturb_nobody(tmp_path: Path) -> None:
    users = [f"user{number}" for number in range(PEOPLE)]
    async with AsyncExitStack() as stack:
        server = private_server(tmp_path / "prosody", users=["filebot", "alice", *users])
        await stack.enter_async_context(server)
        tables = bot_config(server, access={"allow": ["*@localhost"]}, limits={"idle_timeout": "8 s"})
        bot = BotProcess(write_config(tmp_path / "config.toml", tables))
        await stack.enter_async_context(bot)
        host = await stack.enter_async_context(stream_host())
        people = [await stack.enter_async_context(await Peer.of(server, user)) for user in users]
        alice = await stack.enter_async_context(await Peer.of(server, "alice"))
        address = f"{server.jid('filebot')}/{full_resource(bot)}"
        alice.say("ls", address)
        await alice.next_message(lambda heard: "no files" in heard.body)
        memory, before = memory_kib(bot, "VmRSS"), sockets(bot)

        contents = {
            f"s{number}x{each}": os.urandom(SIZE) if each % 2 else b""
            for number in range(PEOPLE)
            for each in range(EACH)
        }
        offers = asyncio.gather(
            *(
                offer(people[number], address, host, f"s{number}x{each}", contents[f"s{number}x{each}"])
                for number in range(PEOPLE)
                for each in range(EACH)
            )
        )
        asking = asyncio.create_task(ask_all_the_time(alice, address))
        await offers
        stored: set[str] = set()
        for peer in people:
            stored |= await named(peer, r'(?:Stored |#\d+ )"(\w+\.bin)"', EACH // 2, 30)
        assert stored == {f"{sid}.bin" for sid, content in contents.items() if content}
        assert host[0].stalled == PEOPLE * EACH // 2
        growth = memory_kib(bot, "VmHWM") - memory
        assert growth < PEOPLE * EACH * 1024
        for peer in people:
            await named(peer, r'8 seconds, so I gave up on "(\w+\.bin)"', EACH // 2, 40)
        asking.cancel()
        assert await asyncio.gather(asking, return_exceptions=True)
        people[0].say("transfers", address)
        await people[0].next_message(lambda heard: "None of your files" in heard.body)
        await until(lambda: sockets(bot) <= before, 20)
        assert list((tmp_path / "data" / "incoming").iterdir()) == []


async def named(peer: Peer, words: str, count: int, limit_s: float) -> set[str]:
    """So many files named in answers with these words, in whatever order they and others come."""

    def found() -> set[str]:
        return {name for each in peer.messages for name in re.findall(words, each.body)}

    try:
        await until(lambda: len(found()) >= count, limit_s)
    except TimeoutError:
        raise AssertionError(f"{[each.body for each in peer.messages]}") from None
    return found()


def full_resource(bot: BotProcess) -> str:
    ready = next(line for line in bot.log if " ready " in line)
    return ready.rpartition("/")[2].strip()


async def ask_all_the_time(peer: Peer, address: str) -> None:
    """Fails if ``ls`` is ever not answered soon."""
    while True:
        peer.say("ls", address)
        await peer.next_message(lambda heard: bool(heard.body), timeout_s=10)
        await asyncio.sleep(0.5)
