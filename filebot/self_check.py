"""``filebot check``: tries everything that the bot will need, and says what works.

A bot that runs is not disturbed. The session has a resource of its own and no presence: so messages,
subscription requests, and what the server kept for the bot, do not come here. While the bot runs, what
would still be noticed is left out: rooms, and the login of a component, of which a server takes one.
"""

import asyncio
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import humanize

from filebot.adapters import address_policy, file_inspector, file_scanners, http_client, session_settings
from filebot.backends.loading import Backends
from filebot.config import Config
from filebot.errors import ConfigError, FilebotError, ForbiddenTarget, LoginFailed, Refused, TransferError
from filebot.failures import shown
from filebot.fsck.catalog_doubt import catalog_doubt
from filebot.preflight import configured_backends, make_data_dir
from filebot.storage.file_system import FOLDERS
from filebot.storage.folder_lock import holder_of
from filebot.storage.folders import try_writing
from filebot.storage.mounts import remote_file_system
from filebot.xmpp.session import Handlers, SessionSettings, XmppSession

LOGIN_LIMIT_S: Final = 40.0
MOST_ATTEMPTS: Final = 3
"""A server that was not reached so often, some seconds apart, is not just being started."""

_FORBIDDEN: Final = {
    "private": ("at a private address", "allow_private"),
    "insecure": ("plain http", "allow_insecure"),
}
"""By the reason: what a link is, and the key that allows it."""

_RUNNING: Final = "not tried: the bot is running, and is there itself"


class Finding(NamedTuple):
    """Result of one trial."""

    name: str
    works: bool
    detail: str
    """The result in words, or the remedy."""
    for_good: bool = False
    """Whether it stays so however often it is tried."""


async def probe(config: Config) -> list[Finding]:
    """Try disk, backends, login, rooms and upload service. Nothing is left behind.

    Raises ConfigError for a backend that is broken.
    """
    bot = await asyncio.to_thread(holder_of, config.data_dir)
    backends = configured_backends(config)
    findings = [
        await _tried("storage", lambda: _storage(config, is_bot_running=bot is not None)),
        await _tried(backends.inspector.scheme, lambda: _inspector(backends, config)),
    ]
    if not backends.store.is_disk:
        findings.append(await _tried(f"store {backends.store.scheme}", lambda: _store(backends, config)))
    if backends.scanners:
        findings.append(await _tried("scanners", lambda: _scanners(backends, config)))
    if bot is not None and config.xmpp.mode == "component":
        return [
            *findings,
            Finding("login", True, f"not tried: the bot is running ({bot}), and has the only one"),
        ]
    session = XmppSession(
        _settings(config, is_bot_running=bot is not None),
        Handlers(message=lambda _: None, is_served=lambda _: False),
        most_attempts=MOST_ATTEMPTS,
    )
    async with session:
        login = await _tried("login", lambda: _login(session))
        findings.append(login)
        if login.works:
            findings.append(_rooms(config, session) if bot is None else Finding("rooms", True, _RUNNING))
            findings.append(await _tried("upload service", lambda: _uploads(config, session)))
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
        for_good = isinstance(error, LoginFailed | ConfigError)
        return Finding(name, False, str(error) or type(error).__name__, for_good)


async def _storage(config: Config, *, is_bot_running: bool) -> str:
    folder = config.data_dir
    make_data_dir(folder)
    free = await asyncio.to_thread(try_writing, folder, FOLDERS)
    if not is_bot_running and (doubt := await asyncio.to_thread(catalog_doubt, folder)):
        raise ConfigError((doubt,))
    kind = remote_file_system(folder)
    where = f", but on {kind}, where locks may not hold: better use a local disk" if kind else ""
    return f"{folder} can be written, {humanize.naturalsize(free)} free{where}"


async def _inspector(backends: Backends, config: Config) -> str:
    async with AsyncExitStack() as stack:
        inspector = await file_inspector(backends, config, stack)
        with _file_of(b"%PDF-1.4\n") as file:
            kind = await inspector.inspect(file, "unnamed", None)
    if kind.media_type != "application/pdf":
        remedy = "; install libmagic1 and its database" if backends.inspector.is_own else ""
        raise FilebotError(f"does not recognise a PDF{remedy}")
    return "recognises files by their content"


@contextmanager
def _file_of(content: bytes) -> Iterator[Path]:
    """Make a file with this content, for as long as the block runs."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield Path(file.name)


async def _store(backends: Backends, config: Config) -> str:
    async with backends.store.opened(config.data_dir, config.limits.idle_timeout) as store:
        return f"can be opened, {humanize.naturalsize(await store.free_bytes())} free"


async def _scanners(backends: Backends, config: Config) -> str:
    async with AsyncExitStack() as stack:
        checks = await file_scanners(backends, config, stack)
        with _file_of(b"nothing bad\n") as harmless:
            for each in checks:
                try:
                    async with asyncio.timeout(config.limits.idle_timeout / 2):
                        await each.scan(harmless)
                except Exception as error:
                    raise FilebotError(f"{each.scheme}: {shown(error)}") from error
    return f"{', '.join(each.scheme for each in backends.scanners)} let pass what is harmless"


def _settings(config: Config, *, is_bot_running: bool) -> SessionSettings:
    settings = session_settings(config)
    if settings.mode == "client":
        settings = replace(settings, jid=f"{settings.jid}/check-{secrets.token_hex(4)}")
    return replace(settings, passive=True, rooms=() if is_bot_running else settings.rooms)


async def _login(session: XmppSession) -> str:
    try:
        async with asyncio.timeout(LOGIN_LIMIT_S):
            return f"online as {await session.run_until_ready()}"
    except TimeoutError:
        if not session.trouble:
            raise
        raise FilebotError(f"no answer within {LOGIN_LIMIT_S:.0f} seconds: {session.trouble}") from None


def _rooms(config: Config, session: XmppSession) -> Finding:
    missing = sorted(set(config.rooms.join) - session.rooms.joined())
    if missing:
        return Finding("rooms", False, f"could not join {', '.join(missing)}")
    return Finding("rooms", True, f"joined {len(config.rooms.join)}")


async def _uploads(config: Config, session: XmppSession) -> str:
    limit = await session.uploads.size_limit()
    # A slot that nothing is put into shows whether the bot may use the service, and reaches it.
    slot = await session.uploads.slot("check.txt", 1, "text/plain")
    try:
        address_policy(config).check(slot.put_url)
        async with http_client(config) as http:
            for url in _one_of_each_host(slot.get_url, slot.put_url):
                with suppress(Refused):  # there is no such file, and its web server says so
                    async with http.get(url):
                        pass
    except ForbiddenTarget as error:
        what, key = _FORBIDDEN.get(error.reason, (error.reason, ""))
        remedy = f"; if that is meant, set {key} = true under [network]" if key else ""
        raise FilebotError(f"no file goes by it: {slot.get_url} is {what}{remedy}") from error
    except TransferError as error:
        raise FilebotError(
            f"{slot.get_url} is not reached: {str(error) or type(error).__name__}"
        ) from error
    return "no limit named" if limit is None else f"takes files up to {humanize.naturalsize(limit)}"


def _one_of_each_host(*urls: str) -> list[str]:
    return list({urlsplit(url).netloc: url for url in reversed(urls)}.values())[::-1]
