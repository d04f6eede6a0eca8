"""Files posted in rooms without addressing the bot: remembered for ``keep``, and told to plugins."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace

from filebot.chat.rate_limits import Workload
from filebot.concurrency.bounded_store import weight
from filebot.errors import TooManyRequests
from filebot.events.bus import EventBus
from filebot.events.facts import FileRefused, RoomFilePosted
from filebot.model import BareJid, IncomingMessage
from filebot.rooms.recent_posts import RecentPosts

log = logging.getLogger(__name__)


class RoomPosts:
    """Remembers the files of messages to whole rooms, and tells plugins with the room's consent of them."""

    def __init__(
        self,
        recent_posts: RecentPosts,
        consent: Callable[[BareJid], Collection[str]],
        events: EventBus,
        workload: Workload,
        files_per_message: int,
    ) -> None:
        """``consent`` returns the plugins that a room lets know what is posted there."""
        self._recent_posts = recent_posts
        self._consent = consent
        self._events = events
        self._workload = workload
        self._files_per_message = files_per_message

    def remember(self, message: IncomingMessage) -> None:
        """Remember the files of a message, so that its sender can ``keep`` them."""
        sender = message.sender
        if sender.room and sender.identity:
            message_id = sender.message_ref.message_id if sender.message_ref else ""
            self._recent_posts.add(sender.room, sender.identity, message_id, message.files)

    async def tell(self, message: IncomingMessage) -> None:
        """Tell plugins of the files of a message, if the room lets them know; return when they are done."""
        sender = message.sender
        if sender.room is None or not self._consent(sender.room):
            return
        size = weight(message)
        if self._workload.rate_limiter.is_full(sender, size):
            await self._refuse(message)
            return
        told = replace(message, offers=message.offers[: self._files_per_message])
        event = RoomFilePosted(sender.privately, message.language, told)
        await self._workload.run_counted(sender, self._events.tell(event), size)

    async def _refuse(self, message: IncomingMessage) -> None:
        """Tell the poster in private, once a day, that these are too many: nobody asked for the files to be
        kept.
        """
        sender = message.sender
        refused = FileRefused(sender.privately, message.language, "", TooManyRequests())
        await self._workload.once_per_day(sender, "posts are not told", lambda: self._events.tell(refused))
