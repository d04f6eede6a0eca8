"""Bytes that move: downloads, streams, HTTP and the upload service."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from filebot.model import BareJid, Client, Entry, Method, Offer, ProxyState, Sender, Slot, StreamMethod
from filebot.ports.blobs import Data


class Download(Protocol):
    """A file on its way to us, by whatever method."""

    @property
    def size(self) -> int | None:
        """Bytes of the whole file, as announced by the other side."""

    @property
    def name(self) -> str | None:
        """The name that the other side gives the file, raw."""

    @property
    def media_type(self) -> str | None: ...

    @property
    def late_hashes(self) -> Mapping[str, bytes]:
        """Hashes of the whole file that came after or beside the bytes, as in ``Offer.hashes``.

        To be read after the last chunk (XEP-0234, ``checksum``). Empty where a method knows no such thing,
        and where the peer sent none in time.
        """

    def chunks(self) -> AsyncGenerator[Data, None]:
        """The bytes in order, each once; a piece belongs to the taker and does not change any more.

        While none is asked for, none is read from the network beyond a bound. Whoever stops early closes
        it. Raises PeerGone, TransferTimeout, Refused, SizeMismatch or PeerProtocolError.
        """


class StreamOffer(Protocol):
    """A file that a peer wants to send by a stream (XEP-0095, XEP-0096). Answer it exactly once."""

    @property
    def sender(self) -> Sender:
        """Who offers it; the address is the full JID of the client."""

    @property
    def offer(self) -> Offer:
        """What is said of the file. It has no URLs."""

    @property
    def language(self) -> str | None: ...

    @property
    def resumable(self) -> bool:
        """Whether the peer can begin at an offset (XEP-0096, ranged transfers)."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Take the file, from ``offset`` on; its chunks begin there. The stream is negotiated on entering.

        Leaving the context ends the session and frees all; by then the bytes are checked against their
        hashes, so leaving it without an exception means that the file has arrived. Raises TransferError.
        """

    async def refuse(self, text: str) -> None:
        """Decline (XEP-0096, forbidden), with words for the person."""


class FileRequest(Protocol):
    """A file that a peer asks for (XEP-0234, "Requesting a File"). Answer it exactly once."""

    @property
    def sender(self) -> Sender:
        """Who asks; the address is the full JID of the client."""

    @property
    def offer(self) -> Offer:
        """What is said of the file: its name, hashes, or both. Nothing in it is checked."""

    @property
    def language(self) -> str | None: ...

    async def send(self, file: Path, entry: Entry, progress: Callable[[int], None]) -> Method:
        """Send it, or the part that was asked for; as :meth:`Streams.send`."""

    async def refuse(self, text: str) -> None:
        """Decline, with words for the person."""


class Streams(Protocol):
    """Sending files by streams to clients that are online."""

    async def clients(self, jid: BareJid) -> Sequence[Client]:
        """The person's clients that take files by a stream, the likeliest to be used first.

        Each with the streams that the bot can do as well; none for who is offline or whose presence the
        bot does not see.
        """

    async def present(self, jid: BareJid) -> Sequence[Client]:
        """All of the person's clients that the bot sees online, in the same order.

        Those that take no files by a stream have none.
        """

    def addresses(self) -> Sequence[str]:
        """The hosts at which clients can reach the bot directly, as its operator named them; maybe none."""

    async def proxies(self) -> Mapping[str, ProxyState]:
        """The SOCKS5 proxies of the bot's server by JID, and whether each let the bot in just now.

        Takes some seconds at most. Never raises TransferError.
        """

    async def in_band_rate(self, to: str) -> float:
        """Measure for a few seconds how fast bytes go to a client in-band, in bytes per second.

        ``to`` is the full JID of a client that is online: of one that has left, its server would be
        measured. Nothing is shown there, and not much is sent. Raises PeerGone, TransferTimeout if nothing
        comes back, or PeerProtocolError.
        """

    async def send(
        self, to: str, file: Path, entry: Entry, way: StreamMethod, progress: Callable[[int], None]
    ) -> Method:
        """Offer the file to one client and send it; waits for the person to accept.

        ``to`` is a full JID. SOCKS5 may end up in-band, within the same session, where the client can do
        that: returns by which method the file went. ``progress`` is told how far in the file it is, now
        and then; it begins where the client asks, which may have a part already. Returns when the client
        has the last byte, as far as the method can tell. Raises TransferError: Refused(403) if the person
        declines, PeerGone, TransferTimeout, PeerProtocolError.
        """


class HttpTransfer(Protocol):
    """Moves files by HTTP under the address policy. Raises TransferError and what is under it."""

    def get(
        self, url: str, offset: int = 0, *, hashed: bool = False
    ) -> AbstractAsyncContextManager[Download]:
        """Open a download, following redirects that the policy allows.

        Its chunks begin at ``offset``, whether or not the server can begin there (RFC 9110 section 14);
        its size is that of the whole file. Raises PeerProtocolError if the file is shorter than that.

        What comes after a break is joined to what came before only if the server shows that it is of the
        same file, or if the caller checks a hash over the whole: ``hashed``, which an offset implies. Else
        the chunks raise Unresumable.
        """

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = ...
    ) -> None:
        """Upload a file, which must not change meanwhile; returns when the server has it (any 2xx).

        ``moved`` is told all bytes sent so far, now and then.
        """

    async def alive(self, url: str, size: int) -> bool:
        """Whether a file of this size is still there, as far as can be told without reading it.

        Never raises TransferError.
        """


class UploadService(Protocol):
    """HTTP file upload of the bot's server (XEP-0363)."""

    async def size_limit(self) -> int | None:
        """The largest file in bytes; None if the service names no limit. Raises NoUploadService."""

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        """Ask for a place. ``name`` is a safe display name.

        Raises NoUploadService, TooLargeForService, ServiceQuotaReached or ServiceRefused.
        """

    def hosts(self) -> frozenset[str]:
        """Host names known to serve this service's files; they grow as slots are given."""
