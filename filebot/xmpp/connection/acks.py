"""Acknowledgements of what the server sent, and questions for its own (XEP-0198 section 4)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from slixmpp.basexmpp import BaseXMPP

MANAGEMENT: Final = "urn:xmpp:sm:3"

_ACK_WITHIN_S: Final = 0.1
"""The server's questions for an acknowledgement are answered with the next block of a file, or then."""


class Acks:
    """Answers the questions of one stream's server."""

    def __init__(self, stream: BaseXMPP) -> None:
        self._stream = stream
        self._due: asyncio.TimerHandle | None = None
        self._holds = False
        self._was_asked = False

    def asked(self) -> None:
        """Answer soon: the server wants to know how much was heard."""
        if self._holds:
            self._was_asked = True
        elif self._due is None:
            self._due = self._stream.loop.call_later(_ACK_WITHIN_S, self._send)

    def along(self) -> str:
        """Return what is to go along with a stanza.

        On its own it would be one more thing to read for the server, and break the strides of the others.
        """
        management = None if self._stream.is_component else self._management
        text = ""
        if management is not None and self._due is not None:
            self.cancel()
            text += _ack(management.handled)
        if management is not None and management.enabled_out:
            management.window_counter -= 1
            if management.window_counter <= 0:
                management.window_counter = management.window
                text += f'<r xmlns="{MANAGEMENT}"/>'
        return text

    @contextmanager
    def held(self) -> Iterator[None]:
        """Acknowledge nothing meanwhile: what comes is the server's to keep, should the session be lost."""
        if self._due is not None:
            self.cancel()
            self._send()
        self._holds, self._was_asked = True, False
        try:
            yield
        finally:
            self._holds = False
            if self._was_asked:
                self.asked()

    def cancel(self) -> None:
        """Send nothing that is due."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    @property
    def _management(self) -> Any:
        return self._stream.plugin["xep_0198"]

    def _send(self) -> None:
        self._due = None
        management = self._management
        if self._stream._session_started and management.enabled_in:  # noqa: SLF001  # no name in slixmpp
            self._stream.send_raw(_ack(management.handled))


def _ack(handled: int) -> str:
    return f'<a xmlns="{MANAGEMENT}" h="{handled}"/>'
