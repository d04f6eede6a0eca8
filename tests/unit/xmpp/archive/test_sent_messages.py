"""Archives show which messages the bot's server has taken."""

import asyncio
from datetime import UTC, datetime
from typing import Final, Literal
from xml.etree.ElementTree import fromstring

import pytest
from slixmpp.exceptions import XMPPError
from slixmpp.stanza import Message

from filebot.xmpp.archive.mam_query import Archived, MessageArchive
from filebot.xmpp.archive.sent_messages import MOST_PAGES, SentMessages
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream_setup import build
from tests.support.virtual_time import in_virtual_time, seconds
from tests.unit.xmpp.conftest import SentStanzas

Kind = Literal["chat", "groupchat"]

AT = datetime(2026, 11, 24, tzinfo=UTC)


class Archives:
    """Pages of the newest messages, by archive; the newest page first."""

    def __init__(self, outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pages: dict[str, list[list[str]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.sent = SentMessages(outbox.stream)
        archives = self

        async def latest(archive: MessageArchive, before: str = "") -> list[Archived]:
            archives.asked.append((archive._jid, before))
            pages = archives.pages.get(archive._jid)
            if pages is None:
                raise XMPPError("service-unavailable")
            return [
                Archived(f"a{name}", AT, fromstring(f"<message id='{name}'/>"))
                for name in (pages.pop(0) if pages else [])
            ]

        monkeypatch.setattr(MessageArchive, "latest", latest)

    async def lost(self, *messages: tuple[str, str, Kind]) -> list[str]:
        stanzas = [self._message(*each) for each in messages]
        return [each["id"] for each in await self.sent.lost(stanzas)]

    def _message(self, name: str, to: str, kind: Kind) -> Message:
        message = self.sent._stream.make_message(to, "hello", mtype=kind)
        message["id"] = name
        return message


@pytest.fixture
def archives(outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> Archives:
    return Archives(outbox, monkeypatch)


PRIVATE: Final[tuple[str, str, Kind]] = ("1", "anna@example.org/phone", "chat")
IN_ROOM: Final[tuple[str, str, Kind]] = ("2", "tea@rooms.example.org", "groupchat")


async def test_each_message_is_looked_for_where_it_went(archives: Archives) -> None:
    archives.pages = {"bot@example.org": [["9", "1"]], "tea@rooms.example.org": [["8"], ["2"]]}
    assert await archives.lost(PRIVATE, IN_ROOM) == []
    archives.pages = {"bot@example.org": [["2"]], "tea@rooms.example.org": [["1"]]}
    assert await archives.lost(PRIVATE, IN_ROOM) == ["1", "2"]


async def test_older_pages_are_looked_through_up_to_a_bound(archives: Archives) -> None:
    archives.pages = {"bot@example.org": [[f"x{number}"] for number in range(MOST_PAGES)] + [["1"]]}
    assert await archives.lost(PRIVATE) == ["1"]
    assert archives.asked == [("bot@example.org", each) for each in ("", "ax0", "ax1", "ax2")]


async def test_what_no_archive_tells_of_is_said_again(archives: Archives) -> None:
    archives.pages = {"tea@rooms.example.org": [["2"]]}
    assert await archives.lost(PRIVATE, IN_ROOM) == ["1"]


async def test_what_the_room_has_told_the_bot_itself_has_arrived(archives: Archives) -> None:
    archives.sent.told_in_room("2")
    assert await archives.lost(PRIVATE, IN_ROOM) == ["1"]
    assert archives.asked == [("bot@example.org", "")]


@in_virtual_time
async def test_rooms_whose_archives_are_slow_do_not_hold_up_what_others_are_told() -> None:
    stream = build(SessionSettings("bot@example.org", "secret", host="127.0.0.1", port=1))
    sent = SentMessages(stream)

    async def latest(archive: MessageArchive, before: str = "") -> list[Archived]:
        await asyncio.sleep(29.0 if "rooms" in archive._jid else 0.0)
        return [Archived(f"a{before}", AT, fromstring("<message id='0'/>"))]

    messages = [stream.make_message("anna@example.org", "0")]
    messages[0]["id"] = "0"
    messages += [stream.make_message(f"{n}@rooms.example.org", "1", mtype="groupchat") for n in range(10)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MessageArchive, "latest", latest)
        assert await seconds(_lost(sent, messages)) <= 60.0
    await stream.close(0.0)


async def _lost(sent: SentMessages, messages: list[Message]) -> None:
    assert await sent.lost(messages) == messages[1:]
