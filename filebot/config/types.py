"""Types of values in the config, each with its check and its message for a wrong value."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Final

import pytimeparse2  # type: ignore[import-untyped]
from pydantic import AfterValidator, BeforeValidator, ByteSize, PlainValidator, StrictStr, ValidationInfo

from filebot.filenames import plain_text
from filebot.model import size_bytes
from filebot.protocol.profile import MOST_PICTURE_BYTES, read_picture
from filebot.system.certificates import unusable

OWN_AVATAR: Final = "default"
"""In place of a file: the picture that comes with filebot."""

_LONGEST: Final = 32
"""Characters of the longest span of time that is read."""

_LONGEST_SPAN_S: Final = 10 * 366 * 86_400.0

_FORBIDDEN: Final = re.compile(r"""[\s"&'/:<>@\x00-\x1f\x7f]""")
"""Characters that no localpart may have (RFC 7622 3.3.1). Of domains only IPv6 addresses have them."""


_BACKEND: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}:[^\s\x00-\x1f\x7f]{0,2000}")
"""A URL; its scheme is the name of an entry point."""


def shown(text: str) -> str:
    """Return a text on one line, cut to what fits in a message."""
    line = plain_text(text)
    return f'"{line[:60]}…"' if len(line) > 60 else f'"{line}"'


def _backend(text: str) -> str:
    # The text stays out of the message: it may have a password.
    if not _BACKEND.fullmatch(text):
        raise ValueError('is no URL of a backend; write it like "disk:" or "clamd://localhost:3310"')
    return text


def _size(value: object) -> int:
    if isinstance(value, str):
        return size_bytes(value)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return size_bytes(str(value))
    # A value that is neither text nor a whole number gets the same error as a size of zero.
    return size_bytes("0")


def _seconds(value: object) -> float:
    seconds: object = value
    if isinstance(value, str):
        seconds = pytimeparse2.parse(value) if len(value) <= _LONGEST else None
    if (
        isinstance(seconds, int | float)
        and not isinstance(seconds, bool)
        and 0 < seconds <= _LONGEST_SPAN_S
    ):
        return float(seconds)
    raise ValueError('must be a span of time up to ten years; write it like "90 s" or "30 days"')


def _is_domain(text: str) -> bool:
    """Return whether a name is a valid domain name: ``a..example`` is not."""
    try:
        return bool(text.encode("idna").strip(b".")) and not _FORBIDDEN.search(text)
    except UnicodeError:
        return False


def _domain_of(text: str) -> str:
    if not _is_domain(text):
        raise ValueError(f"{shown(text)} is not a domain; write it like example.org")
    return text.lower()


def bare_jid(text: str) -> str:
    """Return an address without its resource, in lower case. Raises ValueError."""
    local, at, domain = text.partition("@")
    if "/" in text:
        raise ValueError(f"{shown(text)} has a resource; leave out the slash and what follows it")
    if not at or not local or _FORBIDDEN.search(local) or not _is_domain(domain):
        raise ValueError(f"{shown(text)} is not an address; write it like name@example.org")
    return text.lower()


def account(text: str) -> str:
    """Return a bare JID with or without a localpart, in lower case. Raises ValueError."""
    return bare_jid(text) if "@" in text or "/" in text else _domain_of(text)


def _glob(text: str) -> str:
    if "[" in text or "]" in text:
        raise ValueError(f"{shown(text)} has brackets; only * (any run) and ? (one character) are special")
    try:
        return bare_jid(text)
    except ValueError:
        reason = "does not fit any address; write it like *@example.org, or *@* for everybody"
        raise ValueError(f"{shown(text)} {reason}") from None


def place(written: object, folder: Path) -> Path:
    """Return a text as a path; a relative one begins at ``folder``. Raises ValueError."""
    text = str(written) if isinstance(written, str | Path) else ""
    if not text or "\0" in text:
        raise ValueError('must be a path in quotes, like "data"')
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:
        raise ValueError(
            f"{shown(text)} begins with the home of an unknown user; write the path out"
        ) from None


def _path(value: object, info: ValidationInfo) -> Path:
    return place(value, info.context["folder"] if info.context else Path())


def _existing_file(path: Path) -> Path:
    if not _is(path, "file"):
        raise ValueError(f"there is no file {shown(str(path))}; correct the path")
    return path


def _certificates(path: Path) -> Path:
    reason = unusable(_existing_file(path))
    if reason is not None:
        raise ValueError(f"{shown(str(path))} {reason}")
    return path


def _avatar(value: object, info: ValidationInfo) -> Path | str:
    if isinstance(value, str) and value in {"", OWN_AVATAR}:
        return value
    path = _path(value, info)
    try:
        with _existing_file(path).open("rb") as file:
            read_picture(file.read(MOST_PICTURE_BYTES + 1))
    except OSError as error:
        raise ValueError(f"{shown(str(path))} cannot be read: {error.strerror}") from None
    except ValueError as error:
        if str(error).startswith("there is"):
            raise
        raise ValueError(f"{shown(str(path))} {error}") from None
    return path


def _existing_folder(path: Path) -> Path:
    if not _is(path, "folder"):
        raise ValueError(f"there is no folder {shown(str(path))}; create it or correct the path")
    return path


def _is(path: Path, kind: str) -> bool:
    try:
        return path.is_file() if kind == "file" else path.is_dir()
    except OSError:
        return False


def _prefix(text: str) -> str:
    if not 1 <= len(text) <= 3 or any(c.isalnum() or c.isspace() or not c.isprintable() for c in text):
        raise ValueError('must be one to three signs, no letters, digits or blanks; write it like "!"')
    return text


def _line(text: str) -> str:
    if not text or text != plain_text(text) or len(text) > 64:
        raise ValueError("must be one to 64 characters on one line, without blanks at the ends")
    return text


def _sentence(text: str) -> str:
    if text != plain_text(text) or len(text) > 300:
        raise ValueError("must be up to 300 characters on one line, without blanks at the ends")
    return text


def _host(text: str) -> str:
    if len(text) > 255 or re.search(r"[\s/@\x00-\x1f]", text) or not _is_host(text):
        raise ValueError(f"{shown(text)} is not a host; write a name or an address, like xmpp.example.org")
    return text


def _is_host(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return _is_domain(text)


def _language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", text):
        raise ValueError(f'{shown(text)} is not a language; write its tag, like "en" or "zh_CN"')
    return text


Size = Annotated[ByteSize, BeforeValidator(_size)]
"""In bytes; people write a number with or without a unit."""
Seconds = Annotated[float, BeforeValidator(_seconds)]
"""In seconds; people write a number with or without a unit."""
BareJid = Annotated[StrictStr, AfterValidator(bare_jid)]
Account = Annotated[StrictStr, AfterValidator(account)]
"""A bare JID, or a component's domain."""
Glob = Annotated[StrictStr, AfterValidator(_glob)]
Host = Annotated[StrictStr, AfterValidator(_host)]
Location = Annotated[Path, BeforeValidator(_path)]
"""Path of something that need not exist."""
CaFile = Annotated[Location, AfterValidator(_certificates)]
"""A file with certificates, in PEM."""
ExistingFolder = Annotated[Location, AfterValidator(_existing_folder)]
Avatar = Annotated[Path | str, PlainValidator(_avatar)]
"""A file with a picture, in PNG or JPEG; or a text: ``OWN_AVATAR``, or empty for none."""
Prefix = Annotated[StrictStr, AfterValidator(_prefix)]
Sentence = Annotated[StrictStr, AfterValidator(_sentence)]
"""A text on one line; it may be empty."""
OneLine = Annotated[StrictStr, AfterValidator(_line)]
Language = Annotated[StrictStr, AfterValidator(_language)]
Backend = Annotated[StrictStr, AfterValidator(_backend)]
