"""Auto-archive: files that people post in a room are kept there, unasked, but with everybody's consent.

The room's admins switch it on, everybody in the room is told, and each person can opt out: then nothing of
theirs is kept any more, and files kept unasked are removed. Nobody can consent for another: of people whom
the room does not tell apart, nothing is kept.

Files posted by this bot or another filebot are copies of somebody else's, and never kept. Nor are copies of
bytes that came from somebody who has opted out since.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from filebot.errors import FileGone, TooManyOptOuts, UserError
from filebot.events.facts import Actor, RemovalReason
from filebot.files.access import Access, unknown
from filebot.files.intake import Destination, Intake, IntakeResult
from filebot.files.removal import Removal
from filebot.files.transfers import Direction, Slots
from filebot.model import BareJid, Entry, Identity, Offer, Sender, SettingKey
from filebot.ports import Entries, Links, RoomStore
from filebot.rooms.settings import RoomSettingsStore

ARCHIVE: Final = SettingKey("archive", "archive")
"""Whether what is posted in a room is kept unasked."""
MOST_OPT_OUTS: Final = 5000
"""In one room; after these, only those of people whose address counts are noted there."""


class AutoArchive:
    """Keeps what is posted in rooms, as far as room and poster want it."""

    def __init__(
        self,
        entries: Entries,
        links: Links,
        store: RoomStore,
        intake: Intake,
        access: Access,
        removal: Removal,
        room_settings: RoomSettingsStore,
        slots: Slots,
    ) -> None:
        self._entries = entries
        self._links = links
        self._store = store
        self._intake = intake
        self._access = access
        self._removal = removal
        self._room_settings = room_settings
        self._slots = slots

    async def keeps(self, sender: Sender) -> bool:
        """Whether files that somebody posts in a room are kept. Raises StorageError where they might be."""
        room = sender.room
        if room is None or sender.identity is None or self._access.denies(sender):
            return False
        return self._room_settings.get(room, ARCHIVE) and not await self._has_opted_out(
            room, _meant(sender)
        )

    async def take(
        self,
        by: Actor,
        offer: Offer,
        caption: str,
        *,
        source_message: str | None = None,
        from_history: bool = False,
    ) -> IntakeResult | None:
        """Keep a file that somebody posted; None if the room or they do not want that, also if only by now.

        Who posts something and goes has it kept all the same. That somebody was put out meanwhile cannot be
        told from that; it is the owners and admins of the room who remove the file then.

        The file of a ``source_message`` (see ``NewEntry``) that is in the catalog, or was removed, is not
        fetched again.

        FileAutoArchived tells of it. Raises whatever :meth:`filebot.files.intake.Intake.fetch` raises.
        """
        sender = by.sender
        room, owner = sender.room, sender.identity
        if room is None or owner is None or not await self.keeps(sender):
            return None
        if await self._links.has_uploaded(offer.urls):
            return None  # the bot itself has given it, to whomever
        announced = offer.hashes.get("sha-256", b"").hex()
        if announced and await self._store.is_unwanted(room, announced):
            return None

        def recheck() -> None:
            if not self._room_settings.get(room, ARCHIVE):
                raise _NotAnyMore

        destination = Destination(
            owner,
            by,
            room,
            caption,
            auto_archived=True,
            from_history=from_history,
            source_message=source_message,
            recheck=recheck,
        )
        try:
            received = await self._intake.fetch(
                offer, destination, self._slots.held(Direction.TO_BOT, sender)
            )
        except (_NotAnyMore, FileGone):
            return None
        is_unwanted = not received.already_known and await self._store.is_unwanted(
            room, received.entry.blob.digest
        )
        if not is_unwanted and await self.keeps(sender):
            return received
        # It was said while the bytes came. What had been kept before is not this post's to remove: whoever
        # opts out has it removed then, and a room whose archive is switched off has not asked for that.
        if not received.already_known:
            is_off = not self._room_settings.get(room, ARCHIVE)
            reason = RemovalReason.ARCHIVE_OFF if is_off else RemovalReason.OPT_OUT
            await self._removal.remove(received.entry, reason, by)
        return None

    async def opt_out(self, by: Actor) -> int:
        """Keep nothing of the sender's unasked in this room, and remove what was; return how many files.

        FileRemoved tells of each. Raises NotAllowed if the room does not tell its occupants apart,
        TooManyOptOuts (then files of theirs are still kept), or StorageError.
        """
        sender = by.sender
        room, identities = _known(sender)
        if await self._may_note(room, sender, identities):
            for each in identities:
                await self._store.set_opted_out(room, each, out=True)
        elif not await self._has_opted_out(room, identities):
            raise TooManyOptOuts
        removed = 0
        for each in identities:
            removed += await self._removal.remove_all(
                partial(self._unwanted, room, each), RemovalReason.OPT_OUT, by
            )
        return removed

    async def opt_in(self, sender: Sender) -> None:
        """Undo :meth:`opt_out` for what is posted from now on. Raises NotAllowed or StorageError."""
        room, identities = _known(sender)
        for each in identities:
            await self._store.set_opted_out(room, each, out=False)
            await self._store.forget_unwanted(room, each)

    async def _unwanted(self, room: BareJid, who: Identity, limit: int) -> Sequence[Entry]:
        """Some of what was kept of somebody unasked; noted, so that no copy of it is kept, either."""
        entries = await self._entries.archived(room, who, limit)
        for entry in entries:
            await self._store.add_unwanted(room, entry.blob.digest, who)
        return entries

    async def _may_note(self, room: BareJid, sender: Sender, identities: frozenset[Identity]) -> bool:
        """Whether there is room for one more: always for whoever the room cannot have made up."""
        if sender.jid is not None:
            return True
        return await self._store.count_opted_out(room) + len(identities) <= MOST_OPT_OUTS

    async def _has_opted_out(self, room: BareJid, identities: Iterable[Identity]) -> bool:
        return any([await self._store.has_opted_out(room, each) for each in identities])


class _NotAnyMore(UserError):
    """The archive was switched off, or the room destroyed, while the bytes came. Said to nobody."""


def _known(sender: Sender) -> tuple[BareJid, frozenset[Identity]]:
    if sender.room is None or not sender.identities:
        raise unknown(sender)
    return sender.room, _meant(sender)


def _meant(sender: Sender) -> frozenset[Identity]:
    """All by whom somebody's wish holds: it must not be lost when a room's word begins to count, or no
    longer does. To a room that lies this gives nothing that it lacks: what it keeps is its own to remove.
    """
    claimed = frozenset() if sender.claimed is None else frozenset({sender.claimed})
    return sender.identities | claimed
