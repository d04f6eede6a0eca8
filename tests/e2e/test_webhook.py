"""The example webhook: a real bot tells a web server of files, although that refused at first."""

import hashlib
import hmac
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.waiting import until

EXAMPLE = Path(__file__).parents[2] / "examples/webhook/webhook.py"


@asynccontextmanager
async def service(statuses: list[int]) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A web service that answers with these statuses, and then with 204; its URL and what it was sent."""
    seen = list[web.Request]()

    async def take(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request)
        return web.Response(status=statuses.pop(0) if statuses else 204)

    app = web.Application()
    app.router.add_post("/files", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/files", seen
    finally:
        await runner.cleanup()


@pytest.mark.needs("an archive of its own")
async def test_a_service_is_told_of_a_file_although_it_refused_and_the_bot_was_killed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    shutil.copy(EXAMPLE, folder)
    (folder / EXAMPLE.name).chmod(0o600)
    (tmp_path / "a.txt").write_text("abc")
    async with service([503]) as (url, seen), private_server(tmp_path / "prosody", users=USERS) as server:
        tables = bot_config(server, plugins={"paths": [str(folder)]})
        tables["plugins.webhook"] = {"url": url, "secret": "quiet"}
        config = write_config(tmp_path / "config.toml", tables)
        async with BotProcess(config) as bot, await Peer.of(server, "alice") as alice:
            world = World(server, bot, tmp_path)
            await alice.drop(tmp_path / "a.txt", world.bot_jid)
            await alice.next_message(world.from_bot)
            await until(lambda: len(seen) >= 1)
            await bot.kill()
            await bot.start()
            await until(lambda: len(seen) >= 2, 40)
            assert await bot.stop() == 0
    body = await seen[-1].read()
    told = json.loads(body)
    assert (told["event"], told["file"]["name"], told["file"]["bytes"]) == ("stored", "a.txt", 3)
    expected = hmac.new(b"quiet", body, hashlib.sha256).hexdigest()
    assert seen[-1].headers["X-Signature"] == f"sha256={expected}"
