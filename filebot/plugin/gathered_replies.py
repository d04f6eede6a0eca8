"""Gathered replies: whoever sends many files at once reads one answer about all of them.

Theory of operation. The replies to one person at one place that are gathered for the same summary are a
burst, while something of theirs is being handled and for a while after it. The first reply is said at once.
Those that follow wait until it is quiet for a moment. Then the message is corrected into a summary of all
(XEP-0308), if each client of the person shows corrections and nothing failed; otherwise a further message
sums up those that waited. A message is handled only when the replies to it are said, so that none is lost
by a kill.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from filebot.concurrency.debouncer import Debouncer
from filebot.concurrency.lru import DefaultLRUCache
from filebot.errors import PluginError
from filebot.failures import report
from filebot.files.shown_files import MOST_FILES, ShownFiles
from filebot.model import Address, AddressKind, Entry, Sender
from filebot.replies.renderer import ReplySender

MOST_PEOPLE: Final = 200
"""People whose last burst is remembered."""
MOST_PLACES: Final = 10
"""Bursts of one person: there is one for each place and language."""


@dataclass(frozen=True, slots=True)
class BurstTimes:
    """Times of bursts, in seconds."""

    joins_s: float = 5.0
    """Pause after which the second reply is no part of a burst: by then the first one was read."""
    goes_on_s: float = 15.0
    """The same for the third and those after it: a burst is known to be one by then."""
    correct_after_s: float = 0.5
    """Quiet time before a correction."""
    correct_every_s: float = 1.5
    """Longest time between corrections while replies keep coming."""
    quiet_s: float = 2.0
    """Quiet time before a further message, where nothing is corrected."""
    longest_s: float = 20.0
    """Longest time before that."""


AT_ONCE: Final = BurstTimes(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""A burst lasts only while something is being handled."""


@dataclass(frozen=True, slots=True)
class GatheredReply:
    """Reply that is told of in a summary."""

    template: str
    """Template with which it would be said alone."""
    text: str
    """Its text, as it would be said alone."""
    values: Mapping[str, object]
    """Values of the template."""

    @property
    def tells_error(self) -> bool:
        """Whether it tells of a failure: a correction of an older message would hide that one."""
        return isinstance(self.values.get("error"), Exception)


@dataclass(slots=True, eq=False)
class _Burst:
    sender: Sender
    language: str
    summary: str
    said: list[GatheredReply] = field(default_factory=list)
    """Replies in the last message."""
    message_id: str = ""
    """That of the last message that was no correction."""
    waiting: list[GatheredReply] = field(default_factory=list)
    corrects: bool | None = None
    came: Debouncer | None = None
    last_s: float = 0.0
    saying: asyncio.Lock = field(default_factory=asyncio.Lock)


_Key = tuple[Address, str, str]


@dataclass(slots=True, eq=False)
class _Person:
    bursts: dict[_Key, _Burst] = field(default_factory=dict)
    handled: int = 0
    """Requests that are being handled."""
    last_s: float = 0.0

    def is_in_burst(self, times: BurstTimes) -> bool:
        """Tell whether a request of just now may be one of a burst."""
        has_many = any(len(burst.said) + len(burst.waiting) > 1 for burst in self.bursts.values())
        pause_s = times.goes_on_s if has_many else times.joins_s
        return self.handled > 0 or asyncio.get_running_loop().time() - self.last_s < pause_s


@dataclass(slots=True, eq=False)
class _Handling:
    person: _Person
    gathered: list[tuple[_Burst, GatheredReply]] = field(default_factory=list)
    is_over: bool = False


_HANDLING: Final[ContextVar[_Handling | None]] = ContextVar("_HANDLING", default=None)


class GatheredReplies:
    """Owner of all bursts. Nothing is gathered outside of :meth:`handling`."""

    def __init__(self, shown_files: ShownFiles, times: BurstTimes = BurstTimes()) -> None:
        self._shown_files = shown_files
        self._times = times
        self._people = DefaultLRUCache[int, _Person](MOST_PEOPLE, _Person)

    @asynccontextmanager
    async def handling(
        self, sender: Sender, reply_sender: ReplySender, *, anew: bool = False
    ) -> AsyncIterator[None]:
        """Gather replies while a request of the sender's is handled; return when those to it are said.

        ``anew``: what is answered comes below the last burst, so that no correction would be noticed.
        """
        person = self._people[hash(sender.rate_key)]
        if anew or not person.is_in_burst(self._times):
            person.bursts.clear()
        handling = _Handling(person)
        token = _HANDLING.set(handling)
        person.handled += 1
        try:
            try:
                yield
            finally:
                handling.is_over = True
                _HANDLING.reset(token)
            for burst, reply in handling.gathered:
                await self._follow_up(burst, reply, reply_sender)
        finally:
            person.handled -= 1
            person.last_s = asyncio.get_running_loop().time()

    async def add(
        self,
        sender: Sender,
        language: str,
        summary: str,
        template: str,
        values: Mapping[str, object],
        reply_sender: ReplySender,
    ) -> bool:
        """Say a reply, or let it wait for others; return False if nothing is gathered just now.

        The template ``summary`` is given ``replies``. Raises PluginError if the reply cannot be rendered.
        """
        handling = _HANDLING.get()
        if handling is None or handling.is_over:
            return False
        text = reply_sender.text(sender.address, language, template, **values)
        reply, key = GatheredReply(template, text, values), (sender.address, language, summary)
        burst = handling.person.bursts.get(key)
        first = burst is None or self._is_over(burst)
        if burst is None or first or len(burst.waiting) >= MOST_FILES:
            burst = _Burst(sender, language, summary)
            bursts = handling.person.bursts
            bursts.pop(key, None)
            bursts[key] = burst
            if len(bursts) > MOST_PLACES:
                del bursts[next(iter(bursts))]
        burst.sender = sender
        burst.last_s = asyncio.get_running_loop().time()
        burst.waiting.append(reply)
        if first:
            async with burst.saying:
                await self._say(burst, reply_sender)
        else:
            handling.gathered.append((burst, reply))
            if burst.came is not None:
                burst.came.signal()
        return True

    def _is_over(self, burst: _Burst) -> bool:
        """Whether a reply need not wait for further ones: no message of the burst is corrected."""
        quiet_s = asyncio.get_running_loop().time() - burst.last_s
        return burst.corrects is False and not burst.waiting and quiet_s >= self._times.quiet_s

    async def _follow_up(self, burst: _Burst, reply: GatheredReply, reply_sender: ReplySender) -> None:
        """Say a reply that waits, and others with it; return when it is said, by whomever."""
        async with burst.saying:
            if not any(each is reply for each in burst.waiting):
                return
            if burst.came is None:
                to = burst.sender.address
                may_correct = to.kind is AddressKind.CHAT and not reply.tells_error
                burst.corrects = may_correct and await reply_sender.messenger.shows_corrections(to)
                burst.came = self._debouncer(corrects=burst.corrects)
                burst.came.signal()
            await burst.came.settled()
            await self._say(burst, reply_sender)

    def _debouncer(self, *, corrects: bool) -> Debouncer:
        times = self._times
        if corrects:
            return Debouncer(times.correct_after_s, times.correct_every_s)
        return Debouncer(times.quiet_s, times.longest_s)

    async def _say(self, burst: _Burst, reply_sender: ReplySender) -> None:
        waiting, burst.waiting = burst.waiting, []
        if not await self._correct(burst, waiting, reply_sender):
            burst.message_id = await self._say_anew(burst, waiting, reply_sender)
            burst.said = waiting
            await self._remember(burst, burst.message_id)

    async def _correct(
        self, burst: _Burst, waiting: list[GatheredReply], reply_sender: ReplySender
    ) -> bool:
        """Correct the last message so that it tells of all; return whether that was done."""
        replies = [*burst.said, *waiting]
        if not burst.message_id or not burst.corrects or len(replies) > MOST_FILES:
            return False
        # XEP-0308 section 4: each correction names the first message.
        first, to = burst.message_id, burst.sender.address
        try:
            said = await reply_sender.correct(first, to, burst.language, burst.summary, replies=replies)
        except PluginError as error:
            report(error, with_traceback=False)
            return False
        if said in {"", first}:  # it was not sent, for want of a connection
            return False
        burst.said = replies
        await self._remember(burst, first)
        await self._remember(burst, said)
        return True

    async def _say_anew(
        self, burst: _Burst, replies: list[GatheredReply], reply_sender: ReplySender
    ) -> str:
        """Say replies in one message and return its id; one by one if the summary fails."""
        if len(replies) > 1:
            try:
                return await reply_sender.answer(
                    burst.sender, burst.language, burst.summary, replies=replies
                )
            except PluginError as error:
                report(error, with_traceback=False)
        said = ""
        for each in replies:
            said = await reply_sender.answer(burst.sender, burst.language, each.template, **each.values)
        return said

    async def _remember(self, burst: _Burst, message_id: str) -> None:
        """Remember the files of a message, so that a reply to it means them."""
        entries = (each.values.get("entry") for each in burst.said)
        shown = [each.id for each in entries if isinstance(each, Entry)]
        await self._shown_files.add(burst.sender.address, message_id, shown)
