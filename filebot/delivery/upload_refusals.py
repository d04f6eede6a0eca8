"""Remembers what the upload service refused, so that it is not asked again and again.

A refusal says nothing of smaller files: a quota may have room for them, and so may a limit on sizes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from filebot.errors import ServiceQuotaReached, TooLargeForService

REST: Final = timedelta(hours=1)
"""Pause after a quota refusal that names no time (XEP-0363 section 6; Prosody counts
by the day)."""
LONGEST_REST: Final = timedelta(days=1)
"""Longest time that a refusal counts, whatever the service says: its clock may be wrong."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    size_bytes: int
    until: datetime

    def joined(self, earlier: "_Refusal | None", now: datetime) -> "_Refusal":
        """Combine it with an earlier refusal that still holds."""
        if earlier is None or earlier.until <= now:
            return self
        return _Refusal(min(self.size_bytes, earlier.size_bytes), self.until)


class UploadRefusals:
    """The smallest file that was refused for each of two reasons, and until when that counts."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._full: _Refusal | None = None
        self._too_large: _Refusal | None = None

    def quota_reached(self, size_bytes: int, retry_at: datetime | None) -> ServiceQuotaReached:
        """Note that the quota has no room for a file; returns the error, with a time to wait for."""
        now = self._clock()
        until = min(retry_at or now + REST, now + LONGEST_REST)
        self._full = _Refusal(size_bytes, until).joined(self._full, now)
        return ServiceQuotaReached(retry_at=until)

    def too_large(self, size_bytes: int) -> TooLargeForService:
        """Note that a file is too large, by a limit that the service did not name."""
        now = self._clock()
        self._too_large = _Refusal(size_bytes, now + LONGEST_REST).joined(self._too_large, now)
        return TooLargeForService(size_bytes=size_bytes, limit_bytes=None)

    def full_until(self, size_bytes: int | None = None) -> datetime | None:
        """Until when a file of this size, or some file, is refused for the quota."""
        return self._until(self._full, size_bytes)

    def is_too_large(self, size_bytes: int) -> bool:
        """Whether a file no larger than this was too large."""
        return self._until(self._too_large, size_bytes) is not None

    def check(self, size_bytes: int) -> None:
        """Raise ServiceQuotaReached or TooLargeForService if that is what would be answered."""
        if self.is_too_large(size_bytes):
            raise TooLargeForService(size_bytes=size_bytes, limit_bytes=None)
        until = self.full_until(size_bytes)
        if until is not None:
            raise ServiceQuotaReached(retry_at=until)

    def _until(self, refusal: _Refusal | None, size_bytes: int | None) -> datetime | None:
        if refusal is None or self._clock() >= refusal.until:
            return None
        return refusal.until if size_bytes is None or size_bytes >= refusal.size_bytes else None
