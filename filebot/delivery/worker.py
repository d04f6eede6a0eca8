"""Delivery worker: sends files now, or later when their recipient is online again.

Theory of operation: a delivery waits in its row. When a client of its recipient comes online, and again
after each pause while they stay online, one task for each recipient tries what waits for them, one delivery
after the other. A restart of the bot is nothing special: the presences come anew, and the rows are there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from filebot.checks.acts import FileRequested
from filebot.checks.checks import Checks
from filebot.concurrency.debouncer import Debouncer
from filebot.concurrency.keyed_tasks import KeyedTasks
from filebot.delivery.attempt import MOST_TRIES, pause, send
from filebot.delivery.context import DeliveryContext, DeliveryRequest
from filebot.delivery.queue import KEPT_FOR, DeliveryQueue
from filebot.errors import (
    AlreadySending,
    DeliveryExpired,
    FilebotError,
    NoSuchEntry,
    NoSuchTransfer,
    NotAllowed,
    StorageError,
    TransferError,
    UserError,
)
from filebot.events.bus import EventBus
from filebot.events.facts import DeliveryAbandoned
from filebot.files.access import Access
from filebot.files.transfers import Transfers
from filebot.files.trusted_time import look_every_hour
from filebot.model import Address, BareJid, Entry, Identity, Method, QueuedDelivery, Sender
from filebot.ports import Entries

log = logging.getLogger(__name__)

SETTLE_S: Final = 3.0
"""After a client came online: its other clients follow, and it wants to load its own things first."""
MOST_SETTLES: Final = 4
"""Deliveries wait no longer than so many of these times: a client may go and come all the time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waiting delivery as its asker sees it."""

    number: int
    name: str
    person: BareJid
    own: bool
    """It is for the asker."""
    tries: int


class DeliveryWorker:
    """Owns the tasks that bring what waited. :meth:`open` comes before all, :meth:`close` ends all."""

    def __init__(
        self,
        context: DeliveryContext,
        queue: DeliveryQueue,
        transfers: Transfers,
        entries: Entries,
        access: Access,
        events: EventBus,
        clock: Callable[[], datetime],
        lets_read: Callable[[BareJid, Identity], bool],
        *,
        checks: Checks,
        trusted_now: Callable[[], Awaitable[datetime | None]],
        settle_s: float = SETTLE_S,
    ) -> None:
        """``lets_read`` tells whether a room's files are somebody's to get just now; ``trusted_now`` is the
        time by which deliveries may be given up, None while none is certain.
        """
        self._context = context
        self._queue = queue
        self._transfers = transfers
        self._entries = entries
        self._access = access
        self._events = events
        self._clock = clock
        self._trusted_now = trusted_now
        self._lets_read = lets_read
        self._checks = checks
        self._settle_s = settle_s
        self._tasks = KeyedTasks[BareJid]()
        self._came_online: dict[BareJid, Debouncer] = {}
        """For the recipients whose deliveries are being tried."""
        self._timers: dict[BareJid, asyncio.TimerHandle] = {}
        self._closed = False

    async def open(self) -> None:
        """Take up what an earlier run left. No transfer may have a number yet."""
        self._transfers.count_from(await self._queue.load() + 1)

    async def close(self) -> None:
        """Stop; what is under way goes out at the next start."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        await self._tasks.close()

    async def idle(self) -> None:
        """Wait until nothing is being brought to anybody."""
        await self._tasks.idle()

    async def run(self) -> None:
        """Give up what waited too long, now and every hour, for ever."""
        await look_every_hour(self.expire)

    # --- sending --------------------------------------------------------------------------------

    async def send(self, request: DeliveryRequest) -> Method | None:
        """Send a file as :func:`filebot.delivery.attempt.send` does; one that waits is tried again later.

        FileDelivered tells of a file that went.
        """
        method = await send(self._context, request)
        if method is None:
            self._look_again(request.recipient)
        else:
            await self._events.tell(request.sent(method))
        return method

    def came_online(self, person: BareJid) -> None:
        """Try what waits for somebody, one of whose clients came online. Cheap: nearly nobody has any."""
        if self._queue.to(person):
            self._start(person, came_online=True)

    async def waiting(self, asker: BareJid) -> list[Waiting]:
        """Return what somebody asked for and what does not move just now."""
        found: list[Waiting] = []
        for queued in self._queue.of(asker):
            entry = await self._entries.entry(queued.entry_id)
            if entry is not None and not self._transfers.is_running(queued.number):
                own = queued.recipient == asker
                found.append(Waiting(queued.number, entry.name, queued.recipient, own, queued.tries))
        return found

    async def drop(self, asker: BareJid, number: int) -> Waiting:
        """Remove a delivery that waits, and return it. Raises NoSuchTransfer if there is none."""
        found = next((each for each in await self.waiting(asker) if each.number == number), None)
        if found is None:
            raise NoSuchTransfer(number)
        await self._queue.remove(number)
        return found

    async def expire(self) -> bool:
        """Give up what waited too long, with a word to the asker; False, and nothing, while it is not
        certain what time it is.
        """
        now = await self._trusted_now()
        if now is None:
            return False
        for queued in self._queue.older_than(now - KEPT_FOR):
            if not self._transfers.is_running(queued.number):
                try:
                    await self._give_up(queued)
                except Exception:  # the next look is soon enough, and the others do not wait for it
                    log.exception("delivery %d could not be given up", queued.number)
        return True

    async def _give_up(self, queued: QueuedDelivery) -> None:
        entry = await self._entries.entry(queued.entry_id)
        await self._queue.remove(queued.number)
        if entry is not None:
            error = DeliveryExpired(target=queued.recipient, days=KEPT_FOR.days)
            await self._tell_not_sent(queued, entry, error)

    # --- the rounds -----------------------------------------------------------------------------

    def _start(self, person: BareJid, *, came_online: bool = False) -> None:
        if self._closed:
            return
        settling = self._came_online.get(person)
        if settling is None:
            settling = Debouncer(self._settle_s, MOST_SETTLES * self._settle_s)
            self._came_online[person] = settling
        if came_online:
            settling.signal()
        if person in self._tasks:
            return
        if (timer := self._timers.pop(person, None)) is not None:
            timer.cancel()
        work, name = self._serve(person, settling), f"deliveries to {person}"
        self._tasks.start(person, work, name, then=partial(self._served, person))

    def _served(self, person: BareJid) -> None:
        del self._came_online[person]
        self._look_again(person)

    def _look_again(self, person: BareJid) -> None:
        """Come back when the first of the pauses is over."""
        ends = [end for each in self._queue.to(person) if (end := self._queue.not_before(each))]
        if not ends or self._closed or person in self._tasks:
            return
        delay_s = max((min(ends) - self._clock()).total_seconds(), 0.0)
        if (timer := self._timers.pop(person, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[person] = loop.call_later(delay_s, self._start, person)

    async def _serve(self, person: BareJid, settling: Debouncer) -> None:
        while True:
            if settling.is_signalled:
                await settling.settled()
            for queued in self._queue.to(person):
                if self._is_due(queued):
                    await self._bring_or_put_off(queued)
            if not settling.is_signalled:  # otherwise another client came online meanwhile
                return

    def _is_due(self, queued: QueuedDelivery) -> bool:
        not_before = self._queue.not_before(queued)
        return not_before is None or self._clock() >= not_before

    async def _bring_or_put_off(self, queued: QueuedDelivery) -> None:
        """Try a delivery; trouble with it holds up no other."""
        try:
            await self._bring(queued.number)
        except Exception:
            log.exception("delivery %d could not be brought to %s", queued.number, queued.recipient)
            with suppress(StorageError):
                await self._queue.put_back(queued, self._clock() + pause(queued.tries + 1))

    async def _bring(self, number: int) -> None:
        self._queue.take_up(number)
        queued = self._queue.get(number)
        if queued is None or self._transfers.is_running(number):
            return
        if not (self._access.serves(queued.asker) and self._access.serves(queued.recipient)):
            log.info("%s or %s is not served any more", queued.asker, queued.recipient)
            await self._queue.remove(number)
            return
        entry = await self._entries.entry(queued.entry_id)
        if entry is None:
            self._queue.forget_entry(queued.entry_id)
        elif not self._may_have(queued.asker, entry):
            await self._queue.remove(number)
            await self._tell_not_sent(queued, entry, NotAllowed(reason="left"))
        else:
            await self._send(queued, entry)

    def _may_have(self, asker: BareJid, entry: Entry) -> bool:
        """Whether the asker may still have the file: they may have been put out of its room since."""
        return (
            entry.owner == asker
            or self._access.is_admin(asker)
            or (entry.room is not None and self._lets_read(entry.room, asker))
        )

    async def _send(self, queued: QueuedDelivery, entry: Entry) -> None:
        async def ready() -> None:
            if not self._may_have(queued.asker, entry):
                raise NotAllowed(reason="left")

        try:
            if FileRequested in self._checks.by_act:
                entry = await self._checked(queued, entry)
            request = replace(_request_of(queued, entry), ready=ready)
            method = await send(self._context, request, queued)
        except AlreadySending:
            return  # the asker asked again at this moment
        except FilebotError as error:
            if self._queue.get(queued.number) is not None:
                await self._after_mishap(queued, entry, error)
            else:
                await self._tell_not_sent(queued, entry, error)
        except Exception:
            log.exception("%s could not be brought to %s", entry.name, queued.recipient)
            await self._after_mishap(queued, entry, TransferError("see the log"))
        else:
            if method is not None:
                await self._events.tell(request.sent(method))

    async def _checked(self, queued: QueuedDelivery, entry: Entry) -> Entry:
        """Return the entry that the checks want to go. The delivery of one that they refuse ends."""
        request = _request_of(queued, entry)
        act = FileRequested(request.sender, request.language, entry, request.to)
        try:
            wanted = (await self._checks.passed(act)).entry
            if not self._may_have(queued.asker, wanted):
                raise NotAllowed(reason="left") if wanted == entry else NoSuchEntry(entry.name)
        except UserError:
            await self._queue.remove(queued.number)
            raise
        return wanted

    async def _after_mishap(self, queued: QueuedDelivery, entry: Entry, error: FilebotError) -> None:
        """Put a delivery off that failed for the bot's own sake: another time it may work."""
        tried = await self._queue.put_back(queued, self._clock() + pause(queued.tries + 1))
        if tried.tries >= MOST_TRIES:
            await self._queue.remove(queued.number)
            await self._tell_not_sent(queued, entry, error)

    async def _tell_not_sent(self, queued: QueuedDelivery, entry: Entry, error: FilebotError) -> None:
        request = _request_of(queued, entry)
        await self._events.tell(
            DeliveryAbandoned(request.sender, request.language, entry, request.to, error)
        )


def _request_of(queued: QueuedDelivery, entry: Entry) -> DeliveryRequest:
    sender = Sender(Address(queued.asker), queued.asker)
    return DeliveryRequest(sender, queued.language, entry, Address(queued.recipient), queued.method)
