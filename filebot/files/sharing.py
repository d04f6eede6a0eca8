"""A file that is stored becomes a room's too: one more row on the same bytes."""

from collections.abc import Callable
from datetime import datetime

from filebot.errors import NoSuchEntry
from filebot.model import BareJid, Entry, NewEntry, Scope
from filebot.services import Desk


async def share(desk: Desk, entry: Entry, room: BareJid, may: Callable[[], object]) -> None:
    """Add the row, unless the room has this file of its owner's by the same name.

    ``may`` is called right before, and raises what forbids it. Raises FileTooLarge, QuotaExceeded,
    RoomFull, BlobCorrupt or StorageError, too, or NoSuchEntry if the file was removed before its turn.
    """
    catalog = desk.ports.catalog
    async with desk.locks(entry.blob.digest):
        if await catalog.entry(entry.id) is None:
            raise NoSuchEntry(entry.name)
        known = await catalog.same(Scope(room=room), entry.owner, entry.blob.digest)
        if known is not None and known.name == entry.name:
            return
        async with desk.quota.share(entry.owner, room, entry.blob.size) as hold:
            # Nobody is given a file whose bytes are gone.
            await desk.ports.store.verify(entry.blob.digest)
            may()
            with hold.settling():
                await catalog.add(_shared(entry, room, desk.ports.clock()))


def _shared(entry: Entry, room: BareJid, at: datetime) -> NewEntry:
    return NewEntry(
        name=entry.name,
        owner=entry.owner,
        room=room,
        caption=entry.caption,
        blob=entry.blob,
        media_type=entry.media_type,
        created_at=at,
        width=entry.width,
        height=entry.height,
    )
