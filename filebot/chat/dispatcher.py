"""The front door: who is served, what is a file, what is a command."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import aiojobs
from cachetools import TTLCache

from filebot.chat.commands import Commands
from filebot.chat.conversation import Exchange
from filebot.chat.file_requests import Requests
from filebot.chat.invitations import Invitations
from filebot.chat.late_commands import LateCommands
from filebot.chat.rate_limits import PEOPLE_REMEMBERED, RateLimiter, RateLimits
from filebot.concurrency.bounded_store import weight
from filebot.errors import FilebotError, MessageTooLong, StorageError, TooManyFiles, TooManyRequests
from filebot.events.facts import Actor, FileDelivered, FileRefused, LinkReceived
from filebot.files.drops import name_of
from filebot.files.intake import IntakeResult
from filebot.model import (
    LONGEST_TEXT,
    Address,
    AddressKind,
    BareJid,
    IncomingMessage,
    Invitation,
    Offer,
    Sender,
)
from filebot.plugin.files import Files
from filebot.ports import Download, FileRequest, StreamOffer
from filebot.services import Services

log = logging.getLogger(__name__)

STALE_AFTER: Final = timedelta(minutes=2)
"""Older commands are not carried out: the person has long stopped waiting for them."""

DAY_S: Final = 86400.0


class MessageDispatcher:
    """Receives every message and sees to it that it is answered."""

    def __init__(self, commands: Commands, services: Services, limits: RateLimits) -> None:
        self._access = services.access
        self._commands = commands
        self._services = services
        self._requests = Requests(services)
        self._invitations = Invitations(commands, services)
        self._uploads = services.ports.uploads
        self._clock = services.ports.clock
        self._limits = limits
        # No limit here: files that stand still must not keep anybody's question waiting.
        self._jobs = aiojobs.Scheduler(limit=None)
        self._rate_limiter = RateLimiter(limits)
        self._belated = LateCommands()
        self._told_off: TTLCache[int, bool] = TTLCache(PEOPLE_REMEMBERED, ttl=DAY_S)
        self._told_lately: TTLCache[int, bool] = TTLCache(PEOPLE_REMEMBERED, ttl=60)

    async def receive(self, message: IncomingMessage) -> None:
        """Take a message in; returns when all there is to do and to say about it is done and said.

        The work goes on in a job of its own. Raises CancelledError if it was cut off by :meth:`close`.
        """
        sender = message.sender
        if not self._access.may_speak(sender):
            if message.addressed:
                await self._once(sender, "stranger", lambda: self._refuse(message))
            return
        work: list[Coroutine[object, object, None]] = []
        if message.offers and sender.in_public and sender.identity:
            posts, said_as = self._commands.reply_sender.chat_state.posts, sender.message_ref
            message_id = "" if said_as is None else said_as.message_id
            posts.add(sender.room or "", sender.identity, message_id, message.offers)
            if not message.by_bot:
                work.append(self._archive(message))
        if message.addressed and (message.text.strip() or message.offers):
            work.append(self._admit(message))
        await asyncio.gather(*work)

    async def receive_stream(self, stream: StreamOffer) -> None:
        """Take in, or decline, a file that is offered by a stream; returns when that is done."""
        if not self._access.serves(stream.sender.jid):
            await self._spawn(self._decline(stream, "errors/stranger"))
        elif self._rate_limiter.is_full(stream.sender):
            await self._spawn(self._decline(stream, "errors/too_many_requests"))
        else:
            await self._counted(stream.sender, self._take_stream(stream))

    async def receive_request(self, request: FileRequest) -> None:
        """Give a file to a client that asks for it by itself; returns when that is done."""
        if self._rate_limiter.is_full(request.sender):
            await request.refuse("")
        else:
            await self._counted(request.sender, self._answer_request(request))

    async def receive_encrypted(self, sender: Sender, device: str, language: str | None) -> None:
        """Answer a message that cannot be read, once a day for each device of the sender's: whoever has
        turned encryption off on one learns of the other.
        """

        async def answer() -> None:
            if await self._rate_limiter.is_in_pace(sender):  # clients can make up devices
                await self._say(sender, language, "errors/encrypted")

        if self._access.may_speak(sender):
            await self._once(sender, f"encrypted: {device}", answer)

    async def receive_invitation(self, invitation: Invitation) -> None:
        """Follow an invitation into a room, or say why not."""
        person, inside = invitation.inviter, invitation.mediated_for
        # Whom the room hides is a sender of whom nothing is known but an address in it.
        sender = Sender(Address(person or inside, own=invitation.own), person, nick=inside)
        if person is None or not self._access.serves(person):
            await self._once(sender, "stranger", lambda: self._invitations.turn_down(invitation, sender))
        elif not self._rate_limiter.is_full(sender) and await self._rate_limiter.is_in_pace(sender):
            await self._counted(sender, self._invitations.follow(invitation, sender))

    async def receive_no_private(self, room: BareJid) -> None:
        """Tell a room, at most once a minute, that it does not let the bot answer anybody in private."""
        if hash(room) not in self._told_lately and self._services.ports.rooms.has_voice(room):
            self._told_lately[hash(room)] = True
            there = Sender(Address(room, AddressKind.ROOM), None, room)
            await self._spawn(self._say(there, None, "reception/no_private", jid=self._services.ports.jid))

    async def receive_unsent(self, to: Address, language: str | None) -> None:
        """Tell somebody, at most once a minute, that a message to them was too large for the server."""
        person = None if to.kind is AddressKind.ROOM else to.jid.partition("/")[0]
        key = hash(f"unsent: {person or to.jid}")
        if key not in self._told_lately:
            self._told_lately[key] = True
            there = Sender(to, person, to.jid if person is None else None)
            await self._spawn(self._say(there, language, "reception/unsent"))

    async def idle(self) -> None:
        """Wait until no work is under way."""
        while self._jobs.active_count or self._jobs.pending_count:
            await asyncio.gather(*(job.wait() for job in self._jobs), return_exceptions=True)

    async def close(self, *, patience_s: float) -> None:
        """Let running work end, for at most ``patience_s``; then cancel it."""
        await self._jobs.wait_and_close(timeout=patience_s)

    # --- what is posted in rooms ----------------------------------------------------------------

    async def _archive(self, message: IncomingMessage) -> None:
        """Keep what somebody posts in a room whose archive is on."""
        try:
            keeps = await self._services.archive.keeps(message.sender)
        except StorageError as error:
            log.warning("%s may want this to be kept: %s", message.sender.room, error)
            await self._not_archived(message, "", error)
            return
        if not keeps:
            return
        size = weight(message)
        if self._rate_limiter.is_full(message.sender, size):
            await self._not_archived(message, "", TooManyRequests())
            return
        told = list[Awaitable[None]]()
        await self._counted(message.sender, self._archive_files(message, told), size)
        for each in told:  # outside of the job: a stop does not wait for this
            await each

    async def _archive_files(self, message: IncomingMessage, told: list[Awaitable[None]]) -> None:
        """Keep the files; in ``told`` is put what ends when the room has heard of one."""
        for number, offer in enumerate(message.offers[: self._limits.files_per_message]):
            await self._archive_file(message, offer, number, told)

    async def _archive_file(
        self, message: IncomingMessage, offer: Offer, number: int, told: list[Awaitable[None]]
    ) -> None:
        sender, name = message.sender, name_of(offer)
        try:
            received = await self._services.archive.take(
                Actor(sender, message.language),
                offer,
                message.text,
                source_message=_source_message(message, number),
            )
        except FilebotError as error:
            log.info("%s does not keep %r of %s: %s", sender.room, name, sender.identity, error)
            await self._not_archived(message, name, error)
        else:
            if received is not None and not received.already_known:
                told.append(self._services.announcer.add(received.entry))

    async def _not_archived(self, message: IncomingMessage, name: str, error: FilebotError) -> None:
        """Told to the poster alone, and once a day for each kind of cause: nobody asked for anything."""
        sender = message.sender
        refused = FileRefused(sender.privately, message.language, name, error)
        await self._once(sender, f"not archived: {type(error)}", lambda: self._commands.emit(refused))

    # --- admission ------------------------------------------------------------------------------

    async def _admit(self, message: IncomingMessage) -> None:
        person = hash(message.sender.rate_key)
        if await self._has_turn(message):
            await self._counted(message.sender, self._serve(message), weight(message))
        elif person not in self._told_lately:
            self._told_lately[person] = True
            # Aside: what is said to a whole room waits for its turn, and nobody counts these.
            aside = message.sender.privately
            await self._spawn(self._reply_error(aside, message.language, TooManyRequests()))

    def _is_late(self, message: IncomingMessage) -> bool:
        since = message.delayed_since
        return message.maybe_handled or (since is not None and self._clock() - since > STALE_AFTER)

    async def _has_turn(self, message: IncomingMessage) -> bool:
        if self._rate_limiter.is_full(message.sender, weight(message)):
            return False
        if (message.offers or self._is_late(message)) and not message.sender.in_public:
            # Whoever drags a folder onto the bot sends as many messages at once as it has files, and what
            # came while the bot was away comes all at once.
            return True
        return await self._rate_limiter.is_in_pace(message.sender)

    async def _counted(
        self, sender: Sender, work: Coroutine[object, object, None], size_bytes: int = 0
    ) -> None:
        with self._rate_limiter.waiting(sender, size_bytes):
            await self._spawn(work)

    async def _spawn(self, work: Coroutine[object, object, None]) -> None:
        if self._jobs.closed:
            work.close()
            raise asyncio.CancelledError("closing")
        job = await self._jobs.spawn(work)
        await job.wait()

    async def _serve(self, message: IncomingMessage) -> None:
        if message.offers or self._is_late(message):
            await self._deal_with(message)
        else:
            await self._rate_limiter.in_turn(message.sender, self._deal_with(message))

    async def _deal_with(self, message: IncomingMessage) -> None:
        sender = message.sender
        if sender.room is not None and (
            # Not everybody who would read the answer may know of the room's files, or nobody would hear it.
            self._services.room_settings.of(sender.room).members_only
            or not self._services.ports.rooms.has_voice(sender.room)
        ):
            sender = sender.privately
        conversation = await self._commands.conversation(
            sender,
            message.language,
            chat_states=message.wants_chat_states,
            replies_to=message.replies_to,
        )
        length = len(message.text) + message.left_out
        if length > LONGEST_TEXT:
            await conversation.reply_error(MessageTooLong(length=length, limit=LONGEST_TEXT))
        elif message.offers and not message.sender.in_public:
            await self._take_files(conversation, message)
        elif message.text.strip():
            await self._answer_text(conversation, message)

    # --- text -----------------------------------------------------------------------------------

    async def _answer_text(self, conversation: Exchange, message: IncomingMessage) -> None:
        text = message.text.strip()
        url = text if _is_link(text) and not message.sender.in_public else None
        if url is not None and self._is_upload(url, message.sender):
            await self._take_files(conversation, message, (Offer(urls=(url,)),))
        elif url is not None:
            await self._commands.emit(LinkReceived(message.sender, message.language, url))
        elif message.delayed_since and self._is_late(message):
            await self._belated.tell(conversation, text, message.delayed_since)
        else:
            await self._commands.run(conversation, text)

    def _is_upload(self, url: str, sender: Sender) -> bool:
        """Whether a bare link is an upload of the sender's server or the bot's (body-only clients)."""
        try:
            host = (urlsplit(url).hostname or "").rstrip(".")
        except ValueError:  # no link at all: fetch will say so
            return False
        domain = (sender.jid or "").partition("@")[2]
        return host in self._uploads.hosts() or (
            bool(domain) and (host == domain or host.endswith("." + domain))
        )

    # --- files ----------------------------------------------------------------------------------

    async def _take_files(
        self, conversation: Exchange, message: IncomingMessage, offers: tuple[Offer, ...] = ()
    ) -> None:
        caption = "" if offers else message.text
        offers = offers or message.offers
        if len(offers) > self._limits.files_per_message:
            await conversation.reply_error(
                TooManyFiles(count=len(offers), limit=self._limits.files_per_message)
            )
            return
        for number, offer in enumerate(offers):
            await self._take_file(conversation, message, offer, caption, number)

    async def _take_file(
        self, conversation: Exchange, message: IncomingMessage, offer: Offer, caption: str, number: int
    ) -> None:
        files = Files(self._services.files, message.sender, conversation.language)
        source_message = _source_message(message, number)
        taking = files.keep(offer, caption=caption, source_message=source_message, in_burst=True)
        async with conversation.at_work():
            await self._told(conversation, message.language, name_of(offer), taking)

    async def _take_stream(self, stream: StreamOffer) -> None:
        conversation = await self._commands.conversation(stream.sender, stream.language)
        accepted, name = _Accepted(stream), name_of(stream.offer)
        taking = Files(self._services.files, stream.sender, conversation.language).receive(accepted)
        error = await self._told(conversation, stream.language, name, taking)
        if error is not None and not accepted.opened:
            await stream.refuse(conversation.words(error, name))

    async def _told(
        self,
        conversation: Exchange,
        language: str | None,
        name: str,
        taking: Awaitable[IntakeResult],
    ) -> FilebotError | None:
        """Take a file in, and answer if it was not kept; return the error then."""
        refusal: FilebotError | None = None
        async with conversation.errors_in_words(name=name):
            try:
                await taking
            except FilebotError as error:
                refusal = error
                log.info(
                    "refused %r of %s: %s: %s", name, conversation.sender.jid, type(error).__name__, error
                )
                await self._commands.emit(FileRefused(conversation.sender, language, name, error))
        return refusal

    async def _answer_request(self, request: FileRequest) -> None:
        conversation = await self._commands.conversation(request.sender, request.language)
        try:
            entry = await self._requests.find(request)
        except FilebotError as error:
            log.info("a request of %s is declined: %s", request.sender.jid, type(error).__name__)
            await request.refuse(conversation.words(error))
            return
        conversation.action = "get"
        async with conversation.errors_in_words(name=entry.name):
            used = await self._requests.give(request, entry, conversation.language)
            to, language = request.sender.address, request.language
            await self._commands.emit(FileDelivered(request.sender, language, entry, to, used, asked=False))

    async def _decline(self, stream: StreamOffer, template: str) -> None:
        log.info("declined a stream of %s", stream.sender.jid)
        conversation = await self._commands.conversation(stream.sender, stream.language)
        await stream.refuse(conversation.rendered(template))

    # --- refusals -------------------------------------------------------------------------------

    async def _once(
        self, sender: Sender, reason: str, answer: Callable[[], Coroutine[object, object, None]]
    ) -> None:
        # What a room calls its people may be long: only its hash is remembered.
        key = hash((sender.rate_key, reason))
        if key not in self._told_off:
            self._told_off[key] = True
            await self._spawn(answer())

    async def _refuse(self, message: IncomingMessage) -> None:
        log.info("a stranger wrote: %s", message.sender.jid)
        await self._say(message.sender.privately, message.language, "errors/stranger")

    async def _say(self, sender: Sender, language: str | None, template: str, /, **values: object) -> None:
        conversation = await self._commands.conversation(sender, language)
        await conversation.reply(template, **values)

    async def _reply_error(self, sender: Sender, language: str | None, error: FilebotError) -> None:
        conversation = await self._commands.conversation(sender, language)
        await conversation.reply_error(error)


class _Accepted:
    """A stream offer that remembers whether it was accepted: after that it cannot be declined."""

    def __init__(self, stream: StreamOffer) -> None:
        self.sender = stream.sender
        self.offer = stream.offer
        self.language = stream.language
        self.resumable = stream.resumable
        self.opened = False
        self.refuse = stream.refuse
        self._accept = stream.accept

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        self.opened = True
        return self._accept(offset)


def _source_message(message: IncomingMessage, number: int) -> str | None:
    """What the catalog calls the message's file of this number, to know it again."""
    return None if message.mam_id is None else f"{message.mam_id}/{number}"


def _is_link(text: str) -> bool:
    return len(text.split()) == 1 and text.lower().startswith(("https://", "http://"))
