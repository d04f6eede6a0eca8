"""Reads an archive page by page, up to its end, and again after errors (XEP-0313)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from slixmpp.exceptions import XMPPError

from filebot.concurrency.backoff import SPREAD, Backoff
from filebot.errors import PeerProtocolError
from filebot.model import BareJid
from filebot.protocol.archive_cursor import ArchiveCursor
from filebot.xmpp.archive.mam_query import ArchivePage, MessageArchive
from filebot.xmpp.error_conditions import cause

log = logging.getLogger(__name__)

PAGES_AT_ONCE: Final = 200
REST_S: Final = 30.0
"""After so many pages the archive is left alone for a while."""
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 300.0
"""Between two attempts to read a page."""

# RFC 6120 section 8.3.3: there is no archive, and asking again would not make one.
_NO_ARCHIVE: Final = frozenset(
    {"feature-not-implemented", "service-unavailable", "forbidden", "not-allowed"}
)


class PageReader:
    """Reader of one archive, which remembers how far it has read."""

    def __init__(
        self,
        archive: MessageArchive,
        jid: BareJid,
        at_once: asyncio.Semaphore,
        *,
        may_read: Callable[[], Awaitable[bool]],
        take: Callable[[ArchiveCursor, ArchivePage], int],
        until_room: Callable[[ArchiveCursor], Awaitable[None]],
    ) -> None:
        """``at_once`` is held while a page is asked for.

        ``may_read`` returns whether the archive may be read at all, or raises as ``MessageArchive.page``.
        ``take`` is given each page and returns how many of its messages were missed. ``until_room`` waits
        until there is room for another page.
        """
        self.read_to = ""
        """Id of the last message that was read; empty before the first page."""
        self.skips_past = False
        """Whether the archive is to be read from its present end on."""
        self._archive = archive
        self._jid = jid
        self._at_once = at_once
        self._may_read = may_read
        self._take = take
        self._until_room = until_room

    async def read(self, cursor: ArchiveCursor, tell: Callable[[str, BareJid, int], None]) -> bool:
        """Read the archive from where it was read to, up to its end; False if there is none."""
        read, new, backoff = 0, 0, Backoff(FIRST_WAIT_S, LONGEST_WAIT_S, SPREAD)
        after, start = self.read_to, None if self.read_to else cursor.position.at
        while True:
            try:
                if not await self._may_read():
                    return False
                async with self._at_once:
                    if self.skips_past:
                        await self._skip_past(cursor)
                        return True
                    page = await self._archive.page(after, start)
            except (XMPPError, PeerProtocolError) as error:
                condition = error.condition if isinstance(error, XMPPError) else ""
                if condition in _NO_ARCHIVE:
                    log.info("no archive of %s is to be read: %s", self._jid, condition)
                    return False
                if condition == "item-not-found" and after:
                    # The archive has forgotten that message, and with it what was before.
                    after, start = "", cursor.position.at
                    continue
                wait = backoff.next_s()
                log.warning("the archive of %s: %s; trying again in %.1f s", self._jid, cause(error), wait)
                await asyncio.sleep(wait)
                continue
            backoff.reset()
            new += self._take(cursor, page)
            read += 1
            after, start = _next_after(page), None
            self.read_to = after or self.read_to
            if page.complete:
                (log.info if new else tell)(
                    "caught up with %s: %d messages had been missed", self._jid, new
                )
                return True
            tell("catching up with %s: %d missed messages so far", self._jid, new)
            await self._until_room(cursor)
            if read % PAGES_AT_ONCE == 0:
                log.info("catching up goes on in %.0f s", REST_S)
                await asyncio.sleep(REST_S)

    async def _skip_past(self, cursor: ArchiveCursor) -> None:
        newest = await self._archive.newest()
        if newest is not None:
            cursor.begin_after(newest.id, newest.at)
        self.skips_past = False


def _next_after(page: ArchivePage) -> str:
    """Return the id after which the next page begins.

    A message with the id of the last one may be behind it, and an archive leaves out all with the id after
    which it is asked to go on. So the last one is read again with the next page, if there are others.
    """
    others = (each.id for each in reversed(page.messages) if each.id != page.last_id)
    return page.last_id if page.complete else next(others, page.last_id)
