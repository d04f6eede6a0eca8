"""``filebot check``: tries everything that the bot will need, and says what works."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

import humanize

from filebot.app import make_data_dir, session_settings
from filebot.config import Config
from filebot.errors import FilebotError, LoginFailed
from filebot.mime import LibmagicInspector
from filebot.storage.disk import DiskStore
from filebot.xmpp.session import Session

LOGIN_LIMIT_S: Final = 40.0
MOST_ATTEMPTS: Final = 3
"""A server that was not reached so often, some seconds apart, is not just being started."""


class Finding(NamedTuple):
    """What was tried."""

    name: str
    works: bool
    detail: str
    """What was found, or what to do."""
    for_good: bool = False
    """Whether it stays so however often it is tried."""


async def probe(config: Config) -> list[Finding]:
    """Try disk, libmagic, login, rooms and upload service. Nothing is left behind."""
    findings = [
        await _tried("storage", lambda: _storage(config)),
        await _tried("libmagic", _libmagic),
    ]
    session = Session(
        session_settings(config),
        on_message=lambda _: None,
        may_subscribe=lambda _: False,
        most_attempts=MOST_ATTEMPTS,
    )
    async with session:
        login = await _tried("login", lambda: _login(session))
        findings.append(login)
        if login.works:
            findings.append(_rooms(config, session))
            findings.append(await _tried("upload service", lambda: _uploads(session)))
    return findings


async def _tried(name: str, attempt: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(name, True, await attempt())
    except TimeoutError:
        return Finding(
            name,
            False,
            f"no answer within {LOGIN_LIMIT_S:.0f} seconds; is the server up, is host right?",
        )
    except (FilebotError, OSError) as error:
        for_good = isinstance(error, LoginFailed)
        return Finding(name, False, str(error) or type(error).__name__, for_good)


async def _storage(config: Config) -> str:
    make_data_dir(config.data_dir)
    store = await DiskStore.open(config.data_dir)
    try:
        async with store.create() as writer:
            await writer.write(b"x" * 4096)
            await writer.seal()
        return f"{config.data_dir} can be written, {humanize.naturalsize(await store.free_bytes())} free"
    finally:
        await store.close()


async def _libmagic() -> str:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"%PDF-1.4\n")
        file.flush()
        kind = await LibmagicInspector().inspect(Path(file.name), "unnamed", None)
    if kind.media_type != "application/pdf":
        raise FilebotError("does not recognise a PDF; install libmagic1 and its database")
    return "recognises files by their content"


async def _login(session: Session) -> str:
    try:
        async with asyncio.timeout(LOGIN_LIMIT_S):
            return f"online as {await session.run_until_ready()}"
    except TimeoutError:
        if not session.trouble:
            raise
        raise FilebotError(f"no answer within {LOGIN_LIMIT_S:.0f} seconds: {session.trouble}") from None


def _rooms(config: Config, session: Session) -> Finding:
    missing = sorted(set(config.rooms.join) - session.rooms.joined())
    if missing:
        return Finding("rooms", False, f"could not join {', '.join(missing)}")
    return Finding("rooms", True, f"joined {len(config.rooms.join)}")


async def _uploads(session: Session) -> str:
    limit = await session.uploads.size_limit()
    return "no limit named" if limit is None else f"takes files up to {humanize.naturalsize(limit)}"
