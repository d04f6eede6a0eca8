"""Decoding of what looks like text: by its byte order mark, as UTF-8, UTF-16 without a mark, or 8-bit."""

import codecs
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS: Final = bytes({*range(32), 0x7F} - set(b"\t\n\v\f\r\b\x1b\x1a"))
"""Bytes that no text has; a form feed, an escape and an end of file of DOS may be."""
_UNICODE_CONTROLS: Final = frozenset(map(chr, _CONTROLS)) | {"\ufffe", "\uffff"}
_SAMPLE: Final = 4096


def decoded(head: bytes) -> str | None:
    """Return the text of a file's first bytes, or None if they are no text."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            text = head[len(mark) :].decode(encoding, "replace")
            return None if _UNICODE_CONTROLS & set(text[:_SAMPLE]) else text
    wide = _utf16(head)
    if wide is not None:
        return wide
    if len(head.translate(None, _CONTROLS)) != len(head.rstrip(b"\0")):
        return None
    text = head.rstrip(b"\0").decode(errors="replace")
    return text if text.count("\ufffd") <= 4 else head.decode("latin-1")


def _utf16(head: bytes) -> str | None:
    """Decode UTF-16 without a mark: one half of the bytes is mostly the same, the text has no controls."""
    sample = head[: _SAMPLE // 2 * 2]
    if len(sample) < 4:
        return None
    high, low = sample[1::2], sample[::2]
    nulls = (high.count(0), low.count(0))
    if max(nulls) * 10 < len(high) * 4 and not _is_wide_ideographs(high, low):
        return None
    encoding = "utf-16-le" if nulls[0] > nulls[1] or (nulls == (0, 0) and _is_wide(high)) else "utf-16-be"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    start = text[:_SAMPLE]
    if _UNICODE_CONTROLS & set(start):
        return None
    return text if sum(map(str.isprintable, start)) + start.count("\n") * 2 >= len(start) * 0.9 else None


def _is_wide(column: bytes) -> bool:
    """Return whether these are mostly high bytes of CJK ideographs and the punctuation between them."""
    return (
        sum(byte in range(0x4E, 0xA0) or byte in {0x30, 0xFF, 0x00} for byte in column)
        >= len(column) * 0.95
    )


def _is_wide_ideographs(high: bytes, low: bytes) -> bool:
    # ASCII is in this range too, so one column must be wide and the other must not be text.
    for wide, other in ((high, low), (low, high)):
        if _is_wide(wide) and len(set(other)) > 8 and any(byte < 9 or 14 <= byte < 32 for byte in other):
            return bool(set(wide) & set(range(0x80, 0xA0)) or 0x30 in wide)
    return False
