"""Handlers of what a session receives: one object, which the session is given when it is made."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

from filebot.model import Address, IncomingMessage, Invitation
from filebot.ports import FileRequest, StreamOffer
from filebot.xmpp.messages.encryption import EncryptedMessage

_T = TypeVar("_T")
Handler = Callable[[_T], Awaitable[None] | None]
"""Is called in the order of arrival, in a task of its own in which also its result is awaited."""


def _ignore(jid: str) -> None:
    """Take no notice of it."""


async def _remember_no_rooms(room: str, destroyed: bool) -> None:
    """Nobody remembers rooms."""


async def _refuse(request: FileRequest) -> None:
    await request.refuse("")


@dataclass(frozen=True, slots=True)
class StreamHandlers:
    """Handlers of byte streams (XEP-0095, XEP-0166)."""

    offer: Handler[StreamOffer]
    request: Handler[FileRequest] = _refuse
    """Without it nobody is given what they ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """Handlers of one session. The tasks in which they run are cancelled when the session is stopped."""

    message: Handler[IncomingMessage]
    is_served: Callable[[str], bool]
    """Returns whether the bot serves a bare JID: no others see its presence, or have their files taken."""
    encrypted: Handler[EncryptedMessage] | None = None
    invitation: Handler[Invitation] | None = None
    streams: StreamHandlers | None = None
    """Without them no streams are announced to others."""
    online: Callable[[str], None] = _ignore
    """Is told the bare JID whenever a client of a person who is served comes online, for each client and
    again in each new session; it must be quick."""
    no_private: Callable[[str], Coroutine[object, object, None]] | None = None
    """Is told of a room that did not let the bot answer somebody in private."""
    unsent: Callable[[Address, str | None], Coroutine[object, object, None]] | None = None
    """Is told the addressee and the language of a message that the server does not take."""
    shut_out: Callable[[str, bool], Awaitable[None]] = _remember_no_rooms
    """Is told of a room that the bot does not come back to, and whether it was destroyed."""
