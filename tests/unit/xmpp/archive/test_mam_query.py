"""Reading an archive: what counts as a result, where a page ends, and what an archive may get wrong."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from xml.etree.ElementTree import Element, fromstring

import pytest
from slixmpp.exceptions import XMPPError
from slixmpp.stanza import Iq, Message

from filebot.errors import NoHistory, PeerGone, PeerProtocolError
from filebot.model import Address, AddressKind, Sender
from filebot.xmpp.archive import mam_query
from filebot.xmpp.archive.mam_query import PAGE, Archived, ArchivePage, MessageArchive, took_result
from filebot.xmpp.archive.room_history import RoomHistories
from filebot.xmpp.connection.stream import Stream
from tests.unit.xmpp.conftest import SentStanzas

TEA = "tea@rooms.example.org"
OWN = "bot@example.org"
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
MAM = "{urn:xmpp:mam:2}"
RSM = "{http://jabber.org/protocol/rsm}"
FORM = "{jabber:x:data}"
UNFINISHED = (
    "<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><last>q</last></set></fin>"
)


def result(
    query: str, message_id: str = "1", sender: str | None = OWN, inner: str | None = None
) -> Element:
    """A message with a result inside, as servers send them."""
    if inner is None:
        inner = (
            "<forwarded xmlns='urn:xmpp:forward:0'>"
            "<delay xmlns='urn:xmpp:delay' stamp='2026-11-24T12:00:00Z'/>"
            "<message xmlns='jabber:client' from='anna@example.org/phone'><body>ls</body></message>"
            "</forwarded>"
        )
    by = "" if sender is None else f"from='{sender}'"
    return fromstring(
        f"<message xmlns='jabber:client' {by}>"
        f"<result xmlns='urn:xmpp:mam:2' queryid='{query}' id='{message_id}'>{inner}</result></message>"
    )


class Server:
    """Answers each question by sending messages, and then an end."""

    def __init__(self, outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> None:
        self.archive = MessageArchive(outbox.stream, OWN)
        self.fin = "<fin xmlns='urn:xmpp:mam:2' complete='true'/>"
        self.messages: Callable[[str], list[Element]] = lambda query: []
        self.asked: list[Element] = []
        self.taken: list[bool] = []
        monkeypatch.setattr(mam_query, "ask", self._answer)

    async def _answer(self, stream: Stream, iq: Iq, limit_s: float) -> Iq:
        question = iq.xml[0]
        self.asked.append(question)
        self.taken += [took_result(stream, each) for each in self.messages(question.get("queryid", ""))]
        await asyncio.sleep(0)
        answer = fromstring(f"<iq xmlns='jabber:client' type='result'>{self.fin}</iq>")
        return Iq(stream, xml=answer)  # type: ignore[no-untyped-call]  # untyped in slixmpp


@pytest.fixture
def server(outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(outbox, monkeypatch)


async def test_a_page_is_what_came_for_the_question_in_its_order(server: Server) -> None:
    server.messages = lambda query: [result(query, "a"), result(query, "b", sender=None)]
    page = await server.archive.page("z")
    assert server.taken == [True, True]
    assert [(each.id, each.at) for each in page.messages] == [("a", AT), ("b", AT)]
    assert page.messages[0].message.findtext("{jabber:client}body") == "ls"
    assert (page.last_id, page.complete) == ("b", True)
    [question] = server.asked
    assert question.findtext(f"{RSM}set/{RSM}after") == "z"
    assert question.findtext(f"{RSM}set/{RSM}max") == str(PAGE)
    assert question.find(f"{FORM}x") is None


async def test_the_newest_message_is_the_last_page_of_one(server: Server) -> None:
    server.messages = lambda query: [result(query, "z")]
    newest = await server.archive.newest()
    assert newest is not None
    assert (newest.id, newest.at) == ("z", AT)
    [question] = server.asked
    assert question.find(f"{RSM}set/{RSM}before") is not None
    assert question.findtext(f"{RSM}set/{RSM}max") == "1"
    server.messages = lambda query: []
    assert await server.archive.newest() is None


async def test_it_can_begin_at_a_moment(server: Server) -> None:
    await server.archive.page(start=AT.astimezone(timezone(timedelta(hours=2))))
    fields = {
        each.get("var"): each.findtext(f"{FORM}value") for each in server.asked[0].iter(f"{FORM}field")
    }
    assert fields == {"FORM_TYPE": "urn:xmpp:mam:2", "start": "2026-11-24T12:00:00Z"}
    assert server.asked[0].find(f"{RSM}set/{RSM}after") is None


async def test_results_of_others_or_for_other_questions_are_none(server: Server) -> None:
    server.messages = lambda query: [
        result(query, sender="mallory@example.org"),
        result(query, sender="bot@example.org/other"),
        result(query, sender="example.org"),
        result("guessed"),
        result(""),
        Message(None).xml,  # type: ignore[no-untyped-call]  # untyped in slixmpp
    ]
    page = await server.archive.page()
    assert server.taken == [False] * 6
    assert page.messages == []
    late = result(server.asked[0].get("queryid", ""))
    assert not took_result(server.archive._stream, late)  # long answered


async def test_of_a_room_without_a_sender_nothing_is_believed(
    outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(outbox, monkeypatch)
    server.archive = MessageArchive(outbox.stream, "tea@rooms.example.org")
    server.messages = lambda query: [result(query, sender=None), result(query)]
    assert (await server.archive.page()).messages == []


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<forwarded xmlns='urn:xmpp:forward:0'/>",
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded>",
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay'/><message/></forwarded>",
    ],
)
async def test_a_result_without_its_parts_is_left_out(server: Server, inner: str) -> None:
    server.messages = lambda query: [result(query, inner=inner), result(query, "")]
    assert (await server.archive.page()).messages == []


async def test_more_than_was_asked_for_is_not_kept(server: Server) -> None:
    server.messages = lambda query: [result(query, str(number)) for number in range(PAGE + 9)]
    assert len((await server.archive.page()).messages) == PAGE


@pytest.mark.parametrize("last", ["", "<last>z</last>", "<last/>"])
async def test_an_archive_that_does_not_go_on_is_an_error_and_no_endless_loop(
    server: Server, last: str
) -> None:
    server.fin = (
        f"<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>{last}</set></fin>"
    )
    with pytest.raises(PeerProtocolError):
        await server.archive.page("z")


async def test_an_answer_without_an_end_is_an_error(server: Server) -> None:
    server.fin = ""
    with pytest.raises(PeerProtocolError):
        await server.archive.page()


async def test_the_next_page_begins_where_the_server_says(server: Server) -> None:
    server.fin = UNFINISHED
    server.messages = lambda query: [result(query, "a")]
    page = await server.archive.page("z")
    assert (page.last_id, page.complete) == ("q", False)


@pytest.mark.parametrize("inner", [None, ""])
async def test_an_empty_page_leads_nowhere_whatever_comes_after_it(
    server: Server, inner: str | None
) -> None:
    server.fin = UNFINISHED
    if inner is not None:  # what is no message counts as none
        server.messages = lambda query: [result(query, "a", inner=inner)]
    with pytest.raises(PeerProtocolError):
        await server.archive.page("z")


async def test_of_such_an_archive_a_room_has_no_history(server: Server) -> None:
    server.fin = UNFINISHED
    histories = RoomHistories(
        server.archive._stream, lambda *_: None, lambda *_: False, lambda: frozenset({TEA})
    )
    with pytest.raises(NoHistory) as caught:
        await histories.page(TEA, "z", None)
    assert caught.value.reason == "closed"


@pytest.mark.parametrize("forbidden", [False, True])
async def test_page_that_comes_while_the_bot_is_out_of_the_room_is_asked_for_again(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, forbidden: bool
) -> None:
    """Without the roll nobody is known, so that all its files would be passed over."""

    async def refuse(stream: Stream, iq: Iq, limit_s: float) -> Iq:
        raise XMPPError("forbidden")

    if forbidden:
        monkeypatch.setattr(mam_query, "ask", refuse)
    out_of_it = RoomHistories(server.archive._stream, lambda *_: None, lambda *_: False, frozenset)
    with pytest.raises(PeerGone):
        await out_of_it.page(TEA, "z", None)


async def test_of_a_page_of_large_posts_the_first_are_given_and_the_next_page_begins_behind_them(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = "tea@rooms.example.org"
    histories = RoomHistories(
        server.archive._stream, lambda *_: posted_by(room), lambda *_: False, lambda: frozenset({room})
    )
    monkeypatch.setattr("filebot.xmpp.archive.room_history.MOST_PAGE_BYTES", 20_000)
    page = ArchivePage([large_post(number) for number in range(10)], "9", complete=True)
    first = histories._kept(room, page)
    assert 0 < len(first.posts) < 10
    assert (first.messages, first.complete) == (len(first.posts), False)
    assert first.last_id == str(len(first.posts) - 1)
    rest = ArchivePage([large_post(number) for number in range(len(first.posts), 10)], "9", complete=True)
    assert histories._kept(room, rest).posts[0].offers[0].name == f"{len(first.posts)}.jpg"


def posted_by(room: str) -> Sender:
    return Sender(Address(room, AddressKind.ROOM), None, room, "anna", f"{room}/a1")


def large_post(number: int) -> Archived:
    url = f"https://example.org/{'x' * 4000}/{number}.jpg"
    post = (
        "<message xmlns='jabber:client' from='tea@rooms.example.org/anna' type='groupchat'>"
        f"<x xmlns='jabber:x:oob'><url>{url}</url></x>"
        "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>"
        f"<name>{number}.jpg</name></file><sources><url-data xmlns='http://jabber.org/protocol/url-data' "
        f"target='{url}'/></sources></file-sharing></message>"
    )
    return Archived(str(number), AT, fromstring(post))
