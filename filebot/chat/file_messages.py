"""Messages with files, and links that stand for files: what they bring is kept."""

import logging
from collections.abc import Awaitable, Collection
from urllib.parse import urlsplit

from filebot.errors import FilebotError, FileGone, TooManyFiles
from filebot.events.bus import EventBus
from filebot.events.facts import FileRefused, LinkReceived
from filebot.filenames import UNNAMED
from filebot.files.intake import IntakeResult
from filebot.files.offers import name_of, source_message
from filebot.model import IncomingMessage, Offer, Sender
from filebot.plugin.context import FilesOf
from filebot.plugin.conversation import Channel, Conversation, errors_in_words
from filebot.ports import UploadService

log = logging.getLogger(__name__)


class FileMessages:
    """Keeper of the files that messages bring."""

    def __init__(
        self, channel: Channel, files_of: FilesOf, uploads: UploadService, files_per_message: int
    ) -> None:
        """``files_per_message`` is the most that are taken from one message."""
        self._channel = channel
        self._files_of = files_of
        self._uploads = uploads
        self._files_per_message = files_per_message

    async def take_link(self, conversation: Conversation, message: IncomingMessage, url: str) -> None:
        """Keep the file behind a link that stands alone if it is an upload; else tell plugins of it."""
        if is_upload(url, message.sender, self._uploads.hosts()):
            await self.take(conversation, message, (Offer(urls=(url,), message=message.posted),), "")
        else:
            await self._channel.events.tell(LinkReceived(message.sender, message.language, url))

    async def take(
        self, conversation: Conversation, message: IncomingMessage, offers: tuple[Offer, ...], caption: str
    ) -> None:
        """Keep the files of a message, or say why not; of too many, those that are left out are named."""
        files = self._files_of(message.sender, conversation.language)
        events, language, limit = self._channel.events, message.language, self._files_per_message
        async with self._channel.gathering(message.sender):
            for number, offer in enumerate(offers[:limit]):
                taking = files.keep(
                    offer,
                    caption=caption,
                    source_message=source_message(message, number),
                    came_late=message.delayed_since is not None,
                    in_burst=True,
                )
                async with self._channel.composing(conversation, message):
                    await store_and_report(events, conversation, language, name_of(offer), taking)
            if left_out := offers[limit:]:
                names = tuple(name_of(offer) or UNNAMED for offer in left_out)
                error = TooManyFiles(count=len(offers), limit=limit, left_out=names)
                await events.tell(FileRefused(message.sender, language, "", error))


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
