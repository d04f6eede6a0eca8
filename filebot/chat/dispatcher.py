"""The dispatcher of everything that comes in: who is served, what is a file, what is a command."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from filebot.chat.commands import Commands
from filebot.chat.conversation import composing
from filebot.chat.file_requests import FileRequests
from filebot.chat.incoming_files import IncomingFiles
from filebot.chat.invitations import Invitations
from filebot.chat.late_commands import LateCommands
from filebot.chat.links import is_link, is_upload
from filebot.chat.rate_limits import PEOPLE_REMEMBERED
from filebot.chat.room_posts import RoomPosts
from filebot.chat.workload import Work, Workload
from filebot.concurrency.bounded_store import weight
from filebot.concurrency.debouncer import MINUTE_S, Debouncer
from filebot.errors import FilebotError, MessageTooLong, TooManyRequests
from filebot.events.bus import EventBus
from filebot.events.facts import LinkReceived
from filebot.files.access import Access
from filebot.model import (
    LONGEST_TEXT,
    Address,
    AddressKind,
    BareJid,
    IncomingMessage,
    Invitation,
    Sender,
)
from filebot.plugin.context import Conversation
from filebot.ports import FileRequest, Messenger, Rooms, StreamOffer, UploadService
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)

STALE_AFTER: Final = timedelta(minutes=2)
"""Older commands are not carried out: the person has long stopped waiting for them."""


class MessageDispatcher:
    """Receives everything that people send, and sees to it that it is answered."""

    def __init__(
        self,
        *,
        commands: Commands,
        incoming_files: IncomingFiles,
        room_posts: RoomPosts,
        file_requests: FileRequests,
        invitations: Invitations,
        workload: Workload,
        access: Access,
        rooms: Rooms,
        room_settings: RoomSettingsStore,
        uploads: UploadService,
        messenger: Messenger,
        events: EventBus,
        clock: Callable[[], datetime],
        jid: BareJid,
    ) -> None:
        """``clock`` gives the present in UTC; ``jid`` is the bot's own address."""
        self._commands = commands
        self._incoming_files = incoming_files
        self._room_posts = room_posts
        self._file_requests = file_requests
        self._invitations = invitations
        self._workload = workload
        self._rate_limiter = workload.rate_limiter
        self._access = access
        self._rooms = rooms
        self._room_settings = room_settings
        self._uploads = uploads
        self._messenger = messenger
        self._events = events
        self._clock = clock
        self._jid = jid
        self._late_commands = LateCommands()
        self._once_per_minute = Debouncer(MINUTE_S, PEOPLE_REMEMBERED)

    async def receive(self, message: IncomingMessage) -> None:
        """Take a message in; returns when all there is to do and to say about it is done and said.

        The work goes on in a task of its own. Raises CancelledError if it was cut off by :meth:`close`.
        """
        sender = message.sender
        if not self._access.may_speak(sender):
            if message.addressed:
                await self._workload.once_per_day(sender, "stranger", lambda: self._refuse(message))
            return
        work: list[Work] = []
        if message.offers and sender.in_public and sender.identity:
            self._room_posts.remember(message)
            if not message.by_bot:
                work.append(self._room_posts.archive(message))
        if message.addressed and (message.text.strip() or message.offers):
            work.append(self._admit(message))
        await asyncio.gather(*work)

    async def receive_stream(self, stream: StreamOffer) -> None:
        """Take in, or decline, a file that is offered by a stream; returns when that is done."""
        if not self._access.serves(stream.sender.jid):
            await self._workload.run(self._incoming_files.decline(stream, "errors/stranger"))
        elif self._rate_limiter.is_full(stream.sender):
            await self._workload.run(self._incoming_files.decline(stream, "errors/too_many_requests"))
        else:
            await self._workload.run_counted(stream.sender, self._incoming_files.take_stream(stream))

    async def receive_request(self, request: FileRequest) -> None:
        """Give a file to a client that asks for it by itself; returns when that is done."""
        if self._rate_limiter.is_full(request.sender):
            await request.refuse("")
        else:
            await self._workload.run_counted(request.sender, self._file_requests.answer(request))

    async def receive_encrypted(self, sender: Sender, device: str, language: str | None) -> None:
        """Answer a message that cannot be read, once a day for each device of the sender's: whoever has
        turned encryption off on one learns of the other.
        """

        async def answer() -> None:
            if await self._rate_limiter.is_in_pace(sender):  # clients can make up devices
                await self._say(sender, language, "errors/encrypted")

        if self._access.may_speak(sender):
            await self._workload.once_per_day(sender, f"encrypted: {device}", answer)

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

    async def close(self, *, patience_s: float) -> None:
        """Let running work end, for at most ``patience_s``; then cancel it."""
        await self._workload.close(patience_s=patience_s)

    # --- admission ------------------------------------------------------------------------------

    async def _admit(self, message: IncomingMessage) -> None:
        sender = message.sender
        if await self._has_turn(message):
            await self._workload.run_counted(sender, self._serve(message), weight(message))
        elif self._once_per_minute.passes("too many", sender.rate_key):
            # In private: what is said to a whole room waits for its turn, and nobody counts these.
            refusal = self._reply_error(sender.privately, message.language, TooManyRequests())
            await self._workload.run(refusal)

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

    async def _serve(self, message: IncomingMessage) -> None:
        if message.offers or self._is_late(message):
            await self._handle(message)
        else:
            await self._rate_limiter.in_turn(message.sender, self._handle(message))

    # --- what is meant --------------------------------------------------------------------------

    async def _handle(self, message: IncomingMessage) -> None:
        sender = message.sender
        if sender.room is not None and (
            # Not everybody who would read the answer may know of the room's files, or nobody would hear it.
            self._room_settings.is_members_only(sender.room) or not self._rooms.has_voice(sender.room)
        ):
            sender = sender.privately
        conversation = await self._commands.conversation(
            sender, message.language, replies_to=message.replies_to
        )
        length = len(message.text) + message.left_out
        if length > LONGEST_TEXT:
            await conversation.reply_error(MessageTooLong(length=length, limit=LONGEST_TEXT))
        elif message.offers and not message.sender.in_public:
            await self._incoming_files.take(conversation, message)
        elif message.text.strip():
            await self._answer_text(conversation, message)

    async def _answer_text(self, conversation: Conversation, message: IncomingMessage) -> None:
        text = message.text.strip()
        url = text if is_link(text) and not message.sender.in_public else None
        if url is not None and is_upload(url, message.sender, self._uploads.hosts()):
            await self._incoming_files.take_link(conversation, message, url)
        elif url is not None:
            await self._events.tell(LinkReceived(message.sender, message.language, url))
        elif message.delayed_since and self._is_late(message):
            await self._late_commands.tell(conversation, text, message.delayed_since)
        else:
            async with composing(
                self._messenger, conversation.sender.address, wanted=message.wants_chat_states
            ):
                await self._commands.run(conversation, text)

    # --- refusals -------------------------------------------------------------------------------

    async def _refuse(self, message: IncomingMessage) -> None:
        log.info("a stranger wrote: %s", message.sender.jid)
        await self._say(message.sender.privately, message.language, "errors/stranger")

    async def _say(self, sender: Sender, language: str | None, template: str, /, **values: object) -> None:
        conversation = await self._commands.conversation(sender, language)
        await conversation.reply(template, **values)

    async def _reply_error(self, sender: Sender, language: str | None, error: FilebotError) -> None:
        conversation = await self._commands.conversation(sender, language)
        await conversation.reply_error(error)
