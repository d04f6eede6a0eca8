"""Files posted in rooms without addressing the bot: remembered for ``keep``, and auto-archived."""

import logging

from filebot.chat.rate_limits import Workload
from filebot.concurrency.bounded_store import weight
from filebot.errors import FilebotError, StorageError, TooManyRequests
from filebot.events.bus import EventBus
from filebot.events.facts import Actor, FileRefused
from filebot.files.intake import name_of, source_message
from filebot.model import IncomingMessage, Offer
from filebot.rooms.auto_archive import AutoArchive
from filebot.rooms.recent_posts import RecentPosts

log = logging.getLogger(__name__)


class RoomPosts:
    """Remembers and auto-archives the files of messages to whole rooms."""

    def __init__(
        self,
        recent_posts: RecentPosts,
        archive: AutoArchive,
        events: EventBus,
        workload: Workload,
        files_per_message: int,
    ) -> None:
        self._recent_posts = recent_posts
        self._archive = archive
        self._events = events
        self._workload = workload
        self._files_per_message = files_per_message

    def remember(self, message: IncomingMessage) -> None:
        """Remember the files of a message, so that its sender can ``keep`` them."""
        sender = message.sender
        if sender.room and sender.identity:
            message_id = sender.message_ref.message_id if sender.message_ref else ""
            self._recent_posts.add(sender.room, sender.identity, message_id, message.offers)

    async def archive(self, message: IncomingMessage) -> None:
        """Keep the files of a message if room and poster agree."""
        try:
            keeps = await self._archive.keeps(message.sender)
        except StorageError as error:
            log.warning("%s may want this to be kept: %s", message.sender.room, error)
            await self._refuse(message, "", error)
            return
        if not keeps:
            return
        size = weight(message)
        if self._workload.rate_limiter.is_full(message.sender, size):
            await self._refuse(message, "", TooManyRequests())
            return
        await self._workload.run_counted(message.sender, self._archive_all(message), size)

    async def _archive_all(self, message: IncomingMessage) -> None:
        for number, offer in enumerate(message.offers[: self._files_per_message]):
            await self._archive_one(message, offer, number)

    async def _archive_one(self, message: IncomingMessage, offer: Offer, number: int) -> None:
        sender, name = message.sender, name_of(offer)
        try:
            await self._archive.take(
                Actor(sender, message.language),
                offer,
                message.text,
                source_message=source_message(message, number),
            )
        except FilebotError as error:
            log.info("%s does not keep %r of %s: %s", sender.room, name, sender.identity, error)
            await self._refuse(message, name, error)

    async def _refuse(self, message: IncomingMessage, name: str, error: FilebotError) -> None:
        """Tell the poster in private, once a day for each kind of error: nobody asked for the file to be
        kept.
        """
        sender = message.sender
        refused = FileRefused(sender.privately, message.language, name, error)
        reason = f"not archived: {type(error)} {error.template}"
        await self._workload.once_per_day(sender, reason, lambda: self._events.tell(refused))
