"""Nothing missed: what came while the bot was away is read from an archive (XEP-0313), page by page.

Theory of operation. The ``ArchiveCursor`` knows which messages are dealt with; its position is saved soon
after it has moved, once for all messages of that time. A new session reads the archive from the position
on, page by page, and gives what it finds to the same handlers as what comes live. A message that the server
had kept back comes twice, from there and from the archive, and is taken from the archive, which alone knows
its place.

The position is saved when the server has heard the answers. A kill before that means that the message is
met again. A file that it brought is then found in the catalog under the message's id, even if it was
removed since, and not fetched again; the answer is given twice only if the kill came between the answer and
the position. What else an earlier run seems to have answered is told apart (``Archived.answered``), so that
no command is carried out twice.

What is nobody's business, the talk of a room above all, moves the position as well, but is no reason to
save it at once.

An account may have other clients, to which a message can go that the bot never hears of. So the order in
which messages come live says nothing there: soon after them the archive is read on, and what it has in
between is dealt with. A room sends everybody everything.

All this needs ids by which a live message is found in the archive again (XEP-0359). Where the server does
not promise those, nothing is caught up with: everything would be dealt with twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.exceptions import XMPPError

from filebot.concurrency.debouncer import Debouncer
from filebot.concurrency.tasks import end, run_supervised
from filebot.errors import FilebotError, PeerProtocolError
from filebot.model import ArchivePosition, BareJid
from filebot.ports import Cursors
from filebot.protocol.archive_cursor import ArchiveCursor, id_of
from filebot.system.server_clock import ServerClock, seconds_passed
from filebot.xmpp.archive.first_session import BEGINNING, SLACK, KeptBack, earliest
from filebot.xmpp.archive.mam_query import Archived, ArchivePage, MessageArchive
from filebot.xmpp.archive.page_reader import PageReader
from filebot.xmpp.archive.position_keeper import PositionKeeper
from filebot.xmpp.archive.turns import Turn, with_answers
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.error_conditions import cause

log = logging.getLogger(__name__)

MOST_OPEN: Final = 200
"""While more messages than these are being dealt with, no more are read."""
GATHER_S: Final = 0.2
"""Messages that the server had kept back come many at once; the archive is read once for all of them."""
SAVE_AFTER_S: Final = 0.2
"""Messages that are handled within this time are saved together, with one question to the server.

A kill before that meets them again, which the catalog's tombstones and the archive's answers make harmless.
"""
REVIEW_S: Final = 10.0
"""After live messages of an account: then the archive tells their places, and what else came meanwhile."""


class CatchUp:
    """Catches up with one archive. Without ``positions`` it does nothing at all."""

    def __init__(
        self,
        stream: Stream,
        jid: BareJid,
        positions: Cursors | None,
        take: Callable[[Archived], bool],
        turn: Callable[[Element], Turn],
        *,
        at_once: asyncio.Semaphore | None = None,
        of_room: bool = False,
        gives_ids: Callable[[], Awaitable[bool | None]] | None = None,
        clock: ServerClock | None = None,
    ) -> None:
        """``jid`` is whose archive it is.

        ``take`` is given each message that was missed and sees to it that ``handled`` is called, at once or
        later; it returns whether there is anything to do.

        ``at_once`` is held while a page is asked for. ``of_room``: what comes live is all there is, and in
        the archive's order; and where there is no position yet, the archive is read from its present end
        on. An account's is read from now on, until :meth:`find_place` finds something better.

        ``gives_ids`` tells whether messages come with the archive's ids; None if it cannot be known now.
        """
        self._stream = stream
        self._positions = positions
        self._take = take
        self._turn = turn
        self._of_room = of_room
        self._gives_ids = gives_ids
        self._archive = MessageArchive(stream, jid)
        self._pages = PageReader(
            self._archive,
            jid,
            at_once or asyncio.Semaphore(),
            may_read=self._is_sure,
            take=self._took_page,
            until_room=self._wait_for_room,
        )
        self._jid = jid
        self._cursor: ArchiveCursor | None = None
        self._is_new = False
        self._clock = clock or ServerClock()
        self._began_s = seconds_passed()
        self._kept_back: KeptBack | None = None
        self._ids_are_sure = gives_ids is None
        self._wanted = Debouncer(GATHER_S, GATHER_S)
        self._stirred = asyncio.Event()
        self._ended = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._keeper = None if positions is None else PositionKeeper(stream, positions, self._position)
        self._saving: asyncio.TimerHandle | None = None

    @property
    def has_place(self) -> bool:
        """Whether it is known where in the archive to go on; also if it is not read at all."""
        return self._cursor is None or bool(self._cursor.position.last_id)

    @property
    def is_on(self) -> bool:
        """Whether the archive's ids mean anything."""
        return self._cursor is not None

    async def begin(self) -> None:
        """A new session: to be called before anything can come in it."""
        await self._stop_reading()
        if self._positions is None or self._keeper is None:
            return
        if await self._may_be_read() is False:
            await self._give_up()
            return
        if self._cursor is None:
            try:
                position = await self._positions.position(self._jid)
            except FilebotError as error:
                log.warning("it is not known what was missed: %s", error)
                return
            self._is_new = position is None
            self._pages.skips_past = position is None and self._of_room
            # Messages older than the first session are not for the bot.
            first = position or ArchivePosition(self._jid, "", self._clock())
            self._cursor = ArchiveCursor(first, in_order=self._of_room)
            await self._keeper.start(position, first)
        self._cursor.begin()

    async def _may_be_read(self) -> bool | None:
        """Whether live messages can be found in the archive again; None if that is not known now."""
        if self._gives_ids is None:
            return True
        gives_ids = await self._gives_ids()
        self._ids_are_sure = gives_ids is not None
        return gives_ids

    async def _give_up(self) -> None:
        log.info("%s does not tell by which id it archives a message: nothing is caught up with", self._jid)
        self._cursor = None
        # Otherwise, with ids one day, all that came without would be met as new.
        try:
            if self._positions is not None:
                await self._positions.forget_position(self._jid)
        except FilebotError as error:
            log.warning("how far %s was read is not forgotten: %s", self._jid, error)

    async def begin_before_kept_back(self) -> None:
        """Set the position before all that has come of what the server had kept back.

        While the place is only a time: behind an id, the archive tells all.
        """
        cursor, kept_back = self._cursor, self._kept_back
        if cursor is None or kept_back is None or cursor.position.last_id:
            return
        if kept_back.since - SLACK < cursor.position.at:
            cursor.begin_at(kept_back.since - SLACK)
            self._is_new = False
            await self._save_now(cursor.position)

    async def _save_now(self, position: ArchivePosition) -> None:
        if self._keeper is not None:
            await self._keeper.save_now(position)

    async def find_place(self) -> None:
        """Set the position to an id, as clocks differ: before what was kept back, or at the end."""
        cursor, kept_back = self._cursor, self._kept_back
        if cursor is None or cursor.position.last_id or not self._ids_are_sure:
            return
        is_before = kept_back is not None and cursor.position.at == kept_back.since - SLACK
        if not is_before and not self._is_new:
            return
        try:
            last = await self._archive.newest(kept_back.archive_id if kept_back and is_before else "")
        except (XMPPError, PeerProtocolError) as error:
            log.info("the archive of %s begins with the clock: %s", self._jid, cause(error))
            return
        if last is None:
            cursor.begin_at(BEGINNING)
        else:
            cursor.begin_after(last.id, last.at)
        self._is_new = False
        await self._save_now(cursor.position)

    async def start(self) -> None:
        """Read what was missed, in the background; for each new session."""
        await self._stop_reading()
        if self._cursor is not None:
            self.look()
            reading = partial(self._read_whenever_wanted, self._cursor)
            name = f"catching up with {self._jid}"
            self._reading = asyncio.create_task(run_supervised(reading, name), name=name)

    async def pause(self) -> None:
        """Read no more until the next session."""
        await self._stop_reading()
        if self._cursor is not None:
            # A message that comes before the archive is read again has no position: others may precede it.
            self._cursor.begin()

    async def close(self) -> None:
        """Save the position for the last time."""
        await self._stop_reading()
        self._do_not_save_soon()
        if self._keeper is not None:
            await self._keeper.close()

    async def forget(self) -> None:
        """End, and begin anew another time: what comes until then is not the bot's business."""
        await self._stop_reading()
        self._do_not_save_soon()
        if self._keeper is not None:
            await self._keeper.stop()
        self._cursor = self._kept_back = None
        if self._positions is not None:
            await self._positions.forget_position(self._jid)

    def _position(self) -> ArchivePosition | None:
        return None if self._cursor is None else self._cursor.position

    def _changed(self) -> None:
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER_S, self._save_soon)

    def _save_soon(self) -> None:
        self._saving = None
        if self._keeper is not None:
            self._keeper.changed()

    def _do_not_save_soon(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None

    def name(self, key: str | None) -> str | None:
        """Return a name that no message of any other archive has."""
        return None if key is None else f"{self._jid} {key}"

    def live(self, key: str | None, *, kept_back: bool, since: datetime | None = None) -> bool:
        """A message came; whether it is to be dealt with now, and not found in the archive instead.

        ``key`` is None if the archive gave it no id; ``kept_back`` says that the server had it lying
        for a while, from ``since`` on.
        """
        if self._cursor is None or key is None:
            return True
        if kept_back:
            if since is not None:
                self._kept_back = earliest(self._kept_back, KeptBack(id_of(key), since))
            self.look()
            return False
        if not self._of_room:
            self._stirred.set()
        return self._cursor.live(key, self._clock())

    def look(self) -> None:
        """Something is in the archive whose place is not known."""
        self._wanted.signal()
        self._stirred.set()

    def handled(self, key: str | None, *, save: bool = True) -> None:
        """A message is dealt with, and what there is to say of it was said.

        Not to ``save`` at once is right where to meet it again would change nothing.
        """
        if self._cursor is not None and key is not None:
            self._cursor.handled(key)
            if save:
                self._changed()
            self._ended.set()

    # --- reading --------------------------------------------------------------------------------

    async def _stop_reading(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            await end([reading])

    async def _read_whenever_wanted(self, cursor: ArchiveCursor) -> None:
        while True:
            again = await self._until_wanted() or not self._pages.read_to
            if again:
                await self.begin_before_kept_back()
                cursor.begin()
                self._pages.read_to = cursor.position.last_id
            try:
                is_there = await self._pages.read(cursor, log.info if again else log.debug)
            except Exception:
                self.look()
                raise
            if not is_there:
                self._cursor = None
                return
            cursor.caught_up(self._clock())
            if cursor.unplaced:
                self._stirred.set()
            self._changed()

    async def _until_wanted(self) -> bool:
        """Wait until there is something to read; return whether the place of some of it is unknown."""
        await self._stirred.wait()
        wanted = await self._wanted.settled(REVIEW_S)
        self._stirred.clear()
        return wanted

    async def _is_sure(self) -> bool:
        """Whether the archive may be read; as page() raises where that cannot be known yet."""
        may_be_read = self._ids_are_sure or await self._may_be_read()
        if may_be_read is None:
            raise PeerProtocolError("it does not say what it offers")
        if not may_be_read:
            await self._give_up()
        return may_be_read

    def _took_page(self, cursor: ArchiveCursor, page: ArchivePage) -> int:
        # By the server's clock, as the stamps are.
        began = self._clock() - timedelta(seconds=seconds_passed() - self._began_s)
        new = [
            each
            for each in with_answers(page.messages, self._turn, began)
            if cursor.missed(each.key, each.at)
        ]
        missed = sum(self._took_message(each) for each in new)
        self._changed()
        return missed

    def _took_message(self, archived: Archived) -> bool:
        try:
            return self._take(archived)
        except Exception:  # it would be met again for ever, and nothing after it be read
            log.exception("message %s in the archive of %s could not be read", archived.id, self._jid)
            self.handled(archived.key)
            return False

    async def _wait_for_room(self, cursor: ArchiveCursor) -> None:
        while cursor.open > MOST_OPEN or cursor.is_crowded:
            self._ended.clear()
            await self._ended.wait()
