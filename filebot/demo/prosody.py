"""A private, throw-away Prosody on loopback for the demo and the tests against a real server.

All that it writes is in the folder that it is given. It runs as whoever starts it, root included.
"""

import asyncio
import secrets
import shutil
import socket
from asyncio.subprocess import Process
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from types import TracebackType
from typing import Final, Literal, Self

from filebot.demo.certificate import self_signed
from filebot.demo.prosody_config import (
    ADDRESS,
    CONFERENCE,
    HOST,
    LOOPBACK,
    PROXY,
    UPLOAD,
    Place,
    Ports,
    account_file,
    prosody_config,
    roster_file,
)
from filebot.errors import ConfigError

START_LIMIT_S: Final = 20.0
STOP_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ComponentLogin:
    """What an external component needs to log in (XEP-0114)."""

    domain: str
    secret: str
    host: str
    port: int


class Prosody:
    """A server for as long as the context is open: ``async with Prosody(folder, users=["anna"])``.

    ``users`` and ``components`` may be anything of letters and digits, and domains under ``localhost``.
    Without ``upload_limit_bytes`` there is no upload service. ``acquainted`` users have one another in
    their rosters, with subscriptions in both directions. ``logs_stanzas``: they are in the log, whole.
    At ``log_level`` "info" the log tells just enough to see when the server listens.
    """

    host: Final = HOST
    conference: Final = CONFERENCE
    proxy: Final = PROXY

    def __init__(
        self,
        folder: Path,
        *,
        users: Iterable[str] = (),
        components: Iterable[str] = (),
        upload_limit_bytes: int | None = 10 * 1024 * 1024,
        acquainted: bool = False,
        logs_stanzas: bool = False,
        log_level: Literal["debug", "info"] = "debug",
        place: Place = LOOPBACK,
    ) -> None:
        self.folder = folder
        self.place: Final = place
        self._log_level = log_level
        self._passwords = {user: secrets.token_hex(16) for user in users}
        self._secrets = {domain: secrets.token_hex(16) for domain in components}
        self._upload_limit_bytes = upload_limit_bytes
        self._acquainted = acquainted
        self._logs_stanzas = logs_stanzas
        self._ports = _free_ports()
        if place.c2s_port is not None:
            self._ports = replace(self._ports, c2s=place.c2s_port)
        self._binary = ""
        self._process: Process | None = None

    @property
    def c2s_port(self) -> int:
        """Of clients, with STARTTLS; on every address of its place, as everything here."""
        return self._ports.c2s

    @property
    def proxy_port(self) -> int:
        """Of the SOCKS5 proxy."""
        return self._ports.proxy

    @property
    def pid(self) -> int:
        """Of the process, while it runs. Raises LookupError."""
        if self._process is None:
            raise LookupError("Prosody does not run")
        return self._process.pid

    @property
    def ca_file(self) -> Path:
        """The certificate to trust, for the XMPP stream and for https."""
        return self.folder / "server.crt"

    @property
    def log_file(self) -> Path:
        """Prosody's own log, at the chosen level. ``debug`` tells of every stanza, and that takes time."""
        return self.folder / "prosody.log"

    @property
    def users(self) -> tuple[str, ...]:
        """Who has an account."""
        return tuple(self._passwords)

    def jid(self, user: str) -> str:
        """The bare JID of one of the users."""
        return f"{user}@{HOST}"

    def password(self, user: str) -> str:
        """A new one in every instance."""
        return self._passwords[user]

    def component(self, domain: str) -> ComponentLogin:
        """The login of one of the components."""
        return ComponentLogin(domain, self._secrets[domain], ADDRESS, self._ports.component)

    async def __aenter__(self) -> Self:
        self._binary = _installed_prosody()
        _make_folder(self.folder)
        names = [HOST, CONFERENCE, UPLOAD, PROXY, *self._secrets]
        certificate, key = await self_signed(self.folder, names, self.place.addresses)
        self._write_files(certificate, key)
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def restart(self) -> None:
        """Stop and start again with the same ports, accounts and data."""
        await self.stop()
        await self._start()

    async def kill(self) -> None:
        """End it without a word to anybody, as a crash would. ``restart`` brings it back."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    async def stop(self) -> None:
        """Ask it to end, which closes the streams; kill it if it does not in time."""
        if self._process is None:
            return
        try:
            with suppress(ProcessLookupError):
                self._process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S)
        finally:  # also when we are cancelled meanwhile
            await self.kill()

    def _write_files(self, certificate: Path, key: Path) -> None:
        config = prosody_config(
            self.folder,
            self.place,
            self._ports,
            certificate=certificate,
            key=key,
            upload_limit_bytes=self._upload_limit_bytes,
            logs_stanzas=self._logs_stanzas,
            components=self._secrets,
            log_level=self._log_level,
        )
        (self.folder / "prosody.cfg.lua").write_text(config)
        accounts = self.folder / "data" / HOST / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        for user, password in self._passwords.items():
            (accounts / f"{user}.dat").write_text(account_file(password))
        if self._acquainted:
            rosters = self.folder / "data" / HOST / "roster"
            rosters.mkdir(exist_ok=True)
            for user in self._passwords:
                friends = [self.jid(friend) for friend in self._passwords if friend != user]
                (rosters / f"{user}.dat").write_text(roster_file(friends))

    async def _start(self) -> None:
        logged = self.log_file.stat().st_size if self.log_file.exists() else 0
        with (self.folder / "prosody.out").open("ab") as output:
            # A session of its own: Ctrl-C is for us, and we stop the server after the bot.
            self._process = await asyncio.create_subprocess_exec(
                *self.place.launcher,
                self._binary,
                "--config",
                str(self.folder / "prosody.cfg.lua"),
                "-F",
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._until_listening(logged)
        except TimeoutError:
            await self.kill()
            raise ConfigError((f"Prosody does not answer; see {self.log_file}",)) from None
        except BaseException:
            await self.kill()
            raise

    async def _until_listening(self, logged: int) -> None:
        """Wait until its log says so, from this byte on. The place may be one that we cannot connect to."""
        missing = {"c2s"}
        if self._upload_limit_bytes is not None:
            missing.add("https")
        if self._secrets:
            missing.add("component")
        while missing:
            if self._process is None or self._process.returncode is not None:
                raise ConfigError((f"Prosody ended at once; see {self.folder / 'prosody.out'}",))
            await asyncio.sleep(0.05)
            said = self.log_file.read_bytes()[logged:] if self.log_file.exists() else b""
            missing = {each for each in missing if f"Activated service '{each}' on [".encode() not in said}


def _installed_prosody() -> str:
    # Not ``prosody --version``: that starts a server.
    binary = shutil.which("prosody")
    if binary is None:
        raise ConfigError(("Prosody is not installed; try: apt-get install prosody",))
    return binary


def _make_folder(folder: Path) -> None:
    # Only for us: the passwords are inside.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _free_ports() -> Ports:
    """Ports that nobody uses at this moment. All are held until the last is found: none comes twice."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(4)]
        for each in sockets:
            each.bind((ADDRESS, 0))
        return Ports(*(each.getsockname()[1] for each in sockets))
