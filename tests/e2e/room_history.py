"""A room with a past: thousands of messages in its archive, some of them files on a server of their own."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from filebot.demo.prosody import Prosody
from tests.e2e.crowd import Crowd

DOMAIN = "history.localhost"
"""The component that a server needs to have for :func:`fill`."""
SPEAKERS = 3
IN_FLIGHT = 200
"""Messages that the room has not told to everybody yet."""


@dataclass(frozen=True)
class Posted:
    """One file message."""

    name: str
    url: str
    poster: str
    """The bare JID."""
    sha256: str


@dataclass(frozen=True)
class History:
    """What a room's archive holds."""

    room: str
    messages: int
    """All of them, those with files included."""
    files: tuple[Posted, ...]


@asynccontextmanager
async def file_host() -> AsyncIterator[str]:
    """A web server on loopback that has every file of :func:`fill`; yields the beginning of its URLs."""

    async def give(request: web.Request) -> web.Response:
        return web.Response(body=content(request.match_info["name"]))

    app = web.Application()
    app.router.add_get("/{name}", give)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def content(name: str) -> bytes:
    """What a file of this name holds: another one for each name."""
    return hashlib.sha256(name.encode()).digest() * 40


async def fill(
    server: Prosody, room: str, host: str, *, messages: int = 10_000, files: int = 500
) -> History:
    """Let three people say so much in a room that its archive has it all, and go again.

    Every ``messages // files``-th message is a file behind ``host``, see :func:`file_host`. The server
    needs the component :data:`DOMAIN`; somebody must be in the room, or it ends with the last one to go.
    """
    posted: list[Posted] = []
    every = messages // files if files else messages + 1
    async with Crowd(server.component(DOMAIN), SPEAKERS) as people:
        await people.enter(room)
        for number in range(messages):
            speaker = number % SPEAKERS
            text, url = f"message {number}", ""
            if number % every == every - 1 and len(posted) < files:
                name = f"old-{number}.bin"
                text = url = f"{host}/{name}"
                poster = people.jid(speaker).partition("/")[0]
                posted.append(Posted(name, url, poster, hashlib.sha256(content(name)).hexdigest()))
            people.say(speaker, room, text, kind="groupchat", url=url)
            if number % IN_FLIGHT == 0:
                told = number - IN_FLIGHT
                await people.until(lambda: len(people.heard[0]) > told)  # noqa: B023 - at once
        await people.until(lambda: len(people.heard[0]) >= messages)
        people.leave(room)
        await people.drain()
    return History(room, messages, tuple(posted))
