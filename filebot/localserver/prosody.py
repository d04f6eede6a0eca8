"""A private, throw-away Prosody for the demo and the tests against a real server."""

import re
import shutil
from asyncio.subprocess import Process
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from filebot.localserver.prosody_config import account_file, prosody_config, roster_file
from filebot.localserver.server import HOST, Server

# A stanza may have several lines, of which Prosody indents all but the first. It ends where the next entry
# begins, with its date.
_SENT: Final = re.compile(rb"\tSEND: (.*?)\n(?=[A-Z][a-z]{2} [\d ]\d \d\d:\d\d:\d\d |\Z)", re.DOTALL)


class Prosody(Server):
    """Prosody 0.12 or later, as it is packaged."""

    name = "Prosody"
    package = "prosody"

    @classmethod
    def installed(cls) -> bool:
        # Not ``prosody --version``: that starts a server.
        return shutil.which("prosody") is not None

    def sent(self, since: int = 0) -> Iterator[str]:
        with self.log_file.open("rb") as log:
            log.seek(since)
            for match in _SENT.finditer(log.read()):
                yield match[1].replace(b"\n\t", b"\n").decode(errors="replace")

    def _command(self) -> Sequence[str | Path]:
        return ("prosody", "--config", self.folder / "prosody.cfg.lua", "-F")

    def _ask_to_end(self, process: Process) -> None:
        process.terminate()

    def _listens(self, said: bytes) -> bool:
        services = ["c2s"]
        if self._upload_limit_bytes is not None or self._websockets:
            services.append("https")
        if self._secrets:
            services.append("component")
        return all(f"Activated service '{each}' on [".encode() in said for each in services)

    def _write_files(self, certificate: Path, key: Path) -> None:
        config = prosody_config(
            self.folder,
            self.place,
            self._ports,
            certificate=certificate,
            key=key,
            log_file=self.log_file,
            upload_limit_bytes=self._upload_limit_bytes,
            logs_stanzas=self._logs_stanzas,
            components=self._secrets,
            log_level=self._log_level,
            client_kb_per_s=self._client_kb_per_s,
            client_stanza_bytes=self._client_stanza_bytes,
            upload_quota_bytes=self._upload_quota_bytes,
            long_past=self._long_past,
            websockets=self._websockets,
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
