"""Logging: to stderr, one line for each record, as text or as JSON.

Nobody logs secrets, so there is nothing to filter, with one exception: the debug log of slixmpp shows the
stream, and with it SASL's password. That log stays off.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Final, Literal

Format = Literal["text", "json"]

_SHOWS_SECRETS: Final = "slixmpp"
"""The logger whose debug records, and those under it, hold whole stanzas."""


def set_up(level: str, form: Format = "text") -> None:
    """Send records of ``level`` (``info``) and above to stderr. May be called again."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine() if form == "json" else TextLine())
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=number, handlers=[handler], force=True)
    logging.getLogger(_SHOWS_SECRETS).setLevel(max(number, logging.INFO))
    # Its plugins report their own loading.
    logging.getLogger("alembic.runtime.plugins").setLevel(max(number, logging.WARNING))
    logging.captureWarnings(capture=True)


class TextLine(logging.Formatter):
    """For people and journals. What a peer sent cannot begin a line of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return "".join(c if c.isprintable() else _escaped(c) for c in super().format(record))


class JsonLine(logging.Formatter):
    """For machines: time (RFC 3339, UTC), level, logger, message and, after a failure, its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
