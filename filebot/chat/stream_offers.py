"""Files that people's clients offer by streams: taken in, or declined."""

import logging
from contextlib import AbstractAsyncContextManager

from filebot.chat.file_messages import store_and_report
from filebot.chat.rate_limits import Workload
from filebot.files.access import Access
from filebot.files.offers import name_of
from filebot.plugin.context import FilesOf
from filebot.plugin.conversation import Channel
from filebot.ports import Download, StreamOffer

log = logging.getLogger(__name__)


class StreamOffers:
    """Takes in what is offered by people who are served, within their limits."""

    def __init__(self, channel: Channel, files_of: FilesOf, workload: Workload, access: Access) -> None:
        self._channel = channel
        self._files_of = files_of
        self._workload = workload
        self._access = access

    async def receive(self, stream: StreamOffer) -> None:
        """Take in, or decline, a file that is offered by a stream; returns when that is done."""
        if not self._access.serves(stream.sender.jid):
            await self._workload.run(self._decline(stream, "errors/stranger"))
        elif self._workload.rate_limiter.is_full(stream.sender):
            await self._workload.run(self._decline(stream, "errors/too_many_requests"))
        else:
            await self._workload.run_counted(stream.sender, self._take(stream))

    async def _take(self, stream: StreamOffer) -> None:
        conversation = await self._channel.conversation(stream.sender, stream.language)
        accepted, name = _AcceptedStream(stream), name_of(stream.offer)
        async with self._channel.gathering(stream.sender):
            taking = self._files_of(stream.sender, conversation.language).receive(accepted)
            error = await store_and_report(
                self._channel.events, conversation, stream.language, name, taking
            )
            if error is not None and not accepted.opened:
                words = self._channel.reply_sender.words(error, conversation.language, name=name)
                await stream.refuse(words)

    async def _decline(self, stream: StreamOffer, template: str) -> None:
        log.info("declined a stream of %s", stream.sender.jid)
        conversation = await self._channel.conversation(stream.sender, stream.language)
        await stream.refuse(self._channel.reply_sender.replies.render(template, conversation.language))


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
