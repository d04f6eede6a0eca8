"""A byte stream: an established connection, to be used once, in one direction."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from filebot.transfer.socks5.receive import StreamDownload
from filebot.transfer.socks5.send import send_file
from filebot.transfer.socks5.socket import Connection


class ByteStream:
    """Owns the connection: leaving the context closes it."""

    def __init__(self, connection: Connection, *, idle_s: float) -> None:
        """``idle_s``: how long nothing may move before TransferTimeout is raised."""
        self._connection = connection
        self._idle_s = idle_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def download(
        self,
        *,
        size: int | None,
        name: str | None = None,
        media_type: str | None = None,
        offset: int = 0,
    ) -> StreamDownload:
        """The file that comes, as a :class:`filebot.ports.Download`.

        ``size`` is that of the whole file as announced; its bytes begin at ``offset``. Without a size the
        end of the stream is the end of the file.
        """
        return StreamDownload(
            self._connection,
            size=size,
            name=name,
            media_type=media_type,
            offset=offset,
            idle_s=self._idle_s,
        )

    async def send_file(self, path: Path, offset: int, size: int, progress: Callable[[int], None]) -> None:
        """Send ``size`` bytes of the file from ``offset`` on, and end the stream.

        ``progress`` is called with the offset of the next byte to send, often. Returns when the other side
        has confirmed every byte and closed, or would have had time to. Raises PeerGone, TransferTimeout,
        BlobCorrupt if the file is gone or too short, or StorageError if it cannot be opened.
        """
        await send_file(self._connection.sock, path, offset, size, progress, self._idle_s)
