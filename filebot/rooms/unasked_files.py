"""Files that nobody asked the bot to keep: kept for plugins, where people in a room agreed to that.

A room agrees by a setting that needs consent, which its admins switch on; whether the poster agrees, too,
is the plugin's to know. Of people whom the room does not tell apart nothing is kept: nobody could object.
Files posted by this bot or another filebot are copies of somebody else's, and never kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from filebot.errors import FileGone, NotAllowed, UserError
from filebot.events.facts import Actor, RemovalReason
from filebot.files.access import Access, unknown
from filebot.files.intake import Destination, Intake, IntakeResult
from filebot.files.offers import source_message
from filebot.files.removal import Removal
from filebot.files.retractions import Retractions
from filebot.files.transfers import Direction, Slots
from filebot.model import BareJid, Digest, Entry, Identity, IncomingMessage, Offer, Sender, SettingKey
from filebot.ports import Entries, Links
from filebot.rooms.settings import RoomSettingsStore

Wanted = Callable[[Digest | None], Awaitable[bool]]
"""Function that tells whether a file is to be kept, given its SHA-256 if that is known."""

WANTED_LIMIT_S: Final = 10.0
"""Time that a plugin has to say whether it wants a file."""

MOST_AT_ONCE: Final = 100
"""Files of one person that are looked up together."""


class UnaskedFiles:
    """Keeps what is posted in rooms, and removes it, as far as the room wants it."""

    def __init__(
        self,
        entries: Entries,
        links: Links,
        intake: Intake,
        retractions: Retractions,
        access: Access,
        removal: Removal,
        room_settings: RoomSettingsStore,
        slots: Slots,
    ) -> None:
        self._entries = entries
        self._links = links
        self._intake = intake
        self._retractions = retractions
        self._access = access
        self._removal = removal
        self._room_settings = room_settings
        self._slots = slots

    async def keep(
        self,
        post: IncomingMessage,
        number: int,
        under: SettingKey,
        wanted: Wanted,
        *,
        from_history: bool = False,
    ) -> IntakeResult | None:
        """Keep a file of a post, by its place in ``post.offers``; None if it is not to be kept.

        Whether the setting ``under`` is on is asked again right before the row is made. ``wanted`` is asked
        before the first byte comes, and when the file is there: what is not wanted then is removed.

        Who posts something and goes has it kept all the same. That somebody was put out meanwhile cannot be
        told from that; it is the owners and admins of the room who remove the file then.

        The file of a message that is in the catalog, or was removed, is not fetched again.

        FileAutoArchived tells of it. Raises whatever :meth:`filebot.files.intake.Intake.fetch` raises, and
        what ``wanted`` raises.
        """
        sender, offer = post.sender, post.offers[number]
        room, owner = sender.room, sender.identity
        if room is None or owner is None or post.by_bot or self._access.denies(sender):
            return None

        def is_on() -> bool:
            return self._room_settings.get(room, under) is True

        def recheck() -> None:
            if not is_on():
                raise _NotAnyMore

        announced = offer.hashes.get("sha-256", b"").hex() or None
        if not is_on() or not await _asked(wanted, announced):
            return None
        if await self._links.has_uploaded(offer.urls):
            return None  # the bot itself has given it, to whomever
        by = Actor(sender, post.language)
        destination = Destination(
            owner,
            by,
            room,
            post.text,
            auto_archived=True,
            from_history=from_history,
            source_message=source_message(post, number),
            recheck=recheck,
        )
        try:
            result = await self._fetch(post, offer, destination)
        except (_NotAnyMore, FileGone):
            return None
        try:
            if is_on() and await _asked(wanted, result.entry.blob.digest):
                return result
        except Exception:
            await self._take_back(result, RemovalReason.OPT_OUT, by)
            raise
        await self._take_back(result, RemovalReason.OPT_OUT if is_on() else RemovalReason.ARCHIVE_OFF, by)
        return None

    async def _fetch(self, post: IncomingMessage, offer: Offer, destination: Destination) -> IntakeResult:
        async def fetch(destination: Destination) -> IntakeResult:
            place = self._slots.held(Direction.TO_BOT, post.sender)
            return await self._intake.fetch(offer, destination, place)

        return await self._retractions.take(post.posted, destination, fetch)

    async def _take_back(self, result: IntakeResult, reason: RemovalReason, by: Actor) -> None:
        """Remove what turned out not to be wanted while its bytes came.

        What had been kept before is not this post's to remove: whoever objects has it removed then, and a
        room that takes its consent back has not asked for that.
        """
        if not result.already_known:
            await self._removal.remove(result.entry, reason, by)

    async def of(self, sender: Sender, limit: int) -> Sequence[Entry]:
        """Return some files that were kept of somebody unasked in the room spoken in.

        Raises NotAllowed if the room does not tell its occupants apart, or StorageError.
        """
        room, identities = _known(sender)
        found: list[Entry] = []
        for each in sorted(identities):
            found += await self._entries.archived(room, each, min(limit, MOST_AT_ONCE) - len(found))
        return found

    async def remove(self, entry: Entry, by: Actor) -> None:
        """Remove a file that was kept of the sender unasked; FileRemoved tells of it.

        Raises NotAllowed or StorageError.
        """
        room, identities = _known(by.sender)
        if not entry.auto_archived or entry.room != room or entry.owner not in identities:
            raise NotAllowed(reason="owner")
        await self._removal.remove(entry, RemovalReason.OPT_OUT, by)


async def _asked(wanted: Wanted, digest: Digest | None) -> bool:
    async with asyncio.timeout(WANTED_LIMIT_S):
        return await wanted(digest)


class _NotAnyMore(UserError):
    """The setting was switched off, or the room destroyed, while the bytes came. Said to nobody."""


def _known(sender: Sender) -> tuple[BareJid, frozenset[Identity]]:
    """Return the room, and all by whom somebody's wish holds there.

    It must not be lost when a room's word begins to count, or no longer does. To a room that lies this
    gives nothing that it lacks: what it keeps is its own to remove.
    """
    if sender.room is None or not sender.identities:
        raise unknown(sender)
    claimed = frozenset() if sender.claimed is None else frozenset({sender.claimed})
    return sender.room, sender.identities | claimed
