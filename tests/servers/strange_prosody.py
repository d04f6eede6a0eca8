"""Prosody with extra modules from the tests, which make it behave as other servers do."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from filebot.localserver.prosody import Prosody

_MODULES: Final = Path(__file__).parent / "prosody_modules"
_ACCOUNTS: Final = 'VirtualHost "localhost"\n'
_ROOMS: Final = '    modules_enabled = { "muc_mam" }\n'


class StrangeProsody(Prosody):
    """Prosody with the modules ``of_accounts`` and ``of_rooms``, minus the stock modules ``without``."""

    def __init__(
        self,
        folder: Path,
        *,
        users: Iterable[str] = (),
        of_accounts: Sequence[str] = (),
        of_rooms: Sequence[str] = (),
        without: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, users=users)
        self._of_accounts = of_accounts
        self._of_rooms = of_rooms
        self._without = without

    def _write_files(self, certificate: Path, key: Path) -> None:
        super()._write_files(certificate, key)
        path = self.folder / "prosody.cfg.lua"
        config = path.read_text()
        assert _ACCOUNTS in config
        assert _ROOMS in config
        config = config.replace(
            _ACCOUNTS, f"{_ACCOUNTS}    modules_enabled = {_names(*self._of_accounts)}\n"
        )
        config = config.replace(_ROOMS, f"    modules_enabled = {_names('muc_mam', *self._of_rooms)}\n")
        for each in self._without:
            assert f'"{each}", ' in config
            config = config.replace(f'"{each}", ', "")
        path.write_text(f'plugin_paths = {{ "{_MODULES}" }}\n{config}')


def _names(*modules: str) -> str:
    quoted = ", ".join(f'"{each}"' for each in modules)
    return f"{{ {quoted} }}"
