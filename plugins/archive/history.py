"""Import of a room's history: files that were posted before its archive was on are found and kept.

Theory of operation. A row has how far an import has come: all files of the messages before are dealt with.
A job goes on with it for about a minute, page by page, the oldest first, and leaves the rest to the next
one, so that rooms take turns; a job knows by its number whether the import is still its own. When a page is
dealt with, the row is saved: after a kill the job does the last page again, whose files are found stored.
The import ends with the history, when enough messages are looked at, or when the archive is switched off.
"""

import asyncio
import hashlib
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from filebot.plugin import (
    AddressKind,
    Context,
    FilebotError,
    HistoryImport,
    HistoryImportFinished,
    HistoryImportProgressed,
    HistoryPage,
    IncomingMessage,
    NoHistory,
    RoomSetting,
    Sender,
    TransferError,
    UserError,
)

from . import imports, wishes
from .imports import Progress

log = logging.getLogger(__name__)

MOST_MESSAGES: Final = 100_000
"""Messages of one import; a further one can ask for the rest."""
MOST_DAYS: Final = 3650
PAGES_AT_ONCE: Final = 200
REST: Final = timedelta(seconds=30)
"""After so many pages the room's archive is left alone for a while."""
FILES_AT_ONCE: Final = 4
"""Files of one room: people's own come first."""
TURN_S: Final = 60.0
"""Time of one job, after which the asker is told how far it has come."""
TRIES: Final = 5
PAUSE: Final = timedelta(seconds=30)
"""After a page that was not to be had, and while the bot is out of the room."""
LONGEST_ABSENCE: Final = timedelta(days=1)

_DONE: Final = "done"


class NotImported(UserError):
    """The history of a room cannot be imported.

    ``reason`` is one of those of NoHistory, ``away`` (there is no answer just now), ``busy`` (an import is
    under way already) or ``idle`` (none is).
    """

    template = "archive/no_history"

    def __init__(self, room: str, *, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason


@dataclass(frozen=True)
class Step:
    """Payload of a job that goes on with an import."""

    room: str
    turn: int
    pages: int = 0
    """Pages since the last rest."""
    failures: int = 0
    """Tries to get the next page."""
    waits: int = 0
    """Pauses since the bot was in the room."""
    outcome: str = ""
    """Result of the import, which is still to be told: ``done``, or the reason why it ended."""


@dataclass(frozen=True)
class _Next:
    """Next step, and the time until then."""

    step: Step
    after: timedelta = timedelta(0)


class HistoryImports:
    """Begins, goes on with, and stops the imports of all rooms."""

    def __init__(self, under: RoomSetting[bool]) -> None:
        """``under`` is the setting by which a room agrees."""
        self._under = under
        self._running: dict[str, asyncio.Timeout] = {}

    async def begin(self, ctx: Context[Any], days: int) -> HistoryImport:
        """Go through what was posted in the last ``days`` (at most ``MOST_DAYS``), in the background.

        HistoryImportProgressed and HistoryImportFinished tell the sender of it. Raises NoSuchRoom,
        NotAllowed, NotImported or StorageError.
        """
        room, now = await ctx.rooms.managed(), ctx.now
        since = now - timedelta(days=min(days, MOST_DAYS))
        new = Progress(
            HistoryImport(
                room, ctx.sender.identity or "", ctx.sender.address.conversation, ctx.language, since, now
            ),
            # Unlike those of an import before, of which a job may still be there.
            secrets.randbelow(2**40),
        )
        if ctx.rooms.setting(self._under) and await imports.import_of(ctx.db, room) is not None:
            raise NotImported(room, reason="busy")
        try:
            await ctx.rooms.history(room, under=self._under, since=since)  # can it be read at all?
        except NoHistory as error:
            raise NotImported(room, reason=error.reason) from error
        except TransferError as error:
            raise NotImported(room, reason="away") from error
        if not await imports.begin(ctx.db, new):
            raise NotImported(room, reason="busy")
        await _add(ctx, _Next(Step(room, new.turn)))
        return new.history_import

    async def stop(self, ctx: Context[Any]) -> HistoryImport:
        """Stop for good what is under way in the room spoken in; return how far it has come.

        Raises NoSuchRoom, NotAllowed, NotImported or StorageError.
        """
        room = await ctx.rooms.managed()
        stopped = await imports.forget(ctx.db, room)
        if room in self._running:
            self._running[room].reschedule(asyncio.get_running_loop().time())
        if stopped is None:
            raise NotImported(room, reason="idle")
        return stopped

    async def resume(self, ctx: Context[Any]) -> None:
        """Make sure that each import has a job. Raises StorageError."""
        for room, turn in await imports.turns(ctx.db):
            await _add(ctx, _Next(Step(room, turn)))

    async def go_on(self, ctx: Context[Any], step: Step) -> None:
        """Do one job, and add the next one. Raises StorageError."""
        progress = await imports.import_of(ctx.db, step.room)
        if progress is None:
            return
        if progress.turn != step.turn:
            # A kill may have come between the passing on and the job.
            await _add(ctx, _Next(Step(step.room, progress.turn)))
            return
        try:
            async with asyncio.timeout(None) as stopping:
                self._running[step.room] = stopping
                following = await self._go_through(ctx, progress, step)
        except TimeoutError:
            if not stopping.expired():
                raise
            return
        finally:
            self._running.pop(step.room, None)
        if following is not None and await imports.pass_on(ctx.db, progress):
            await _add(ctx, replace(following, step=replace(following.step, turn=step.turn + 1)))

    # --- one job --------------------------------------------------------------------------------

    async def _go_through(self, ctx: Context[Any], progress: Progress, step: Step) -> _Next | None:
        """Go on for a while; return what comes next, or None if it is over."""
        room, until = step.room, asyncio.get_running_loop().time() + TURN_S
        while not step.outcome:
            page = await self._page(ctx, progress.history_import, step)
            if isinstance(page, _Next):
                return page
            if isinstance(page, str):
                log.warning("the history of %s is not gone through to its end: %s", room, page)
                step = replace(step, outcome=page, waits=0)
                break
            progress = replace(progress, history_import=await self._dealt_with(ctx, progress, page))
            if not await imports.save(ctx.db, progress):
                return None
            step = replace(step, pages=step.pages + 1, failures=0, waits=0)
            if _is_last(progress.history_import, page):
                step = replace(step, outcome=_DONE)
            elif step.pages >= PAGES_AT_ONCE:
                return _Next(replace(step, pages=0), REST)
            elif asyncio.get_running_loop().time() >= until:
                await self._tell_progress(ctx, progress.history_import, page)
                return _Next(step)
        return await self._finish(ctx, progress.history_import, step)

    async def _page(
        self, ctx: Context[Any], history_import: HistoryImport, step: Step
    ) -> HistoryPage | _Next | str:
        """Return the next page, or the step after which it is asked for again, or the reason of the end."""
        room, since = history_import.room, None if history_import.last_id else history_import.since
        try:
            if ctx.rooms.is_in(room):
                return await ctx.rooms.history(
                    room, under=self._under, after=history_import.last_id, since=since
                )
        except NoHistory as error:
            return error.reason
        except TransferError as error:
            log.info("a page of the history of %s: %s", room, error)
            step = replace(step, failures=step.failures + 1)
            return "closed" if step.failures >= TRIES else _Next(step, PAUSE)
        if not ctx.rooms.setting(self._under, room):
            return "off"
        return "closed" if step.waits * PAUSE >= LONGEST_ABSENCE else _wait(step)

    async def _dealt_with(self, ctx: Context[Any], progress: Progress, page: HistoryPage) -> HistoryImport:
        """Keep the files of a page; return what is known then."""
        at_once, history_import = asyncio.Semaphore(FILES_AT_ONCE), progress.history_import

        async def keep(post: IncomingMessage, number: int) -> bool | None:
            async with at_once:
                return await self._keep(ctx, post, number)

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(keep(post, number))
                for post in page.posts
                if post.delayed_since is None or post.delayed_since <= history_import.until
                for number in range(len(post.offers))
            ]
        outcomes = [task.result() for task in tasks]
        return replace(
            history_import,
            last_id=page.last_id or history_import.last_id,
            messages=history_import.messages + page.messages,
            kept=history_import.kept + outcomes.count(True),
            failed=history_import.failed + outcomes.count(None),
        )

    async def _keep(self, ctx: Context[Any], post: IncomingMessage, number: int) -> bool | None:
        """Return whether a file is new; None if it could not be kept."""
        try:
            return await wishes.keep(ctx, post, number, self._under, from_history=True)
        except FilebotError as error:
            log.info("a file in the history of %s is not kept: %s", post.sender.room, error)
            return None

    async def _tell_progress(
        self, ctx: Context[Any], history_import: HistoryImport, page: HistoryPage
    ) -> None:
        if ctx.rooms.is_in(history_import.room):
            sender, language = _asker(history_import), history_import.language
            await ctx.emit(HistoryImportProgressed(sender, language, history_import, page.at))

    async def _finish(self, ctx: Context[Any], history_import: HistoryImport, step: Step) -> _Next | None:
        """Tell the result; out of the room, nothing can be said there, so that it waits."""
        room, is_private = history_import.room, history_import.address.kind is AddressKind.CHAT
        if (
            not (is_private or ctx.rooms.is_in(room))
            and ctx.rooms.setting(self._under, room)
            and step.waits * PAUSE < LONGEST_ABSENCE
        ):
            return _wait(step)
        error = None if step.outcome == _DONE else NotImported(room, reason=step.outcome)
        sender, language = _asker(history_import), history_import.language
        await ctx.emit(HistoryImportFinished(sender, language, history_import, error))
        await imports.forget(ctx.db, room)
        return None


def _is_last(history_import: HistoryImport, page: HistoryPage) -> bool:
    is_over = page.complete or not page.last_id or history_import.messages >= MOST_MESSAGES
    return is_over or (page.at is not None and page.at > history_import.until)


def _wait(step: Step) -> _Next:
    return _Next(replace(step, waits=step.waits + 1), PAUSE)


async def _add(ctx: Context[Any], following: _Next) -> None:
    """Add the job of a step, unless it is there: those of one room are done in turn."""
    group = hashlib.sha256(following.step.room.encode()).hexdigest()
    key = f"{group} {following.step.turn}"
    await ctx.jobs.add("history", following.step, key=key, group=group, after=following.after)


def _asker(history_import: HistoryImport) -> Sender:
    """Return whom to tell: as they spoke when they asked."""
    room = history_import.room if history_import.address.kind is not AddressKind.CHAT else None
    jid = None if "/" in history_import.asker else history_import.asker
    return Sender(history_import.address, jid, room)
