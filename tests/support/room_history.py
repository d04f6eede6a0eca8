"""Room with a history: thousands of messages in its archive, some of them links to files."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.support.room_crowd import Crowd

IN_FLIGHT = 200
"""Limit on messages that the room has not reflected yet."""


@dataclass(frozen=True)
class FileHost:
    """Web server on loopback that has a small file of any name."""

    url: str
    """Prefix of all URLs."""
    asked: Counter[str] = field(default_factory=Counter)
    """Count of requests for each name."""


@asynccontextmanager
async def file_host() -> AsyncIterator[FileHost]:
    asked = Counter[str]()

    async def give(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        asked[name] += 1
        return web.Response(body=content(name))

    app = web.Application()
    app.router.add_get("/{name}", give)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield FileHost(f"http://127.0.0.1:{runner.addresses[0][1]}", asked)
    finally:
        await runner.cleanup()


def content(name: str) -> bytes:
    """Return the content of a file of this name: another one for each name."""
    return hashlib.sha256(name.encode()).digest() * 40


async def speak(people: Crowd, room: str, host: FileHost, messages: int, files: int) -> dict[str, int]:
    """Fill a room's archive with messages of all people in turn, and return who posted which file.

    Every ``messages // files``-th message is a file.
    """
    posted: dict[str, int] = {}
    every = messages // files
    for number in range(messages):
        speaker, text, url = number % people.size, f"message {number}", ""
        if number % every == every - 1:
            name = f"old-{number}.bin"
            text = url = f"{host.url}/{name}"
            posted[name] = speaker
        people.say(speaker, room, text, kind="groupchat", url=url)
        if number % IN_FLIGHT == 0:
            told = number - IN_FLIGHT
            await people.until(lambda: len(people.heard[0]) > told)  # noqa: B023 - at once
    await people.until(lambda: len(people.heard[0]) >= messages)
    return posted
