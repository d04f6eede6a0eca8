"""Sends now, or later: what could not reach somebody goes out when they are online again.

Theory of operation: a parcel waits in its row. When a client of its recipient comes online, and again after
each pause while they stay online, one task for each recipient tries what waits for them, one parcel after
the other. A restart of the bot is nothing special: the presences come anew, and the rows are there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from filebot.concurrency.tasks import end
from filebot.delivery.attempt import MOST_TRIES, pause, send
from filebot.delivery.context import DeliveryContext, DeliveryRequest
from filebot.delivery.queue import KEPT_FOR, DeliveryQueue
from filebot.errors import (
    AlreadySending,
    DeliveryExpired,
    FilebotError,
    NoSuchTransfer,
    NotAllowed,
    StorageError,
    TransferError,
)
from filebot.events.bus import EventBus
from filebot.events.facts import DeliveryAbandoned
from filebot.files.access import Access
from filebot.files.transfers import Transfers
from filebot.files.trusted_time import look_every_hour
from filebot.model import Address, BareJid, Entry, Identity, Method, QueuedDelivery, Sender
from filebot.ports import Catalog

log = logging.getLogger(__name__)

SETTLE_S: Final = 3.0
"""After a client came online: its other clients follow, and it wants to load its own things first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A parcel as its asker sees it."""

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
        parcels: DeliveryQueue,
        transfers: Transfers,
        catalog: Catalog,
        access: Access,
        events: EventBus,
        clock: Callable[[], datetime],
        lets_read: Callable[[BareJid, Identity], bool],
        *,
        trusted_now: Callable[[], Awaitable[datetime | None]],
        settle_s: float = SETTLE_S,
    ) -> None:
        """``lets_read`` tells whether a room's files are somebody's to get just now; ``trusted_now`` is the
        time by which parcels may be given up, None while none is certain.
        """
        self._context = context
        self._parcels = parcels
        self._transfers = transfers
        self._catalog = catalog
        self._access = access
        self._events = events
        self._clock = clock
        self._trusted_now = trusted_now
        self._lets_read = lets_read
        self._settle_s = settle_s
        self._tasks: dict[BareJid, asyncio.Task[None]] = {}
        self._once_more: set[BareJid] = set()
        self._timers: dict[BareJid, asyncio.TimerHandle] = {}
        self._closed = False

    async def open(self) -> None:
        """Take up what an earlier run left. No transfer may have a number yet."""
        self._transfers.count_from(await self._parcels.load() + 1)

    async def close(self) -> None:
        """Stop; what is under way goes out at the next start."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        await end(self._tasks.values())

    async def idle(self) -> None:
        """Wait until nothing is being brought to anybody."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def run(self) -> None:
        """Give up what waited too long, now and every hour, for ever."""
        await look_every_hour(self.expire)

    # --- sending --------------------------------------------------------------------------------

    async def send(self, order: DeliveryRequest) -> Method | None:
        """As :meth:`filebot.delivery.attempt.send`; what waits is brought later."""
        method = await send(self._context, order)
        if method is None:
            self._look_again(order.recipient)
        return method

    def came_online(self, person: BareJid) -> None:
        """A client of somebody came online. Cheap: nearly nobody has anything waiting."""
        if self._parcels.to(person):
            self._start(person, self._settle_s)

    async def waiting(self, asker: BareJid) -> list[Waiting]:
        """What somebody asked for and what does not move just now."""
        found: list[Waiting] = []
        for parcel in self._parcels.of(asker):
            entry = await self._catalog.entry(parcel.entry_id)
            if entry is not None and not self._transfers.is_running(parcel.number):
                own = parcel.recipient == asker
                found.append(Waiting(parcel.number, entry.name, parcel.recipient, own, parcel.tries))
        return found

    async def drop(self, asker: BareJid, number: int) -> Waiting:
        """Forget a parcel that waits. Raises NoSuchTransfer if the person has none of this number."""
        found = next((each for each in await self.waiting(asker) if each.number == number), None)
        if found is None:
            raise NoSuchTransfer(number)
        await self._parcels.remove(number)
        return found

    async def expire(self) -> bool:
        """Give up what waited too long, with a word to the asker; False, and nothing, while it is not
        certain what time it is.
        """
        now = await self._trusted_now()
        if now is None:
            return False
        for parcel in self._parcels.older_than(now - KEPT_FOR):
            if not self._transfers.is_running(parcel.number):
                try:
                    await self._give_up(parcel)
                except Exception:  # the next look is soon enough, and the others do not wait for it
                    log.exception("parcel %d could not be given up", parcel.number)
        return True

    async def _give_up(self, parcel: QueuedDelivery) -> None:
        entry = await self._catalog.entry(parcel.entry_id)
        await self._parcels.remove(parcel.number)
        if entry is not None:
            error = DeliveryExpired(target=parcel.recipient, days=KEPT_FOR.days)
            await self._tell_not_sent(parcel, entry, error)

    # --- the rounds -----------------------------------------------------------------------------

    def _start(self, person: BareJid, after_s: float) -> None:
        if self._closed:
            return
        if person in self._tasks:
            self._once_more.add(person)
            return
        if (timer := self._timers.pop(person, None)) is not None:
            timer.cancel()
        task = asyncio.create_task(self._serve(person, after_s), name="courier")
        self._tasks[person] = task
        task.add_done_callback(lambda _: self._served(person))

    def _served(self, person: BareJid) -> None:
        task = self._tasks.pop(person)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("what waits for %s could not be brought", person, exc_info=error)
        if person in self._once_more:
            self._once_more.discard(person)
            self._start(person, self._settle_s)
        else:
            self._look_again(person)

    def _look_again(self, person: BareJid) -> None:
        """Come back when the first of the pauses is over."""
        ends = [end for each in self._parcels.to(person) if (end := self._parcels.not_before(each))]
        if not ends or self._closed or person in self._tasks:
            return
        delay_s = max((min(ends) - self._clock()).total_seconds(), 0.0)
        if (timer := self._timers.pop(person, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[person] = loop.call_later(delay_s, self._start, person, 0.0)

    async def _serve(self, person: BareJid, after_s: float) -> None:
        await asyncio.sleep(after_s)
        for parcel in self._parcels.to(person):
            if self._is_due(parcel):
                await self._bring_or_put_off(parcel)

    def _is_due(self, parcel: QueuedDelivery) -> bool:
        not_before = self._parcels.not_before(parcel)
        return not_before is None or self._clock() >= not_before

    async def _bring_or_put_off(self, parcel: QueuedDelivery) -> None:
        """Trouble with one parcel holds up no other."""
        try:
            await self._bring(parcel.number)
        except Exception:
            log.exception("parcel %d could not be brought to %s", parcel.number, parcel.recipient)
            with suppress(StorageError):
                await self._parcels.put_back(parcel, self._clock() + pause(parcel.tries + 1))

    async def _bring(self, number: int) -> None:
        self._parcels.take_up(number)
        parcel = self._parcels.get(number)
        if parcel is None or self._transfers.is_running(number):
            return
        if not (self._access.serves(parcel.asker) and self._access.serves(parcel.recipient)):
            log.info("%s or %s is not served any more", parcel.asker, parcel.recipient)
            await self._parcels.remove(number)
            return
        entry = await self._catalog.entry(parcel.entry_id)
        if entry is None:
            self._parcels.forget_entry(parcel.entry_id)
        elif not self._may_have(parcel.asker, entry):
            await self._parcels.remove(number)
            await self._tell_not_sent(parcel, entry, NotAllowed(reason="left"))
        else:
            await self._send(parcel, entry)

    def _may_have(self, asker: BareJid, entry: Entry) -> bool:
        """Who asked for a room's file may have been put out of the room since."""
        return (
            entry.owner == asker
            or self._access.is_admin(asker)
            or (entry.room is not None and self._lets_read(entry.room, asker))
        )

    async def _send(self, parcel: QueuedDelivery, entry: Entry) -> None:
        async def ready() -> None:
            if not self._may_have(parcel.asker, entry):
                raise NotAllowed(reason="left")

        order = replace(_order(parcel, entry), ready=ready)
        try:
            method = await send(self._context, order, parcel)
        except AlreadySending:
            return  # the asker asked again at this moment
        except FilebotError as error:
            if self._parcels.get(parcel.number) is not None:
                await self._after_mishap(parcel, entry, error)
            else:
                await self._tell_not_sent(parcel, entry, error)
        except Exception:
            log.exception("%s could not be brought to %s", entry.name, parcel.recipient)
            await self._after_mishap(parcel, entry, TransferError("see the log"))
        else:
            if method is not None:
                await self._events.tell(order.sent(method))

    async def _after_mishap(self, parcel: QueuedDelivery, entry: Entry, error: FilebotError) -> None:
        """Something of the bot's own failed: another time it may work."""
        tried = await self._parcels.put_back(parcel, self._clock() + pause(parcel.tries + 1))
        if tried.tries >= MOST_TRIES:
            await self._parcels.remove(parcel.number)
            await self._tell_not_sent(parcel, entry, error)

    async def _tell_not_sent(self, parcel: QueuedDelivery, entry: Entry, error: FilebotError) -> None:
        order = _order(parcel, entry)
        await self._events.tell(DeliveryAbandoned(order.sender, order.language, entry, order.to, error))


def _order(parcel: QueuedDelivery, entry: Entry) -> DeliveryRequest:
    sender = Sender(Address(parcel.asker), parcel.asker)
    return DeliveryRequest(sender, parcel.language, entry, Address(parcel.recipient), parcel.method)
