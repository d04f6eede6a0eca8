"""Conversations: one request of somebody, and the answers to it."""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from cachetools import LRUCache

from filebot.concurrency.throttle import DAY_S, Throttle
from filebot.errors import FilebotError, PluginError
from filebot.events.bus import EventBus
from filebot.events.facts import Event
from filebot.failures import report
from filebot.files.access import unknown
from filebot.files.shown_files import ShownFiles
from filebot.files.shown_lists import ShownLists
from filebot.model import Address, AddressKind, Entry, IncomingMessage, Offer, Sender
from filebot.plugin.confirmation import OpenQuestions
from filebot.plugin.gathered_replies import GatheredReplies
from filebot.replies.captured import CapturedReplies
from filebot.replies.renderer import ReplySender
from filebot.rooms.recent_posts import RecentPosts

log = logging.getLogger(__name__)

MOST_OPEN_LISTS: Final = 1000
"""Most lists that can be continued with ``more``; the oldest are forgotten. Each takes a few kB: a search
is no longer than a command."""

Page = Callable[[int, int | None], Awaitable[list[Entry]]]
"""Function that returns a page of a list, given the most entries, and the id below which it begins (None
for the first page)."""


@dataclass(frozen=True, slots=True)
class OpenList:
    """List of which not all pages were shown yet."""

    template: str
    page: Page
    size: int
    before: int | None
    values: dict[str, object]
    first: int = 1
    """The number of the first entry of its next page."""


@dataclass(frozen=True, slots=True)
class ChatState:
    """State of chats between messages: open lists and questions, files posted in rooms, files of messages,
    and replies that are gathered.

    It is lost at a restart.
    """

    shown_files: ShownFiles
    gathered: GatheredReplies
    lists: LRUCache[Address, OpenList] = field(default_factory=lambda: LRUCache(MOST_OPEN_LISTS))
    questions: OpenQuestions = field(default_factory=OpenQuestions)
    posts: RecentPosts = field(default_factory=RecentPosts)
    shown_lists: ShownLists = field(default_factory=ShownLists)
    once_a_day: Throttle = field(default_factory=lambda: Throttle(DAY_S))


@dataclass(frozen=True, slots=True)
class Channel:
    """Services that all conversations share."""

    reply_sender: ReplySender
    events: EventBus
    chat_state: ChatState

    async def conversation(
        self, sender: Sender, client_language: str | None, *, replies_to: str = "", action: str = ""
    ) -> "Conversation":
        """Begin a conversation with somebody, in their language.

        ``replies_to`` is the id of the message that theirs is a reply to.
        """
        language = await self.reply_sender.language_of(sender.identity, client_language)
        return Conversation(self, sender, language, replies_to=replies_to, action=action)

    def gathering(self, sender: Sender, *, anew: bool = False) -> AbstractAsyncContextManager[None]:
        """Gather replies while a request of the sender's is handled; see :class:`GatheredReplies`."""
        return self.chat_state.gathered.handling(sender, self.reply_sender, anew=anew)

    async def ask(self, conversation: "Conversation", template: str, /, **values: object) -> str:
        """Answer with a question, and return the id of its message."""
        return await conversation._answer(conversation.sender, template, values)  # noqa: SLF001 - a part of it

    def composing(
        self, conversation: "Conversation", message: IncomingMessage
    ) -> AbstractAsyncContextManager[None]:
        """Show that an answer to the message is on its way."""
        to = conversation.sender.address
        return self.reply_sender.composing(to, wanted=message.wants_chat_states)


class Conversation:
    """Answers to one request, in the sender's language: replies, lists in pages, errors in words."""

    def __init__(
        self, channel: Channel, sender: Sender, language: str, *, replies_to: str = "", action: str = ""
    ) -> None:
        self._channel = channel
        self._replies = channel.reply_sender
        self.sender = sender
        """The person who asks. Rights come from ``sender.identity`` alone; ``files`` and ``rooms`` check
        them."""
        self.language = language
        """The language of the replies, as in ``Accept-Language``."""
        self.replies_to = replies_to
        """The id of the message that the sender replies to; empty for none."""
        self._summary = ""
        self.action = action
        """Name of the command that is carried out, for the words of errors."""

    def render(self, template: str, /, **values: object) -> str:
        """Return the text of a template in the language of the replies, to be shown within another."""
        return self._replies.text(self.sender.address, self.language, template, **values)

    async def reply(self, template: str, /, **values: object) -> None:
        """Answer with a template (``plugin/name``) filled with values.

        Values are data: nothing in them is ever run as a template.
        """
        await self._answer(self.sender, template, values)

    def gather_replies(self, summary: str) -> None:
        """Gather the further replies of this call with others to the sender that come soon.

        The first one is said at once. When several came, they are said together by the template
        ``summary``, which is given ``replies``: each has the ``template`` and ``values`` of one reply, and
        the ``text`` that it would have alone. Clients that can show a correction are shown one. An
        ``entry`` among the values is a file that replies to the message mean.
        """
        self._summary = summary

    async def reply_aside(self, template: str, /, **values: object) -> None:
        """Reply in private, even if the sender spoke to a whole room."""
        await self._answer(self.sender.privately, template, values)

    async def react(self, emoji: str) -> bool:
        """Attach an emoji to the sender's message; False, and nothing is done, if it has no id."""
        message_id = self.sender.spoken_id
        if message_id:
            await self._replies.messenger.react(self.sender.address, message_id, emoji)
        return bool(message_id)

    async def reply_error(
        self, error: Exception, name: str = "", *, action: str = "", plugin: str = "", aside: bool = False
    ) -> None:
        """Answer with the words for an error about the file ``name``, as if it were raised.

        ``action`` is the name of the command that failed, if that is not the present one. ``aside`` is for
        files that are not for everybody in the room. An error without a template, or with one that fails,
        is answered with an incident id that stands in the log as well, beside the ``plugin`` that raised
        it.
        """
        known = error if isinstance(error, FilebotError) else None
        template = self._replies.replies.template_for(known) if known else None
        if template is None:
            await self._reply_incident(error, plugin)
            return
        in_room, action = self.sender.room is not None, action or self.action
        try:
            reply = self.reply_aside if aside else self.reply
            await reply(template, error=error, name=name, in_room=in_room, action=action)
        except Exception as failure:  # noqa: BLE001 - a plugin's words must not leave anybody without any
            await self._reply_incident(failure, plugin)

    async def _reply_incident(self, error: Exception, plugin: str) -> None:
        incident = secrets.token_hex(3)
        report(error, f"incident {incident}", plugin=plugin)
        await self.reply("errors/incident", incident=incident)

    async def tell(self, to: Address, template: str, /, **values: object) -> None:
        """Say something to somebody else, in that person's language."""
        person = to.jid.split("/", 1)[0] if to.kind is AddressKind.CHAT else None
        language = await self._replies.language_of(person, None)
        message_id = await self._replies.say(to, language, template, **values)
        await self._note_shown(to, message_id, values)

    async def reply_pages(self, template: str, page: Page, /, *, size: int, **values: object) -> bool:
        """Answer with the first ``size`` entries of a list; the command ``more`` shows the next ones.

        The template is given ``entries``, ``first`` (the number of the first of them) and ``more`` (whether
        there is another page). For ten minutes, a number that the person types means the file that had it
        in the list. Returns False, without a reply, if the list is empty.
        """
        return await self._reply_page(OpenList(template, page, size, None, values))

    async def reply_more(self) -> bool:
        """Answer with the next page of the list shown last; False if there is none."""
        shown = self._channel.chat_state.lists.get(self._list_key())
        return shown is not None and await self._reply_page(shown)

    async def emit(self, event: Event) -> None:
        """Tell all plugins that something happened.

        Raises PluginError if it is none, or if a durable listener could not hear of it: an event has at
        most 16 KiB as JSON.
        """
        if not isinstance(event, Event):
            kind = event.__name__ if isinstance(event, type) else type(event).__name__
            raise PluginError(f"ctx.emit is given {kind}, which is no event; make one of a class of events")
        if (recorder := self._channel.events.recorder) is not None:
            recorder.examine(event)
        await self._channel.events.tell(event)

    async def choose_language(self, wanted: str | None) -> str | None:
        """Remember the language that the sender names; None for that of their client.

        Returns the language's code, or None if the bot does not speak it.
        """
        language = self._replies.replies.parse_language(wanted) if wanted else None
        person = self.sender.identity
        if person is None and language is not None:
            raise unknown(self.sender)  # it could not be remembered
        if person is not None and (language is not None or wanted is None):
            await self._replies.catalog.set_language(person, language)
        if language is not None:
            self.language = language
        return language

    def languages(self) -> tuple[str, ...]:
        """Return the languages that the bot speaks."""
        return self._replies.replies.languages

    def files_posted_here(self) -> tuple[Offer, ...]:
        """Return the files that the sender posted in this room.

        These are the files of the message that they reply to, or else of their last message with files.
        There are none outside of rooms, and if they are not remembered. Raises PostTooLarge if they were
        too many for that.
        """
        room, person = self.sender.room, self.sender.identity
        if not room or not person:
            return ()
        return self._channel.chat_state.posts.of(room, person, self.replies_to)

    @property
    def is_reply(self) -> bool:
        """Whether the sender's message is a reply to another (XEP-0461)."""
        return bool(self.replies_to)

    async def _answer(self, sender: Sender, template: str, values: Mapping[str, object]) -> str:
        state, language = self._channel.chat_state, self.language
        if isinstance(entry := values.get("entry"), Entry):
            state.shown_lists.speak_of(self.sender, (entry.id,))
        if self._summary and await state.gathered.add(
            sender, language, self._summary, template, values, self._replies
        ):
            return ""
        message_id = await self._replies.answer(sender, language, template, **values)
        await self._note_shown(sender.address, message_id, values)
        return message_id

    async def _note_shown(self, to: Address, message_id: str, values: Mapping[str, object]) -> None:
        """Remember which files a message shows, for replies to it."""
        await self._channel.chat_state.shown_files.add(to, message_id, entries_in(values))

    async def _reply_page(self, shown: OpenList) -> bool:
        lists, key = self._channel.chat_state.lists, self._list_key()
        lists.pop(key, None)
        # One entry more than is shown tells whether there is another page.
        entries = await shown.page(shown.size + 1, shown.before)
        visible, more = entries[: shown.size], len(entries) > shown.size
        if more:
            lists[key] = replace(shown, before=visible[-1].id, first=shown.first + len(visible))
        if visible:
            self._channel.chat_state.shown_lists.show(
                self.sender, [each.id for each in visible], first=shown.first
            )
            await self.reply(shown.template, **shown.values, entries=visible, first=shown.first, more=more)
        return bool(visible)

    def _list_key(self) -> Address:
        # In public everybody may say ``more`` to the list that everybody saw.
        return self.sender.address.conversation


def entries_in(values: Mapping[str, object]) -> list[int]:
    """Return the ids of the files that a reply with these values shows: one, or those of a list."""
    found = dict[int, None]()
    for name in ("entry", "entries", "event"):
        value = values.get(name)
        parts = [value, *(getattr(value, each, None) for each in ("entry", "first"))]
        for each in [value] if isinstance(value, Entry) else parts:
            some = each if isinstance(each, list | tuple) else [each]
            found |= {entry.id: None for entry in some if isinstance(entry, Entry)}
    return list(found)


async def words_for(error: Exception, conversation: Conversation) -> str:
    """Return what would be answered to an error by :meth:`Conversation.reply_error`; nothing is said."""
    replies = CapturedReplies(conversation.sender)
    with replies.active():
        await conversation.reply_error(error)
    return replies.text


@asynccontextmanager
async def errors_in_words(
    conversation: Conversation, *, name: str = "", plugin: str = ""
) -> AsyncIterator[None]:
    """Answer an error that is raised within, which may be about the file ``name`` or by a ``plugin``.

    This is the one place where an error becomes a reply. An unexpected one is answered with an incident id
    that stands in the log as well.
    """
    try:
        yield
    except FilebotError as error:
        log.info("%s: %s", type(error).__name__, error)
        await conversation.reply_error(error, name, plugin=plugin)
    except Exception as error:  # noqa: BLE001 - this is where nothing may pass
        await conversation.reply_error(error, plugin=plugin)
