"""File names in Content-Disposition, as RFC 6266 has them and as servers write them.

``filename*`` (RFC 8187) comes before ``filename``. What RFC 6266 section 4.1 does not allow, and browsers
read all the same, is read too: no disposition type, blanks without quotation marks, a quotation mark that
does not end, bytes of UTF-8 or of another charset, percent-encoding, and encoded words of mail (RFC 2047).
A name is raw: paths and control characters are for :func:`filebot.filenames.safe_name`.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

_MOST: Final = 16_384
"""Characters of a header that are read."""
_MOST_PARAMETERS: Final = 64

_PARAMETER: Final = re.compile(r"\s*([!#$%&'*+.^`|~\w-]+)\s*=\s*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)("|$)', re.DOTALL)
_EXTENDED: Final = re.compile(r"([\w.:+-]*)'[\w-]*'(.*)", re.DOTALL)
_CONTINUED: Final = re.compile(r"filename\*([0-9]{1,2})(\*?)")
_PERCENT: Final = re.compile("%[0-9A-Fa-f]{2}")
_ENCODED_WORD: Final = re.compile(r"=\?[\w-]+(?:\*[\w-]+)?\?[bqBQ]\?[^?]*\?=")
# Hanzi of GB 2312, two bytes each; hardly any Latin-1 name has such pairs alone.
_CHINESE: Final = re.compile(rb"(?:[\x00-\x7f]|[\xb0-\xf7][\xa1-\xfe])*")


def file_name(header: str) -> str | None:
    """Return the name in a Content-Disposition header, or None if there is none that can be read.

    Bytes that are not UTF-8 stand in it as lone surrogates (``surrogateescape``).
    """
    found = dict[str, str]()
    for name, value in _parameters(header[:_MOST]):
        found.setdefault(name, value)
    extended = found.get("filename*")
    return (
        (_extended(extended) if extended else None)
        or _continued(found)
        or _plain(found.get("filename", ""))
        or None
    )


def _parameters(header: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters by their names in lower case, values without quotation marks."""
    place, end = 0, len(header)
    for _ in range(_MOST_PARAMETERS):
        if place >= end:
            return
        match = _PARAMETER.match(header, place)
        if match is None:  # the type, or what cannot be read
            place = _next_semicolon(header, place) + 1
            continue
        place = match.end()
        quoted = _QUOTED.match(header, place)
        if quoted is not None:
            # A backslash before anything else is part of a Windows path.
            value = re.sub(r'\\(["\\])', r"\1", quoted[1])
            place = _next_semicolon(header, quoted.end()) + 1
        else:
            until = _next_semicolon(header, place)
            # A semicolon that no parameter follows is part of the name.
            while until < end and header[until + 1 :].strip() and not _PARAMETER.match(header, until + 1):
                until = _next_semicolon(header, until + 1)
            value, place = header[place:until].strip(), until + 1
        yield match[1].lower(), value


def _next_semicolon(header: str, place: int) -> int:
    found = header.find(";", place)
    return len(header) if found < 0 else found


def _extended(value: str) -> str | None:
    """Return the text of an extended value (RFC 8187 section 3.2), or None if it cannot be read."""
    match = _EXTENDED.fullmatch(value)
    charset, encoded = (match[1], match[2]) if match else ("", value)
    return _decoded(unquote_to_bytes(encoded), charset or "utf-8")


def _continued(found: dict[str, str]) -> str | None:
    """Return a name that was cut in parts (RFC 2231 section 3), though HTTP has no such thing."""
    parts = sorted(
        (int(match[1]), bool(match[2]), value)
        for name, value in found.items()
        if (match := _CONTINUED.fullmatch(name)) is not None
    )
    if not parts or [number for number, *_ in parts] != list(range(len(parts))):
        return None
    charset, data = "utf-8", b""
    for number, is_encoded, value in parts:
        text = value
        if is_encoded and number == 0 and (match := _EXTENDED.fullmatch(value)) is not None:
            charset, text = match[1] or charset, match[2]
        data += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "surrogateescape")
    return _decoded(data, charset)


def _plain(value: str) -> str | None:
    """Return the text of a ``filename``, by whatever means its server wrote it."""
    if len(value) > 1 and value[0] == value[-1] == "'":
        value = value[1:-1]
    if value.lower().startswith("utf-8''"):
        return _extended(value)
    if _ENCODED_WORD.search(value):
        return _without_encoded_words(value)
    if _PERCENT.search(value) and (text := _decoded(_bytes_of(value, percent=True), "utf-8")):
        return text
    return value if value.isascii() else _as_meant(value)


def _as_meant(value: str) -> str:
    """Return a text of raw bytes, or of UTF-8 that was taken for Latin-1 on its way."""
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8
        data = _bytes_of(value)
        charset = "gb18030" if _CHINESE.fullmatch(data) else "windows-1252"
        return data.decode(charset, errors="replace")
    for charset in ("latin-1", "windows-1252"):
        try:
            return value.encode(charset).decode()
        except UnicodeError:
            continue
    return value


def _bytes_of(value: str, *, percent: bool = False) -> bytes:
    data = value.encode("utf-8", "surrogateescape")
    return unquote_to_bytes(data) if percent else data


def _without_encoded_words(value: str) -> str | None:
    from email.header import decode_header, make_header  # noqa: PLC0415 - mail's, and seldom met

    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value


def _decoded(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except (LookupError, ValueError):  # no such charset; not of it
        return None
