"""Dispatcher of incoming messages: decides who is served, what is a file, and what is a command."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from filebot.chat.corrections import RecentCommands
from filebot.chat.file_messages import FileMessages
from filebot.chat.file_requests import FileRequests
from filebot.chat.invitations import Invitations
from filebot.chat.late_commands import LateCommands, is_late
from filebot.chat.progress_messages import ProgressReports
from filebot.chat.rate_limits import PEOPLE_REMEMBERED, Work, Workload
from filebot.chat.room_posts import RoomPosts
from filebot.chat.text_messages import TextMessages
from filebot.chat.typed_text import TypedText
from filebot.concurrency.bounded_store import weight
from filebot.concurrency.throttle import MINUTE_S, Throttle
from filebot.errors import FilebotError, MessageTooLong, TooManyRequests
from filebot.events.facts import PersonSubscribed
from filebot.files.access import Access
from filebot.files.captions import Captions
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
    Reaction,
    Retraction,
    Sender,
)
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.confirmation import answer_by
from filebot.plugin.conversation import Channel
from filebot.ports import FileRequest, Rooms
from filebot.rooms.recent_posts import RecentPosts
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChatMemory:
    """State of the chat package that outlasts its parts, which are replaced with the plugins."""

    workload: Workload
    posts: RecentPosts
    invitations: Invitations
    progress_reports: ProgressReports
    shown_lists: ShownLists
    at_once: CallsAtOnce = field(default_factory=CallsAtOnce)
    recent_commands: RecentCommands = field(default_factory=RecentCommands)
    late_commands: LateCommands = field(default_factory=LateCommands)
    once_per_minute: Throttle = field(default_factory=lambda: Throttle(MINUTE_S, PEOPLE_REMEMBERED))


class MessageDispatcher:
    """Dispatcher of messages, requests and invitations; answers what it does not pass on."""

    def __init__(
        self,
        *,
        channel: Channel,
        typed_text: TypedText,
        texts: TextMessages,
        file_messages: FileMessages,
        room_posts: RoomPosts,
        file_requests: FileRequests,
        memory: ChatMemory,
        captions: Captions,
        access: Access,
        retractions: Retractions,
        rooms: Rooms,
        room_settings: RoomSettingsStore,
        clock: Callable[[], datetime],
        jid: BareJid,
    ) -> None:
        """``clock`` gives the present in UTC; ``jid`` is the bot's own address."""
        self.successor: MessageDispatcher | None = None
        """The dispatcher that has taken its place; messages that wait for their turn are for that one."""
        self._channel = channel
        self._typed_text = typed_text
        self._texts = texts
        self._file_messages = file_messages
        self._room_posts = room_posts
        self._file_requests = file_requests
        self._invitations = memory.invitations
        self._workload = memory.workload
        self._rate_limiter = memory.workload.rate_limiter
        self._access = access
        self._retractions = retractions
        self._rooms = rooms
        self._room_settings = room_settings
        self._clock = clock
        self._jid = jid
        self._captions = captions
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
        has_text = bool(message.text.strip())
        captioned = self._captions.of(message) if message.replaces else ()
        if captioned and (has_text or not message.offers):
            work.append(self._admit(message, partial(self._texts.edit_caption, message, captioned)))
        if message.offers and sender.in_public and sender.identity:
            self._room_posts.remember(message)
            if not message.by_bot:
                work.append(self._room_posts.tell(message))
        if message.addressed and (message.offers or (has_text and not captioned)):
            work.append(self._admit(message, partial(self._serve, message)))
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
            answering = self._texts.take_reaction(reaction, answer=answer)
            await self._workload.run_counted(sender, limiter.in_turn(sender, answering))

    async def receive_retraction(self, retraction: Retraction) -> None:
        """Remove what came by a message that is taken back; its owner is told."""
        sender = retraction.sender
        if not self._rate_limiter.is_full(sender):
            await self._workload.run_counted(sender, self._take_back(retraction))
        else:
            await self._refuse_one_more(sender, None)

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

    async def _admit(self, message: IncomingMessage, serve: Callable[[], Work]) -> None:
        sender, size_bytes = message.sender, weight(message)
        if await self._has_turn(message, size_bytes):
            await self._workload.run_counted(sender, serve(), size_bytes)
        else:
            await self._refuse_one_more(sender, message.language)

    async def _refuse_one_more(self, sender: Sender, language: str | None) -> None:
        if self._once_per_minute.passes("too many", sender.rate_key):
            # In private: what is said to a whole room waits for its turn, and nobody counts these.
            await self._workload.run(self._reply_error(sender.privately, language, TooManyRequests()))

    async def _has_turn(self, message: IncomingMessage, size_bytes: int) -> bool:
        if self._rate_limiter.is_full(message.sender, size_bytes):
            return False
        if (message.offers or is_late(message, self._clock())) and not message.sender.in_public:
            # Whoever drags a folder onto the bot sends as many messages at once as it has files, and what
            # came while the bot was away comes all at once.
            return True
        return await self._rate_limiter.is_in_pace(message.sender)

    async def _serve(self, message: IncomingMessage) -> None:
        if message.offers or is_late(message, self._clock()):
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
            await self._file_messages.take(conversation, message, message.files, message.text)
        elif message.text.strip():
            await self._texts.answer(conversation, message)

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
