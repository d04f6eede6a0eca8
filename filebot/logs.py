"""Logging: to stderr, one line for each record, as text or as JSON.

None of our own records holds a secret. Libraries do not know what one is: slixmpp's debug log shows the
stream with all passwords, captions and names, aiosqlite's the values of all statements. So of libraries
only what is more important than debugging is shown, and stanzas and bytes are left out of that, too.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Final, Literal
from xml.etree.ElementTree import Element

Format = Literal["text", "json"]

_OWN: Final = ("filebot", "plugins", "filebot_plugins", "filebot_local_plugins")
"""Loggers of ours and of plugins in files; those below them as well."""

_LEAST: Final = {"sqlalchemy": logging.WARNING, "alembic.runtime.plugins": logging.WARNING}
"""SQLAlchemy tells the values of statements at INFO; Alembic's plugins report their own loading."""


def set_up(level: str, form: Format = "text") -> None:
    """Send records of ``level`` (``info``) and above to stderr. May be called again."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine() if form == "json" else TextLine())
    handler.addFilter(without_content)
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(number, logging.INFO), handlers=[handler], force=True)
    for name in _OWN:
        logging.getLogger(name).setLevel(number)
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(number, least))
    logging.captureWarnings(capture=True)


def silence(library: str) -> None:
    """Show nothing of a library but what ends the process."""
    logging.getLogger(library).setLevel(logging.CRITICAL)


def without_content(record: logging.LogRecord) -> bool:
    """Whether a record may be shown; one of a library has its stanzas and bytes taken out."""
    if record.name.partition(".")[0] in _OWN:
        return True
    if isinstance(record.args, tuple):
        record.args = tuple(_outlined(each) for each in record.args)
    return record.levelno >= logging.INFO


def _outlined(argument: object) -> object:
    if isinstance(argument, bytes | bytearray | memoryview):
        return f"<{len(argument)} bytes>"
    # A stanza of slixmpp, or the element that it is made of.
    is_stanza = isinstance(argument, Element) or hasattr(argument, "xml")
    return f"<{type(argument).__name__}>" if is_stanza else argument


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
            fields["traceback"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(fields)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
