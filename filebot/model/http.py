"""Requests by HTTP and the answers to them, whole in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Request that a plugin sends."""

    method: str
    """``GET``, ``POST`` or ``PUT``."""
    url: str
    """The whole URL."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers, by their names."""
    body: bytes = b""
    """Bytes that are sent."""

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """Answer to a request."""

    status: int
    """Status code, such as 200."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers, by their names in lower case."""
    body: bytes = b""
    """Bytes of the answer."""

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked: a status from 200 to 299."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError."""
        return json.loads(self.body)
