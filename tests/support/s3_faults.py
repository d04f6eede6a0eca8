"""Proxy before a server of S3 that does to some requests what networks and busy services do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from enum import Enum, unique
from io import BytesIO
from itertools import cycle
from typing import Final

from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

_OF_CONNECTIONS: Final = frozenset({"connection", "transfer-encoding", "keep-alive"})


@unique
class Fault(Enum):
    """Events that may befall a request."""

    ERROR = "500 before anything is done"
    SLOW_DOWN = "503 SlowDown"
    SILENCE = "no answer ever"
    DROPPED = "the connection breaks before the server has the request"
    LOST_ANSWER = "the server does it, and the connection breaks"
    CUT_BODY = "the answer breaks off in the middle"


Plan = Callable[[str, str], Fault | None]
"""Takes the method and the path with the query; returns what befalls the request."""


class FaultyS3:
    """Proxy and its plan, which may be changed at any time."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.endpoint = ""
        self.plan: Plan = lambda _method, _path: None
        self.done: Counter[Fault] = Counter()
        """Faults so far."""
        self.ended = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        fault = self.plan(request.method, request.path_qs)
        if fault is not None:
            self.done[fault] += 1
        body = await request.read()
        if fault is Fault.ERROR:
            return _error(500, "InternalError")
        if fault is Fault.SLOW_DOWN:
            return _error(503, "SlowDown")
        if fault is Fault.SILENCE:
            await self.ended.wait()
        if fault in {Fault.SILENCE, Fault.DROPPED}:
            return _broken(request)
        return await self._forward(request, body, fault)

    async def _forward(self, request: web.Request, body: bytes, fault: Fault | None) -> web.StreamResponse:
        url = URL(self.target + request.raw_path, encoded=True)
        headers = {
            key: value for key, value in request.headers.items() if key.lower() not in _OF_CONNECTIONS
        }
        async with (
            ClientSession(timeout=ClientTimeout(total=30), auto_decompress=False) as session,
            session.request(
                request.method,
                url,
                headers=headers,
                data=BytesIO(body) if body else None,
                allow_redirects=False,
                skip_auto_headers=headers,
            ) as answer,
        ):
            if fault is Fault.LOST_ANSWER:
                return _broken(request)
            kept = {
                key: value for key, value in answer.headers.items() if key.lower() not in _OF_CONNECTIONS
            }
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            left = int(answer.headers.get("Content-Length", "0")) // 2 if fault is Fault.CUT_BODY else None
            async for data in answer.content.iter_any():
                await response.write(data[:left])
                if left is not None:
                    left -= len(data[:left])
                    if not left:
                        break
            if fault is Fault.CUT_BODY:
                return _broken(request)
            await response.write_eof()
            return response


def _error(status: int, code: str) -> web.Response:
    return web.Response(status=status, text=f"<Error><Code>{code}</Code><Message>Later</Message></Error>")


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def every(number: int, faults: Iterable[Fault]) -> Plan:
    """Return a plan by which every so many requests meet with the next of these faults."""
    turn, which = iter(cycle(range(number))), cycle(faults)
    return lambda _method, _path: next(which) if next(turn) == number - 1 else None


def first(count: int, fault: Fault, method: str, part: str = "") -> Plan:
    """Return a plan by which the first requests of a method whose path has ``part`` meet with a fault."""
    left = [count]

    def plan(asked: str, path: str) -> Fault | None:
        if asked != method or part not in path or not left[0]:
            return None
        left[0] -= 1
        return fault

    return plan


@asynccontextmanager
async def faulty_s3(target: str) -> AsyncIterator[FaultyS3]:
    """Run a proxy on loopback."""
    proxy = FaultyS3(target)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", proxy.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield proxy
    finally:
        proxy.ended.set()
        await runner.cleanup()
