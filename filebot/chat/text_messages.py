"""Messages of text: links, small talk, commands and answers, and what was corrected."""

from collections.abc import Callable, Collection
from datetime import datetime

from filebot.chat.corrections import RecentCommands
from filebot.chat.file_messages import FileMessages
from filebot.chat.late_commands import LateCommands, is_late
from filebot.chat.typed_text import TypedText
from filebot.events.facts import Actor, Greeted, LinkReceived
from filebot.filenames import without_isolates
from filebot.files.captions import Captions
from filebot.model import IncomingMessage, Reaction, Sender
from filebot.plugin.calls import PluginCalls
from filebot.plugin.conversation import Channel, Conversation, errors_in_words
from filebot.plugin.effects import CommandRun
from filebot.reading.links import link_alone, link_within
from filebot.reading.small_talk import SmallTalk, small_talk


class TextMessages:
    """Finder of what a message of text is, which has it done."""

    def __init__(
        self,
        channel: Channel,
        plugins: PluginCalls,
        typed_text: TypedText,
        file_messages: FileMessages,
        captions: Captions,
        *,
        late_commands: LateCommands,
        recent_commands: RecentCommands,
        clock: Callable[[], datetime],
    ) -> None:
        """``clock`` gives the present in UTC."""
        self._channel = channel
        self._plugins = plugins
        self._typed_text = typed_text
        self._file_messages = file_messages
        self._captions = captions
        self._late_commands = late_commands
        self._recent_commands = recent_commands
        self._clock = clock

    async def answer(self, conversation: Conversation, message: IncomingMessage) -> None:
        """Do what a text asks for, and answer it."""
        # Names are shown between isolates, and copied with them.
        text = message.text.strip()
        if not text.isascii():
            text = without_isolates(text).strip()
        if (url := link_alone(text)) is not None and not message.sender.in_public:
            await self._file_messages.take_link(conversation, message, url)
        elif (said := self._small_talk(conversation.sender, text)) is not None:
            if said is SmallTalk.GREETING and not message.maybe_handled:
                await self._channel.events.tell(Greeted(conversation.sender, message.language))
        elif message.delayed_since and is_late(message, self._clock()):
            since, maybe_done = message.delayed_since, message.maybe_handled
            await self._late_commands.tell(conversation, text, since, maybe_done=maybe_done)
        elif (run := await self._run_of(conversation, message)) is not None:
            came_late = message.maybe_handled or message.delayed_since is not None
            async with (
                self._channel.gathering(message.sender, anew=True),
                self._channel.composing(conversation, message),
            ):
                with run.running(message.text):
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

    async def _run_of(self, conversation: Conversation, message: IncomingMessage) -> CommandRun | None:
        """Return the run for a command, new or corrected; None if it is not to be carried out."""
        if not message.replaces:
            return self._recent_commands.begin(message)
        run = self._recent_commands.of(message)
        if run is None:
            if not message.sender.in_public:
                await conversation.reply("reception/not_corrected")
        elif run.is_final or run.is_running:
            await conversation.reply("reception/corrected_late", text=run.text)
        elif run.text != message.text:
            return self._recent_commands.begin(message, run)
        return None

    async def take_reaction(self, reaction: Reaction, *, answer: bool) -> None:
        """Take a reaction to a question as its answer."""
        conversation = await self._channel.conversation(reaction.sender, reaction.language)
        await self._typed_text.answer(conversation, answer=answer)

    async def edit_caption(self, message: IncomingMessage, entries: Collection[int]) -> None:
        """Change the captions of entries to the corrected text of the message that brought them."""
        conversation = await self._channel.conversation(message.sender, message.language)
        by = Actor(message.sender, message.language)
        async with errors_in_words(conversation):
            for entry in await self._captions.edit(entries, message.text, by):
                if not message.sender.in_public:
                    await conversation.reply("reception/captioned", entry=entry, caption=entry.caption)
