"""Handlers of what a session receives.

The session is given the object when it is made. Handlers that need the session themselves are set in it
afterwards, before the session runs.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Final, TypeVar

from filebot.model import (
    Address,
    Bounce,
    EncryptedMessage,
    IncomingMessage,
    Invitation,
    Reaction,
    Retraction,
    Sender,
)
from filebot.ports import CommandForms, FileRequest, StreamOffer

log = logging.getLogger(__name__)

_T = TypeVar("_T")
Handler = Callable[[_T], Awaitable[None] | None]
"""Is called in the order of arrival, in a task of its own in which also its result is awaited."""


COMMAND_LATE: Final = "reception/command_late"
"""Template for a command that takes long: its result comes as a message."""
COMMAND_AS_MESSAGE: Final = "reception/command_as_message"
"""Template for a result that is too long for a form, and comes as a message."""

CommandWords = Callable[[Sender, str | None, str | Exception], Awaitable[str]]
"""Returns a template's words, or those for an error, for somebody whose client says this language.

Words for errors that nobody foresaw do not tell of them; the log does."""


async def _without_words(sender: Sender, language: str | None, what: str | Exception) -> str:
    if isinstance(what, Exception):
        log.error("a command failed", exc_info=what)
    return ""


def _ignore(jid: str) -> None:
    """Take no notice of it."""


async def _remember_no_rooms(room: str, destroyed: bool) -> None:
    """Nobody remembers rooms."""


async def _refuse(offered: StreamOffer | FileRequest) -> None:
    await offered.refuse("")


def _ignore_message(message: IncomingMessage) -> None:
    """Take no notice of it."""


@dataclass(slots=True)
class StreamHandlers:
    """Handlers of byte streams (XEP-0095, XEP-0166)."""

    offer: Handler[StreamOffer] = _refuse
    request: Handler[FileRequest] = _refuse
    """Without it nobody is given what they ask for."""


@dataclass(slots=True, kw_only=True)
class Handlers:
    """Handlers of one session. The tasks in which they run are cancelled when the session is stopped."""

    is_served: Callable[[str], bool]
    """Returns whether the bot serves a bare JID: no others see its presence, or have their files taken."""
    message: Handler[IncomingMessage] = _ignore_message
    encrypted: Handler[EncryptedMessage] | None = None
    invitation: Handler[Invitation] | None = None
    retraction: Handler[Retraction] | None = None
    reaction: Handler[Reaction] | None = None
    posted: Callable[[str, str, str], Coroutine[object, object, None]] | None = None
    """Is told the room, the bot's own id and the room's id of each message of the bot's to a room."""
    commands: CommandForms | None = None
    """Without it no ad-hoc commands are announced to others."""
    command_words: CommandWords = _without_words
    streams: StreamHandlers | None = None
    """Without them no streams are announced to others."""
    online: Callable[[str], None] = _ignore
    """Is told the bare JID whenever a client of a person who is served comes online, for each client and
    again in each new session; it must be quick."""
    subscribed: Callable[[str, str, str | None], Coroutine[object, object, None]] | None = None
    """Is told who was let see the bot, by which of its bare addresses, and the language of their client."""
    no_private: Callable[[str], Coroutine[object, object, None]] | None = None
    """Is told of a room that did not let the bot answer somebody in private."""
    unsent: Callable[[Address, str | None], Coroutine[object, object, None]] | None = None
    """Is told the addressee and the language of a message that the server does not take."""
    bounced: Callable[[Bounce], Coroutine[object, object, None]] | None = None
    """Is told of messages that came back and are not said again."""
    shut_out: Callable[[str, bool], Awaitable[None]] = _remember_no_rooms
    """Is told of a room that the bot does not come back to, and whether it was destroyed."""
