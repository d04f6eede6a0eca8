"""The certificates that the bot trusts, read again whenever their file has changed.

A server with its own certificate renews it while the bot runs.
"""

import logging
import ssl
from pathlib import Path
from typing import Final

from filebot.errors import ConfigError

log = logging.getLogger(__name__)

_REMEDY: Final = "name a PEM file with a line -----BEGIN CERTIFICATE-----"


class Trust:
    """The certificates of the system, and those of ``ca_file`` if there is one."""

    def __init__(self, ca_file: Path | None) -> None:
        """Raises ConfigError if the file cannot be used."""
        self._ca_file = ca_file
        self._state: tuple[int, ...] | None = None
        self._context = self._read()

    def context(self) -> ssl.SSLContext:
        """For the next connection. Where the file cannot be used any more, with what it held before."""
        if self._ca_file is None or self._state == _state(self._ca_file):
            return self._context
        try:
            self._context = self._read()
        except ConfigError as error:
            log.warning("%s; going on with the certificates that it held before", error)
        else:
            log.info("%s has changed: trusting the certificates that it holds now", self._ca_file)
        return self._context

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file is not None:
            # Before the reading: a change meanwhile is noticed next time.
            state = _state(self._ca_file)
            reason = unusable(self._ca_file, context)
            if reason is not None:
                raise ConfigError((f"xmpp.ca_file: {self._ca_file} {reason}",))
            self._state = state
        return context


def _state(file: Path) -> tuple[int, ...] | None:
    """Another one after each change; None if there is no file to be seen."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def unusable(file: Path, context: ssl.SSLContext | None = None) -> str | None:
    """Have the certificates of a file trusted in ``context``; why that cannot be, with the remedy."""
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        return f"holds no certificate; {_REMEDY}"
    except OSError as error:
        return f"cannot be read: {error.strerror}; correct the path or the rights of the file"
    return None
