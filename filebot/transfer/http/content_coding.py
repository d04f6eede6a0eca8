"""Content codings (RFC 9110 section 8.4.1): files that come compressed although nobody asked for that.

The bot asks for ``identity``; some servers compress all the same, and the file is what comes out. It is
unpacked piece by piece: nothing larger than a piece is in memory, and how much may come out in all is up to
who counts the bytes.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Final, Protocol

from filebot.errors import PeerProtocolError

PIECE_BYTES: Final = 256 * 1024
"""The largest piece given out."""
_MOST_CODINGS: Final = 2
_SLICE_BYTES: Final = 16 * 1024
"""Input that is handed over at once: zlib copies what is left of it for each member and piece."""
MOST_EMPTY_BYTES: Final = 1024 * 1024
"""Input without any output: a file has none of that, but a peer can make it up to keep the bot busy."""

# Not codings at all, or not of the file: some servers name the charset here.
_UNKNOWN: Final = frozenset({"compress", "x-compress", "zstd", "dcb", "dcz"})

_GZIP_MAGIC: Final = b"\x1f\x8b"

# Apache's ``AddEncoding x-gzip .gz .tgz`` describes the file, which stays as it is: so do Firefox
# (``nsHttpChannel::ClearBogusContentEncodingIfNeeded`` by the type, ``ApplyDecodingForExtension`` by the
# name) and Chromium (``FixupEncodingTypes`` in ``net/filter/filter.cc``, by both); curl unpacks nothing
# without ``--compressed``.
_GZIP_TYPES: Final = frozenset(
    {"application/gzip", "application/x-gzip", "application/x-gunzip", "application/x-compressed-tar"}
)
_PACKED_NAMES: Final = {
    "gzip": (".gz", ".tgz", ".svgz", ".emz", ".wmz"),
    "br": (".br",),
    "deflate": (),
}


class Layer(Protocol):
    """One coding that is undone."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes out next. Raises PeerProtocolError if it is not of this coding."""

    def finish(self) -> None:
        """Raise PeerProtocolError if the end is missing."""


class Unpacker:
    """Codings of one file, undone in the order opposite to that of their names."""

    def __init__(self, codings: tuple[str, ...]) -> None:
        """Raises PeerProtocolError for a coding that cannot be undone here."""
        self._layers = [_LAYERS[coding]() for coding in reversed(codings)]

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Yield the pieces of the file that come out of some more bytes."""
        pieces: Iterator[bytes] = iter((data,))
        for layer in self._layers:
            pieces = _through(layer, pieces)
        return pieces

    def finish(self) -> None:
        """Raise PeerProtocolError if the end is missing."""
        for layer in self._layers:
            layer.finish()


def codings_of(headers: Mapping[str, str], name: str | None, media_type: str | None) -> tuple[str, ...]:
    """Return the codings to undo of an answer. Raises PeerProtocolError if that is not possible."""
    named = [each.strip().lower() for each in headers.get("Content-Encoding", "").split(",")]
    found = [each.removeprefix("x-") for each in named if each.removeprefix("x-") in _PACKED_NAMES]
    if len(found) > _MOST_CODINGS or _UNKNOWN.intersection(named):
        raise PeerProtocolError("a content coding that was not asked for")
    if len(found) == 1 and (
        (name or "").lower().endswith(_PACKED_NAMES[found[0]])
        or (found == ["gzip"] and media_type in _GZIP_TYPES)
    ):
        return ()
    return tuple(found)


def _through(layer: Layer, pieces: Iterator[bytes]) -> Iterator[bytes]:
    empty_bytes = 0
    for piece in pieces:
        for start in range(0, len(piece), _SLICE_BYTES):
            part = piece[start : start + _SLICE_BYTES]
            empty_bytes += len(part)
            for unpacked in layer.unpack(part):
                empty_bytes = 0
                yield unpacked
            if empty_bytes > MOST_EMPTY_BYTES:
                raise PeerProtocolError("nothing comes out of the compressed file")


class _Zlib:
    """``gzip`` of any number of members, or ``deflate`` with or without the header of zlib."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._start: bytes | None = b""
        """The first bytes, until there are enough to tell what follows."""
        self._machine: zlib._Decompress | None = None
        """None for bytes that are not compressed at all, whatever the header said."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        if self._start is not None:
            data, self._start = self._start + data, None
            if len(data) < len(_GZIP_MAGIC):
                self._start = data
                return
            self._machine = self._begun(data)
        if self._machine is None:
            yield data
            return
        while True:
            if self._machine.eof:
                # Padding and garbage behind the last member are left out, as gzip does.
                if not self._gzip or not data.startswith(_GZIP_MAGIC):
                    return
                self._machine = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                piece = self._machine.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise PeerProtocolError(f"not of its content coding: {error}") from error
            if piece:
                yield piece
            data = self._machine.unused_data if self._machine.eof else self._machine.unconsumed_tail
            if not data and len(piece) < PIECE_BYTES:
                return

    def finish(self) -> None:
        if self._machine is not None and not self._machine.eof:
            raise PeerProtocolError("the end of the compressed file is missing")

    def _begun(self, data: bytes) -> "zlib._Decompress | None":
        if self._gzip:
            return zlib.decompressobj(16 + zlib.MAX_WBITS) if data.startswith(_GZIP_MAGIC) else None
        # COMPAT(old IIS): sends deflate without the header (RFC 9110 section 8.4.1.2).
        has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


class _Brotli:
    """``br``, where a library is installed that can bound what comes out (Brotli 1.2)."""

    def __init__(self) -> None:
        library = _brotli()
        self._error: type[Exception] = library.error
        self._machine = library.Decompressor()

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                piece = self._machine.process(data, output_buffer_limit=PIECE_BYTES)
            except self._error as error:
                raise PeerProtocolError("not of its content coding") from error
            if piece:
                yield piece
            if self._machine.can_accept_more_data() or self._machine.is_finished():
                return
            data = b""

    def finish(self) -> None:
        if not self._machine.is_finished():
            raise PeerProtocolError("the end of the compressed file is missing")


def _brotli() -> ModuleType:
    try:
        library = import_module("brotli")  # it need not be installed
    except ImportError:
        raise PeerProtocolError("the content coding br was not asked for") from None
    if not hasattr(library.Decompressor, "can_accept_more_data"):
        raise PeerProtocolError("this brotli cannot bound what comes out")
    return library


_LAYERS: Final[Mapping[str, Callable[[], Layer]]] = {
    "gzip": lambda: _Zlib(gzip=True),
    "deflate": lambda: _Zlib(gzip=False),
    "br": _Brotli,
}
