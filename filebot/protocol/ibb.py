"""In-Band Bytestreams (XEP-0047) as two machines: values in, values out, time as an argument.

Theory of operation::

    IbbReceiver:  OPEN --block--> OPEN --the announced size is reached--> COMPLETE
                    |                                                        |
                    +--bad block, or a close too early--> raises             +--one more byte--> raises

    IbbSender:    a window of blocks in flight. Acknowledgements that come back about as fast as the
                  fastest let the window grow, and when it is wide, the blocks; one that took long halves
                  the window, and where that is one block already, the block itself.

A block is what one ``<data/>`` carries. Section 2.2: blocks are numbered modulo 65536 and processed in
the order of their arrival; the first bad one ends the stream.
"""

import binascii
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from filebot.errors import LocalProtocolError, PeerProtocolError, SizeMismatch
from filebot.protocol.xml import bounded_int

IBB: Final = "http://jabber.org/protocol/ibb"
LARGEST_BLOCK: Final = 65535
"""Section 2.1: ``block-size`` is at most this."""
SMALLEST_BLOCK: Final = 1024
"""Smallest block that is sent; a receiver that takes only less is sent nothing."""
USUAL_BLOCK: Final = 4096
"""Section 6 recommends it; every client takes it."""
FIRST_BLOCK: Final = 6144
"""Size of the first block, where the receiver takes it: it just fills one read of a server."""
OFFERED_BLOCK: Final = 16384
"""Size offered first where the server tells no limit for stanzas: some end a stream at 64 KiB."""
SEQUENCE: Final = 65536

_LARGEST_NUMBER: Final = 2**63 - 1
_AROUND_BYTES: Final = 8192
"""Upper bound of a stanza's bytes around the base64 of a block: two JIDs of 3071 bytes, and names."""
_SHORTEST_S: Final = 0.001
"""Shortest time that clocks measure reliably."""
_WHITESPACE: Final = str.maketrans("", "", " \t\r\n")


class BadBlock(PeerProtocolError):
    """A block that cannot be taken, and the stream ends. ``condition`` is the stanza error to answer."""

    def __init__(self, condition: str, why: str) -> None:
        super().__init__(why)
        self.condition = condition


def read_block_size(text: str | None) -> int:
    """The ``block-size`` of an ``<open/>``. Raises BadBlock if it is missing or no such number."""
    size = bounded_int(text, LARGEST_BLOCK)
    if not size:
        raise BadBlock("bad-request", f"block-size {text!r:.50}")
    return size


def first_block_size(most_stanza_bytes: int | None) -> int:
    """Return the size to offer first: as large as the server's limit for stanzas allows (XEP-0478)."""
    if most_stanza_bytes is None:
        return OFFERED_BLOCK
    fits = (most_stanza_bytes - _AROUND_BYTES) // 4 * 3
    return max(min(fits, LARGEST_BLOCK), SMALLEST_BLOCK)


def smaller_block_size(size: int) -> int | None:
    """Return the size to offer after ``resource-constraint`` (section 2.1); None to give up."""
    return max(size // 2, SMALLEST_BLOCK) if size > SMALLEST_BLOCK else None


def decode(text: str | None) -> bytes:
    """The bytes of one block. Raises BadBlock for everything that is not base64 (sections 2.2 and 7).

    Nothing at all is an empty block, and line breaks are taken, as in the XEP's own examples. What many
    decoders would skip is an error: foreign characters, padding within, padding that is missing.
    """
    if not text:
        return b""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        # binascii.Error is a ValueError, and so is the complaint about characters outside of ASCII.
        return _decode_patiently(text)


def _decode_patiently(text: str) -> bytes:
    packed = text.translate(_WHITESPACE)
    content = packed.rstrip("=")
    padding, needed = len(packed) - len(content), -len(content) % 4
    # COMPAT(old clients): pad signs beyond the needed ones at the very end do no harm.
    if needed == 3 or padding < needed:
        raise BadBlock("bad-request", "base64 of a wrong length")
    try:
        return binascii.a2b_base64(content + "=" * needed, strict_mode=True) if content else b""
    except ValueError as error:
        raise BadBlock("bad-request", "not base64") from error


class IbbReceiver:
    """Takes the blocks of one direction of a stream."""

    def __init__(self, block_size: int, expected_bytes: int | None) -> None:
        """``expected_bytes`` is what the sender promised: there the stream is complete, close or not.

        Without a promise (None) it is complete when it is closed.
        """
        self._block_size = block_size
        self._expected = expected_bytes
        self._next = 0
        self.received = 0
        """Bytes so far."""

    @property
    def complete(self) -> bool:
        """Whether all that was promised is there. COMPAT(Conversations): does not send a close."""
        return self._expected is not None and self.received >= self._expected

    def block(self, seq: str | None, text: str | None) -> bytes:
        """Return the bytes of the next block. Raises BadBlock, or SizeMismatch for more than announced."""
        number = bounded_int(seq, _LARGEST_NUMBER)
        if number is None:
            raise BadBlock("bad-request", f"seq {seq!r:.50}")
        # COMPAT(Conversations): counts on above 65535 where section 2.2 wants 0 again.
        if number % SEQUENCE != self._next:
            raise BadBlock("unexpected-request", f"block {number} in place of {self._next}")
        data = decode(text)
        if len(data) > self._block_size:
            raise BadBlock("bad-request", f"a block of {len(data)} bytes, agreed {self._block_size}")
        self._next = (self._next + 1) % SEQUENCE
        self.received += len(data)
        if self._expected is not None and self.received > self._expected:
            raise SizeMismatch(announced_bytes=self._expected, received_bytes=self.received)
        return data

    def closed(self) -> None:
        """Note that the sender closed the stream. Raises SizeMismatch if that is too early."""
        if self._expected is not None and not self.complete:
            raise SizeMismatch(announced_bytes=self._expected, received_bytes=self.received)


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Limits of the window, and of slow and fast round trips."""

    first_window: int = 2
    largest_window: int = 16
    """More gains nothing (it is the servers' work that takes the time) and delays everything else."""
    most_bytes: int = 128 * 1024
    """Bytes in flight: they queue up in a server that is fast at first and slow later."""
    slow_growth_bytes: int = 128 * 1024
    """Until so much is acknowledged, growth is slow: servers are generous at first. Prosody's mod_limits
    lets 20 kB pass, and then 10 kB/s."""
    fast_s: float = 0.25
    """A round trip below this is fast, whatever the fastest took."""
    slow_s: float = 1.0
    """A round trip above this, and much above the fastest one, means that blocks queue up somewhere, and
    with them every chat message on the same stream."""


@dataclass(slots=True)
class _InFlight:
    sent_at: float
    size: int


class IbbSender:
    """Numbers blocks, and decides how large the next one is and when it may go."""

    def __init__(self, block_size: int, pace: SendWindow | None = None) -> None:
        """``block_size`` is what was agreed; blocks may be smaller but never larger."""
        self._pace = pace or SendWindow()
        self._largest_block = block_size
        self._block = min(block_size, FIRST_BLOCK)
        self._window = self._pace.first_window
        self._in_flight: dict[int, _InFlight] = {}
        self._next = 0
        self._fastest_s: float | None = None
        self._grown = 0
        self._recovery_started_s = 0.0
        self.acknowledged = 0
        """Bytes that the receiver has."""

    @property
    def window(self) -> int:
        """Number of blocks that may be in flight now."""
        return self._window

    @property
    def in_flight(self) -> int:
        """Blocks sent and not acknowledged."""
        return len(self._in_flight)

    def room(self) -> int:
        """Bytes that the next block may carry; 0 while an acknowledgement has to come first."""
        return self._block if len(self._in_flight) < self._window else 0

    def sent(self, size: int, now: float) -> int:
        """Note that a block is sent; return its number."""
        if not 0 < size <= self._block or len(self._in_flight) >= self._window:
            raise LocalProtocolError("a block that the window has no room for")
        number = self._next
        self._next = (number + 1) % SEQUENCE
        self._in_flight[number] = _InFlight(now, size)
        return number

    def acked(self, number: int, now: float) -> None:
        """Note an acknowledgement. Raises PeerProtocolError if the block is not in flight."""
        block = self._in_flight.pop(number, None)
        if block is None:
            raise PeerProtocolError(f"acknowledges block {number}, which is not on its way")
        self.acknowledged += block.size
        took_s = max(now - block.sent_at, 0.0)
        self._fastest_s = took_s if self._fastest_s is None else min(self._fastest_s, took_s)
        if took_s > max(self._pace.slow_s, 4 * self._fastest_s):
            self._slow_down(block.sent_at, now)
        elif took_s <= max(self._pace.fast_s, 2 * self._fastest_s):
            self._speed_up()

    def _speed_up(self) -> None:
        """Widen the window if enough blocks were fast; at its limit, halve it and double the blocks."""
        self._grown += 1
        slow = self.acknowledged < self._pace.slow_growth_bytes
        if self._grown < (self._window if slow else self._window // 4):
            return
        self._grown = 0
        full = (self._window + 1) * self._block > self._pace.most_bytes
        if self._window < self._pace.largest_window and not full:
            self._window += 1
        elif self._block < self._largest_block:
            self._block = min(2 * self._block, self._largest_block)
            self._window = max(self._window // 2, 1)

    def _slow_down(self, sent_at: float, now: float) -> None:
        """Halve once for all blocks in flight together: the same queue delayed them."""
        if sent_at < self._recovery_started_s:
            return
        self._recovery_started_s, self._grown = now, 0
        if self._window > 1:
            self._window //= 2
        else:
            self._block = max(self._block // 2, min(SMALLEST_BLOCK, self._largest_block))


def steady_rate(samples: Sequence[tuple[float, int]]) -> float:
    """Bytes per second from times and the bytes acknowledged by then, both growing; the first is the start.

    A server that is generous at first and slow afterwards is believed in its second half: a longer transfer
    would see little else.
    """
    (start, none), (end, everything) = samples[0], samples[-1]
    half, by_then = next(each for each in samples if each[0] >= (start + end) / 2)
    overall = (everything - none) / max(end - start, _SHORTEST_S)
    later = (everything - by_then) / max(end - half, _SHORTEST_S)
    return min(overall, later) if everything > by_then else overall


def encode(data: bytes | memoryview) -> str:
    """Encode one block (RFC 4648 section 4)."""
    return b64encode(data).decode("ascii")
