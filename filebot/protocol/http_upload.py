"""HTTP file upload, the stanza side (XEP-0363): reading a service's description, slots and refusals."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from filebot.errors import (
    NoUploadService,
    ServiceQuotaReached,
    ServiceRefused,
    TooLargeForService,
    TransferError,
)
from filebot.filenames import extension
from filebot.model import Slot
from filebot.protocol.disco import features_in
from filebot.protocol.stanza_error import read_error
from filebot.protocol.xml import bounded_int, first, named, namespace_of

UPLOAD: Final = "urn:xmpp:http:upload:0"
MAX_FILENAME: Final = 100
"""Characters of a slot's file name: it becomes a part of a URL, behind a random part."""

MAX_GET_URL: Final = 4_000
"""Bytes in XML: the link stands twice in a message that any server has to take (RFC 6120 section 13.12)."""
MAX_PUT_URL: Final = 16_000

_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")

_DATA_FORM: Final = "jabber:x:data"
_ALLOWED_HEADERS: Final = {"authorization": "Authorization", "cookie": "Cookie", "expires": "Expires"}
_NO_SERVICE: Final = frozenset(
    {
        "feature-not-implemented",
        "gone",
        "item-not-found",
        "remote-server-not-found",
        "remote-server-timeout",
        "service-unavailable",
    }
)
_MAX_SIZE_BYTES: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Service:
    """An upload service, as its disco#info describes it."""

    limit_bytes: int | None
    """The largest file that it takes; None if it names no limit."""


def read_service(query: Element) -> Service | None:
    """From the ``<query/>`` of a disco#info result; None if it is no upload service (section 3)."""
    if UPLOAD not in features_in(query):
        return None
    forms = (_form_values(child) for child in named(query, _DATA_FORM, "x"))
    limits = (form.get("max-file-size") for form in forms if form.get("FORM_TYPE") == UPLOAD)
    return Service(bounded_int(next(limits, None), _MAX_SIZE_BYTES))


def read_slot(iq: Element) -> Slot:
    """The slot of a result (section 5). Raises ServiceRefused if there is none in it."""
    slot = first(iq, UPLOAD, "slot")
    put, get = first(slot, UPLOAD, "put"), first(slot, UPLOAD, "get")
    put_url = _checked_url(_attribute(put, "url"), MAX_PUT_URL)
    get_url = _checked_url(_attribute(get, "url"), MAX_GET_URL)
    return Slot(put_url, get_url, allowed_headers(_headers(put)))


def _checked_url(url: str, most_bytes: int) -> str:
    """A URL that can be used, and sent to people. Raises ServiceRefused."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        _ = parts.port  # read late, and may raise
    except ValueError:
        usable = False
    if not usable or _NOT_IN_URL.search(url):
        raise ServiceRefused(f"a slot with the URL {url!r:.100}")
    if len(escape(url, {'"': "&quot;", "'": "&apos;"}).encode(errors="replace")) > most_bytes:
        raise ServiceRefused(f"a slot with a URL of {len(url)} characters")
    return url


def allowed_headers(offered: Iterator[tuple[str, str]]) -> dict[str, str]:
    """The headers that may go into the PUT, newlines stripped from them; the first of a name holds.

    Section 5: only Authorization, Cookie and Expires, and a service must not smuggle in others.
    """
    headers: dict[str, str] = {}
    for name, value in offered:
        allowed = _ALLOWED_HEADERS.get(_on_one_line(name).lower())
        if allowed is not None:
            headers.setdefault(allowed, _on_one_line(value))
    return headers


def slot_error(iq: Element, size_bytes: int) -> TransferError:
    """Return the error that an answer to a request for ``size_bytes`` stands for (section 6)."""
    error = first(iq, namespace_of(iq), "error")
    too_large = first(error, UPLOAD, "file-too-large")
    if too_large is not None:
        limit = _text(first(too_large, UPLOAD, "max-file-size"))
        return TooLargeForService(size_bytes=size_bytes, limit_bytes=bounded_int(limit, _MAX_SIZE_BYTES))
    retry = first(error, UPLOAD, "retry")
    condition = read_error(iq).condition
    if retry is not None or condition == "resource-constraint":
        # COMPAT(Prosody): says so without a <retry/> when the quota of the day is used up.
        return ServiceQuotaReached(retry_at=_stamp(_attribute(retry, "stamp")))
    return NoUploadService(condition) if condition in _NO_SERVICE else ServiceRefused(condition)


def slot_filename(name: str) -> str:
    """Return the file's name for a request: letters and digits of any script, blanks, ``_.-()``.

    It ends in the URL: clients tell the kind of file by its extension, and many show it as the name.
    Section 4 asks for a name without a path. COMPAT(ejabberd): replaces what it does not like itself.
    COMPAT(Prosody): takes no ``/``.
    """
    ending = _plain(extension(name))
    stem = _plain(name[: len(name) - len(extension(name))]).strip(" ._-")
    ending = ending if ending.strip(" ._-") else ""
    return (stem[: MAX_FILENAME - len(ending)].rstrip() or "file") + ending


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return re.sub(r"_+", "_", re.sub(r"[^\w .()-]", "_", composed))


def _on_one_line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "").strip()


def _headers(put: Element | None) -> Iterator[tuple[str, str]]:
    for header in () if put is None else named(put, UPLOAD, "header"):
        yield header.get("name", ""), _text(header)


def _form_values(form: Element) -> dict[str, str]:
    """The first value of each field of a data form (XEP-0004)."""
    values: dict[str, str] = {}
    for field in form:
        values.setdefault(field.get("var", ""), _text(first(field, _DATA_FORM, "value")))
    return values


def _stamp(text: str) -> datetime | None:
    """A moment of XEP-0082 in UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _attribute(element: Element | None, name: str) -> str:
    return "" if element is None else element.get(name, "").strip()


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()
