"""Blobs of a bucket that no entry refers to, below ``unreferenced/`` until their time is over.

All times are the service's: of the copy that was made here, and of a small object that each look writes. So
a wrong clock of this machine removes nothing. The rule of the folder on a disk holds here, too: after a gap
between two looks, or a step back, ages begin anew.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from filebot.model import Digest
from filebot.storage.file_system import DIGEST
from filebot.storage.s3.bucket import Bucket, Listed
from filebot.storage.s3.failures import ObjectMissing
from filebot.storage.unreferenced import LONGEST_GAP_S

ASIDE: Final = "unreferenced"
CLOCK: Final = "state/clock"
LOOKS: Final = "state/looks"


class UnreferencedObjects:
    """Prefix ``unreferenced/`` beside that of the blobs. Raises StorageUnavailable."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def put(self, digest: Digest, place: str) -> None:
        """Move a blob here. One that is not there is not an error."""
        await self._look()  # by the clock that these times come from
        if await self._bucket.copy(place, _key(digest)):
            await self._bucket.delete(place)

    async def bring_back(self, digest: Digest, place: str) -> bool:
        """Move a blob back to its place. Return whether it was here."""
        if not await self._bucket.copy(_key(digest), place):
            return False
        await self._bucket.delete(_key(digest))
        return True

    async def digests(self) -> list[Digest]:
        """Return all that are here, in no order."""
        return [_digest(each) for each in await self._all()]

    async def expired(self, older_than_s: float) -> list[Digest]:
        """Return those whose time is over. To be asked at least every ``LONGEST_GAP_S``."""
        there = await self._all()
        if not there:
            return []
        now, since = await self._look()
        oldest = timedelta(seconds=older_than_s)
        return [_digest(each) for each in there if now - max(each.modified, since) >= oldest]

    async def forget(self, digest: Digest) -> bool:
        """Remove a blob for good. Return whether it was here."""
        was_there = await self._bucket.head(_key(digest)) is not None
        await self._bucket.delete(_key(digest))
        return was_there

    async def _all(self) -> list[Listed]:
        return [each async for each in self._bucket.listed(ASIDE) if DIGEST.fullmatch(_digest(each))]

    async def _look(self) -> tuple[datetime, datetime]:
        """Note a look; return its time, and the time since when ages count."""
        await self._bucket.replace(CLOCK, b"")
        now = await self._bucket.modified(CLOCK)
        last, since = await self._last_look()
        if not timedelta() <= now - last <= timedelta(seconds=LONGEST_GAP_S):
            since = now
        noted = {"last": now.isoformat(), "since": since.isoformat()}
        await self._bucket.replace(LOOKS, json.dumps(noted).encode())
        return now, since

    async def _last_look(self) -> tuple[datetime, datetime]:
        never = datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
        try:
            noted = json.loads(b"".join([piece async for piece in self._bucket.read(LOOKS)]))
            last, since = (datetime.fromisoformat(noted[key]) for key in ("last", "since"))
        except (ObjectMissing, ValueError, KeyError, TypeError):
            return never
        return (last, since) if last.tzinfo is not None and since.tzinfo is not None else never


def _key(digest: Digest) -> str:
    return f"{ASIDE}/{digest}"


def _digest(listed: Listed) -> str:
    return listed.key.rpartition("/")[2]
