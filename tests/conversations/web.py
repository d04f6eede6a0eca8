"""Small web server with one good file and some bad ones."""

import asyncio
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self

from aiohttp import web

PIECE = 20_000
PACE_S = 0.25
PIECES = 400


class Web:
    """Server on loopback; ``url`` gives an address on it."""

    def __init__(self) -> None:
        app = web.Application()
        app.router.add_get("/poster.pdf", self._poster)
        app.router.add_get("/film.mp4", self._film)
        app.router.add_get("/private.pdf", self._private)
        app.router.add_get("/silent.pdf", self._silent)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        self._port = 0
        self._unused = socket.socket()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        # Bound and not listening: connections are refused, and nobody else gets the port.
        self._unused.bind(("127.0.0.2", 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unused.close()
        await self._runner.cleanup()

    def url(self, name: str) -> str:
        """Return the address of a file; only poster.pdf and film.mp4 (slow) can be had."""
        return f"http://127.0.0.1:{self._port}/{name}"

    def closed_url(self, name: str) -> str:
        """Return an address at which nobody listens."""
        return f"http://127.0.0.2:{self._unused.getsockname()[1]}/{name}"

    async def _poster(self, _: web.Request) -> web.Response:
        return web.Response(body=b"%PDF-1.4\n".ljust(48_000, b"%"), content_type="application/pdf")

    async def _film(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(PIECES * PIECE)})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # the bot has stopped it
            for _ in range(PIECES):
                await response.write(bytes(PIECE))
                await asyncio.sleep(PACE_S)
        return response

    async def _private(self, _: web.Request) -> web.Response:
        return web.Response(status=403)

    async def _silent(self, _: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response(status=500)
