"""Web server that sends each file a byte at a time until the client disconnects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

EVERY_S = 0.3


class Trickle:
    """URL of a slow file, and the number of open connections."""

    def __init__(self) -> None:
        self.url = ""
        self.open = 0
        self.ended = False


@asynccontextmanager
async def trickling_web() -> AsyncIterator[Trickle]:
    """Run the server on loopback."""
    web = Trickle()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        web.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not web.ended:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(EVERY_S)
        finally:
            web.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    try:
        web.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield web
    finally:
        server.close()
        web.ended = True
        await asyncio.sleep(2 * EVERY_S)
