"""Large stanzas cut and filled up to what servers read at a time.

COMPAT(Prosody, 0.12): reads 8192 bytes from a connection, and where its TLS library then still holds
some of the same record, it sleeps for a millisecond or two before it takes them (``net/server_epoll.lua``,
``pausefor`` and ``min_wait``). Four such naps for each 16 KB took more time than all the rest of an in-band
transfer. So whatever is large goes out in TLS records of 8192 bytes each, and blocks are made to fill them;
the few bytes that are left are white space, which any server skips between stanzas (RFC 6120 section 11.7).
"""

from typing import Final

READ_BYTES: Final = 8192

SLACK_BYTES: Final = 96
"""Left free by :func:`room_for_data`: for what goes along with a stanza, such as acknowledgements of stream
management (70 bytes)."""

FILL_BYTES: Final = SLACK_BYTES + 32
"""Most white space behind a stanza: what was left free, and what a multiple of four and numbers that are
shorter than they may become leave."""


def room_for_data(most: int, around: int) -> int:
    """How many bytes of data, at most ``most``, fill whole reads in base64 with ``around`` bytes about it.

    Data that do not fill one read are not made less.
    """
    reads = (around + SLACK_BYTES + (most + 2) // 3 * 4) // READ_BYTES
    if not reads:
        return most
    return min(most, (reads * READ_BYTES - SLACK_BYTES - around) // 4 * 3)


def filled(data: bytes) -> bytes:
    """With white space up to a whole number of reads, if only little is missing."""
    missing = -len(data) % READ_BYTES
    return data + b" " * missing if missing <= FILL_BYTES else data


def cut(data: bytes) -> list[bytes]:
    """Into one piece for each read."""
    return [data[start : start + READ_BYTES] for start in range(0, len(data), READ_BYTES)]
