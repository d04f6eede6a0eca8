"""Dispatcher of incoming messages: decides who is served, what is a file, and what is a command."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from filebot.chat.file_requests import FileRequests
from filebot.chat.invitations import Invitations
from filebot.chat.late_commands import LateCommands
from filebot.chat.progress_messages import ProgressReports
from filebot.chat.rate_limits import PEOPLE_REMEMBERED, Work, Workload
from filebot.chat.room_posts import RoomPosts
from filebot.chat.small_talk import SmallTalk, small_talk
from filebot.chat.typed_text import TypedText
from filebot.concurrency.bounded_store import weight
from filebot.concurrency.throttle import MINUTE_S, Throttle
from filebot.errors import FilebotError, FileGone, MessageTooLong, TooManyFiles, TooManyRequests
from filebot.events.bus import EventBus
from filebot.events.facts import FileRefused, Greeted, LinkReceived, PersonSubscribed
from filebot.filenames import without_isolates
from filebot.files.access import Access
from filebot.files.intake import IntakeResult, name_of, source_message
from filebot.files.retractions import Retractions
from filebot.files.shown_lists import ShownLists
from filebot.model import (
    LONGEST_TEXT,
    Address,
    AddressKind,
    BareJid,
    EncryptedMessage,
    IncomingMessage,
    Invitation,
    Offer,
    Reaction,
    Retraction,
    Sender,
)
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.calls import PluginCalls
from filebot.plugin.confirmation import answer_by
from filebot.plugin.context import FilesOf
from filebot.plugin.conversation import Channel, Conversation, errors_in_words
from filebot.ports import FileRequest, Rooms, UploadService
from filebot.reading.links import link_alone, link_within
from filebot.rooms.recent_posts import RecentPosts
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)

STALE_AFTER: Final = timedelta(minutes=2)
"""Older commands are not carried out: nobody waits for their answers any more."""


@dataclass(frozen=True, slots=True)
class ChatMemory:
    """State of the chat package that outlasts its parts, which are replaced with the plugins."""

    workload: Workload
    posts: RecentPosts
    invitations: Invitations
    progress_reports: ProgressReports
    shown_lists: ShownLists
    at_once: CallsAtOnce = field(default_factory=CallsAtOnce)
    late_commands: LateCommands = field(default_factory=LateCommands)
    once_per_minute: Throttle = field(default_factory=lambda: Throttle(MINUTE_S, PEOPLE_REMEMBERED))


class MessageDispatcher:
    """Dispatcher of messages, requests and invitations; answers what it does not pass on."""

    def __init__(
        self,
        *,
        channel: Channel,
        plugins: PluginCalls,
        typed_text: TypedText,
        files_of: FilesOf,
        room_posts: RoomPosts,
        file_requests: FileRequests,
        memory: ChatMemory,
        access: Access,
        retractions: Retractions,
        rooms: Rooms,
        room_settings: RoomSettingsStore,
        uploads: UploadService,
        clock: Callable[[], datetime],
        jid: BareJid,
        files_per_message: int,
    ) -> None:
        """``clock`` gives the present in UTC; ``jid`` is the bot's own address."""
        self.successor: MessageDispatcher | None = None
        """The dispatcher that has taken its place; messages that wait for their turn are for that one."""
        self._channel = channel
        self._plugins = plugins
        self._typed_text = typed_text
        self._files_of = files_of
        self._room_posts = room_posts
        self._file_requests = file_requests
        self._invitations = memory.invitations
        self._workload = memory.workload
        self._rate_limiter = memory.workload.rate_limiter
        self._access = access
        self._retractions = retractions
        self._rooms = rooms
        self._room_settings = room_settings
        self._uploads = uploads
        self._clock = clock
        self._jid = jid
        self._files_per_message = files_per_message
        self._late_commands = memory.late_commands
        self._once_per_minute = memory.once_per_minute

    async def receive(self, message: IncomingMessage) -> None:
        """Handle a message; return when it is handled and all replies are sent.

        The work goes on in a task of its own. Raises CancelledError if it was cut off by :meth:`close`.
        """
        sender = message.sender
        if not self._access.may_speak(sender):
            if message.addressed:
                await self._workload.once_per_day(sender, "stranger", lambda: self._refuse(message))
            return
        if message.replies_to_bot and not message.addressed and not message.offers:
            is_meant = self._typed_text.is_meant(sender, message.text.strip(), message.replies_to)
            message = replace(message, addressed=is_meant)
        work: list[Work] = []
        if message.offers and sender.in_public and sender.identity:
            self._room_posts.remember(message)
            if not message.by_bot:
                work.append(self._room_posts.tell(message))
        if message.addressed and (message.text.strip() or message.offers):
            work.append(self._admit(message))
        await asyncio.gather(*work)

    async def receive_request(self, request: FileRequest) -> None:
        """Send a file to a client that requests it (XEP-0234); return when that is done."""
        if self._rate_limiter.is_full(request.sender):
            await request.refuse("")
        else:
            await self._workload.run_counted(request.sender, self._file_requests.answer(request))

    async def receive_encrypted(self, message: EncryptedMessage) -> None:
        """Answer a message that cannot be read, once a day for each device of the sender's.

        A person who has turned encryption off on one device learns that another still encrypts.
        """
        sender = message.sender

        async def answer() -> None:
            if await self._rate_limiter.is_in_pace(sender):  # clients can make up devices
                await self._say(sender, message.language, "errors/encrypted")

        if self._access.may_speak(sender):
            await self._workload.once_per_day(sender, f"encrypted: {message.device}", answer)

    async def receive_reaction(self, reaction: Reaction) -> None:
        """Take a reaction to a question as the answer; no other reaction means anything."""
        sender, state = reaction.sender, self._channel.chat_state
        answer, own_id = answer_by(reaction.emoji), state.shown_files.own_id(sender, reaction.message_id)
        if answer is None or not state.questions.is_asked_in(sender, own_id, self._clock()):
            return
        limiter = self._rate_limiter
        if not limiter.is_full(sender) and await limiter.is_in_pace(sender):
            answering = self._answer_question(reaction, answer=answer)
            await self._workload.run_counted(sender, limiter.in_turn(sender, answering))

    async def _answer_question(self, reaction: Reaction, *, answer: bool) -> None:
        if self.successor is not None:
            return  # questions are not passed on
        conversation = await self._channel.conversation(reaction.sender, reaction.language)
        await self._typed_text.answer(conversation, answer=answer)

    async def receive_retraction(self, retraction: Retraction) -> None:
        """Remove what came by a message that is taken back; its owner is told."""
        await self._workload.run(self._take_back(retraction))

    async def receive_invitation(self, invitation: Invitation) -> None:
        """Follow an invitation into a room, or say why not."""
        person, inside = invitation.inviter, invitation.mediated_for
        # Nothing is known of an inviter whom the room hides but an address in it.
        sender = Sender(Address(person or inside, own=invitation.own), person, nick=inside)
        if person is None or not self._access.serves(person):
            await self._workload.once_per_day(
                sender, "stranger", lambda: self._invitations.turn_down(invitation, sender)
            )
        elif not self._rate_limiter.is_full(sender) and await self._rate_limiter.is_in_pace(sender):
            await self._workload.run_counted(sender, self._invitations.follow(invitation, sender))

    async def receive_subscription(self, person: BareJid, own: str, language: str | None) -> None:
        """Tell plugins that somebody who is served asked to see the bot, by its address ``own``."""
        sender = Sender(Address(person, own=own), person)
        if self._access.serves(person) and self._once_per_minute.passes("subscribed", person):
            event = PersonSubscribed(sender, language)
            await self._workload.run(self._channel.events.tell(event))

    async def receive_no_private(self, room: BareJid) -> None:
        """Tell a room, at most once a minute, that it does not let the bot answer anybody in private."""
        if self._rooms.has_voice(room) and self._once_per_minute.passes("no private", room):
            there = Sender(Address(room, AddressKind.ROOM), None, room)
            await self._workload.run(self._say(there, None, "reception/no_private", jid=self._jid))

    async def receive_unsent(self, to: Address, language: str | None) -> None:
        """Tell somebody, at most once a minute, that a message to them was too large for the server."""
        person = None if to.kind is AddressKind.ROOM else to.jid.partition("/")[0]
        if self._once_per_minute.passes("unsent", person or to.jid):
            there = Sender(to, person, to.jid if person is None else None)
            await self._workload.run(self._say(there, language, "reception/unsent"))

    async def idle(self) -> None:
        """Wait until no work is under way."""
        await self._workload.idle()

    async def close(self, *, timeout_s: float) -> None:
        """Let running work end, for at most ``timeout_s``; then cancel it."""
        await self._workload.close(timeout_s=timeout_s)

    # --- admission ------------------------------------------------------------------------------

    async def _admit(self, message: IncomingMessage) -> None:
        sender, size_bytes = message.sender, weight(message)
        if await self._has_turn(message, size_bytes):
            await self._workload.run_counted(sender, self._serve(message), size_bytes)
        elif self._once_per_minute.passes("too many", sender.rate_key):
            # In private: what is said to a whole room waits for its turn, and nobody counts these.
            refusal = self._reply_error(sender.privately, message.language, TooManyRequests())
            await self._workload.run(refusal)

    def _is_late(self, message: IncomingMessage) -> bool:
        since = message.delayed_since
        return message.maybe_handled or (since is not None and self._clock() - since > STALE_AFTER)

    async def _has_turn(self, message: IncomingMessage, size_bytes: int) -> bool:
        if self._rate_limiter.is_full(message.sender, size_bytes):
            return False
        if (message.offers or self._is_late(message)) and not message.sender.in_public:
            # Whoever drags a folder onto the bot sends as many messages at once as it has files, and what
            # came while the bot was away comes all at once.
            return True
        return await self._rate_limiter.is_in_pace(message.sender)

    async def _serve(self, message: IncomingMessage) -> None:
        if message.offers or self._is_late(message):
            await self._handle(message)
        else:
            await self._rate_limiter.in_turn(message.sender, self._handle(message))

    # --- what is meant --------------------------------------------------------------------------

    async def _handle(self, message: IncomingMessage) -> None:
        if self.successor is not None:
            await self.successor._handle(message)  # noqa: SLF001 - of the same class
            return
        sender = message.sender
        if sender.room is not None and (
            # Not everybody who would read the answer may know of the room's files, or nobody would hear it.
            self._room_settings.is_members_only(sender.room) or not self._rooms.has_voice(sender.room)
        ):
            sender = sender.privately
        conversation = await self._channel.conversation(
            sender, message.language, replies_to=message.replies_to
        )
        length = len(message.text) + message.left_out
        if length > LONGEST_TEXT:
            await conversation.reply_error(MessageTooLong(length=length, limit=LONGEST_TEXT))
        elif message.offers and not message.sender.in_public:
            await self._take_files(conversation, message, message.files, message.text)
        elif message.text.strip():
            await self._answer_text(conversation, message)

    async def _answer_text(self, conversation: Conversation, message: IncomingMessage) -> None:
        # Names are shown between isolates, and copied with them.
        text = message.text.strip()
        if not text.isascii():
            text = without_isolates(text).strip()
        if (url := link_alone(text)) is not None and not message.sender.in_public:
            await self._take_link(conversation, message, url)
        elif (said := self._small_talk(conversation.sender, text)) is not None:
            if said is SmallTalk.GREETING and not message.maybe_handled:
                await self._channel.events.tell(Greeted(conversation.sender, message.language))
        elif message.delayed_since and self._is_late(message):
            await self._late_commands.tell(conversation, text, message.delayed_since)
        else:
            async with self._channel.reply_sender.composing(
                conversation.sender.address, wanted=message.wants_chat_states
            ):
                came_late = message.maybe_handled or message.delayed_since is not None
                if not await self._typed_text.handle(conversation, text, came_late=came_late):
                    await self._not_understood(conversation, message, text)

    async def _not_understood(
        self, conversation: Conversation, message: IncomingMessage, text: str
    ) -> None:
        """Offer to fetch a link in a text, or say that nothing in it is understood."""
        url = link_within(text)
        if url is not None and not message.sender.in_public:
            await self._channel.events.tell(LinkReceived(message.sender, message.language, url))
        else:
            await self._typed_text.say_unknown(conversation, text)

    def _small_talk(self, sender: Sender, text: str) -> SmallTalk | None:
        """Return the kind of small talk in a text that is no command and answers no question."""
        is_answer = self._channel.chat_state.questions.is_waiting(sender)
        return None if is_answer or self._plugins.is_command(text) else small_talk(text)

    async def _take_link(self, conversation: Conversation, message: IncomingMessage, url: str) -> None:
        if is_upload(url, message.sender, self._uploads.hosts()):
            await self._take_files(conversation, message, (Offer(urls=(url,), message=message.posted),), "")
        else:
            await self._channel.events.tell(LinkReceived(message.sender, message.language, url))

    async def _take_files(
        self, conversation: Conversation, message: IncomingMessage, offers: tuple[Offer, ...], caption: str
    ) -> None:
        if len(offers) > self._files_per_message:
            await conversation.reply_error(TooManyFiles(count=len(offers), limit=self._files_per_message))
            return
        files = self._files_of(message.sender, conversation.language)
        for number, offer in enumerate(offers):
            taking = files.keep(
                offer,
                caption=caption,
                source_message=source_message(message, number),
                came_late=message.delayed_since is not None,
                in_burst=True,
            )
            async with self._channel.reply_sender.composing(
                conversation.sender.address, wanted=message.wants_chat_states
            ):
                await store_and_report(
                    self._channel.events, conversation, message.language, name_of(offer), taking
                )

    async def _take_back(self, retraction: Retraction) -> None:
        try:
            await self._retractions.take_back(retraction)
        except FilebotError as error:
            log.error("what %s took back is still there: %s", retraction.sender.rate_key, error)

    # --- refusals -------------------------------------------------------------------------------

    async def _refuse(self, message: IncomingMessage) -> None:
        log.info("a stranger wrote: %s", message.sender.jid)
        await self._say(message.sender.privately, message.language, "errors/stranger")

    async def _say(self, sender: Sender, language: str | None, template: str, /, **values: object) -> None:
        conversation = await self._channel.conversation(sender, language)
        await conversation.reply(template, **values)

    async def _reply_error(self, sender: Sender, language: str | None, error: FilebotError) -> None:
        conversation = await self._channel.conversation(sender, language)
        await conversation.reply_error(error)


async def store_and_report(
    events: EventBus,
    conversation: Conversation,
    language: str | None,
    name: str,
    taking: Awaitable[IntakeResult],
) -> FilebotError | None:
    """Take a file in; if it is refused, emit FileRefused and return the error.

    Of one that was stored before, and is gone since, nothing is said.
    """
    sender, refusal = conversation.sender, None
    async with errors_in_words(conversation, name=name):
        try:
            await taking
        except FileGone:
            log.info("%r of %s was removed since", name, sender.jid)
        except FilebotError as error:
            refusal = error
            log.info("refused %r of %s: %s: %s", name, sender.jid, type(error).__name__, error)
            await events.tell(FileRefused(sender, language, name, error))
    return refusal


def is_upload(url: str, sender: Sender, upload_hosts: Collection[str]) -> bool:
    """Return whether a bare link is to an upload: some clients send nothing but the link.

    Uploads are at the sender's server, or at ``upload_hosts``: those of the bot's server.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # no link at all: fetch will say so
        return False
    domain = (sender.jid or "").partition("@")[2]
    return host in upload_hosts or (bool(domain) and (host == domain or host.endswith("." + domain)))
