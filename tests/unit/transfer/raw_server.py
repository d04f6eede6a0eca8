"""A TCP server that says exactly what a test has it say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Connection:
    """One connection to the server; ``head`` is the request's head."""

    head: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes | str) -> None:
        for part in parts:
            self.writer.write(part.encode("latin-1") if isinstance(part, str) else part)
        await self.writer.drain()

    def cut(self) -> None:
        """End with a reset, not with an orderly close."""
        self.writer.transport.abort()

    def header(self, name: str) -> str | None:
        """A request header's value."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


Script = Callable[[Connection], Awaitable[None]]


@dataclass
class RawServer:
    """Where it listens, and which requests it got."""

    port: int
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def raw_server(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve the first connection by the first script, and so on; the last one serves all others."""
    tasks = set[asyncio.Task[None]]()
    waiting = list(scripts)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            served.heads.append(head)
            script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            await script(Connection(head, reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    served = RawServer(server.sockets[0].getsockname()[1])
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def sends(*parts: bytes | str) -> Script:
    """A script that says these things and closes."""

    async def script(connection: Connection) -> None:
        await connection.send(*parts)

    return script


def ok(length: int, *headers: str, status: str = "200 OK") -> str:
    """The head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""])
