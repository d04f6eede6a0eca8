"""Network namespace for a server, a bot and the clients: isolated from outside and from other tests.

Dino's port cannot be set, so the server must listen on 5222; in the host's network only one test at a
time could do that. Graphical clients offer no loopback addresses and Gajim connects to none, so there is
a second interface. The clients trust the system's certificate authorities, so the namespace's list
includes the test's own.

A user namespace, in which we are root, makes the network and mount namespaces without privileges.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from filebot.localserver.server import ADDRESS, Place, Server

ADDRESS_OUTSIDE: Final = "192.0.2.1"
"""Address of the interface (RFC 5737: nobody has it)."""
C2S_PORT: Final = 5222
AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
LIMIT_S: Final = 10.0

# Without a default route clients think that they are offline. The host's name servers cannot be reached
# from the namespace; queries to loopback fail at once instead of timing out. This shell keeps the
# namespaces alive until its stdin is closed, so they also end with our process.
_SCRIPT: Final = f"""
mount --bind "$1" {AUTHORITIES}
mount --bind "$2" /etc/resolv.conf
ip link set lo up
ip link add lan type veth peer name nobody
ip addr add {ADDRESS_OUTSIDE}/24 dev lan
ip link set lan up
ip link set nobody up
ip route add default dev lan
echo ready
read -r _
"""


class NoNetwork(Exception):
    """Namespace could not be made; the text is the error output."""


class Network:
    """Network that exists while the context is open; programs that still run in it then are killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authorities = folder / "authorities.pem"
        self._holder: Process | None = None

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True)
        self._authorities.write_bytes(AUTHORITIES.read_bytes())
        resolver = self._folder / "resolv.conf"
        resolver.write_text(f"nameserver {ADDRESS}\n")
        command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-euc", _SCRIPT, "sh"]
        self._holder = await asyncio.create_subprocess_exec(
            *command, self._authorities, resolver, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        try:
            await asyncio.wait_for(self._until_ready(self._holder), LIMIT_S)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    @property
    def launcher(self) -> tuple[str, ...]:
        """Prefix of a command line that starts it in this network, with ``/`` as working directory."""
        assert self._holder is not None
        inside = ("--user", "--preserve-credentials", "--net", "--mount")
        return ("nsenter", f"--target={self._holder.pid}", *inside, "--")

    def place(self, *, proxy: bool = True) -> Place:
        """Return the place for a server that all clients find, with a SOCKS5 proxy or without."""
        addresses = (ADDRESS, ADDRESS_OUTSIDE)
        return Place(self.launcher, addresses, ADDRESS_OUTSIDE if proxy else None, C2S_PORT)

    def trust(self, server: Server) -> None:
        """Add the server's certificate authority to the namespace's list of trusted ones."""
        # The file is bind-mounted, so it must be overwritten in place.
        self._authorities.write_bytes(AUTHORITIES.read_bytes() + server.ca_file.read_bytes())

    def running(self) -> list[int]:
        """Return the process ids in the namespace, without the shell that holds it."""
        assert self._holder is not None
        ours = _network_of(self._holder.pid)
        pids = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())
        return [pid for pid in pids if pid != self._holder.pid and ours and _network_of(pid) == ours]

    async def _until_ready(self, holder: Process) -> None:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if await holder.stdout.readline() != b"ready\n":
            raise NoNetwork((await holder.stderr.read()).decode(errors="replace"))

    async def _end(self) -> None:
        assert self._holder is not None
        for pid in self.running():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self._holder.kill()
        await self._holder.communicate()


def _network_of(pid: int) -> str:
    """Return a process's network namespace; empty if it has ended or belongs to another user."""
    with suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    return ""
