"""Nothing missed: what came while the bot was away is read from an archive (XEP-0313), page by page.

Theory of operation. The ``Ledger`` knows which messages are dealt with; its mark is saved soon after it has
moved. A new session reads the archive from the mark on, page by page, and gives what it finds to the same
hands as what comes live. A message that the server had kept back comes twice, from there and from the
archive, and is taken from the archive, which alone knows its place.

The mark is saved when the server has heard the answers. A kill before that means that the message is met
again. A file that it brought is then found in the catalog under the message's id and not fetched again; the
answer is given twice only if the kill came between the answer and the mark. What else an earlier run seems
to have answered is told apart (``Archived.answered``), so that no command is carried out twice.

What is nobody's business, the talk of a room above all, moves the mark as well, but is no reason to save it
at once.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.exceptions import IqError, IqTimeout, XMPPError

from filebot.errors import FilebotError, PeerProtocolError
from filebot.lasting import lasting
from filebot.model import BareJid, Mark
from filebot.ports import Marks
from filebot.protocol.ledger import Ledger
from filebot.xmpp.archive import Archive, Archived, ArchivePage
from filebot.xmpp.connection import wait_s
from filebot.xmpp.disco import server_of
from filebot.xmpp.elements import jid_or_none, sender_of
from filebot.xmpp.stream import Stream, ask

log = logging.getLogger(__name__)

MOST_OPEN: Final = 200
"""While more messages than these are being dealt with, no more are read."""
PAGES_AT_ONCE: Final = 200
REST_S: Final = 30.0
"""After so many pages the archive is left alone for a while."""
SAVE_AGAIN_S: Final = 5.0
IDS_A_SECOND: Final = 5_000
"""What is saved beside a mark is saved as a whole: the more there is of it, the more seldom."""
SAVE_EVERY_S: Final = 30.0
"""When only such messages moved the mark as asked for nothing."""
HEARD_LIMIT_S: Final = 30.0
"""In-band streams may keep the server from answering for a while."""
HEARD_AT_LAST_S: Final = 3.0
"""The same when the bot is stopped and somebody waits for that."""
GATHER_S: Final = 0.2
"""Messages that the server had kept back come many at once; the archive is read once for all of them."""

# RFC 6120 section 8.3.3: there is no archive, and asking again would not make one.
_NO_ARCHIVE: Final = frozenset(
    {"feature-not-implemented", "service-unavailable", "forbidden", "not-allowed"}
)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who spoke to whom."""

    ours: bool
    """The bot itself spoke."""
    party: BareJid | None
    """The other side: a person, or a whole room."""


def private_turn(own: BareJid, message: Element) -> Turn:
    """Who spoke to whom, in the archive of ``own``."""
    sender, to = sender_of(message), jid_or_none(message.get("to"))
    ours = sender is not None and sender.bare == own
    party = to if ours else sender
    return Turn(ours, None if party is None else party.bare)


class CatchUp:
    """Keeps the ledger of one archive. Without ``marks`` it does nothing at all."""

    def __init__(
        self,
        stream: Stream,
        jid: BareJid,
        marks: Marks | None,
        take: Callable[[Archived], bool],
        turn: Callable[[Element], Turn],
        *,
        at_once: asyncio.Semaphore | None = None,
        from_newest: bool = False,
    ) -> None:
        """``jid`` is whose archive it is.

        ``take`` is given each message that was missed and sees to it that ``handled`` is called, at once or
        later; it returns whether there is anything to do.

        ``at_once`` is held while a page is asked for. Where there is no mark yet, the archive is read from
        now on or, with ``from_newest``, from its present end on, whatever the clocks say.
        """
        self._stream = stream
        self._marks = marks
        self._take = take
        self._turn = turn
        self._at_once = at_once or asyncio.Semaphore()
        self._from_newest = from_newest
        self._archive = Archive(stream, jid)
        self._jid = jid
        self._ledger: Ledger | None = None
        self._first_session = False
        self._skips_past = False
        self._began = datetime.now(UTC)
        self._wanted = asyncio.Event()
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._saved: Mark | None = None

    def took(self, stanza: Element) -> bool:
        """Whether a message came out of the archive because we asked for it."""
        return self._archive.took(stanza)

    async def begin(self) -> None:
        """A new session: to be called before anything can come in it."""
        await self._stop_reading()
        if self._marks is None:
            return
        if self._ledger is None:
            try:
                mark = await self._marks.mark(self._jid)
            except FilebotError as error:
                log.warning("it is not known what was missed: %s", error)
                return
            self._first_session = mark is None
            self._skips_past = mark is None and self._from_newest
            # What is older than the first session is not the bot's business.
            self._ledger = Ledger(mark or Mark(self._jid, "", datetime.now(UTC)))
            self._saved = mark
            if mark is None:
                await self._save_first(self._ledger.mark)
            if self._saving is None:
                self._saving = asyncio.create_task(lasting(self._save_changes, "marks"), name="marks")
        else:
            self._first_session = False
        self._ledger.begin()

    async def start(self) -> None:
        """Read what was missed, in the background; for each new session."""
        await self._stop_reading()
        if self._ledger is not None:
            self._wanted.set()
            reading = partial(self._read_whenever_wanted, self._ledger)
            name = f"catching up with {self._jid}"
            self._reading = asyncio.create_task(lasting(reading, name), name=name)

    async def pause(self) -> None:
        """Read no more until the next session."""
        await self._stop_reading()
        if self._ledger is not None:
            # What comes before the archive was read again has no place: there may be something before it.
            self._ledger.begin()

    async def close(self) -> None:
        """Save the mark for the last time."""
        if await self._stop():
            await self._save(HEARD_AT_LAST_S)

    async def forget(self) -> None:
        """End, and begin anew another time: what comes until then is not the bot's business."""
        await self._stop()
        self._ledger = None
        if self._marks is not None:
            await self._marks.forget_mark(self._jid)

    async def _stop(self) -> bool:
        """Whether there was anything to stop."""
        await self._stop_reading()
        saving, self._saving = self._saving, None
        if saving is None:
            return False
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        return True

    def name(self, archive_id: str | None) -> str | None:
        """What no message of any other archive is called."""
        return None if archive_id is None else f"{self._jid} {archive_id}"

    def live(self, archive_id: str | None, *, kept_back: bool) -> bool:
        """A message came; whether it is to be dealt with now, and not found in the archive instead.

        ``archive_id`` is the one that the archive gave it; ``kept_back`` says that the server had it lying
        for a while.
        """
        if self._ledger is None or archive_id is None:
            return True
        if kept_back:
            if self._first_session:
                return True
            self._wanted.set()
            return False
        return self._ledger.live(archive_id, datetime.now(UTC))

    def handled(self, archive_id: str | None, *, save: bool = True) -> None:
        """A message is dealt with, and what there is to say of it was said.

        Not to ``save`` at once is right where to meet it again would change nothing.
        """
        if self._ledger is not None and archive_id is not None:
            self._ledger.handled(archive_id)
            if save:
                self._changed.set()
            self._ended.set()

    # --- reading --------------------------------------------------------------------------------

    async def _stop_reading(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read_whenever_wanted(self, ledger: Ledger) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(GATHER_S)
            self._wanted.clear()
            ledger.begin()
            try:
                is_there = await self._read(ledger)
            except Exception:
                self._wanted.set()
                raise
            if not is_there:
                self._ledger = None
                return
            ledger.caught_up()
            self._changed.set()

    async def _read(self, ledger: Ledger) -> bool:
        """Read the archive to its end; False if there is none."""
        mark, read, new, failures = ledger.mark, 0, 0, 0
        after, start = mark.last_id, None if mark.last_id else mark.at
        while True:
            try:
                async with self._at_once:
                    if self._skips_past:
                        await self._skip_past(ledger)
                        return True
                    page = await self._archive.page(after, start)
            except (XMPPError, PeerProtocolError) as error:
                condition = error.condition if isinstance(error, XMPPError) else ""
                if condition in _NO_ARCHIVE:
                    log.info("no archive of %s is to be read: %s", self._jid, condition)
                    return False
                if condition == "item-not-found" and after:
                    # The archive has forgotten that message, and with it what was before.
                    after, start = "", ledger.mark.at
                    continue
                failures += 1
                wait = wait_s(failures, random.random())  # noqa: S311  # spreads load, hides nothing
                log.warning("the archive of %s: %s; trying again in %.1f s", self._jid, error, wait)
                await asyncio.sleep(wait)
                continue
            failures = 0
            new += self._took_page(ledger, page)
            read += 1
            after, start = page.last_id, None
            if page.complete:
                log.info("caught up with %s: %d messages had been missed", self._jid, new)
                return True
            log.info("catching up with %s: %d missed messages so far", self._jid, new)
            await self._wait_for_room(ledger)
            if read % PAGES_AT_ONCE == 0:
                log.info("catching up goes on in %.0f s", REST_S)
                await asyncio.sleep(REST_S)

    async def _skip_past(self, ledger: Ledger) -> None:
        newest = await self._archive.newest()
        if newest is not None:
            ledger.begin_after(newest.id, newest.at)
        self._skips_past = False

    def _took_page(self, ledger: Ledger, page: ArchivePage) -> int:
        new = [each for each in self._with_answers(page) if ledger.missed(each.id, each.at)]
        missed = sum(self._took_message(each) for each in new)
        self._changed.set()
        return missed

    def _took_message(self, archived: Archived) -> bool:
        try:
            return self._take(archived)
        except Exception:  # it would be met again for ever, and nothing after it be read
            log.exception("message %s in the archive of %s could not be read", archived.id, self._jid)
            self.handled(archived.id)
            return False

    def _with_answers(self, page: ArchivePage) -> list[Archived]:
        """The messages, each with whether an earlier run of the bot seems to have answered it.

        Its answers are in the archive, too; the mark may have been lost with a process that was killed.
        """
        messages, spoken_to = list[Archived](), set[BareJid | None]()
        for each in reversed(page.messages):
            turn = self._turn(each.message)
            if turn.ours and each.at < self._began:
                spoken_to.add(turn.party)
            answered = not turn.ours and turn.party is not None and turn.party in spoken_to
            messages.append(replace(each, answered=answered))
        return messages[::-1]

    async def _wait_for_room(self, ledger: Ledger) -> None:
        while ledger.open > MOST_OPEN:
            self._ended.clear()
            await self._ended.wait()

    # --- saving ---------------------------------------------------------------------------------

    async def _save_changes(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SAVE_EVERY_S):
                    await self._changed.wait()
            # What changes while this is saved is saved together, next.
            self._changed.clear()
            if not await self._save(HEARD_LIMIT_S):
                await asyncio.sleep(SAVE_AGAIN_S)
                self._changed.set()
            elif self._saved is not None:
                await asyncio.sleep(len(self._saved.ahead) / IDS_A_SECOND)

    async def _heard(self, limit_s: float) -> None:
        """Return when the server has read all that was said (XEP-0199). Raises IqTimeout.

        What is only written to the socket dies with a process that is killed: so would the answers to
        messages that the mark calls dealt with.
        """
        ping = self._stream.make_iq_get(ito=server_of(self._stream), ifrom=self._stream.boundjid)
        ping.enable("ping")
        with suppress(IqError):  # an answer, too
            await ask(self._stream, ping, limit_s)

    async def _save_first(self, mark: Mark) -> None:
        """At once: a crash just now must not make the next session the first one."""
        if self._marks is None:
            return
        try:
            await self._marks.save_mark(mark)
            self._saved = mark
        except FilebotError as error:
            log.warning("the first mark could not be saved: %s", error)
            self._changed.set()

    async def _save(self, limit_s: float) -> bool:
        if self._ledger is None or self._marks is None:
            return True
        mark = self._ledger.mark
        if mark != self._saved:
            try:
                await self._heard(limit_s)
                await self._marks.save_mark(mark)
            except IqTimeout:
                return False
            except FilebotError as error:
                log.warning("the mark in the archive could not be saved: %s", error)
                return False
            self._saved = mark
        return True
