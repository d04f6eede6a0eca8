"""Compressed bytes made to keep the bot busy: it gives them up in a moment."""

import gzip
import time

import pytest

from filebot.errors import PeerProtocolError
from filebot.transfer.http.content_coding import MOST_EMPTY_BYTES, Unpacker

EMPTY_MEMBERS = gzip.compress(b"") * (2 * MOST_EMPTY_BYTES // 20)


@pytest.mark.parametrize(
    ("codings", "packed"),
    [
        (("gzip",), EMPTY_MEMBERS),
        (("gzip", "gzip"), gzip.compress(EMPTY_MEMBERS)),
        (("deflate", "gzip"), gzip.compress(b"\x00\x00\x00\xff\xff" * MOST_EMPTY_BYTES)),
    ],
)
def test_bytes_of_which_nothing_comes_out_are_given_up(codings: tuple[str, ...], packed: bytes) -> None:
    began = time.process_time()

    with pytest.raises(PeerProtocolError):
        list(Unpacker(codings).unpack(packed))

    assert time.process_time() - began < 1.0


def test_a_file_of_many_members_is_whole() -> None:
    parts = [bytes([each % 256]) * each for each in range(600)]
    unpacker = Unpacker(("gzip",))

    found = b"".join(unpacker.unpack(b"".join(map(gzip.compress, parts))))

    unpacker.finish()
    assert found == b"".join(parts)
