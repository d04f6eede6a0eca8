"""Address of a bucket, and the keys that open it: from the operator, checked before anything is opened.

``s3://BUCKET/PREFIX?endpoint=URL&region=NAME&credentials=FILE``. Without a file the keys come from the
variables that every tool for S3 reads. They never stand in the URL: that is shown in logs.
"""

import configparser
import ipaddress
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from filebot.errors import ConfigError

ACCESS_KEY: Final = "AWS_ACCESS_KEY_ID"
SECRET_KEY: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a variable's name
SESSION_TOKEN: Final = "AWS_SESSION_TOKEN"  # noqa: S105 - a variable's name

DEFAULT_REGION: Final = "us-east-1"

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION: Final = re.compile(r"[A-Za-z0-9-]{1,40}")
_PART: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_OPTIONS: Final = frozenset({"endpoint", "region", "credentials", "profile"})
_LONGEST: Final = 65_536
"""Largest file with keys, in bytes."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Access key, its secret, and the token of a session if it is one."""

    access: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    def masked(self, text: str) -> str:
        """Return the text without the secrets."""
        for secret in (self.secret, self.token):
            if secret:
                text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class Address:
    """Bucket and how to reach it."""

    bucket: str
    prefix: str
    """Beginning of all keys, without slashes around it; may be empty."""
    endpoint: str | None
    region: str
    keys: Keys

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def parse(url: str, environ: Mapping[str, str]) -> Address:
    """Return the address that a URL means. Raises ConfigError, which never shows a key."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError as error:
        raise _mistake("it is no URL; write s3://BUCKET/PREFIX?endpoint=URL&region=NAME") from error
    if parts.username is not None or parts.password is not None:
        raise _mistake(
            f"keys do not belong there; set {ACCESS_KEY} and {SECRET_KEY}, or name credentials=FILE"
        )
    if unknown := options.keys() - _OPTIONS:
        raise _mistake(f"unknown option {min(unknown)[:40]!r}; there are {', '.join(sorted(_OPTIONS))}")
    if not _BUCKET.fullmatch(parts.netloc):
        raise _mistake("it names no bucket; write s3://BUCKET/PREFIX")
    region = options.get("region") or environ.get("AWS_REGION") or DEFAULT_REGION
    if not _REGION.fullmatch(region):
        raise _mistake("the region is no name of one")
    endpoint = options.get("endpoint")
    if endpoint is not None:
        _check_endpoint(endpoint)
    return Address(parts.netloc, _prefix(parts), endpoint, region, _keys(options, environ))


def _prefix(parts: SplitResult) -> str:
    prefix = parts.path.strip("/")
    if prefix and not all(_PART.fullmatch(part) for part in prefix.split("/")):
        raise _mistake("the prefix may have letters, digits and ._- between its slashes")
    return prefix


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
    except ValueError as error:
        raise _mistake("the endpoint is no URL") from error
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or "@" in parts.netloc:
        raise _mistake("the endpoint is no URL; write https://HOST or https://HOST:PORT")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise _mistake("the endpoint is not encrypted, and on another machine; use https")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _keys(options: Mapping[str, str], environ: Mapping[str, str]) -> Keys:
    if "credentials" in options:
        return _keys_of_file(Path(options["credentials"]), options.get("profile", "default"))
    access, secret = environ.get(ACCESS_KEY), environ.get(SECRET_KEY)
    if not access or not secret:
        raise _mistake(f"there are no keys; set {ACCESS_KEY} and {SECRET_KEY}, or name credentials=FILE")
    return Keys(access, secret, environ.get(SESSION_TOKEN) or None)


def _keys_of_file(path: Path, profile: str) -> Keys:
    if not path.is_absolute():
        raise _mistake("credentials= wants a whole path, which begins with a slash")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with path.open("rb") as file:
            parser.read_string(file.read(_LONGEST).decode())
        is_open = bool(path.stat().st_mode & stat.S_IRWXO)
    except (OSError, UnicodeDecodeError, configparser.Error):
        # Their texts quote lines of the file.
        raise _mistake(f"{path} cannot be read as a file with keys; correct it, or its rights") from None
    if is_open:
        raise _mistake(f"other users of this machine can read {path}; run chmod 600 {path}")
    found = parser[profile] if parser.has_section(profile) else {}
    access, secret = found.get("aws_access_key_id"), found.get("aws_secret_access_key")
    if not access or not secret:
        raise _mistake(f"{path} has no aws_access_key_id and aws_secret_access_key under [{profile}]")
    return Keys(access, secret, found.get("aws_session_token") or None)


def _mistake(text: str) -> ConfigError:
    return ConfigError((f"store.url: {text}",))
