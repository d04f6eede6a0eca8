"""SOCKS5 as bytestreams use it: no authentication, CONNECT to a hash (RFC 1928; XEP-0065 5.3.2, 6.3.2).

Both roles, bytes in and events out; how the bytes are cut into segments does not matter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto, unique
from typing import Final

from filebot.errors import LocalProtocolError, PeerProtocolError, Refused

# Theory of operation. Each side waits for the other in turn; only the client may have more to say at once,
# and what follows a handshake belongs to the file.
#
#   role    state     read                             sent                      next
#   client  -         -                                05 01 00 (``opening``)    METHOD
#   client  METHOD    05 00                            05 01 00 03 28 dst 00 00  REPLY
#   client  REPLY     05 00 rsv atyp address port      -                         ENDED, Done(rest)
#   client  REPLY     05 code                          -                         ENDED, raises Refused(code)
#   server  GREETING  05 n methods, 00 among them      05 00                     REQUEST
#   server  GREETING  05 n methods, 00 not among them  05 ff                     ENDED, Reject
#   server  REQUEST   05 01 rsv 03 28 dst port, known  05 00 00 03 28 dst port   ENDED, Done(rest)
#   server  REQUEST   another command, type or hash    05 code and zeros         ENDED, Reject
#   both    any       anything else                    -                         ENDED, PeerProtocolError

VERSION: Final = 5
_NO_AUTHENTICATION: Final = 0x00
_NO_METHOD: Final = 0xFF
_CONNECT: Final = 0x01
_SUCCEEDED: Final = 0x00
_IPV4: Final = 0x01
_NAME: Final = 0x03
_IPV6: Final = 0x04
_ADDRESS_BYTES: Final = {_IPV4: 4, _IPV6: 16}

# RFC 1928 section 6.
_NOT_ALLOWED: Final = 0x02
_COMMAND_NOT_SUPPORTED: Final = 0x07
_ADDRESS_TYPE_NOT_SUPPORTED: Final = 0x08

_HASH_BYTES: Final = 40
_REQUEST_BYTES: Final = 4 + 1 + _HASH_BYTES + 2
_HASH: Final = re.compile(rb"[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Bytes to write to the other side in one write: Prosody's proxy relies on it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Reject:
    """Rejection of the other side: write ``data``, then close."""

    data: bytes
    reason: str
    """For the log."""


@dataclass(frozen=True, slots=True)
class Done:
    """The handshake is over; ``rest`` came behind it and are the first bytes of the stream."""

    rest: bytes


Event = SendBytes | Reject | Done


@unique
class _State(Enum):
    METHOD = auto()
    REPLY = auto()
    GREETING = auto()
    REQUEST = auto()
    ENDED = auto()


class _Handshake:
    """Base of both roles: collects bytes until there are enough for a step."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[Event]:
        """Return the events of these bytes, in order. Raises PeerProtocolError or, as client, Refused."""
        if self._has_ended():
            raise LocalProtocolError("the handshake is over")
        self._buffer += data
        events: list[Event] = []
        try:
            while not self._has_ended() and (step := self._step()):
                events += step
        except BaseException:
            self._state = _State.ENDED
            raise
        return events

    def _has_ended(self) -> bool:
        return self._state is _State.ENDED

    def _step(self) -> list[Event]:
        """The events of one step; none while bytes are missing."""
        raise NotImplementedError

    def _check_version(self) -> None:
        # Checked at the first byte, so that HTTP or TLS on this port is not read to its end.
        if self._buffer and self._buffer[0] != VERSION:
            raise PeerProtocolError(f"not SOCKS5: {bytes(self._buffer[:8])!r}")

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _done(self) -> Done:
        self._state = _State.ENDED
        return Done(self._take(len(self._buffer)))


class ClientHandshake(_Handshake):
    """Client role: asks a stream host for the session of a hash. Write ``opening`` first, alone."""

    opening: Final = bytes((VERSION, 1, _NO_AUTHENTICATION))

    def __init__(self, dst_addr: str) -> None:
        super().__init__(_State.METHOD)
        address = dst_addr.encode("ascii", "replace")
        if not _HASH.fullmatch(address):
            raise LocalProtocolError("a destination is 40 hexadecimal digits")
        self._request = _with_name((VERSION, _CONNECT, 0), address, b"\0\0")

    def _step(self) -> list[Event]:
        self._check_version()
        return self._method() if self._state is _State.METHOD else self._reply()

    def _method(self) -> list[Event]:
        if len(self._buffer) < 2:
            return []
        method = self._take(2)[1]
        if method == _NO_METHOD:
            raise Refused(status=method)
        if method != _NO_AUTHENTICATION:
            raise PeerProtocolError(f"authentication method {method} was not offered")
        self._state = _State.REPLY
        return [SendBytes(self._request)]

    def _reply(self) -> list[Event]:
        # A refusal is plain from its second byte, and some say no more before they close.
        if len(self._buffer) >= 2 and self._buffer[1] != _SUCCEEDED:
            raise Refused(status=self._buffer[1])
        length = self._reply_bytes()
        if length is None or len(self._buffer) < length:
            return []
        # XEP-0065 5.3.2 wants BND.ADDR to be DST.ADDR; Pidgin gives its own address, so it is not compared.
        self._take(length)
        return [self._done()]

    def _reply_bytes(self) -> int | None:
        """Return the length of the whole reply; None while it is unknown."""
        if len(self._buffer) < 5:
            return None
        kind = self._buffer[3]
        if kind == _NAME:
            return 4 + 1 + self._buffer[4] + 2
        if kind not in _ADDRESS_BYTES:
            raise PeerProtocolError(f"address type {kind} in a reply")
        return 4 + _ADDRESS_BYTES[kind] + 2


class ServerHandshake(_Handshake):
    """Server role: accepts clients that know a session's hash. ``knows`` is asked in lower case."""

    destination: str
    """The hash that the client asked for, in lower case; there once Done is out."""

    def __init__(self, knows: Callable[[str], bool]) -> None:
        super().__init__(_State.GREETING)
        self._knows = knows

    def _step(self) -> list[Event]:
        self._check_version()
        return self._greeting() if self._state is _State.GREETING else self._request()

    def _greeting(self) -> list[Event]:
        if len(self._buffer) < 2 or len(self._buffer) < 2 + self._buffer[1]:
            return []
        methods = self._take(2 + self._buffer[1])[2:]
        if _NO_AUTHENTICATION not in methods:
            return [self._rejected(bytes((VERSION, _NO_METHOD)), "no method in common")]
        self._state = _State.REQUEST
        return [SendBytes(bytes((VERSION, _NO_AUTHENTICATION)))]

    def _request(self) -> list[Event]:
        head = self._buffer[:5]
        if len(head) > 1 and head[1] != _CONNECT:
            return [self._refusal(_COMMAND_NOT_SUPPORTED, f"command {head[1]}")]
        if len(head) > 3 and head[3] != _NAME:
            return [self._refusal(_ADDRESS_TYPE_NOT_SUPPORTED, f"address type {head[3]}")]
        if len(head) > 4 and head[4] != _HASH_BYTES:
            return [self._refusal(_NOT_ALLOWED, f"a name of {head[4]} bytes")]
        if len(self._buffer) < _REQUEST_BYTES:
            return []
        request = self._take(_REQUEST_BYTES)
        return self._answer(request[5:45], request[45:])

    def _answer(self, address: bytes, port: bytes) -> list[Event]:
        if not _HASH.fullmatch(address):
            return [self._refusal(_NOT_ALLOWED, "not a hash")]
        destination = address.decode("ascii").lower()
        if not self._knows(destination):
            return [self._refusal(_NOT_ALLOWED, "nobody expects this hash")]
        self.destination = destination
        # XEP-0065 5.3.2: BND is DST; Dino and Conversations compare it byte by byte.
        return [SendBytes(_with_name((VERSION, _SUCCEEDED, 0), address, port)), self._done()]

    def _refusal(self, code: int, reason: str) -> Reject:
        return self._rejected(bytes((VERSION, code, 0, _IPV4)) + bytes(4 + 2), reason)

    def _rejected(self, data: bytes, reason: str) -> Reject:
        self._state = _State.ENDED
        return Reject(data, reason)


def _with_name(head: tuple[int, int, int], address: bytes, port: bytes) -> bytes:
    """A request or reply that carries a name."""
    return bytes((*head, _NAME, len(address))) + address + port
