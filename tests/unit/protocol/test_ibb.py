"""In-band bytestreams (XEP-0047): blocks are taken in order or not at all, and sent in a bounded window."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.errors import LocalProtocolError, PeerProtocolError, SizeMismatch
from filebot.protocol.ibb import (
    LARGEST_BLOCK,
    SMALLEST_BLOCK,
    USUAL_BLOCK,
    BadBlock,
    IbbReceiver,
    IbbSender,
    SendWindow,
    decode,
    encode,
    first_block_size,
    read_block_size,
    smaller_block_size,
    steady_rate,
)

# The data of the examples in XEP-0047 section 2.2, with the white space that stands around it there.
EXAMPLE = """
    qANQR1DBwU4DX7jmYZnncmUQB/9KuKBddzQH+tZ1ZywKK0yHKnq57kWq+RFtQdCJ
    WpdWpR0uQsuJe7+vh3NWn59/gTc5MDlX8dS9p0ovStmNcyLhxVgmqS8ZKhsblVeu
    IpQ0JgavABqibJolc3BKrVtVV1igKiX/N7Pi8RtY1K18toaMDhdEfhBRzO/XB0+P
    AQhYlRjNacGcslkhXqNjK5Va4tuOAPy2n1Q8UUrHbUd0g+xJ9Bm0G0LZXyvCWyKH
    kuNEHFQiLuCY6Iv0myq6iX6tjuHehZlFSh80b5BVV9tNLwNR5Eqz1klxMhoghJOA
  """


def condition(raised: pytest.ExceptionInfo[BadBlock]) -> str:
    return raised.value.condition


# --- base64 ------------------------------------------------------------------------------------------


def test_the_example_of_the_xep_is_read() -> None:
    assert IbbReceiver(USUAL_BLOCK, 240).block("0", EXAMPLE)[:4] == b"\xa8\x03PG"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (None, b""),
        ("", b""),
        ("QUJD", b"ABC"),
        ("QUI=", b"AB"),
        ("QQ==", b"A"),
        ("QUJD=", b"ABC"),
        ("QUJD====", b"ABC"),
        ("=", b""),
        (" QU\r\nJD\t", b"ABC"),
    ],
)
def test_what_is_base64_is_taken(text: str | None, data: bytes) -> None:
    assert decode(text) == data


@pytest.mark.conformance(77)
@pytest.mark.parametrize(
    "text", ["QUI", "Q", "QQ=", "=AAA", "BBBB=CCC", "QQ==QQ==", "QU-_", "QU*D", "QÜJD", "Q\0JD"]
)
def test_what_is_not_base64_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadBlock) as raised:
        decode(text)
    assert condition(raised) == "bad-request"


@given(st.text())
def test_any_text_is_bytes_or_a_bad_block(text: str) -> None:
    with suppress(BadBlock):
        decode(text)


@given(st.binary(max_size=5000))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    assert decode(encode(data)) == data == decode(encode(memoryview(data)))


# --- receiving ---------------------------------------------------------------------------------------


@pytest.mark.conformance(79)
def test_blocks_in_order_complete_the_file_without_a_close() -> None:
    receiver = IbbReceiver(4, 6)
    assert not receiver.complete
    assert receiver.block("0", "QUJDRA==") == b"ABCD"
    with pytest.raises(SizeMismatch):
        receiver.closed()
    assert receiver.block("1", "RUY=") == b"EF"
    assert receiver.complete
    receiver.closed()


@pytest.mark.parametrize("seq", [None, "", "-1", "x", "0x1", "1.0", "9" * 5000, "٣"])
def test_a_sequence_that_is_no_number_is_a_bad_request(seq: str | None) -> None:
    with pytest.raises(BadBlock) as raised:
        IbbReceiver(4, 6).block(seq, "QQ==")
    assert condition(raised) == "bad-request"


@pytest.mark.parametrize("seq", ["0", "2", "65535"])
def test_out_of_order_is_unexpected(seq: str) -> None:
    receiver = IbbReceiver(4, 6)
    receiver.block("0", "QQ==")
    with pytest.raises(BadBlock) as raised:
        receiver.block(seq, "QQ==")
    assert condition(raised) == "unexpected-request"


@pytest.mark.conformance(73)
@pytest.mark.parametrize("wraps", [True, False])
def test_numbers_may_wrap_or_not(*, wraps: bool) -> None:
    receiver = IbbReceiver(1, 70_000)
    for number in range(70_000):
        receiver.block(str(number % 65536 if wraps else number), "QQ==")
    assert receiver.complete


def test_a_block_over_the_agreed_size_is_a_bad_request() -> None:
    with pytest.raises(BadBlock) as raised:
        IbbReceiver(2, 100).block("0", "QUJD")
    assert condition(raised) == "bad-request"


def test_more_than_was_promised_is_a_mismatch() -> None:
    receiver = IbbReceiver(4, 1)
    receiver.block("0", "QQ==")
    receiver.block("1", "")
    with pytest.raises(SizeMismatch):
        receiver.block("2", "QQ==")


@given(st.lists(st.tuples(st.none() | st.text() | st.integers(0, 3).map(str), st.none() | st.text())))
def test_any_blocks_are_bytes_or_a_protocol_error(blocks: list[tuple[str | None, str | None]]) -> None:
    receiver = IbbReceiver(8, 16)
    for seq, text in blocks:
        try:
            assert len(receiver.block(seq, text)) <= 8
        except PeerProtocolError:
            return
        assert receiver.received <= 16


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 100))
def test_a_file_cut_into_blocks_is_the_same_file(data: bytes, size: int) -> None:
    receiver = IbbReceiver(size, len(data))
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    came = [receiver.block(str(number), b64encode(block).decode()) for number, block in enumerate(blocks)]
    assert b"".join(came) == data
    assert receiver.complete


# --- block sizes -------------------------------------------------------------------------------------


@pytest.mark.conformance(72)
@pytest.mark.parametrize(("text", "size"), [("1", 1), ("4096", 4096), ("61440", 61440), ("65535", 65535)])
def test_block_sizes_up_to_the_largest_are_taken(text: str, size: int) -> None:
    assert read_block_size(text) == size  # COMPAT(Spark): 61440


@pytest.mark.parametrize("text", [None, "", "0", "-1", "65536", "four"])
def test_other_block_sizes_are_bad_requests(text: str | None) -> None:
    with pytest.raises(BadBlock) as raised:
        read_block_size(text)
    assert condition(raised) == "bad-request"


@pytest.mark.conformance(72)
def test_the_offered_size_is_halved_down_to_the_smallest() -> None:
    sizes = [LARGEST_BLOCK]
    while (smaller := smaller_block_size(sizes[-1])) is not None:
        sizes.append(smaller)
    assert sizes == [65535, 32767, 16383, 8191, 4095, 2047, 1024]


# --- sending -----------------------------------------------------------------------------------------


def exchange(sender: IbbSender, seconds: float, *, round_trip_s: float, now: float = 0.0) -> float:
    """Send whatever the window lets through, and acknowledge each block after the round trip."""
    flying: list[tuple[float, int]] = []
    end = now + seconds
    while now < end:
        while size := sender.room():
            flying.append((now + round_trip_s, sender.sent(size, now)))
        now, number = flying.pop(0)
        sender.acked(number, now)
    while flying:
        now, number = flying.pop(0)
        sender.acked(number, now)
    return now


@pytest.mark.parametrize(
    ("limit", "offered"),
    [(None, 16384), (262144, 65535), (65536, 43008), (10000, 1356), (0, 1024), (-1, 1024)],
)
def test_the_offered_block_is_as_large_as_the_server_lets_stanzas_be(
    limit: int | None, offered: int
) -> None:
    assert first_block_size(limit) == offered


def test_the_window_starts_small_and_holds() -> None:
    sender = IbbSender(USUAL_BLOCK)
    assert [sender.sent(sender.room(), 0.0) for _ in range(2)] == [0, 1]
    assert sender.room() == 0
    with pytest.raises(LocalProtocolError):
        sender.sent(1, 0.0)
    sender.acked(0, 0.1)
    assert sender.room() == USUAL_BLOCK
    assert (sender.in_flight, sender.acknowledged) == (1, 4096)


def test_it_grows_while_round_trips_stay_flat_up_to_its_bounds() -> None:
    sender = IbbSender(USUAL_BLOCK)
    exchange(sender, 60.0, round_trip_s=0.01)
    assert sender.window == 16
    larger = IbbSender(16384)
    exchange(larger, 60.0, round_trip_s=0.01)
    assert larger.room() == 16384
    assert larger.window * larger.room() <= SendWindow().most_bytes


def test_a_long_way_is_no_reason_to_be_slow() -> None:
    sender = IbbSender(USUAL_BLOCK)
    exchange(sender, 300.0, round_trip_s=1.5)
    assert sender.window == 16


@pytest.mark.conformance(78)
def test_it_shrinks_when_blocks_begin_to_queue() -> None:
    sender = IbbSender(USUAL_BLOCK)
    now = exchange(sender, 10.0, round_trip_s=0.01)
    exchange(sender, 3.0, round_trip_s=3.0, now=now)
    assert sender.window == 8  # once for all that waited in the same queue
    exchange(sender, 300.0, round_trip_s=3.0, now=now + 10)
    assert (sender.window, sender.room()) == (1, SMALLEST_BLOCK)


@pytest.mark.conformance(73)
def test_numbers_wrap_after_65535() -> None:
    sender = IbbSender(1)
    numbers = []
    for _ in range(65537):
        numbers.append(sender.sent(1, 0.0))
        sender.acked(numbers[-1], 0.0)
    assert numbers[-2:] == [65535, 0]


def test_an_acknowledgement_of_nothing_is_an_error() -> None:
    sender = IbbSender(USUAL_BLOCK)
    sender.sent(1, 0.0)
    sender.acked(0, 0.0)
    with pytest.raises(PeerProtocolError):
        sender.acked(0, 0.0)
    with pytest.raises(PeerProtocolError):
        sender.acked(7, 0.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 10)), max_size=200), st.integers(1, 65535))
def test_in_any_order_of_events_the_window_holds(events: list[tuple[int, float]], size: int) -> None:
    sender, now, flying = IbbSender(size), 0.0, list[int]()
    for choice, later in events:
        now += later
        if room := sender.room():
            assert 0 < room <= size
            flying.append(sender.sent(room, now))
        elif flying:
            sender.acked(flying.pop(choice % len(flying)), now)
        assert sender.in_flight == len(flying) <= 16
        assert 1 <= sender.window <= 16


# --- the rate ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        ([(10.0, 0), (11.0, 1000), (12.0, 2000), (13.0, 3000)], 1000),
        ([(0.0, 0), (0.1, 20_000), (2.0, 21_000), (4.0, 23_000)], 1000),  # generous at first
        ([(0.0, 0), (2.0, 100), (4.0, 8100)], 2025),  # not carried away by a good end
        ([(0.0, 0), (2.0, 4096)], 2048),  # one block
        ([(0.0, 0), (1.0, 1000), (1.0, 2000)], 2000),
    ],
)
def test_a_rate_is_what_goes_through_for_long(samples: list[tuple[float, int]], rate: float) -> None:
    assert steady_rate(samples) == pytest.approx(rate)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 65535)), min_size=1, max_size=50))
def test_a_rate_is_never_negative_nor_endless(steps: list[tuple[float, int]]) -> None:
    now, done, samples = 100.0, 0, [(100.0, 0)]
    for took, size in steps:
        now, done = now + took, done + size
        samples.append((now, done))
    assert 0 <= steady_rate(samples) <= done * 1000
