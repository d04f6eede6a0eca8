"""HTTP for plugins: under the operator's address policy, and bounded in size, time and number."""

import json as json_text
import re
from collections.abc import Mapping
from typing import Final

from filebot.concurrency.locks import FairSemaphore, Shares, on_behalf_of
from filebot.errors import PluginError
from filebot.model import HttpRequest, HttpResponse
from filebot.ports import HttpTransfer

MIB: Final = 1024 * 1024
USUAL_ANSWER_BYTES: Final = MIB
LARGEST_BODY_BYTES: Final = 4 * MIB
"""Bytes of a request, and the most of an answer that can be asked for."""
USUAL_LIMIT_S: Final = 30.0
LONGEST_LIMIT_S: Final = 120.0
PLACES: Final = Shares(total=16, per_person=4)
"""Requests of all plugins at once, and of one plugin."""

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
_NOT_OURS: Final = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "upgrade"}
)


class Http:
    """The HTTP client of one plugin.

    The operator's address policy holds: https alone, and no private addresses, unless the config allows
    them. All methods return the answer with any status, and raise TransferError if there is none:
    ForbiddenTarget, PeerGone for a server that is not reached, or one that names the limit that was passed.
    Use it for small messages; files are for ``ctx.files``.
    """

    def __init__(self, transfer: HttpTransfer, places: FairSemaphore, plugin: str) -> None:
        self._transfer = transfer
        self._places = places
        self._plugin = plugin

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = USUAL_ANSWER_BYTES,
        limit_s: float = USUAL_LIMIT_S,
    ) -> HttpResponse:
        """Ask for a resource. Redirects are followed, with ``headers`` for the first server alone.

        An answer of more than ``most_bytes`` is an error; it may have 4 MiB at most. ``limit_s`` is for
        everything, 120 seconds at most.
        """
        return await self._send(HttpRequest("GET", url, dict(headers or {})), most_bytes, limit_s)

    async def post(
        self,
        url: str,
        body: bytes = b"",
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = USUAL_ANSWER_BYTES,
        limit_s: float = USUAL_LIMIT_S,
    ) -> HttpResponse:
        """Send ``body``, or a value as ``json``, of at most 4 MiB. A redirect is returned, not followed."""
        return await self._send(self._with_body("POST", url, body, json, headers), most_bytes, limit_s)

    async def put(
        self,
        url: str,
        body: bytes = b"",
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = USUAL_ANSWER_BYTES,
        limit_s: float = USUAL_LIMIT_S,
    ) -> HttpResponse:
        """Do the same as :meth:`post` by PUT."""
        return await self._send(self._with_body("PUT", url, body, json, headers), most_bytes, limit_s)

    def _with_body(
        self, method: str, url: str, body: bytes, json: object, headers: Mapping[str, str] | None
    ) -> HttpRequest:
        kind = "application/octet-stream"
        if json is not None:
            try:
                body, kind = json_text.dumps(json).encode(), "application/json"
            except (TypeError, ValueError) as error:
                raise PluginError(f"plugin {self._plugin!r} sends what is no JSON: {error}") from error
        if len(body) > LARGEST_BODY_BYTES:
            raise PluginError(
                f"plugin {self._plugin!r} sends {len(body)} bytes by HTTP, more than {LARGEST_BODY_BYTES}"
            )
        named = {each.lower() for each in headers or {}}
        usual = {} if "content-type" in named else {"Content-Type": kind}
        return HttpRequest(method, url, {**usual, **(headers or {})}, bytes(body))

    async def _send(self, request: HttpRequest, most_bytes: int, limit_s: float) -> HttpResponse:
        for name, value in request.headers.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _NOT_OURS:
                raise PluginError(f"plugin {self._plugin!r} may not send the header {name!r} like this")
        if not 0 < most_bytes <= LARGEST_BODY_BYTES or not 0 < limit_s <= LONGEST_LIMIT_S:
            raise PluginError(
                f"most_bytes is {LARGEST_BODY_BYTES} and limit_s {LONGEST_LIMIT_S:g} at most; "
                f"plugin {self._plugin!r} wants {most_bytes} and {limit_s:g}"
            )
        who = f"plugin {self._plugin}"
        async with self._places.held(who):
            with on_behalf_of(who):
                return await self._transfer.request(request, most_bytes=most_bytes, limit_s=limit_s)
