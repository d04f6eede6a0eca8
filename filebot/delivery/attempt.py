"""Delivery attempt: brings one file to one place, by one planned route after the other.

Theory of operation::

    plan --link--> uploaded, link sent ----------------------------> gone
      |              | fails: next step
      +--stream--> row kept, person told, offered, sent -----------> gone, row removed
                     | fails: next step; declined: no more streams
      no step left --+--> a link, if there can be one by now ------> gone, row removed
                     +--> nobody was reached: the row stays -------> waits
                     +--> else the causes are told ----------------> row removed

A row is kept from before a stream begins until it has ended, so a crash at any moment leaves a delivery
that is tried again. The row is removed after the last byte was sent: a crash in between sends a file twice
rather than never.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from filebot.concurrency.backoff import Backoff
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
from filebot.model import AddressKind, Client, Method, QueuedDelivery, Scope, StreamMethod

log = logging.getLogger(__name__)

MOST_TRIES: Final = 8
"""Attempts at one delivery while its recipient is online."""

FIRST_PAUSE: Final = timedelta(seconds=15)
LONGEST_PAUSE: Final = timedelta(hours=1)

RATE_FROM_BYTES: Final = 50_000
"""Bytes needed to tell a rate: fewer show mostly how the transfer began."""

_NO_LINK: Final = (NoUploadService, TooLargeForService, ServiceQuotaReached)
"""Errors after which no link is possible, as if the plan had none."""

DECLINED: Final = 403
"""The status by which :class:`Streams` tells that a person said no."""


async def send(
    context: DeliveryContext, request: DeliveryRequest, queued: QueuedDelivery | None = None
) -> Method | None:
    """Bring a file where it is wanted and return by which method, or None if it waits.

    ``queued`` is a delivery that has waited and is tried again by itself: that it still waits is not told
    again. Raises UserError, TransferError or StorageError; after the former two nothing waits.
    """
    in_background = queued is not None
    if queued is None and request.to.kind is AddressKind.CHAT:
        queued = context.queue.same(request.asker, request.recipient, request.entry.id, request.method)
    if queued is not None and context.transfers.is_running(queued.number):
        raise AlreadySending(queued.number)
    return await _track_transfer(context, request, queued, in_background=in_background)


async def _track_transfer(
    context: DeliveryContext,
    request: DeliveryRequest,
    queued: QueuedDelivery | None,
    *,
    in_background: bool,
) -> Method | None:
    number = None if queued is None else queued.number
    tracked = context.transfers.running(
        request.sender,
        request.language,
        request.entry.name,
        Direction.FROM_BOT,
        request.method or Method.HTTP,
        request.entry.blob.size,
        number=number,
    )
    try:
        with naming(request.entry), tracked as transfer:
            number = transfer.number
            async with context.slots.taken(transfer, request.sender.room, quiet=in_background):
                return await _Attempt(context, request, transfer, queued, in_background).go()
    except (UserError, TransferError, BlobCorrupt):
        # Anything else, such as a stop of the bot, leaves the delivery in the queue.
        if number is not None:
            await context.queue.remove(number)
        raise


def pause(tries: int) -> timedelta:
    """Return the pause after this many attempts."""
    first_s, longest_s = FIRST_PAUSE.total_seconds(), LONGEST_PAUSE.total_seconds()
    backoff = Backoff(first_s, longest_s, factor=4.0, failures=max(tries - 1, 0))
    return timedelta(seconds=backoff.next_s())


@dataclass(slots=True)
class _Attempt:
    """One attempt at a request."""

    context: DeliveryContext
    request: DeliveryRequest
    transfer: Transfer
    queued: QueuedDelivery | None
    in_background: bool
    no_link: FilebotError | None = None
    link_failed: bool = False
    """There could be a link, but the upload failed."""
    failures: list[FilebotError] = field(default_factory=list)
    """Errors of streams."""
    said: Method | None = None
    """The method of which the person was told."""
    gone: bool = False
    """The last client that failed is not online any more."""

    async def go(self) -> Method | None:
        request = self.request
        if request.method in {None, Method.HTTP} and (method := await self._by_link()) is not None:
            return method
        # Before anybody is asked to accept it, and before it waits for somebody.
        await self.context.store.verify(request.entry.blob.digest)
        plan = await self.context.plan(request.entry.blob.size, request.to, request.method, request.entry)
        method = await self._by_streams(plan.steps)
        if method is None and self.failures and request.method is None and not self.link_failed:
            method = await self._by_link()  # there may be one by now
        if method is None:
            await self._end(plan.no_stream)
        return method

    # --- steps ----------------------------------------------------------------------------------

    async def _by_link(self) -> Method | None:
        """Send a link; return None if there can be none, or if it failed."""
        context, request = self.context, self.request
        size, method = request.entry.blob.size, Method.HTTP
        plan = await context.plan(size, request.to, method, request.entry, streams=False)
        self.no_link = plan.no_link
        if not plan.steps:
            return None
        self.transfer.begin(method)
        try:
            url = await context.links.url(request.entry, self.transfer.moved)
        except TransferError as error:
            log.info("no link to %s: %s: %s", request.entry.name, error.kind, error)
            self.no_link, self.link_failed = error, not isinstance(error, _NO_LINK)
            return None
        if self.failures or self.queued is not None:
            await self._say(method, None)
        await self._must_still_go()
        message_id = await context.messenger.send_file(request.to, request.entry, url)
        await context.bounces.sent(request.sender, request.language, request.entry, request.to, message_id)
        await context.shown_files.add(request.to, message_id, [await self._shown_id()])
        await self._done()
        return method

    async def _shown_id(self) -> int:
        """Return the id of the file as those know it who see it there: a room has an entry of its own."""
        entry, to = self.request.entry, self.request.to
        if to.kind is not AddressKind.ROOM or entry.room == to.jid:
            return entry.id
        scope = Scope(room=to.jid)
        shared = await self.context.entries.find_by_digest(scope, entry.owner, entry.blob.digest)
        return entry.id if shared is None else shared.id

    async def _by_streams(self, steps: Sequence[PlannedRoute]) -> Method | None:
        """Try the streams; return None if none of them brought the file there."""
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
                log.info("%s by %s: %s: %s", self.request.entry.name, step.way, error.kind, error)
                self.failures.append(error)
                if _is_no(error):
                    await self._done()
                    return None
                online = await self._after_failure(step.client, step.way)
        return None

    async def _stream(self, client: Client, way: StreamMethod) -> Method:
        await self._must_still_go()
        context, entry, begun = self.context, self.request.entry, _Begun()

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
        """Raise an error if the file is gone, or must not go any more: an upload takes its time."""
        entry = self.request.entry
        if await self.context.entries.entry(entry.id) is None:
            raise NoSuchEntry(entry.name)
        await self.request.ready()

    async def _after_failure(self, client: Client, way: StreamMethod) -> set[str]:
        """Return the clients that are online now, and note the failure unless this one has left."""
        online = {each.jid for each in await self.context.clients(self.request.to)}
        self.gone = client.jid not in online
        if not self.gone:
            self.context.client_history.note(client, way, went=False, now=self.context.clock())
        return online

    # --- rows -----------------------------------------------------------------------------------

    async def _row(self) -> QueuedDelivery:
        """Return the row of the delivery; add it if there is none yet."""
        if self.queued is None:
            request = self.request
            queued = QueuedDelivery(
                self.transfer.number,
                request.entry.id,
                request.asker,
                request.recipient,
                request.language,
                request.method,
                self.context.clock(),
            )
            self.queued = await self.context.queue.add(queued, request.entry)
        return self.queued

    async def _done(self) -> None:
        """Remove the rows: they have it, or do not want it, by whatever method they asked for it."""
        if self.request.to.kind is not AddressKind.CHAT:
            return
        for queued in self.context.queue.to(self.request.recipient):
            same = (queued.asker, queued.entry_id) == (self.request.asker, self.request.entry.id)
            # Its own row may be about another entry, in whose place this one goes.
            if queued.number == self.transfer.number or (
                same and not self.context.transfers.is_running(queued.number)
            ):
                await self.context.queue.remove(queued.number)

    # --- ends -----------------------------------------------------------------------------------

    async def _end(self, no_stream: FilebotError | None) -> None:
        """Let the file wait, or raise the causes: nothing brought it there."""
        if self.failures:
            unreached = any(isinstance(each, PeerGone | TransferTimeout) for each in self.failures)
            if not unreached or any(map(_is_no, self.failures)):
                raise self._not_delivered()
            await self._wait(tried=True)
        elif self.in_background:
            await self._wait(tried=self.link_failed)
        elif self.request.method is not None and no_stream is not None and self.queued is None:
            raise no_stream
        elif self.no_link is not None and (self.link_failed or not self._may_wait()):
            raise self.no_link  # waiting for people does not mend an upload that failed
        else:
            self.failures += [no_stream] if no_stream is not None else []
            await self._wait(tried=False)

    def _may_wait(self) -> bool:
        return self.request.to.kind is AddressKind.CHAT and self.request.method is not Method.HTTP

    async def _wait(self, *, tried: bool) -> None:
        context, request = self.context, self.request
        again = self.queued is not None and not tried
        queued = await self._row()
        counts = tried and not self.gone
        if counts:
            queued = await context.queue.put_back(queued, context.clock() + pause(queued.tries + 1))
            if queued.tries >= MOST_TRIES:
                raise self._not_delivered()
        log.info("%s waits for %s", request.entry.name, request.recipient)
        if not self.in_background or (counts and queued.tries == 1):
            where = request.sender, request.language, request.entry, request.to
            causes = self._causes()
            await context.events.tell(
                DeliveryQueued(*where, queued.number, causes, tried=tried, again=again)
            )

    def _not_delivered(self) -> NotDelivered:
        target = None if self.request.recipient == self.request.asker else self.request.recipient
        return NotDelivered(self.request.entry.name, self._causes(), target=target)

    def _causes(self) -> tuple[FilebotError, ...]:
        every = [*([self.no_link] if self.no_link is not None else []), *self.failures]
        return tuple({error.kind: error for error in reversed(every)}.values())[::-1]

    async def _say(self, method: Method, seconds: float | None) -> None:
        """Tell why it goes by this method, once for each: before a client asks the person to accept."""
        request = self.request
        if method is self.said:
            return
        cause = None
        if request.method is None:
            cause = self.failures[-1] if self.failures else self.no_link
        self.said = method
        await self.context.events.tell(
            DeliveryStarted(
                request.sender,
                request.language,
                request.entry,
                request.to,
                method,
                cause,
                bool(self.failures),
                seconds,
                own_server=request.to.jid.partition("/")[0].endswith("@" + self.context.server),
                again=self.queued is not None and self.queued.tries > 0 and not self.failures,
            )
        )


class _Begun:
    """Measures from the first sign of progress on: before that, a person was asked."""

    def __init__(self) -> None:
        self._first: tuple[int, datetime] | None = None
        self._last = 0

    def at(self, done_bytes: int, now: datetime) -> None:
        """Note the number of bytes that are done."""
        self._first = self._first or (done_bytes, now)
        self._last = done_bytes

    def rate(self, now: datetime) -> float | None:
        """Return the bytes a second, if there were enough to tell."""
        if self._first is None:
            return None
        moved, seconds = self._last - self._first[0], (now - self._first[1]).total_seconds()
        return moved / seconds if moved >= RATE_FROM_BYTES and seconds > 0 else None


def _is_no(error: FilebotError) -> bool:
    return isinstance(error, Refused) and error.status == DECLINED
