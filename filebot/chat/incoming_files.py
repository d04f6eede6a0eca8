"""Files that are sent to the bot, in messages and by streams: taken in, and how it went reported."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from filebot.chat.commands import Commands
from filebot.chat.conversation import composing, errors_in_words
from filebot.errors import FilebotError, TooManyFiles
from filebot.events.bus import EventBus
from filebot.events.facts import FileRefused
from filebot.files.intake import IntakeResult, name_of
from filebot.model import IncomingMessage, Offer, Sender
from filebot.plugin.context import Conversation
from filebot.plugin.files import Files
from filebot.ports import Download, StreamOffer
from filebot.replies.sender import ReplySender

log = logging.getLogger(__name__)


class IncomingFiles:
    """Takes in what people send, and tells the listeners of FileRefused if it was not kept."""

    def __init__(
        self,
        commands: Commands,
        files_of: Callable[[Sender, str], Files],
        events: EventBus,
        reply_sender: ReplySender,
        files_per_message: int,
    ) -> None:
        self._commands = commands
        self._files_of = files_of
        self._events = events
        self._reply_sender = reply_sender
        self._files_per_message = files_per_message

    async def take(self, conversation: Conversation, message: IncomingMessage) -> None:
        """Take in the files of a message, with its text as their caption."""
        await self._take_all(conversation, message, message.offers, message.text)

    async def take_link(self, conversation: Conversation, message: IncomingMessage, url: str) -> None:
        """Take in the file that a message is a bare link to."""
        await self._take_all(conversation, message, (Offer(urls=(url,)),), "")

    async def take_stream(self, stream: StreamOffer) -> None:
        """Take in a file that a client offers by a stream, or decline it."""
        conversation = await self._commands.conversation(stream.sender, stream.language)
        accepted, name = _AcceptedStream(stream), name_of(stream.offer)
        taking = self._files_of(stream.sender, conversation.language).receive(accepted)
        error = await self._store_and_report(conversation, stream.language, name, taking)
        if error is not None and not accepted.opened:
            await stream.refuse(self._reply_sender.words(error, conversation.language, name=name))

    async def decline(self, stream: StreamOffer, template: str) -> None:
        """Decline a stream with the words of a template."""
        log.info("declined a stream of %s", stream.sender.jid)
        conversation = await self._commands.conversation(stream.sender, stream.language)
        await stream.refuse(self._reply_sender.replies.render(template, conversation.language))

    async def _take_all(
        self, conversation: Conversation, message: IncomingMessage, offers: tuple[Offer, ...], caption: str
    ) -> None:
        if len(offers) > self._files_per_message:
            await conversation.reply_error(TooManyFiles(count=len(offers), limit=self._files_per_message))
            return
        messenger = self._reply_sender.messenger
        files = self._files_of(message.sender, conversation.language)
        for number, offer in enumerate(offers):
            taking = files.keep(
                offer, caption=caption, source_message=source_message(message, number), in_burst=True
            )
            async with composing(messenger, conversation.sender.address, wanted=message.wants_chat_states):
                await self._store_and_report(conversation, message.language, name_of(offer), taking)

    async def _store_and_report(
        self, conversation: Conversation, language: str | None, name: str, taking: Awaitable[IntakeResult]
    ) -> FilebotError | None:
        """Take a file in, and tell all listeners if it was not kept; return the error then."""
        sender, refusal = conversation.sender, None
        async with errors_in_words(conversation, name=name):
            try:
                await taking
            except FilebotError as error:
                refusal = error
                log.info("refused %r of %s: %s: %s", name, sender.jid, type(error).__name__, error)
                await self._events.tell(FileRefused(sender, language, name, error))
        return refusal


class _AcceptedStream:
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


def source_message(message: IncomingMessage, number: int) -> str | None:
    """Return the catalog's key for the message's file of this number, by which it is known again."""
    return None if message.mam_id is None else f"{message.mam_id}/{number}"
