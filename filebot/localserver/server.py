"""Base of private, throw-away XMPP servers on loopback.

All that it writes is in the folder that it is given. It runs as whoever starts it, root included.
"""

import asyncio
import secrets
import socket
from abc import ABC, abstractmethod
from asyncio.subprocess import Process
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from types import TracebackType
from typing import ClassVar, Final, Literal, Self

from filebot.errors import ConfigError
from filebot.localserver.certificate import self_signed

HOST: Final = "localhost"
CONFERENCE: Final = f"conference.{HOST}"
UPLOAD: Final = f"upload.{HOST}"
PROXY: Final = f"proxy.{HOST}"
ADDRESS: Final = "127.0.0.1"
WEBSOCKET_PATH: Final = "/xmpp-websocket"

START_LIMIT_S: Final = 20.0
STOP_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server runs: on this machine's loopback, or in a network of its own."""

    launcher: tuple[str, ...] = ()
    """Words in front of the server's command line, such as those that start it in another network."""
    addresses: tuple[str, ...] = (ADDRESS,)
    """Addresses that the server listens on."""
    proxy_address: str | None = ADDRESS
    """Address that it announces for its SOCKS5 proxy (XEP-0065); None for no proxy."""
    c2s_port: int | None = None
    """Port for clients; any free one if None."""


LOOPBACK: Final = Place()


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on the loopback address."""

    c2s: int
    component: int
    https: int
    proxy: int


@dataclass(frozen=True, slots=True)
class ComponentLogin:
    """Address and credentials of an external component (XEP-0114)."""

    domain: str
    secret: str
    host: str
    port: int


class Server(ABC):
    """A server for as long as the context is open: ``async with Prosody(folder, users=["anna"])``.

    ``users`` and ``components`` may be anything of letters and digits, and domains under ``localhost``.
    Without ``upload_limit_bytes`` there is no upload service. ``acquainted`` users have one another in
    their rosters, with subscriptions in both directions. ``logs_stanzas``: they are in the log, whole.
    At ``log_level`` "info" the log tells just enough to see when the server listens. Of what a client
    sends, ``client_kb_per_s`` (1000 bytes) pass; all if None. It ends the stream for a stanza of more than
    ``client_stanza_bytes``. Each client can upload ``upload_quota_bytes`` a day (Prosody alone has such a
    quota), or a thousand files of the largest size. ``long_past``: rooms keep many thousands of
    messages and find them quickly, until the server ends. ``websockets``: clients in browsers can log in.
    """

    host: Final = HOST
    conference: Final = CONFERENCE
    proxy: Final = PROXY
    name: ClassVar[str]
    """Name of the server software, for people."""
    package: ClassVar[str]
    """Debian package of the server."""
    _stdin: ClassVar[int] = DEVNULL

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
        client_kb_per_s: int | None = None,
        client_stanza_bytes: int = 262_144,
        upload_quota_bytes: int | None = None,
        long_past: bool = False,
        websockets: bool = False,
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
        self._client_kb_per_s = client_kb_per_s
        self._client_stanza_bytes = client_stanza_bytes
        self._upload_quota_bytes = upload_quota_bytes
        self._long_past = long_past
        self._websockets = websockets
        ports = free_ports(4 + len(self._secrets))
        self._ports = Ports(*ports[:4])
        self._ports_by_component = dict(zip(self._secrets, ports[4:], strict=True))
        """Ports of components, for servers that need one for each."""
        if place.c2s_port is not None:
            self._ports = replace(self._ports, c2s=place.c2s_port)
        self._process: Process | None = None

    @property
    def c2s_port(self) -> int:
        """Port for clients, with STARTTLS; like all others, on every address of its place."""
        return self._ports.c2s

    @property
    def websocket_url(self) -> str:
        """Address for clients in browsers (RFC 7395). Needs ``websockets``."""
        return f"wss://{HOST}:{self._ports.https}{WEBSOCKET_PATH}"

    @property
    def proxy_port(self) -> int:
        """Port of the SOCKS5 proxy."""
        return self._ports.proxy

    @property
    def pid(self) -> int:
        """Process id of the server. Raises LookupError if it does not run."""
        if self._process is None:
            raise LookupError(f"{self.name} does not run")
        return self._process.pid

    @property
    def ca_file(self) -> Path:
        """The certificate to trust, for the XMPP stream and for https."""
        return self.folder / "server.crt"

    @property
    def log_file(self) -> Path:
        """Log file of the server, at the chosen level. ``debug`` logs every stanza, which takes time."""
        return self.folder / "server.log"

    @abstractmethod
    def sent(self, since: int = 0) -> Iterator[str]:
        """Yield the stanzas sent since the log had ``since`` bytes, in order. Needs ``logs_stanzas``."""

    @property
    def users(self) -> tuple[str, ...]:
        """Names of the accounts."""
        return tuple(self._passwords)

    def jid(self, user: str) -> str:
        """The bare JID of one of the users."""
        return f"{user}@{HOST}"

    def password(self, user: str) -> str:
        """Return the user's password, which is new in every instance."""
        return self._passwords[user]

    def component(self, domain: str) -> ComponentLogin:
        """The login of one of the components."""
        return ComponentLogin(domain, self._secrets[domain], ADDRESS, self._component_port(domain))

    async def __aenter__(self) -> Self:
        self._require()
        # Only for us: the passwords are inside.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self.renew_certificate()
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

    async def renew_certificate(self) -> None:
        """Make a new certificate and key in place of the old ones. It takes effect at the next start."""
        names = [HOST, CONFERENCE, UPLOAD, PROXY, *self._secrets]
        self._write_files(*await self_signed(self.folder, names, self.place.addresses))

    def change_password(self, user: str) -> None:
        """Give a user another password. It takes effect at the next start."""
        self._passwords[user] = secrets.token_hex(16)
        self._write_files(self.ca_file, self.ca_file.with_suffix(".key"))

    async def kill(self) -> None:
        """Kill the server, as a crash would. ``restart`` brings it back."""
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
                self._ask_to_end(self._process)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S)
        finally:  # also when we are cancelled meanwhile
            await self.kill()

    @classmethod
    @abstractmethod
    def installed(cls) -> bool:
        """Whether the server is installed."""

    def _component_port(self, domain: str) -> int:
        """Return the port for this component."""
        return self._ports.component

    @abstractmethod
    def _write_files(self, certificate: Path, key: Path) -> None:
        """Write the configuration and all other files that it needs to start."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]:
        """Return the command line that starts it in the foreground."""

    def _environment(self) -> dict[str, str] | None:
        """Return the environment of the process; None for this one's."""
        return None

    @abstractmethod
    def _ask_to_end(self, process: Process) -> None:
        """Ask the process to shut down."""

    @abstractmethod
    def _listens(self, said: bytes) -> bool:
        """Whether it does, by what it has logged since its start: we may not be able to connect to it."""

    def _require(self) -> None:
        if not self.installed():
            raise ConfigError((f"{self.name} is not installed; try: apt-get install {self.package}",))

    async def _start(self) -> None:
        logged = self.log_file.stat().st_size if self.log_file.exists() else 0
        with (self.folder / "server.out").open("ab") as output:
            # A session of its own: Ctrl-C is for us, and we stop the server after the bot.
            self._process = await asyncio.create_subprocess_exec(
                *self.place.launcher,
                *self._command(),
                stdin=self._stdin,
                stdout=output,
                stderr=STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._until_listening(logged)
        except TimeoutError:
            await self.kill()
            raise ConfigError((f"{self.name} does not answer; see {self.log_file}",)) from None
        except BaseException:
            await self.kill()
            raise

    async def _until_listening(self, logged: int) -> None:
        """Wait until its log says so, from this byte on."""
        said = b""
        while not self._listens(said):
            if self._process is None or self._process.returncode is not None:
                raise ConfigError((f"{self.name} ended at once; see {self.folder / 'server.out'}",))
            await asyncio.sleep(0.05)
            said = self.log_file.read_bytes()[logged:] if self.log_file.exists() else b""


def free_ports(count: int) -> list[int]:
    """Return different ports that nobody uses at this moment."""
    with ExitStack() as held:  # each until the last is found, so that none comes twice
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((ADDRESS, 0))
        return [each.getsockname()[1] for each in sockets]
