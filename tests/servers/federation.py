"""Two private servers that know each other (RFC 6120, server to server), on loopback."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebot.localserver.certificate import self_signed
from filebot.localserver.prosody import Prosody
from filebot.localserver.server import HOST, free_ports

ELSEWHERE: Final = "elsewhere"
"""Domain of the other server."""
DOWN: Final = "down"
"""Domain of a server that is known and not there."""

_MODULES: Final = Path(__file__).parent / "prosody_modules"
_NO_SERVERS: Final = 'modules_disabled = { "s2s" }'
_FIRST: Final = '"roster", "saslauth"'
_SERVICES: Final = ("", "conference.", "upload.", "proxy.")


class FederatedProsody(Prosody):
    """Prosody of a domain, which reaches others at their ports."""

    def __init__(
        self, folder: Path, domain: str, ports: Mapping[str, int], *, users: Iterable[str] = ()
    ) -> None:
        super().__init__(folder, users=users)
        self.domain = domain
        self._s2s_ports = ports

    def jid(self, user: str) -> str:
        return f"{user}@{self.domain}"

    async def renew_certificate(self) -> None:
        names = [HOST, *(f"{service}{self.domain}" for service in _SERVICES)]
        self._write_files(*await self_signed(self.folder, names, self.place.addresses))

    def _write_files(self, certificate: Path, key: Path) -> None:
        super()._write_files(certificate, key)
        data = self.folder / "data"
        if self.domain != HOST and not (data / self.domain).exists():
            (data / HOST).rename(data / self.domain)
        path = self.folder / "prosody.cfg.lua"
        config = path.read_text()
        for needed in (_NO_SERVERS, _FIRST, f'"{HOST}"'):
            assert needed in config
        config = config.replace(_FIRST, f'"s2s", "dialback", "known_servers", {_FIRST}')
        config = config.replace(f'{HOST}"', f'{self.domain}"')
        # By https all are this machine: nothing looks names up here.
        config = config.replace(f'http_host = "{self.domain}"', f'http_host = "{HOST}"')
        # Last: it names the other domain, too.
        config = config.replace(_NO_SERVERS, self._known())
        path.write_text(f'plugin_paths = {{ "{_MODULES}" }}\n{config}')

    def _known(self) -> str:
        services = {
            f"{service}{domain}": port for domain, port in self._s2s_ports.items() for service in _SERVICES
        }
        known = ", ".join(f'["{domain}"] = {port}' for domain, port in services.items())
        return f"s2s_ports = {{ {self._s2s_ports[self.domain]} }}\nknown_servers = {{ {known} }}"

    def _listens(self, said: bytes) -> bool:
        return super()._listens(said) and b"Activated service 's2s' on [" in said


@dataclass(frozen=True)
class Federation:
    """The server of the bot, and another one."""

    home: FederatedProsody
    elsewhere: FederatedProsody
    ca_file: Path
    """Certificates of both."""


@asynccontextmanager
async def federation_in(
    folder: Path, *, users: Iterable[str], others: Iterable[str]
) -> AsyncIterator[Federation]:
    """Start both, with these accounts at home and elsewhere."""
    ports = dict(zip((HOST, ELSEWHERE, DOWN), free_ports(3), strict=True))
    home = FederatedProsody(folder / "home", HOST, ports, users=users)
    elsewhere = FederatedProsody(folder / "elsewhere", ELSEWHERE, ports, users=others)
    async with home, elsewhere:
        ca_file = folder / "both.crt"
        ca_file.write_text(home.ca_file.read_text() + elsewhere.ca_file.read_text())
        yield Federation(home, elsewhere, ca_file)
