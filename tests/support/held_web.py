"""Web server whose transfers pause before their end until released; also as an upload service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from xml.etree.ElementTree import SubElement

from aiohttp import web
from slixmpp import ComponentXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.localserver.peer import UPLOAD
from filebot.localserver.server import Server
from tests.support.components import logged_in

LIMIT_S = 20.0


class HeldWeb:
    """Server of ``files`` that also takes uploads; while it holds, each transfer pauses before its end."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.url = ""
        """Prefix of all URLs."""
        self._reached = asyncio.Event()
        self._go_on = asyncio.Event()
        self._go_on.set()

    def hold(self) -> None:
        self._go_on.clear()
        self._reached.clear()

    def let_go(self) -> None:
        self._go_on.set()

    async def reached(self) -> None:
        """Wait until a transfer is held."""
        await asyncio.wait_for(self._reached.wait(), LIMIT_S)

    async def _held(self) -> None:
        self._reached.set()
        await self._go_on.wait()

    async def _give(self, request: web.Request) -> web.StreamResponse:
        content = self.files[request.match_info["name"]]
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        if request.method == "GET":
            await response.write(content[: len(content) // 2])
            await self._held()
            with suppress(ConnectionError):
                await response.write(content[len(content) // 2 :])
        return response

    async def _take(self, request: web.Request) -> web.Response:
        content = await request.read()
        await self._held()
        self.files[request.match_info["name"]] = content
        return web.Response(status=201)


@asynccontextmanager
async def held_web() -> AsyncIterator[HeldWeb]:
    """Run the server on loopback."""
    held, app = HeldWeb(), web.Application(client_max_size=10_000_000)
    app.router.add_get("/{name}", held._give)
    app.router.add_put("/{name}", held._take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        held.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield held
    finally:
        held.let_go()
        await runner.cleanup()


class _Slots(ComponentXMPP):
    """Upload service (XEP-0363) without a size limit, with its slots on the held web server."""

    def __init__(self, server: Server, domain: str, held: HeldWeb) -> None:
        login = server.component(domain)
        super().__init__(  # type: ignore[no-untyped-call]  # untyped in slixmpp
            login.domain, login.secret, login.host, login.port
        )
        self.register_plugin("xep_0030")
        self.plugin["xep_0030"].add_feature(UPLOAD)
        self._held = held
        wanted = MatchXPath(f"{{jabber:component:accept}}iq/{{{UPLOAD}}}request")
        self.register_handler(Callback("slots", wanted, self._slot))

    def _slot(self, iq: Any) -> None:
        name = iq.xml.find(f"{{{UPLOAD}}}request").get("filename")
        answer = iq.reply()
        slot = SubElement(answer.xml, f"{{{UPLOAD}}}slot")
        for each in ("put", "get"):
            SubElement(slot, f"{{{UPLOAD}}}{each}", {"url": f"{self._held.url}/{name}"})
        answer.send()


@asynccontextmanager
async def upload_service(server: Server, domain: str, held: HeldWeb) -> AsyncIterator[None]:
    """Run an upload service as an external component of a server that has none of its own."""
    async with logged_in(_Slots(server, domain, held)):
        yield
