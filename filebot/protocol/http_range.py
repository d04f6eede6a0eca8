"""Going on with a broken download: ranges of RFC 9110 section 14, as values.

How it goes: a GET from the beginning names no range (Prosody answers ``bytes=0-`` with 416). When the
connection breaks after N > 0 bytes, or when N bytes are there from an earlier download, the next GET asks
for ``bytes=N-``. A server may answer 206 with that part, or 200 with everything, of which N bytes are then
skipped. An answer that cannot belong to the same file is not joined to what is there: half of an old file
and half of a new one would be worse than none. Nor is one that is not shown to belong to it: unless a hash
over the whole is going to be checked, the answer has to have the same strong entity tag as the first or,
where that had none, the same time of change and size. Then the file begins anew (section 13.1.5): by
Unresumable, or with a hash, which is of the old file, by PeerProtocolError.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from filebot.concurrency.backoff import Backoff
from filebot.errors import PeerProtocolError, Unresumable

_FIRST_DELAY_S: Final = 0.1
_LONGEST_DELAY_S: Final = 3.0
_DAY_S: Final = 86_400.0
_MOST_FRUITLESS: Final = 3
"""Consecutive broken connections without progress after which there is another attempt."""

PROGRESS_BYTES: Final = 64 * 1024
"""Bytes that a connection must bring to count as progress: a trickle must not go on for ever."""

_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.IGNORECASE)
# RFC 9110 section 8.8.3; a weak one (W/) does not promise the same bytes.
_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


class Changed(Exception):
    """The file on the server is another version by now."""


@dataclass(frozen=True, slots=True)
class AnnouncedBody:
    """Size and version of the whole file, by the first answer."""

    size: int | None
    """In bytes, of the whole file."""
    etag: str | None
    """Strong, or None."""
    modified: str | None = None
    """Last-Modified as the server sent it; None beside any entity tag."""
    dated: bool = False
    """Whether the time is exact enough for a condition (RFC 9110 section 8.8.2.2)."""

    @property
    def recognizable(self) -> bool:
        """Whether a further answer can show that it is of the same file."""
        return self.etag is not None or (self.modified is not None and self.size is not None)


def strong_etag(value: str | None) -> str | None:
    """The entity tag, if it is a strong one."""
    return value if value and _STRONG_ETAG.fullmatch(value) else None


def announced_by(status: int, headers: Mapping[str, str], length: int | None) -> AnnouncedBody:
    """Read the first answer, 200 or 206; ``length`` is its Content-Length."""
    if status == 206:
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        length = None if match is None or match[3] == "*" else int(match[3])
    etag = headers.get("ETag")
    modified = headers.get("Last-Modified") if etag is None else None
    return AnnouncedBody(length, strong_etag(etag), modified, _is_exact(modified, headers.get("Date")))


def is_whole(headers: Mapping[str, str], length: int | None) -> bool:
    """Whether a 206 that nobody asked for brings all of the file."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if match is None or match[3] == "*":
        return False
    total = int(match[3])
    return int(match[1]) == 0 and int(match[2]) == total - 1 and length in {None, total}


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After, at most a day; None for a date or none (RFC 9110 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    return min(float(value), _DAY_S) if value.isascii() and value.isdigit() else None


def updated_by(
    announced: AnnouncedBody, received: int, status: int, headers: Mapping[str, str], length: int | None
) -> AnnouncedBody:
    """Return what is known after a further answer that fits.

    The file's size, if the first did not tell it; and all of it where nothing has been received so far,
    for the bytes are going to be those of this one.
    """
    said = announced_by(status, headers, length)
    size = said.size if announced.size is None else announced.size
    return replace(announced if received else said, size=size)


def resume_headers(announced: AnnouncedBody, received: int) -> dict[str, str]:
    """The request headers that ask for the rest after ``received`` bytes; none at the beginning."""
    if received == 0:
        return {}
    headers = {"Range": f"bytes={received}-"}
    # RFC 9110 section 13.1.5
    if announced.etag is not None:
        headers["If-Range"] = announced.etag
    elif announced.modified is not None and announced.dated:
        headers["If-Range"] = announced.modified
    return headers


def bytes_to_skip(
    announced: AnnouncedBody,
    received: int,
    status: int,
    headers: Mapping[str, str],
    length: int | None,
    *,
    hashed: bool,
) -> int:
    """How many bytes of a 200 or 206 answer are known already.

    ``length`` is its Content-Length; ``hashed`` tells that a hash over the whole is going to be checked.
    Raises PeerProtocolError if the answer does not fit, and Unresumable if without a hash nothing shows
    that it does, or something shows that the file has changed.
    """
    try:
        known = _fitting(announced, received, status, headers, length)
    except Changed as error:
        raise PeerProtocolError(str(error)) if hashed else Unresumable(str(error)) from error
    if received and not hashed and not _is_the_same(announced, status, headers, length):
        raise Unresumable("the rest may be of another file")
    return known


def _fitting(
    announced: AnnouncedBody, received: int, status: int, headers: Mapping[str, str], length: int | None
) -> int:
    etag = strong_etag(headers.get("ETag"))
    if announced.etag is not None and etag is not None and etag != announced.etag:
        raise Changed("the file changed on the server")
    if status == 206:
        return _skip_in_part(announced, received, headers.get("Content-Range", ""))
    if announced.etag is not None and etag is None and received:
        # The server says "not your version any more" by 200, and does not say which one it is.
        raise Changed("a full answer without its entity tag")
    if _differ(length, announced.size):
        raise Changed("the file's size changed on the server")
    if length is not None and length < received:
        raise Changed("the file is shorter than what is there already")
    return received


def _skip_in_part(announced: AnnouncedBody, received: int, content_range: str) -> int:
    match = _CONTENT_RANGE.fullmatch(content_range.strip())
    if match is None:
        raise PeerProtocolError("206 without a readable Content-Range")
    first, last = int(match[1]), int(match[2])
    total = announced.size if match[3] == "*" else int(match[3])
    if total is None:
        # Its end need not be the end of the file: nobody could tell when all is there.
        raise PeerProtocolError("206 of a file whose size is not known")
    # RFC 9110 section 14.4: an invalid range must not be combined with what is there already.
    if last < first or last >= total:
        raise PeerProtocolError("206 with an impossible Content-Range")
    if _differ(total, announced.size):
        raise Changed("the file's size changed on the server")
    if received == 0 or not first <= received <= last:
        raise PeerProtocolError("206 with another part than asked for")
    return received - first


def _is_the_same(
    announced: AnnouncedBody, status: int, headers: Mapping[str, str], length: int | None
) -> bool:
    """Whether an answer shows that it is of the very file that the first one was of."""
    if announced.etag is not None:
        return strong_etag(headers.get("ETag")) == announced.etag
    if not announced.recognizable or announced_by(status, headers, length).size != announced.size:
        return False
    # A 206 to If-Range says that the date is the same, and may leave it out (RFC 9110 section 15.3.7).
    unsaid = announced.modified if status == 206 and announced.dated else None
    return headers.get("Last-Modified", unsaid) == announced.modified


def _is_exact(modified: str | None, date: str | None) -> bool:
    """Whether a file that was changed then could not have been changed once more within the same second."""
    try:
        age = parsedate_to_datetime(date or "") - parsedate_to_datetime(modified or "")
    except (TypeError, ValueError, OverflowError):  # no dates, or one without a time zone
        return False
    return age >= timedelta(seconds=1)


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


@dataclass(slots=True)
class Attempts:
    """Counts broken connections, and tells how long to wait before the next one or when to give up."""

    received: int = 0
    """Bytes received at the last break."""
    backoff: Backoff = field(default_factory=lambda: Backoff(_FIRST_DELAY_S, _LONGEST_DELAY_S, factor=10.0))

    def next_delay_s(self, received: int) -> float | None:
        """Return the seconds to wait after a break at ``received`` bytes; None to give up."""
        if received - self.received >= PROGRESS_BYTES:
            self.backoff.reset()
        self.received = received
        delay_s = self.backoff.next_s()
        return None if self.backoff.failures > _MOST_FRUITLESS else delay_s
