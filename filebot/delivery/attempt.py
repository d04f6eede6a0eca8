"""One file to one place: the plan is made, and gone through until something brings the file there.

Theory of operation::

    plan --link--> uploaded, link sent ----------------------------> gone
      |              | fails: next step
      +--stream--> row kept, person told, offered, sent -----------> gone, row removed
                     | fails: next step; declined: no more streams
      no step left --+--> a link, if there can be one by now ------> gone, row removed
                     +--> nobody was reached: the row stays -------> waits
                     +--> else the causes are told ----------------> row removed

A row is kept from before a stream begins until it has ended, so a crash at any moment leaves a parcel that
goes out again. What ends it is written after the last byte went: a crash in between sends a file twice
rather than never.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from filebot.delivery.context import DeliveryContext, DeliveryRequest
from filebot.delivery.route_planner import PlannedRoute
from filebot.errors import (
    AlreadySending,
    BlobCorrupt,
    FilebotError,
    NoSuchEntry,
    NotDelivered,
    NoUploadService,
    PeerGone,
    Refused,
    ServiceQuotaReached,
    TooLargeForService,
    TransferError,
    TransferTimeout,
    UserError,
)
from filebot.events.facts import DeliveryQueued, DeliveryStarted
from filebot.files.damage import naming
from filebot.files.transfers import Direction, Transfer
from filebot.model import AddressKind, Client, Method, QueuedDelivery, StreamMethod

log = logging.getLogger(__name__)

MOST_TRIES: Final = 8
"""Of one parcel while its recipient is online."""

FIRST_PAUSE: Final = timedelta(seconds=15)
LONGEST_PAUSE: Final = timedelta(hours=1)

RATE_FROM_BYTES: Final = 50_000
"""What less says of the rate is mostly about the beginning."""

_NO_LINK: Final = (NoUploadService, TooLargeForService, ServiceQuotaReached)
"""What the plan would have said, had it known."""

DECLINED: Final = 403
"""The status by which :class:`Streams` tells that a person said no."""


async def send(
    context: DeliveryContext, order: DeliveryRequest, parcel: QueuedDelivery | None = None
) -> Method | None:
    """Bring a file where it is wanted and return by which method, or None if it waits.

    ``parcel`` is what has waited until now and goes without anybody's asking again: that it still waits
    is no news. Raises UserError, TransferError or StorageError; after the former two nothing waits.
    """
    in_background = parcel is not None
    if parcel is None and order.to.kind is AddressKind.CHAT:
        parcel = context.parcels.same(order.asker, order.recipient, order.entry.id, order.method)
    if parcel is not None and context.transfers.is_running(parcel.number):
        raise AlreadySending(parcel.number)
    return await _shown(context, order, parcel, in_background=in_background)


async def _shown(
    context: DeliveryContext, order: DeliveryRequest, parcel: QueuedDelivery | None, *, in_background: bool
) -> Method | None:
    number = None if parcel is None else parcel.number
    shown = context.transfers.running(
        order.sender,
        order.language,
        order.entry.name,
        Direction.FROM_BOT,
        order.method or Method.HTTP,
        order.entry.blob.size,
        number=number,
    )
    try:
        with naming(order.entry), shown as transfer:
            number = transfer.number
            async with context.slots.taken(transfer, order.sender.room, quiet=in_background):
                return await _Attempt(context, order, transfer, parcel, in_background).go()
    except (UserError, TransferError, BlobCorrupt):
        # Anything else, a stop of the bot above all, is no end: the parcel stays.
        if number is not None:
            await context.parcels.remove(number)
        raise


def pause(tries: int) -> timedelta:
    """How long to leave somebody alone who was tried so often."""
    longer: int = 4 ** min(max(tries - 1, 0), 10)
    return min(FIRST_PAUSE * longer, LONGEST_PAUSE)


@dataclass(slots=True)
class _Attempt:
    """One go at an order."""

    context: DeliveryContext
    order: DeliveryRequest
    transfer: Transfer
    parcel: QueuedDelivery | None
    in_background: bool
    no_link: FilebotError | None = None
    link_failed: bool = False
    """There could be a link, but the upload failed."""
    failures: list[FilebotError] = field(default_factory=list)
    """Of streams."""
    said: Method | None = None
    """The method of which the person was told."""
    gone: bool = False
    """The last client that failed is not online any more."""

    async def go(self) -> Method | None:
        order = self.order
        if order.method in {None, Method.HTTP} and (method := await self._by_link()) is not None:
            return method
        # Before anybody is asked to accept it, and before it waits for somebody.
        await self.context.store.verify(order.entry.blob.digest)
        plan = await self.context.plan(order.entry.blob.size, order.to, order.method, order.entry)
        method = await self._by_streams(plan.steps)
        if method is None and self.failures and order.method is None and not self.link_failed:
            method = await self._by_link()  # there may be one by now
        if method is None:
            await self._end(plan.no_stream)
        return method

    # --- steps ----------------------------------------------------------------------------------

    async def _by_link(self) -> Method | None:
        """None if there can be no link, or if it failed."""
        context, order = self.context, self.order
        size, method = order.entry.blob.size, Method.HTTP
        plan = await context.plan(size, order.to, method, order.entry, streams=False)
        self.no_link = plan.no_link
        if not plan.steps:
            return None
        self.transfer.begin(method)
        try:
            url = await context.delivery.url(order.entry, self.transfer.moved)
        except TransferError as error:
            log.info("no link to %s: %s: %s", order.entry.name, error.kind, error)
            self.no_link, self.link_failed = error, not isinstance(error, _NO_LINK)
            return None
        if self.failures or self.parcel is not None:
            await self._say(method, None)
        await self._must_still_go()
        await context.messenger.send_file(order.to, order.entry, url)
        await self._done()
        return method

    async def _by_streams(self, steps: Sequence[PlannedRoute]) -> Method | None:
        """None if none of them brought it there."""
        online = {step.client.jid for step in steps if step.client is not None}
        for step in steps:
            if step.client is None or step.way is None or step.client.jid not in online:
                continue
            self.transfer.begin(step.method)
            await self._row()
            await self._say(step.method, step.seconds)
            try:
                return await self._stream(step.client, step.way)
            except TransferError as error:
                log.info("%s by %s: %s: %s", self.order.entry.name, step.way, error.kind, error)
                self.failures.append(error)
                if _is_no(error):
                    await self._done()
                    return None
                online = await self._after_failure(step.client, step.way)
        return None

    async def _stream(self, client: Client, way: StreamMethod) -> Method:
        await self._must_still_go()
        context, entry, begun = self.context, self.order.entry, _Begun()

        def moved(done_bytes: int) -> None:
            begun.at(done_bytes, context.clock())
            self.transfer.moved(done_bytes)

        async with context.store.local_file(entry.blob.digest) as file:
            method = await context.streams.send(client.jid, file, entry, way, moved)
        now = context.clock()
        context.client_history.note(client, way, went=True, now=now)
        if method is Method.IBB and (rate := begun.rate(now)) is not None:
            context.client_history.note_rate(client, rate, now)
        await self._done()
        return method

    async def _must_still_go(self) -> None:
        """What came before, an upload above all, may have taken its time."""
        entry = self.order.entry
        if await self.context.entries.entry(entry.id) is None:
            raise NoSuchEntry(entry.name)
        await self.order.ready()

    async def _after_failure(self, client: Client, way: StreamMethod) -> set[str]:
        """Who is online now. That somebody left is nothing to hold against the way."""
        online = {each.jid for each in await self.context.clients(self.order.to)}
        self.gone = client.jid not in online
        if not self.gone:
            self.context.client_history.note(client, way, went=False, now=self.context.clock())
        return online

    # --- rows -----------------------------------------------------------------------------------

    async def _row(self) -> QueuedDelivery:
        """What is kept of it from now on, at the latest."""
        if self.parcel is None:
            order = self.order
            parcel = QueuedDelivery(
                self.transfer.number,
                order.entry.id,
                order.asker,
                order.recipient,
                order.language,
                order.method,
                self.context.clock(),
            )
            self.parcel = await self.context.parcels.add(parcel, order.entry)
        return self.parcel

    async def _done(self) -> None:
        """They have it, or do not want it: nor do they by another method that they named earlier."""
        if self.order.to.kind is not AddressKind.CHAT:
            return
        for parcel in self.context.parcels.to(self.order.recipient):
            if (parcel.asker, parcel.entry_id) == (self.order.asker, self.order.entry.id) and (
                parcel.number == self.transfer.number
                or not self.context.transfers.is_running(parcel.number)
            ):
                await self.context.parcels.remove(parcel.number)

    # --- ends -----------------------------------------------------------------------------------

    async def _end(self, no_stream: FilebotError | None) -> None:
        """Nothing brought it there: it waits, or the causes are raised."""
        if self.failures:
            unreached = any(isinstance(each, PeerGone | TransferTimeout) for each in self.failures)
            if not unreached or any(map(_is_no, self.failures)):
                raise self._not_delivered()
            await self._wait(tried=True)
        elif self.in_background:
            await self._wait(tried=self.link_failed)
        elif self.order.method is not None and no_stream is not None and self.parcel is None:
            raise no_stream
        elif self.no_link is not None and (self.link_failed or not self._may_wait()):
            raise self.no_link  # waiting for people does not mend an upload that failed
        else:
            self.failures += [no_stream] if no_stream is not None else []
            await self._wait(tried=False)

    def _may_wait(self) -> bool:
        return self.order.to.kind is AddressKind.CHAT and self.order.method is not Method.HTTP

    async def _wait(self, *, tried: bool) -> None:
        context, order = self.context, self.order
        parcel = await self._row()
        counts = tried and not self.gone
        if counts:
            parcel = await context.parcels.put_back(parcel, context.clock() + pause(parcel.tries + 1))
            if parcel.tries >= MOST_TRIES:
                raise self._not_delivered()
        log.info("%s waits for %s", order.entry.name, order.recipient)
        if not self.in_background or (counts and parcel.tries == 1):
            where = order.sender, order.language, order.entry, order.to
            await context.events.tell(DeliveryQueued(*where, parcel.number, self._causes(), tried=tried))

    def _not_delivered(self) -> NotDelivered:
        target = None if self.order.recipient == self.order.asker else self.order.recipient
        return NotDelivered(self.order.entry.name, self._causes(), target=target)

    def _causes(self) -> tuple[FilebotError, ...]:
        every = [*([self.no_link] if self.no_link is not None else []), *self.failures]
        return tuple({error.kind: error for error in reversed(every)}.values())[::-1]

    async def _say(self, method: Method, seconds: float | None) -> None:
        """Why it goes this way, once for each method: before a client asks the person to accept."""
        order = self.order
        if method is self.said:
            return
        cause = None
        if order.method is None:
            cause = self.failures[-1] if self.failures else self.no_link
        self.said = method
        await self.context.events.tell(
            DeliveryStarted(
                order.sender,
                order.language,
                order.entry,
                order.to,
                method,
                cause,
                bool(self.failures),
                seconds,
                own_server=order.to.jid.partition("/")[0].endswith("@" + self.context.server),
                again=self.parcel is not None and self.parcel.tries > 0 and not self.failures,
            )
        )


class _Begun:
    """Measures from the first sign of progress on: before that, a person was asked."""

    def __init__(self) -> None:
        self._first: tuple[int, datetime] | None = None
        self._last = 0

    def at(self, done_bytes: int, now: datetime) -> None:
        """Note how far it is."""
        self._first = self._first or (done_bytes, now)
        self._last = done_bytes

    def rate(self, now: datetime) -> float | None:
        """Bytes a second, if there were enough to tell."""
        if self._first is None:
            return None
        moved, seconds = self._last - self._first[0], (now - self._first[1]).total_seconds()
        return moved / seconds if moved >= RATE_FROM_BYTES and seconds > 0 else None


def _is_no(error: FilebotError) -> bool:
    return isinstance(error, Refused) and error.status == DECLINED
