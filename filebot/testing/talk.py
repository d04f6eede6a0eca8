"""Messages, files and reactions of people to a fake bot."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable

from filebot.chat.dispatcher import MessageDispatcher
from filebot.model import IncomingMessage, Offer, Reaction, Retraction, Sender
from filebot.testing.http import HostedFile, MemoryWeb
from filebot.testing.messages import file_message, moderation, text_message
from filebot.testing.senders import ALICE, ROOM, sender_of


class TalkedTo(ABC):
    """Part of a fake bot that takes messages."""

    web: MemoryWeb

    @property
    @abstractmethod
    def dispatcher(self) -> MessageDispatcher:
        """The receiver of messages."""

    @abstractmethod
    async def receive(self, message: IncomingMessage) -> list[str]:
        """Hand a message to the bot, wait until it is dealt with, and return what was said."""

    @abstractmethod
    async def _answers(self, handed: Awaitable[None]) -> list[str]:
        """Return the texts that are said until all is dealt with."""

    async def say(
        self,
        text: str,
        by: Sender | str = ALICE,
        *,
        room: str | None = None,
        replying_to: str = "",
        message_id: str = "",
        correcting: str = "",
        addressed: bool = True,
    ) -> list[str]:
        """Say something and return the texts that the bot said then, to whomever.

        ``by`` is somebody's address; with ``room`` they say it to everybody there. ``in_room`` and
        ``through_room`` make a sender with another nick, or who writes privately through a room.
        ``replying_to`` is the id of a message: of a file that was dropped, or a place in
        ``messenger.sent``. ``message_id`` is for later messages about this one, and ``correcting`` the id
        of an earlier one that it corrects. ``addressed`` False: in a room, it has neither the prefix nor
        the bot's name before it.
        """
        return await self.receive(
            text_message(
                text, sender_of(by, room), replying_to, message_id, correcting, addressed=addressed
            )
        )

    async def drop(
        self,
        name: str,
        data: bytes,
        by: Sender | str = ALICE,
        *,
        room: str | None = None,
        type: str | None = None,  # noqa: A002 - as people call it
        caption: str = "",
        message_id: str = "",
        correcting: str = "",
    ) -> list[str]:
        """Send a file to the bot, or post it in a room, and return what the bot said then.

        ``type`` is the media type that its server claims, and ``caption`` what is written with it. The
        others are as in :meth:`say`.
        """
        url = f"https://files.example.org/{len(self.web.hosted)}/{name}"
        self.web.hosted[url] = HostedFile(data, type)
        offer = Offer(urls=(url,), name=name, size=len(data))
        who = sender_of(by, room)
        return await self.receive(file_message(offer, caption, who, message_id, correcting))

    async def retract(
        self, message_id: str, by: Sender | str = ALICE, room: str | None = None
    ) -> list[str]:
        """Take the message with this id back, as in :meth:`say`, and return what the bot said then."""
        retraction = Retraction(sender_of(by, room), (message_id,))
        return await self._answers(self.dispatcher.receive_retraction(retraction))

    async def react(
        self, emoji: str, message_id: str, by: Sender | str = ALICE, *, room: str | None = None
    ) -> list[str]:
        """Attach emoji, with blanks between them, to a message, and return what the bot said then.

        ``message_id`` is as ``replying_to`` in :meth:`say`, and so are ``by`` and ``room``.
        """
        reaction = Reaction(sender_of(by, room), message_id, tuple(emoji.split()))
        return await self._answers(self.dispatcher.receive_reaction(reaction))

    async def moderate(self, message_id: str, room: str = ROOM) -> list[str]:
        """Let a moderator of a room take somebody's message back, and return what the bot said then."""
        return await self._answers(self.dispatcher.receive_retraction(moderation(room, message_id)))
