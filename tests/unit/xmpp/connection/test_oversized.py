"""Nothing goes out that is larger than the server takes."""

from xml.etree.ElementTree import SubElement

import pytest
from slixmpp.exceptions import IqError
from slixmpp.features.feature_limits.limits import Limits
from slixmpp.stanza import Message
from slixmpp.xmlstream import tostring

from filebot.xmpp.bytestreams.ibb_sender import IbbStreamSender
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.connection.stream_setup import build

ANNA = "anna@example.org/phone"


@pytest.fixture
async def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return []


@pytest.fixture
async def stream(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> Stream:
    """A stream that is connected to nothing; what would leave it goes to ``sent``."""
    made = build(SessionSettings("bot@example.org", "secret", host="127.0.0.1", port=1))
    made._session_started = True
    monkeypatch.setattr(made, "send_raw", sent.append)

    def queued(item: tuple[object, bool]) -> None:
        text = item[0] if isinstance(item[0], str) else tostring(item[0].xml, xmlns="jabber:client")  # type: ignore[attr-defined]
        sent.append(text)

    monkeypatch.setattr(made.waiting_queue, "put_nowait", queued)
    return made


def message(stream: Stream, size: int) -> Message:
    return stream.make_message(ANNA, "x" * size, mtype="chat")


async def test_a_message_that_the_server_does_not_take_is_told_of_instead(
    stream: Stream, sent: list[str]
) -> None:
    unsent: list[Message] = []
    stream.on_unsent = unsent.append
    message(stream, 9_000).send()
    assert len(sent) == 1
    large = message(stream, 10_000)
    large.send()
    assert len(sent) == 1
    assert unsent == [large]


@pytest.mark.parametrize(
    ("announced", "passes"), [(None, False), (262_144, True), (20_000, False), (0, False)]
)
async def test_the_bound_is_what_the_server_announces(
    stream: Stream, sent: list[str], announced: int | None, *, passes: bool
) -> None:
    vars(stream)["limits"] = Limits(max_bytes=announced)
    message(stream, 20_000).send()
    assert (len(sent) == 1) is passes


async def test_a_request_that_is_too_large_fails_at_once(stream: Stream, sent: list[str]) -> None:
    iq = stream.make_iq_set(ito=ANNA)
    SubElement(iq.xml, "{urn:example}large").text = "x" * 10_000
    with pytest.raises(IqError) as raised:
        await ask(stream, iq, 5.0)
    assert raised.value.condition == "policy-violation"
    assert sent == []


async def test_in_place_of_an_answer_that_is_too_large_goes_an_error(
    stream: Stream, sent: list[str]
) -> None:
    iq = stream.make_iq_result("q1", ito=ANNA)
    SubElement(iq.xml, "{urn:example}large").text = "x" * 10_000
    iq.send()  # type: ignore[no-untyped-call]  # untyped in slixmpp
    [text] = sent
    assert 'type="error"' in text
    assert 'id="q1"' in text
    assert "resource-constraint" in text
    assert len(text) < 1_000


async def test_a_presence_loses_its_status_rather_than_the_session(stream: Stream, sent: list[str]) -> None:
    stream.make_presence(pto="room@muc.example.org/bot", pstatus="x" * 10_000).send()
    [text] = sent
    assert "room@muc.example.org/bot" in text
    assert len(text) < 1_000


async def test_text_that_is_too_large_is_not_sent(stream: Stream, sent: list[str]) -> None:
    stream.post(f"<iq type='set' id='1'>{'x' * 10_000}</iq>")
    assert sent == []
    stream.post("<iq type='set' id='1'/>")
    assert len(sent) == 1


@pytest.mark.parametrize("agreed", [1, 4096, 16384, 65535])
async def test_a_block_of_a_file_is_never_too_large(stream: Stream, agreed: int) -> None:
    to = f"{'a' * 1_000}@example.org/phone"
    outbox = IbbStreamSender(stream, IqFastPath(stream), StreamLimits(), to, "sid", str(stream.boundjid))
    outbox.be_open(agreed)
    assert outbox._sender is not None
    largest = outbox._sender._largest_block
    assert largest <= agreed
    assert len(outbox._stanza(65535, memoryview(b"x" * largest))) <= 10_000
