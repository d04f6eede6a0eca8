"""Messages and mailboxes (RFC 5322, RFC 4155), told by their header fields."""

import re
from typing import Final

MESSAGE: Final = "message/rfc822"
MAILBOX: Final = "application/mbox"

_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9\-]{0,60}):(?=[ \t\r\n]|[^ /])")
_FIELDS: Final = frozenset(
    {
        "arc-authentication-results", "arc-message-signature", "arc-seal", "authentication-results",
        "bcc", "cc", "content-transfer-encoding", "content-type", "date", "delivered-to",
        "dkim-signature", "domainkey-signature", "envelope-to", "errors-to", "from", "importance",
        "in-reply-to", "list-id", "message-id", "mime-version", "received", "received-spf",
        "references", "reply-to", "return-path", "sender", "status", "subject", "thread-index",
        "thread-topic", "to", "user-agent", "x-gmail-labels", "x-mailer", "x-mozilla-status",
        "x-originating-ip", "x-priority", "x-received", "x-sender", "x-spam-status", "x-uidl",
    }
)  # fmt: skip
_OF_NEWS: Final = frozenset({"newsgroups", "path", "xref", "nntp-posting-host", "lines"})
_NOT_ENOUGH: Final = frozenset({"date", "status", "subject", "content-type", "content-transfer-encoding"})
_ENOUGH: Final = (frozenset({"from", "subject"}), frozenset({"mime-version", "content-type"}))
_FROM_LINE: Final = re.compile(
    r"From \S.{0,200}? (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .{3,30}\d\d:\d\d(?::\d\d)?.{0,20}$"
)
_LINES: Final = 200
_NEEDED: Final = 3
_EMLX: Final = re.compile(r"\d{1,9}\s*\r?\n(?=[A-Za-z\-]+: )")


def mail_type(text: str) -> str | None:
    """Return the media type of a text that begins as a message or mailbox, else None."""
    text = text.lstrip("\ufeff\r\n")
    if text.startswith("From "):
        line, _, rest = text.partition("\n")
        if _FROM_LINE.match(line.rstrip()) or _is_header(rest, 2):
            return MAILBOX
    counted = _EMLX.match(text)
    if counted and _is_header(text[counted.end() :], _NEEDED):
        return "message/x-emlx"
    if not _is_header(text, _NEEDED):
        return None
    return "message/news" if _is_news(text) else MESSAGE


def _names(text: str) -> list[str]:
    """Return the names of the fields up to the first line that is none."""
    names: list[str] = []
    for line in text.split("\n", _LINES)[:_LINES]:
        if line[:1] in {" ", "\t"} and names:
            continue
        field = _FIELD.match(line)
        if field is None:
            if line.startswith((">From ", "From ")):
                continue
            break
        names.append(field[1].lower())
    return names


def _is_header(text: str, needed: int) -> bool:
    names = _names(text)
    known = {name for name in names if name in _FIELDS}
    if len(known) < needed and not any(pair <= known for pair in _ENOUGH):
        return False
    return bool(known - _NOT_ENOUGH) and len(known) * 4 >= len(set(names))


def _is_news(text: str) -> bool:
    names = set(_names(text))
    return "newsgroups" in names and "path" in names and "to" not in names and len(names & _OF_NEWS) >= 2
