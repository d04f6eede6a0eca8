"""History import: files that were posted in a room before its archive was on are found and kept.

Theory of operation. One task for each room goes through the history page by page, the oldest first. When
all files of a page are dealt with, the row that tells how far it has come is saved, so that a restart goes
on there; the files of a page that was begun twice are found stored. It ends with the history, when enough
messages are looked at, or when the archive is switched off.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from filebot.concurrency.keyed_tasks import KeyedTasks
from filebot.errors import FilebotError, NoHistory, TransferError
from filebot.events.bus import EventBus
from filebot.events.facts import Actor, HistoryImportFinished, HistoryImportProgressed
from filebot.model import AddressKind, BareJid, HistoryImport, HistoryPage, IncomingMessage, Offer, Sender
from filebot.ports import Histories, Rooms, RoomStore
from filebot.rooms.auto_archive import ARCHIVE, AutoArchive
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)

MOST_MESSAGES: Final = 100_000
"""Messages of one request; a further one can ask for the rest."""
MOST_DAYS: Final = 3650
PAGES_AT_ONCE: Final = 200
REST_S: Final = 30.0
"""After so many pages the room's archive is left alone for a while."""
FILES_AT_ONCE: Final = 4
"""Files of one room: people's own come first."""
TELL_EVERY_S: Final = 60.0
TRIES: Final = 5
LONGEST_ABSENCE_S: Final = 86_400.0
PAUSE_S: Final = 30.0
"""After a page that was not to be had."""
LOOK_EVERY_S: Final = 1.0
"""Whether the bot is in the room again."""


class HistoryImporter:
    """Owns the tasks. :meth:`open` comes before all, :meth:`close` ends all."""

    def __init__(
        self,
        store: RoomStore,
        histories: Histories,
        rooms: Rooms,
        archive: AutoArchive,
        room_settings: RoomSettingsStore,
        events: EventBus,
        clock: Callable[[], datetime],
        *,
        pause_s: float = PAUSE_S,
        rest_s: float = REST_S,
    ) -> None:
        self._store = store
        self._histories = histories
        self._rooms = rooms
        self._archive = archive
        self._room_settings = room_settings
        self._events = events
        self._clock = clock
        self._pause_s = pause_s
        self._rest_s = rest_s
        self._tasks = KeyedTasks[BareJid]()
        self._states: dict[BareJid, HistoryImport] = {}

    async def open(self) -> None:
        """Go on with what an earlier run left. Raises StorageError."""
        for history_import in await self._store.history_imports():
            self._start(history_import)

    async def close(self) -> None:
        """Stop; the next start goes on."""
        await self._tasks.close()

    async def idle(self) -> None:
        """Wait until nothing is gone through."""
        await self._tasks.idle()

    def state(self, room: BareJid) -> HistoryImport | None:
        """Return the import of a room's history that is under way; None if there is none."""
        return self._states.get(room)

    async def begin(self, sender: Sender, room: BareJid, language: str | None, days: int) -> HistoryImport:
        """Go through what was posted in the last ``days`` (at most ``MOST_DAYS``), in the background.

        HistoryImportProgressed and HistoryImportFinished tell the sender of it. Raises NoHistory or
        StorageError.
        """
        if not self._room_settings.get(room, ARCHIVE):
            raise NoHistory(room, reason="off")
        if room in self._states:
            raise NoHistory(room, reason="busy")
        if not self._rooms.tells_apart(room):
            raise NoHistory(room, reason="ids")
        now = self._clock()
        since = now - timedelta(days=min(days, MOST_DAYS))
        history_import = HistoryImport(
            room, sender.identity or "", sender.address.conversation, language, since, now
        )
        try:
            await self._histories.page(room, "", since)  # can it be read at all?
        except TransferError as error:
            raise NoHistory(room, reason="away") from error
        if room in self._states:
            raise NoHistory(room, reason="busy")
        self._states[room] = history_import  # nobody begins another one meanwhile
        try:
            # Before the work begins: its end takes the row away, and must not come first.
            await self._store.save_history_import(history_import)
        except BaseException:
            del self._states[room]
            raise
        self._start(history_import)
        return history_import

    async def stop(self, room: BareJid) -> HistoryImport | None:
        """Stop what is under way there for good; how far it has come. Raises StorageError."""
        history_import = self._states.get(room)
        if not await self._tasks.stop(room):
            return None
        await self._store.forget_history_import(room)
        return history_import

    # --- one room -------------------------------------------------------------------------------

    def _start(self, history_import: HistoryImport) -> None:
        room = history_import.room
        self._states[room] = history_import
        work, name = self._run(history_import), f"history of {room}"
        self._tasks.start(room, work, name, then=partial(self._states.pop, room))

    async def _run(self, history_import: HistoryImport) -> None:
        error: FilebotError | None = None
        try:
            await self._go_through(history_import)
        except FilebotError as failure:
            log.warning(
                "the history of %s is not gone through to its end: %s", history_import.room, failure
            )
            error = failure
        history_import = self._states[history_import.room]
        if history_import.address.kind is not AddressKind.CHAT:
            await self._until_in(history_import.room)
        await self._events.tell(
            HistoryImportFinished(_asker(history_import), history_import.language, history_import, error)
        )
        await self._store.forget_history_import(history_import.room)

    async def _go_through(self, history_import: HistoryImport) -> None:
        loop = asyncio.get_running_loop()
        told, pages = loop.time(), 0
        while history_import.messages < MOST_MESSAGES:
            if not self._room_settings.get(history_import.room, ARCHIVE):
                raise NoHistory(history_import.room, reason="off")
            page = await self._page(history_import)
            history_import = await self._dealt_with(history_import, page)
            self._states[history_import.room] = history_import
            if (
                page.complete
                or not page.last_id
                or (page.at is not None and page.at > history_import.until)
            ):
                return
            await self._store.save_history_import(history_import)
            pages += 1
            if pages % PAGES_AT_ONCE == 0:
                await asyncio.sleep(self._rest_s)
            if loop.time() - told >= TELL_EVERY_S and history_import.room in self._rooms.joined():
                told = loop.time()
                await self._events.tell(
                    HistoryImportProgressed(
                        _asker(history_import), history_import.language, history_import, page.at
                    )
                )

    async def _until_in(self, room: BareJid) -> None:
        """Wait until the bot is in the room, at most ``LONGEST_ABSENCE_S``: out of it, it can say nothing
        there.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_ABSENCE_S):
                while self._room_settings.get(room, ARCHIVE):
                    if room in self._rooms.joined():
                        return
                    await asyncio.sleep(LOOK_EVERY_S)

    async def _page(self, history_import: HistoryImport) -> HistoryPage:
        """The next page; while the bot is out of the room, it waits. Raises TransferError or NoHistory."""
        room, since = history_import.room, None if history_import.last_id else history_import.since
        failures, until = 0, asyncio.get_running_loop().time() + LONGEST_ABSENCE_S
        while failures < TRIES and asyncio.get_running_loop().time() < until:
            if room not in self._rooms.joined():
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                return await self._histories.page(room, history_import.last_id, since)
            except TransferError as error:
                failures += 1
                log.info("a page of the history of %s: %s", room, error)
            await asyncio.sleep(self._pause_s)
        raise NoHistory(room, reason="closed")

    async def _dealt_with(self, history_import: HistoryImport, page: HistoryPage) -> HistoryImport:
        """Keep the files of a page; what is known then."""
        at_once = asyncio.Semaphore(FILES_AT_ONCE)

        async def keep(post: IncomingMessage, offer: Offer) -> bool | None:
            async with at_once:
                return await self._keep(post, offer)

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(keep(post, offer))
                for post in page.posts
                if post.delayed_since is None or post.delayed_since <= history_import.until
                for offer in post.offers
            ]
        outcomes = [task.result() for task in tasks]
        return replace(
            history_import,
            last_id=page.last_id or history_import.last_id,
            messages=history_import.messages + page.messages,
            kept=history_import.kept + outcomes.count(True),
            failed=history_import.failed + outcomes.count(None),
        )

    async def _keep(self, post: IncomingMessage, offer: Offer) -> bool | None:
        """Whether it is new; None if it could not be kept."""
        try:
            received = await self._archive.take(
                Actor(post.sender, post.language), offer, post.text, from_history=True
            )
        except FilebotError as error:
            log.info("a file in the history of %s is not kept: %s", post.sender.room, error)
            return None
        return received is not None and not received.already_known


def _asker(history_import: HistoryImport) -> Sender:
    """Whom to tell: as they spoke when they asked."""
    room = history_import.room if history_import.address.kind is not AddressKind.CHAT else None
    jid = None if "/" in history_import.asker else history_import.asker
    return Sender(history_import.address, jid, room)
