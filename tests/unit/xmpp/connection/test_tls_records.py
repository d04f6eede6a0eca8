"""Large stanzas fill what servers read at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.protocol.ibb import encode
from filebot.xmpp.connection.tls_records import FILL_BYTES, READ_BYTES, cut, filled, room_for_data


@given(st.integers(1, 65535), st.integers(8, 7000), st.integers(-8, 70))
def test_a_block_fills_whole_reads_or_is_left_as_it_is(most: int, around: int, along: int) -> None:
    """``along``: what goes along with the stanza, or is shorter in it than it may be."""
    room = room_for_data(most, around)
    assert 0 < room <= most
    stanza = b"<" * (around + along) + encode(bytes(room)).encode()
    if room < most:
        assert len(filled(stanza)) % READ_BYTES == 0
        assert filled(stanza).rstrip(b" ") == stanza
    elif len(stanza) + FILL_BYTES < READ_BYTES:
        assert filled(stanza) == stanza


@pytest.mark.parametrize(("size", "pieces"), [(1, [1]), (8192, [8192]), (20000, [8192, 8192, 3616])])
def test_what_is_large_is_cut_by_reads(size: int, pieces: list[int]) -> None:
    data = bytes(range(256)) * 100
    assert [len(piece) for piece in cut(data[:size])] == pieces
    assert b"".join(cut(data[:size])) == data[:size]
