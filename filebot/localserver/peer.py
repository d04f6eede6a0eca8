"""A person with an XMPP client, for the demo and the tests.

Made of slixmpp and aiohttp, and of nothing of the bot's.

The client's own XEP plugins are used as little as can be: what the peer sends and reads is written out
here, so that a mistake of filebot's cannot hide behind the same mistake in the peer.
"""

import asyncio
import io
import mimetypes
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from xml.etree.ElementTree import Element, SubElement, fromstring

import aiohttp
from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.localserver.server import Server

CONNECT_LIMIT_S = 20.0
OOB = "jabber:x:oob"
UPLOAD = "urn:xmpp:http:upload:0"

MessageType = Literal["chat", "groupchat", "normal"]


@dataclass(frozen=True)
class Received:
    """One message as it came."""

    sender: str
    kind: str
    """The stanza's type: chat, groupchat, error and so on."""
    body: str
    url: str | None
    """That of XEP-0066."""
    xml: str

    @property
    def element(self) -> Element:
        """The stanza."""
        return fromstring(self.xml)  # noqa: S314 - slixmpp wrote it


def anything(_: Received) -> bool:
    """Wants every message."""
    return True


class Peer:
    """One session; ``async with await Peer.connect(...) as anna``."""

    def __init__(self, jid: str, password: str, ca_file: Path) -> None:
        self.client = ClientXMPP(jid, password)
        self.client.ca_certs = ca_file
        self.client.enable_direct_tls = False
        for plugin in ("xep_0030", "xep_0045", "xep_0115", "xep_0199"):
            self.client.register_plugin(plugin)
        self.client.register_handler(
            Callback("every message", MatchXPath("{jabber:client}message"), self._keep)
        )
        self.messages: list[Received] = []
        """All that came, in order, also those that nobody waited for."""
        self._read = 0
        self._came = asyncio.Event()
        self._tls = ssl.create_default_context(cafile=ca_file)

    @classmethod
    async def connect(cls, jid: str, password: str, *, host: str, port: int, ca_file: Path) -> Self:
        """Log in, be available, and return when the server knows it."""
        peer = cls(jid, password, ca_file)
        ready = asyncio.get_running_loop().create_future()

        def settle(error: Exception | None) -> None:
            if not ready.done():
                ready.set_exception(error) if error else ready.set_result(None)

        peer.client.add_event_handler("session_start", lambda _: settle(None))
        peer.client.add_event_handler("failed_all_auth", lambda _: settle(PermissionError(jid)))
        peer.client.connect(host, port)
        try:
            await asyncio.wait_for(ready, CONNECT_LIMIT_S)
        except BaseException:
            await peer.close()
            raise
        peer.client.send_presence()
        return peer

    @classmethod
    async def of(cls, server: Server, user: str) -> Self:
        """Log in as one of the private server's users."""
        return await cls.connect(
            server.jid(user),
            server.password(user),
            host="127.0.0.1",
            port=server.c2s_port,
            ca_file=server.ca_file,
        )

    async def close(self) -> None:
        """Log out."""
        await self.client.disconnect(wait=1.0)
        await asyncio.sleep(0.01)  # COMPAT(slixmpp, 1.17): its cancelled tasks need a turn to end

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def jid(self) -> str:
        """The full JID of this session."""
        return str(self.client.boundjid)

    @property
    def user(self) -> str:
        """The name of the account."""
        return str(self.client.boundjid.user)

    def say(self, text: str, to: str, *, mtype: MessageType = "chat") -> None:
        """Write a message."""
        self.client.send_message(mto=JID(to), mbody=text, mtype=mtype)

    async def until_taken(self) -> None:
        """Wait until the server has dealt with all that was written so far.

        It takes the stanzas of one stream in their order (RFC 6120 section 10.1): also a ping behind them.
        """
        await self.client.plugin["xep_0199"].ping(JID(self.client.boundjid.domain), timeout=20.0)

    async def join(self, room: str, nick: str, password: str = "") -> None:
        """Enter a room without its history; returns when one is in it (XEP-0045 section 7.2)."""
        await self.client.plugin["xep_0045"].join_muc_wait(
            JID(room), nick, password=password or None, maxstanzas=0, timeout=20.0
        )

    async def next_message(
        self, predicate: Callable[[Received], bool] = anything, timeout_s: float = 20.0
    ) -> Received:
        """The first fitting message after the one that was returned last; others are passed over.

        Raises TimeoutError and says what came instead.
        """

        def fitting() -> int | None:
            later = range(self._read, len(self.messages))
            return next((n for n in later if predicate(self.messages[n])), None)

        try:
            async with asyncio.timeout(timeout_s):
                while (found := fitting()) is None:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            came = [f"{message.sender}: {message.body!r}" for message in self.messages[self._read :]]
            raise TimeoutError(f"nothing fitting after {timeout_s} s, but {came}") from None
        self._read = found + 1
        return self.messages[found]

    async def upload(self, path: Path) -> str:
        """Put a file on the server's upload service and return its URL (XEP-0363)."""
        content = await asyncio.to_thread(path.read_bytes)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        slot = await self._slot(path.name, len(content), media_type)
        put, get = slot.find(f"{{{UPLOAD}}}put"), slot.find(f"{{{UPLOAD}}}get")
        if put is None or get is None:
            raise LookupError("the slot has no put or no get")
        headers = {header.attrib["name"]: header.text or "" for header in put}
        headers["Content-Type"] = media_type
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._tls)) as session,
            session.put(put.attrib["url"], data=io.BytesIO(content), headers=headers) as answer,
        ):
            answer.raise_for_status()
        return get.attrib["url"]

    async def drop(self, path: Path, to: str, *, mtype: MessageType = "chat") -> str:
        """Upload a file and send its URL as clients do (XEP-0066): the body and the URL are the same."""
        url = await self.upload(path)
        message = self.client.make_message(mto=JID(to), mbody=url, mtype=mtype)
        oob = SubElement(message.xml, f"{{{OOB}}}x")
        SubElement(oob, f"{{{OOB}}}url").text = url
        message.send()
        return url

    async def download(self, url: str) -> bytes:
        """Download a URL and return its content."""
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._tls)) as session,
            session.get(url) as answer,
        ):
            answer.raise_for_status()
            return await answer.read()

    async def _slot(self, name: str, size: int, media_type: str) -> Element:
        iq = self.client.make_iq_get(ito=JID(await self._upload_service()))
        request = {"filename": name, "size": str(size), "content-type": media_type}
        iq.append(Element(f"{{{UPLOAD}}}request", request))
        answer = await iq.send()  # type: ignore[no-untyped-call]
        slot: Element | None = answer.xml.find(f"{{{UPLOAD}}}slot")
        if slot is None:
            raise LookupError("the answer has no slot")
        return slot

    async def _upload_service(self) -> str:
        """The first item of the server that has the feature (XEP-0363 section 3)."""
        disco = self.client.plugin["xep_0030"]
        items = await disco.get_items(jid=JID(self.client.boundjid.domain))
        for jid, _, _ in items["disco_items"]["items"]:
            try:
                info = await disco.get_info(jid=JID(jid))
            except IqError:
                continue  # a component that is away just now
            if UPLOAD in info["disco_info"]["features"]:
                return str(jid)
        raise LookupError("the server has no upload service")

    def _keep(self, stanza: Any) -> None:
        url = stanza.xml.findtext(f"{{{OOB}}}x/{{{OOB}}}url")
        self.messages.append(
            Received(
                stanza.xml.get("from", ""),
                stanza.xml.get("type", "normal"),
                stanza["body"],
                url,
                str(stanza),
            )
        )
        self._came.set()
