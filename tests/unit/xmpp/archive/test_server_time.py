"""The server's time: by Entity Time (XEP-0202), else by the newest stamp in the bot's archive."""

from datetime import UTC, datetime
from xml.etree.ElementTree import fromstring

import pytest
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.stanza import Iq

from filebot.system.server_clock import ServerClock, ServerTime
from filebot.xmpp.archive import server_time
from filebot.xmpp.archive.mam_query import Archived
from filebot.xmpp.archive.server_time import ServerTimes
from filebot.xmpp.connection.stream import Stream
from tests.unit.xmpp.conftest import SentStanzas

AT = datetime(2006, 12, 19, 17, 58, 35, tzinfo=UTC)


class Server:
    """Answers about its time; its archive has one message."""

    def __init__(self, outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = ServerClock()
        self.times = ServerTimes(outbox.stream, self.clock)
        self.utc: str | None = "2006-12-19T17:58:35Z"
        self.silent = False
        self.asked: list[str] = []
        self.newest: Archived | None = None
        monkeypatch.setattr(server_time, "ask", self._answer)
        monkeypatch.setattr(self.times._archive, "newest", self._newest)

    async def _answer(self, stream: Stream, iq: Iq, limit_s: float) -> Iq:
        self.asked.append(str(iq["to"]))
        if self.silent:
            raise IqTimeout(iq)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        answer = Iq(stream)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        if self.utc is None:
            answer["error"]["condition"] = "service-unavailable"
            raise IqError(answer)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        time = f"<tzo>-06:00</tzo><utc>{self.utc}</utc>"
        answer.xml.append(fromstring(f"<time xmlns='urn:xmpp:time'>{time}</time>"))
        return answer

    async def _newest(self) -> Archived | None:
        return self.newest


@pytest.fixture
def server(outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(outbox, monkeypatch)


async def test_entity_time_of_the_server_sets_the_clock(server: Server) -> None:
    assert await server.times.read() == ServerTime(AT)
    assert server.asked == ["example.org"]
    assert (server.clock() - AT).total_seconds() < 10


@pytest.mark.parametrize("utc", ["", "yesterday", "2006-12-19T17:58:35"])
async def test_what_is_no_time_is_not_taken_for_one(server: Server, utc: str) -> None:
    server.utc = utc
    assert await server.times.read() is None


async def test_without_entity_time_newest_stamp_of_archive_counts(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.utc = None
    server.newest = Archived("1", AT, fromstring("<message/>"))
    for _ in range(2):
        assert await server.times.read() == ServerTime(AT, exact=False)
    assert caplog.text.count("does not tell its time") == 1


async def test_server_that_does_not_answer_has_no_time(server: Server) -> None:
    server.silent = True
    assert await server.times.read() is None
