"""Bytes that move: downloads, streams, HTTP and the upload service."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from filebot.model import (
    BareJid,
    Client,
    Entry,
    HttpRequest,
    HttpResponse,
    Method,
    Offer,
    ProxyState,
    Sender,
    Slot,
    StreamMethod,
)
from filebot.ports.blobs import Data


class Download(Protocol):
    """Incoming file, by whatever method."""

    @property
    def size(self) -> int | None:
        """Bytes of the whole file, as the other side announced them."""

    @property
    def name(self) -> str | None:
        """Name that the other side gives the file, raw."""

    @property
    def media_type(self) -> str | None:
        """Media type that the other side claims."""

    @property
    def late_hashes(self) -> Mapping[str, bytes]:
        """Hashes of the whole file that came after or beside the bytes, as in ``Offer.hashes``.

        To be read after the last chunk (XEP-0234, ``checksum``). Empty if the method has no such hashes, or
        if the peer sent none in time.
        """

    def chunks(self) -> AsyncGenerator[Data, None]:
        """Yield the bytes in order; a chunk belongs to the caller and does not change any more.

        Has back-pressure: while the caller takes none, reading from the network stops at a bound. A caller
        that stops early closes the generator. Raises PeerGone, TransferTimeout, Refused, SizeMismatch or
        PeerProtocolError.
        """


class StreamOffer(Protocol):
    """Offer of a file by a stream (XEP-0095, XEP-0096, XEP-0234), to be answered exactly once."""

    @property
    def sender(self) -> Sender:
        """Sender of the offer; the address is the full JID of the client."""

    @property
    def offer(self) -> Offer:
        """Description of the file. It has no URLs."""

    @property
    def language(self) -> str | None: ...

    @property
    def resumable(self) -> bool:
        """Whether the peer can begin at an offset (ranged transfers)."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Accept the file from ``offset`` on, where its chunks begin.

        Entering the context negotiates the stream; leaving it ends the session and frees everything. The
        bytes are checked against their hashes by then: a context that is left without an exception means
        that the file has arrived. Raises TransferError.
        """

    async def refuse(self, text: str) -> None:
        """Decline the offer, with words for the person."""


class FileRequest(Protocol):
    """Request for a file (XEP-0234, "Requesting a File"), to be answered exactly once."""

    @property
    def sender(self) -> Sender:
        """Sender of the request; the address is the full JID of the client."""

    @property
    def offer(self) -> Offer:
        """Description of the file: its name, hashes, or both. Nothing in it is checked."""

    @property
    def language(self) -> str | None: ...

    async def send(self, file: Path, entry: Entry, progress: Callable[[int], None]) -> Method:
        """Send the file, or the part that was asked for; as :meth:`Streams.send`."""

    async def refuse(self, text: str) -> None:
        """Decline the request, with words for the person."""


class Streams(Protocol):
    """Streams to clients that are online."""

    async def clients(self, jid: BareJid) -> Sequence[Client]:
        """Return the person's clients that take files by a stream, the one likeliest in use first.

        Each has the streams that the bot can do as well. Empty if the person is offline, or if the bot
        does not see their presence.
        """

    async def present(self, jid: BareJid) -> Sequence[Client]:
        """Return all of the person's clients that the bot sees online, in the same order.

        A client that takes no files by a stream has no streams.
        """

    def addresses(self) -> Sequence[str]:
        """Return the hosts at which clients can reach the bot directly, as the operator named them."""

    async def proxies(self) -> Mapping[str, ProxyState]:
        """Test the SOCKS5 proxies of the bot's server; return the state of each by JID.

        Takes some seconds at most. Never raises TransferError.
        """

    async def in_band_rate(self, to: str) -> float:
        """Measure the speed of in-band bytes to a client for a few seconds; return bytes per second.

        ``to`` is the full JID of a client that is online; for one that has left, its server would be
        measured. The client shows nothing, and little is sent. Raises PeerGone, TransferTimeout if nothing
        comes back, or PeerProtocolError.
        """

    async def send(
        self, to: str, file: Path, entry: Entry, way: StreamMethod, progress: Callable[[int], None]
    ) -> Method:
        """Offer a file to one client, wait for the person to accept, and send it.

        ``to`` is a full JID. Returns the method by which the file went, once the client has the last byte
        as far as that method can tell: SOCKS5 may fall back to in-band within the session. ``progress`` is
        called now and then with the position in the file, which begins where the client asks. Raises
        TransferError: Refused(403) if the person declines, PeerGone, TransferTimeout, PeerProtocolError.
        """


class UrlSource(Protocol):
    """Source of files behind URLs."""

    def get(
        self, url: str, offset: int = 0, *, hashed: bool = False
    ) -> AbstractAsyncContextManager[Download]:
        """Open a download, following redirects that the policy allows.

        Its chunks begin at ``offset``, whether or not the server can begin there (RFC 9110 section 14);
        its size is that of the whole file. Raises PeerProtocolError if the file is shorter than that.

        A broken connection is resumed only if the server shows that the file is still the same, or if the
        caller checks a hash of the whole file: ``hashed``, which an offset implies. Otherwise the chunks
        raise Unresumable.
        """


class HttpTransfer(UrlSource, Protocol):
    """HTTP client under the address policy. Its methods raise TransferError and its subclasses."""

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = ...
    ) -> None:
        """Upload a file, which must not change meanwhile; return when the server has it (any 2xx).

        ``moved`` is called now and then with the number of bytes sent so far.
        """

    async def request(self, request: HttpRequest, *, most_bytes: int, limit_s: float) -> HttpResponse:
        """Send a request and return the whole answer, with any status.

        Redirects of a GET are followed; a server of another origin is not sent the request's headers. An
        answer of more bytes, or one that takes longer, raises TransferError.
        """

    async def alive(self, url: str, size: int) -> bool | None:
        """Tell whether a file of this size is there, as far as can be told without reading it.

        None if the server was not reached or would not say.

        Never raises TransferError.
        """


class UploadService(Protocol):
    """Upload service of the bot's server (XEP-0363)."""

    async def size_limit(self) -> int | None:
        """Return the largest file in bytes; None if the service names no limit. Raises NoUploadService."""

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        """Request an upload slot. ``name`` is a safe display name.

        Raises NoUploadService, TooLargeForService, ServiceQuotaReached or ServiceRefused.
        """

    def hosts(self) -> frozenset[str]:
        """Return the host names known to serve this service's files; they grow with each slot."""
