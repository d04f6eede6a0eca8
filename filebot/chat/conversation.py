"""Around the work on a request: errors become replies, and chat states show that an answer comes."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from filebot.concurrency.tasks import end
from filebot.errors import FilebotError
from filebot.model import Address, AddressKind
from filebot.plugin.context import Conversation
from filebot.ports import Messenger

log = logging.getLogger(__name__)

COMPOSING_AFTER_S: Final = 0.5
"""Answers that come at once need no sign that one is being written."""


@asynccontextmanager
async def errors_in_words(conversation: Conversation, *, name: str = "") -> AsyncIterator[None]:
    """Answer what is raised within, which may be about the file ``name``.

    The one place where an error becomes a reply. One that nobody foresaw is answered with an incident id
    that stands in the log as well.
    """
    try:
        yield
    except FilebotError as error:
        log.info("%s: %s", type(error).__name__, error)
        await conversation.reply_error(error, name)
    except Exception as error:  # noqa: BLE001 - this is where nothing may pass
        await conversation.reply_error(error)


@asynccontextmanager
async def composing(messenger: Messenger, to: Address, *, wanted: bool) -> AsyncIterator[None]:
    """Show that an answer is on its way if it takes a moment (XEP-0085); never in rooms.

    ``wanted`` tells whether the client takes part in chat states.
    """
    if not wanted or to.kind is not AddressKind.CHAT:
        yield
        return
    sign = asyncio.create_task(_compose(messenger, to))
    try:
        yield
    finally:
        await end([sign])


async def _compose(messenger: Messenger, to: Address) -> None:
    await asyncio.sleep(COMPOSING_AFTER_S)
    await messenger.composing(to, active=True)
    try:
        await asyncio.Event().wait()
    finally:
        await messenger.composing(to, active=False)
