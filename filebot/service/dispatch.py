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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from filebot.errors import (
    AlreadyUnderWay,
    BlobCorrupt,
    FilebotError,
    NotDelivered,
    NoUploadService,
    PeerGone,
    Refused,
    TransferError,
    TransferTimeout,
    UserError,
)
from filebot.events import FileGoes, FileSent, FileWaits
from filebot.model import Address, AddressKind, BareJid, Client, Entry, Method, Parcel, Sender, Way
from filebot.ports import BlobStore, Messenger, Streams, UploadService
from filebot.service import cascade
from filebot.service.cascade import Facts, Plan, Step, Uploads
from filebot.service.delivery import Delivery
from filebot.service.experience import Experience
from filebot.service.news import News
from filebot.service.parcels import Parcels
from filebot.service.transfers import Direction, Transfer, Transfers

log = logging.getLogger(__name__)

MOST_TRIES: Final = 8
"""Of one parcel while its recipient is online."""

FIRST_PAUSE: Final = timedelta(seconds=15)
LONGEST_PAUSE: Final = timedelta(hours=1)

RATE_FROM_BYTES: Final = 50_000
"""What less says of the rate is mostly about the beginning."""

DECLINED: Final = 403
"""The status by which :class:`Streams` tells that a person said no."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to be sent."""

    sender: Sender
    """Who asks, and to whom news of it go."""
    language: str | None
    entry: Entry
    to: Address
    method: Method | None = None
    """The one that was named."""

    @property
    def asker(self) -> BareJid:
        """Only people whose address is verified have anything sent to them by a stream."""
        return self.sender.jid or ""

    @property
    def recipient(self) -> BareJid:
        """The person, for addresses that are one's."""
        return self.to.jid.partition("/")[0]

    def sent(self, method: Method) -> FileSent:
        """The news that it is done."""
        asked = self.method is not None
        return FileSent(self.sender, self.language, self.entry, self.to, method, asked=asked)


def pause(tries: int) -> timedelta:
    """How long to leave somebody alone who was tried so often."""
    longer: int = 4 ** min(max(tries - 1, 0), 10)
    return min(FIRST_PAUSE * longer, LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Sends."""

    store: BlobStore
    uploads: UploadService
    streams: Streams
    messenger: Messenger
    delivery: Delivery
    transfers: Transfers
    parcels: Parcels
    experience: Experience
    news: News
    clock: Callable[[], datetime]
    server: str
    """The domain of the bot's server."""

    async def plan(
        self, size_bytes: int, to: Address, method: Method | None = None, entry: Entry | None = None
    ) -> Plan:
        """By which ways a file of this size would go there now; nothing is sent.

        An ``entry`` may have a link already.
        """
        uploads = await self._uploads()
        too_large = uploads is not None and (uploads.limit_bytes or size_bytes) < size_bytes
        blocked = uploads is None or too_large or uploads.full_until is not None
        facts = Facts(
            size_bytes,
            to.kind,
            uploads,
            has_link=blocked and entry is not None and await self.delivery.has_link(entry),
            clients=tuple(await self.clients(to)),
            asked=method,
        )
        return cascade.plan(facts, self.experience, self.clock())

    async def clients(self, to: Address) -> Sequence[Client]:
        """The clients behind an address; none behind those of rooms."""
        if to.kind is not AddressKind.CHAT:
            return ()
        return await self.streams.clients(to.jid.partition("/")[0])

    async def send(self, order: Order, parcel: Parcel | None = None) -> Method | None:
        """Bring a file where it is wanted and return by which method, or None if it waits.

        ``parcel`` is what has waited until now and goes without anybody's asking again: that it still waits
        is no news. Raises UserError, TransferError or StorageError; after the former two nothing waits.
        """
        in_background = parcel is not None
        if parcel is None and order.to.kind is AddressKind.CHAT:
            parcel = self.parcels.same(order.asker, order.recipient, order.entry.id, order.method)
        if parcel is not None and self.transfers.is_running(parcel.number):
            raise AlreadyUnderWay(parcel.number)
        return await self._shown(order, parcel, in_background=in_background)

    async def _shown(self, order: Order, parcel: Parcel | None, *, in_background: bool) -> Method | None:
        number = None if parcel is None else parcel.number
        try:
            with self.transfers.running(
                order.sender,
                order.language,
                order.entry.name,
                Direction.FROM_BOT,
                order.method or Method.HTTP,
                order.entry.blob.size,
                number=number,
            ) as transfer:
                number = transfer.number
                return await _Run(self, order, transfer, parcel, in_background).go()
        except (UserError, TransferError, BlobCorrupt):
            # Anything else, a stop of the bot above all, is no end: the parcel stays.
            if number is not None:
                await self.parcels.remove(number)
            raise

    async def _uploads(self) -> Uploads | None:
        try:
            return Uploads(await self.uploads.size_limit(), self.delivery.full_until)
        except NoUploadService:
            return None


@dataclass(slots=True)
class _Run:
    """One go at an order."""

    dispatch: Dispatch
    order: Order
    transfer: Transfer
    parcel: Parcel | None
    in_background: bool
    no_link: FilebotError | None = None
    failures: list[FilebotError] = field(default_factory=list)
    """Of streams."""
    said: Method | None = None
    """The method of which the person was told."""
    gone: bool = False
    """The last client that failed is not online any more."""

    async def go(self) -> Method | None:
        order = self.order
        plan = await self.dispatch.plan(order.entry.blob.size, order.to, order.method, order.entry)
        self.no_link = plan.no_link
        online = {step.client.jid for step in plan.steps if step.client is not None}
        for step in plan.steps:
            if step.client is not None and step.client.jid not in online:
                continue
            try:
                return await self._take(step)
            except TransferError as error:
                log.info("%s by %s: %s: %s", order.entry.name, step.way or "link", error.kind, error)
                if step.client is None or step.way is None:
                    self.no_link = error
                    continue
                self.failures.append(error)
                if _is_no(error):
                    await self._done()
                    break
                online = await self._after_failure(step.client, step.way)
        method = await self._link_after_all(plan)
        if method is None:
            await self._end(plan)
        return method

    # --- steps ----------------------------------------------------------------------------------

    async def _take(self, step: Step) -> Method:
        self.transfer.begin(step.method)
        if step.client is None or step.way is None:
            return await self._link()
        await self._row()
        await self._say(step.method, step.seconds)
        return await self._stream(step.client, step.way)

    async def _link(self) -> Method:
        order = self.order
        url = await self.dispatch.delivery.url(order.entry, self.transfer.moved)
        if self.failures or self.parcel is not None:
            await self._say(Method.HTTP, None)
        await self.dispatch.messenger.send_file(order.to, order.entry, url)
        await self._done()
        return Method.HTTP

    async def _stream(self, client: Client, way: Way) -> Method:
        dispatch, entry, begun = self.dispatch, self.order.entry, _Begun()

        def moved(done_bytes: int) -> None:
            begun.at(done_bytes, dispatch.clock())
            self.transfer.moved(done_bytes)

        async with dispatch.store.local_file(entry.blob.digest) as file:
            method = await dispatch.streams.send(client.jid, file, entry, way, moved)
        now = dispatch.clock()
        dispatch.experience.note(client, way, went=True, now=now)
        if method is Method.IBB and (rate := begun.rate(now)) is not None:
            dispatch.experience.note_rate(client, rate, now)
        await self._done()
        return method

    async def _after_failure(self, client: Client, way: Way) -> set[str]:
        """Who is online now. That somebody left is nothing to hold against the way."""
        online = {each.jid for each in await self.dispatch.clients(self.order.to)}
        self.gone = client.jid not in online
        if not self.gone:
            self.dispatch.experience.note(client, way, went=False, now=self.dispatch.clock())
        return online

    async def _link_after_all(self, plan: Plan) -> Method | None:
        """There may be a link now that could not be when the plan was made."""
        if not self.failures or plan.no_link is None or self.order.method is not None:
            return None
        order = self.order
        later = await self.dispatch.plan(order.entry.blob.size, order.to, Method.HTTP, order.entry)
        for step in later.steps:
            try:
                return await self._take(step)
            except TransferError as error:
                self.no_link = error
        return None

    # --- rows -----------------------------------------------------------------------------------

    async def _row(self) -> Parcel:
        """What is kept of it from now on, at the latest."""
        if self.parcel is None:
            order = self.order
            parcel = Parcel(
                self.transfer.number,
                order.entry.id,
                order.asker,
                order.recipient,
                order.language,
                order.method,
                self.dispatch.clock(),
            )
            self.parcel = await self.dispatch.parcels.add(parcel, order.entry)
        return self.parcel

    async def _done(self) -> None:
        """They have it, or do not want it: nor do they by another method that they named earlier."""
        if self.order.to.kind is not AddressKind.CHAT:
            return
        for parcel in self.dispatch.parcels.to(self.order.recipient):
            if (parcel.asker, parcel.entry_id) == (self.order.asker, self.order.entry.id) and (
                parcel is self.parcel or not self.dispatch.transfers.is_running(parcel.number)
            ):
                await self.dispatch.parcels.remove(parcel.number)

    # --- ends -----------------------------------------------------------------------------------

    async def _end(self, plan: Plan) -> None:
        """Nothing brought it there: it waits, or the causes are raised."""
        if self.failures:
            unreached = any(isinstance(each, PeerGone | TransferTimeout) for each in self.failures)
            if not unreached or any(map(_is_no, self.failures)):
                raise self._not_delivered()
            await self._wait(tried=True)
        elif self.in_background:
            # A link that could be and failed counts as an attempt.
            await self._wait(tried=plan.no_link is None and self.no_link is not None)
        elif self.order.method is not None and plan.no_stream is not None and self.parcel is None:
            raise plan.no_stream
        elif self.no_link is not None and (plan.no_link is None or not self._may_wait()):
            raise self.no_link  # waiting for people does not mend an upload that failed
        else:
            self.failures += [plan.no_stream] if plan.no_stream is not None else []
            await self._wait(tried=False)

    def _may_wait(self) -> bool:
        return self.order.to.kind is AddressKind.CHAT and self.order.method is not Method.HTTP

    async def _wait(self, *, tried: bool) -> None:
        dispatch, order = self.dispatch, self.order
        parcel = await self._row()
        counts = tried and not self.gone
        if counts:
            parcel = await dispatch.parcels.put_back(parcel, dispatch.clock() + pause(parcel.tries + 1))
            if parcel.tries >= MOST_TRIES:
                raise self._not_delivered()
        log.info("%s waits for %s", order.entry.name, order.recipient)
        if not self.in_background or (counts and parcel.tries == 1):
            where = order.sender, order.language, order.entry, order.to
            await dispatch.news.tell(FileWaits(*where, parcel.number, self._causes(), tried=tried))

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
        await self.dispatch.news.tell(
            FileGoes(
                order.sender,
                order.language,
                order.entry,
                order.to,
                method,
                cause,
                bool(self.failures),
                seconds,
                own_server=order.to.jid.partition("/")[0].endswith("@" + self.dispatch.server),
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
