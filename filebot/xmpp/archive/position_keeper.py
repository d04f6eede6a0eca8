"""Keeper of an archive position: saved soon after it has moved, and never before the answers are said."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from filebot.concurrency.debouncer import Debouncer
from filebot.concurrency.tasks import end, run_supervised
from filebot.errors import FilebotError
from filebot.model import ArchivePosition
from filebot.ports import Cursors
from filebot.xmpp.connection.ping import server_answers
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

SAVE_AGAIN_S: Final = 5.0
IDS_A_SECOND: Final = 5_000
"""Rate of saving the ids beside a position: all are saved each time, so many of them less often."""
SAVE_EVERY_S: Final = 30.0
"""For moves by messages that asked for nothing."""
HEARD_LIMIT_S: Final = 30.0
"""In-band streams may keep the server from answering for a while."""
HEARD_AT_LAST_S: Final = 3.0
"""The same when the bot is stopped and somebody waits for that."""


class PositionKeeper:
    """Keeps the saved position in one archive up to the present one."""

    def __init__(
        self, stream: Stream, positions: Cursors, position: Callable[[], ArchivePosition | None]
    ) -> None:
        """``position`` returns the present one; None if there is nothing to save."""
        self._stream = stream
        self._positions = positions
        self._position = position
        self._changed = Debouncer(0.0)
        self._saving: asyncio.Task[None] | None = None
        self._saved: ArchivePosition | None = None

    def changed(self) -> None:
        """Save soon."""
        self._changed.signal()

    async def start(self, saved: ArchivePosition | None, position: ArchivePosition) -> None:
        """Save from now on; at once if nothing was ``saved`` before.

        A crash just now must not make the next session the first one.
        """
        self._saved = saved
        if saved is None:
            await self.save_now(position)
        if self._saving is None:
            self._saving = asyncio.create_task(
                run_supervised(self._save_changes, "archive position"), name="archive position"
            )

    async def save_now(self, position: ArchivePosition) -> None:
        """Save a position behind which nothing was answered yet; later if that fails."""
        try:
            await self._positions.save_position(position)
            self._saved = position
        except FilebotError as error:
            log.warning("the first position could not be saved: %s", error)
            self._changed.signal()

    async def close(self) -> None:
        """Save for the last time."""
        if await self.stop():
            await self._save(HEARD_AT_LAST_S)

    async def stop(self) -> bool:
        """Save no more; whether there was anything to stop."""
        saving, self._saving = self._saving, None
        if saving is None:
            return False
        await end([saving])
        return True

    async def _save_changes(self) -> None:
        while True:
            # Changes made while this is saved are saved together, next.
            await self._changed.settled(SAVE_EVERY_S)
            if not await self._save(HEARD_LIMIT_S):
                await asyncio.sleep(SAVE_AGAIN_S)
                self._changed.signal()
            elif self._saved is not None:
                await asyncio.sleep(len(self._saved.ahead) / IDS_A_SECOND)

    async def _save(self, limit_s: float) -> bool:
        position = self._position()
        if position is not None and position != self._saved:
            # Data only written to the socket is lost when the process is killed, and with it answers to
            # messages that the position counts as handled. The server reads a ping after them.
            if not await server_answers(self._stream, limit_s):
                return False
            try:
                await self._positions.save_position(position)
            except FilebotError as error:
                log.warning("the position in the archive could not be saved: %s", error)
                return False
            self._saved = position
        return True
