"""The first session: in which order the server is told what, and what it may forget when."""

import asyncio
from xml.etree.ElementTree import Element

from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.xmpp.archive.first_session import FLEXIBLE_OFFLINE, first_presence
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream_setup import build
from tests.support.virtual_time import in_virtual_time

AFTER_ACK_S = 1.0
"""By then whatever is due to be acknowledged has been."""


class Beginning:
    """A server that answers everything, and notes what is done in which order."""

    has_place = False

    def __init__(self) -> None:
        settings = SessionSettings("bot@example.org", "secret", host="127.0.0.1", port=1)
        self.stream = build(settings)
        self.stream._session_started = True
        self.stream.encrypted = lambda: True  # type: ignore[method-assign]
        self.stream.send = self._sent  # type: ignore[method-assign]
        self.stream.acks._send = lambda: self.done.append("ack")  # type: ignore[method-assign]
        self.done: list[str] = []
        self.refuses = False

    async def begin(self, *, flexible: bool) -> list[str]:
        try:
            await first_presence(self.stream, self, flexible=flexible, announce=self._announce)
            await asyncio.sleep(AFTER_ACK_S)
        finally:
            await self.stream.close(0.0)
        return self.done

    def _announce(self) -> None:
        self.done.append("presence")
        # The server asks for it with all that it had kept back.
        self.stream.acks.asked()

    async def begin_before_kept_back(self) -> None:
        await asyncio.sleep(AFTER_ACK_S)
        self.done.append("saved")

    async def find_place(self) -> None:
        await asyncio.sleep(AFTER_ACK_S)
        self.done.append("archive")

    def _sent(self, data: StanzaBase | str, use_filters: bool = True) -> None:
        assert isinstance(data, StanzaBase)
        name = data.xml[0][0].tag if len(data.xml[0]) else data.xml[0].tag
        self.done.append(name.rpartition("}")[2])
        assert not name.endswith("fetch") or name == f"{{{FLEXIBLE_OFFLINE}}}fetch"
        kind = "error" if self.refuses else "result"
        sender = data.xml.get("to") or "bot@example.org"
        answer = Element("{jabber:client}iq", {"type": kind, "id": data.xml.get("id", ""), "from": sender})
        asyncio.get_running_loop().call_soon(self.stream._spawn_event, answer)


@in_virtual_time
async def test_nothing_is_acknowledged_and_no_archive_asked_before_the_place_is_saved() -> None:
    done = await Beginning().begin(flexible=False)
    assert done == ["presence", "ping", "saved", "ack", "archive"]


@in_virtual_time
async def test_what_the_server_shows_is_removed_when_the_place_is_saved() -> None:
    done = await Beginning().begin(flexible=True)
    done.remove("ack")
    assert done == ["query", "presence", "fetch", "ping", "saved", "archive", "purge"]


@in_virtual_time
async def test_a_server_that_shows_nothing_after_all_keeps_nobody_away() -> None:
    beginning = Beginning()
    beginning.refuses = True
    done = await beginning.begin(flexible=True)
    assert done == ["query", "presence", "ping", "saved", "ack", "archive"]
