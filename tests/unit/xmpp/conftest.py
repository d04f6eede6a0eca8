"""A stream that is connected to nothing: what would be sent is kept."""

from collections.abc import AsyncIterator, Callable
from typing import Literal
from xml.etree.ElementTree import Element

import pytest
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.connection.stream_setup import build

Mode = Literal["client", "component"]


class SentStanzas:
    """A stream and the stanzas that it was asked to send."""

    def __init__(self, stream: Stream, settings: SessionSettings) -> None:
        self.stream = stream
        self.settings = settings
        self.sent: list[Element] = []

    def take(self, data: StanzaBase | str, use_filters: bool = True) -> None:
        assert use_filters
        assert isinstance(data, StanzaBase)
        self.sent.append(data.xml)


@pytest.fixture
async def outbox_of(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[Mode], SentStanzas]]:
    streams: list[Stream] = []

    def make(mode: Mode) -> SentStanzas:
        jid = "files.example.org" if mode == "component" else "bot@example.org"
        settings = SessionSettings(jid, "secret", mode=mode, host="127.0.0.1", port=1)
        stream = build(settings)
        stream._session_started = True
        streams.append(stream)
        outbox = SentStanzas(stream, settings)
        monkeypatch.setattr(stream, "send", outbox.take)
        return outbox

    yield make
    for stream in streams:
        await stream.close(0.0)


@pytest.fixture
def outbox(outbox_of: Callable[[Mode], SentStanzas]) -> SentStanzas:
    return outbox_of("client")
