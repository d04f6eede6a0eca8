"""SOCKS5 handshakes: both roles, in any segments, against friends and nonsense."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.errors import LocalProtocolError, PeerProtocolError, Refused
from filebot.protocol.socks5 import ClientHandshake, Done, Event, Reject, SendBytes, ServerHandshake

DST = "972b7bf47291ca609517f67f86b5081086052dad"
GREETING = b"\x05\x01\x00"
CONNECT = b"\x05\x01\x00\x03\x28" + DST.encode() + b"\0\0"
ECHO = b"\x05\x00\x00\x03\x28" + DST.encode() + b"\0\0"

Machine = ClientHandshake | ServerHandshake


def server() -> ServerHandshake:
    return ServerHandshake(lambda destination: destination == DST)


def fed(machine: Machine, data: bytes, cuts: list[int]) -> list[Event]:
    """All events when the bytes come in these segments; what follows the end joins its rest."""
    events: list[Event] = []
    for start, end in pairwise([0, *sorted(cuts), len(data)]):
        match events:
            case [*before, Done(rest)]:
                events = [*before, Done(rest + data[start:end])]
            case [*_, Reject()]:
                break
            case _:
                events += machine.receive(data[start:end])
    return events


def cuts_of(length: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, length), max_size=8)


@pytest.mark.conformance(62)
def test_the_client_greets_alone_then_asks_alone_in_47_bytes() -> None:
    client = ClientHandshake(DST)
    assert client.opening == GREETING
    assert client.receive(b"\x05\x00") == [SendBytes(CONNECT)]
    assert len(CONNECT) == 47
    assert client.receive(ECHO) == [Done(b"")]


@pytest.mark.conformance(61, 63)
@pytest.mark.parametrize(
    "reply",
    [
        ECHO,
        b"\x05\x00\x00\x03\x0b192.168.1.7\x1f\x40",  # Pidgin's own address as a name
        b"\x05\x00\x00\x03\x00\x00\x00",
        b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00",
        b"\x05\x00\x07\x04" + bytes(18),
    ],
)
@given(data=st.data())
def test_the_client_takes_any_address_in_a_reply_in_any_segments(reply: bytes, data: st.DataObject) -> None:
    said = b"\x05\x00" + reply + b"the file"
    events = fed(ClientHandshake(DST), said, data.draw(cuts_of(len(said))))
    assert events == [SendBytes(CONNECT), Done(b"the file")]


@given(data=st.data())
def test_the_server_lets_a_known_hash_in_in_any_segments(data: st.DataObject) -> None:
    said = b"\x05\x03\x02\x00\x80" + CONNECT + b"the file"
    machine = server()
    events = fed(machine, said, data.draw(cuts_of(len(said))))
    assert events == [SendBytes(b"\x05\x00"), SendBytes(ECHO), Done(b"the file")]
    assert machine.destination == DST


@pytest.mark.conformance(60)
def test_the_server_echoes_what_it_was_asked_for_byte_by_byte() -> None:
    """In the client's own capitals and with its port; the session is found all the same."""
    asked = b"\x05\x01\x00\x03\x28" + DST.upper().encode() + b"\x12\x34"
    machine = server()
    machine.receive(GREETING)
    assert machine.receive(asked) == [SendBytes(b"\x05\x00" + asked[2:]), Done(b"")]
    assert machine.destination == DST


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (b"\x05\x02", 7),  # BIND
        (b"\x05\x03\x00", 7),  # UDP ASSOCIATE
        (b"\x05\x01\x00\x01", 8),  # an IPv4 address
        (b"\x05\x01\x00\x04", 8),
        (b"\x05\x01\x00\x03\x09", 2),  # "localhost"
        (b"\x05\x01\x00\x03\x28" + b"0" * 40 + b"\0\0", 2),  # nobody's hash
        (b"\x05\x01\x00\x03\x28" + b"\xff" * 40 + b"\0\0", 2),
    ],
)
@given(data=st.data())
def test_the_server_turns_away_what_it_does_not_serve(asked: bytes, code: int, data: st.DataObject) -> None:
    said = GREETING + asked
    *_, last = fed(server(), said, data.draw(cuts_of(len(said))))
    assert isinstance(last, Reject)
    assert last.data == bytes((5, code, 0, 1, 0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("greeting", [b"\x05\x00", b"\x05\x01\x02", b"\x05\x02\x01\x02"])
def test_the_server_wants_no_authentication(greeting: bytes) -> None:
    (event,) = server().receive(greeting)
    assert isinstance(event, Reject)
    assert event.data == b"\x05\xff"


@pytest.mark.parametrize("said", [b"\x05\xff", b"\x05\x00\x05\x01", b"\x05\x00\x05\x05\x00\x01"])
def test_a_refusal_is_told_from_nonsense(said: bytes) -> None:
    with pytest.raises(Refused) as caught:
        ClientHandshake(DST).receive(said)
    assert caught.value.status == (said[1] if len(said) == 2 else said[3])


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 400 Bad Request", b"\x04", b"\x05\x02", b"\x05\x00H", b"\x05\x00\x05\x00\x00\x02\x00"],
)
def test_what_is_no_socks_server_is_known_at_once(said: bytes) -> None:
    with pytest.raises(PeerProtocolError):
        ClientHandshake(DST).receive(said)


@pytest.mark.parametrize("said", [b"G", b"\x16\x03\x01", b"\x04\x01", GREETING + b"\x04"])
def test_what_is_no_socks_client_is_known_at_once(said: bytes) -> None:
    with pytest.raises(PeerProtocolError):
        server().receive(said)


LIKELY = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [b"\x05", b"\x00", b"\x01", b"\x03", b"\x28", GREETING, CONNECT, ECHO, DST.encode()]
        ),
        max_size=12,
    ).map(b"".join),
)


@given(said=LIKELY, data=st.data(), as_client=st.booleans())
def test_any_bytes_in_any_segments_end_in_an_event_or_an_error_of_the_peer(
    said: bytes, data: st.DataObject, *, as_client: bool
) -> None:
    machine: Machine = ClientHandshake(DST) if as_client else server()
    allowed = (PeerProtocolError, Refused) if as_client else (PeerProtocolError,)
    try:
        events = fed(machine, said, data.draw(cuts_of(len(said))))
    except allowed:
        return
    sent = sum(len(event.data) for event in events if isinstance(event, SendBytes))
    assert sent <= 2 + 47
    assert not any(isinstance(event, Done | Reject) for event in events[:-1])


@given(said=LIKELY, data=st.data(), as_client=st.booleans())
def test_segments_make_no_difference(said: bytes, data: st.DataObject, *, as_client: bool) -> None:
    def outcome(cuts: list[int]) -> object:
        machine: Machine = ClientHandshake(DST) if as_client else server()
        try:
            return fed(machine, said, cuts)
        except (PeerProtocolError, Refused) as error:
            return type(error)

    assert outcome(data.draw(cuts_of(len(said)))) == outcome([])


def test_using_it_after_its_end_is_our_own_mistake() -> None:
    machine = server()
    machine.receive(GREETING + CONNECT)
    with pytest.raises(LocalProtocolError):
        machine.receive(b"x")
    client = ClientHandshake(DST)
    with pytest.raises(PeerProtocolError):
        client.receive(b"HTTP")
    with pytest.raises(LocalProtocolError):
        client.receive(b"/1.1")


@pytest.mark.parametrize("dst", ["", "0" * 39, "g" * 40, "é" * 40])
def test_a_destination_is_a_hash(dst: str) -> None:
    with pytest.raises(LocalProtocolError):
        ClientHandshake(dst)
