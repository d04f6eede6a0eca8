"""The ``UploadService`` port on a stream: finding the service and asking it for slots (XEP-0363)."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import SubElement

from cachetools import FIFOCache
from slixmpp.exceptions import IqError, XMPPError
from slixmpp.stanza import Iq

from filebot.errors import NoUploadService, TooLargeForService, TransferError
from filebot.model import Slot
from filebot.protocol.http_upload import UPLOAD, read_service, read_slot, slot_error, slot_filename
from filebot.xmpp.connection.disco import describe, items
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

ANSWER_LIMIT_S: Final = 20.0
MOST_HOSTS: Final = 64
NOTHING_FOUND_FOR_S: Final = 60.0
"""How long a search without a result is believed."""


@dataclass(frozen=True, slots=True)
class _Found:
    jid: str
    limit_bytes: int | None


class UploadSlots:
    """Finds the service once per session; one search at a time, however many ask."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._found: _Found | None = None
        self._search_after_s = 0.0
        self._searching = asyncio.Lock()
        self._hosts = FIFOCache[str, None](MOST_HOSTS)

    async def size_limit(self) -> int | None:
        return (await self._service()).limit_bytes

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        service = await self._service()
        if service.limit_bytes is not None and size > service.limit_bytes:
            raise TooLargeForService(size_bytes=size, limit_bytes=service.limit_bytes)
        try:
            answer = await ask(self._stream, self._request(service, name, size, media_type), ANSWER_LIMIT_S)
        except XMPPError as error:
            raise self._refusal(service, error, size) from error
        slot = read_slot(answer.xml)
        self._remember_host(slot.get_url)
        self._remember_host(slot.put_url)
        return slot

    def hosts(self) -> frozenset[str]:
        return frozenset(self._hosts)

    def forget(self) -> None:
        """Search again: another session may meet another server."""
        self._found = None
        self._search_after_s = 0.0

    def _request(self, service: _Found, name: str, size: int, media_type: str) -> Iq:
        iq = self._stream.make_iq_get(ito=service.jid, ifrom=self._stream.boundjid)
        about = {"filename": slot_filename(name), "size": str(size), "content-type": media_type}
        SubElement(iq.xml, f"{{{UPLOAD}}}request", about)
        return iq

    def _refusal(self, service: _Found, error: XMPPError, size: int) -> TransferError:
        refusal: TransferError = NoUploadService("no answer")
        if isinstance(error, IqError):
            refusal = slot_error(error.iq.xml, size)
        if isinstance(refusal, NoUploadService):
            self.forget()
        elif isinstance(refusal, TooLargeForService) and refusal.limit_bytes is not None:
            self._found = _Found(service.jid, refusal.limit_bytes)  # it has changed since discovery
        return refusal

    async def _service(self) -> _Found:
        async with self._searching:
            now = asyncio.get_running_loop().time()
            if self._found is None and now >= self._search_after_s:
                self._found = await self._search()
                self._search_after_s = now + NOTHING_FOUND_FOR_S
            if self._found is None:
                raise NoUploadService("no service found")
            return self._found

    async def _search(self) -> _Found | None:
        """Ask the server itself, and then its services (section 3)."""
        server = self._stream.server_domain
        found = await self._among([server])
        found = found or await self._among(await items(self._stream, server, ANSWER_LIMIT_S))
        if found is None:
            log.warning("the server offers no file upload")
        else:
            log.info("files are uploaded by %s, at most %s bytes", found.jid, found.limit_bytes)
        return found

    async def _among(self, jids: Iterable[str]) -> _Found | None:
        for jid, answer in (await describe(self._stream, jids, ANSWER_LIMIT_S)).items():
            if (service := read_service(answer)) is not None:
                return _Found(jid, service.limit_bytes)
        return None

    def _remember_host(self, url: str) -> None:
        host = urlsplit(url).hostname
        if host:
            self._hosts[host] = None
