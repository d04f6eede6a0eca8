"""Runs the handlers of messages; a message is handled only when its handler is done."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Final, TypeVar

from filebot.concurrency.tasks import Tasks
from filebot.model import EncryptedMessage, IncomingMessage, Invitation
from filebot.xmpp.archive.catchup import CatchUp
from filebot.xmpp.handlers import Handler, Handlers

MOST_HANDLERS: Final = 20_000
"""Messages that are worked on, or wait for it, at once; policy limits each person and all long before."""
FINISH_S: Final = 0.5

_T = TypeVar("_T")


class HandlerTasks:
    """Owner of the tasks in which handlers run."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._tasks = Tasks(MOST_HANDLERS)

    def start(self, work: Coroutine[object, object, None], name: str) -> None:
        """Do something that no message asked for."""
        self._tasks.start(work, name)

    async def close(self) -> None:
        """Let handlers end whose work is done already, for at most ``FINISH_S``; cancel the others.

        A message that was answered and whose handler is cut off would be answered again after the start.
        """
        await self._tasks.idle(FINISH_S)
        await self._tasks.close()

    def take(
        self,
        read: IncomingMessage | EncryptedMessage | Invitation | None,
        catch_up: CatchUp,
        archive_id: str | None,
    ) -> bool:
        """Whether there is anything to do; ``catch_up`` hears when that is done."""
        if isinstance(read, IncomingMessage) and (read.addressed or read.offers):
            message = replace(read, mam_id=catch_up.name(archive_id))
            self._handle(self._handlers.message, message, catch_up, archive_id)
        elif isinstance(read, EncryptedMessage) and self._handlers.encrypted is not None:
            self._handle(self._handlers.encrypted, read, catch_up, archive_id)
        elif isinstance(read, Invitation) and self._handlers.invitation is not None:
            self._handle(self._handlers.invitation, read, catch_up, archive_id)
        else:
            catch_up.handled(archive_id, save=False)
            return False
        return True

    def _handle(self, handler: Handler[_T], value: _T, catch_up: CatchUp, archive_id: str | None) -> None:
        # Always as a task: an error of the handler is ours to log, and no stanza for the peer.
        self._tasks.start(self._call(handler, value, catch_up, archive_id), "message handler")

    async def _call(
        self, handler: Handler[_T], value: _T, catch_up: CatchUp, archive_id: str | None
    ) -> None:
        try:
            work = handler(value)
            if work is not None:
                await work
        except Exception:
            # A message that no handler can bear would be met again at every start.
            catch_up.handled(archive_id)
            raise
        catch_up.handled(archive_id)
