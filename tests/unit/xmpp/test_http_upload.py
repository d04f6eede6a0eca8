"""Finding the upload service and understanding its answers, however it behaves."""

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import fromstring

import pytest
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.stanza import Iq

from filebot.errors import NoUploadService, ServiceQuotaReached, ServiceRefused, TooLargeForService
from filebot.xmpp import http_upload
from filebot.xmpp.connection import disco
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.http_upload import UploadSlots
from tests.unit.xmpp.conftest import Mode, SentStanzas

ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='{}'/><item jid='@@'/></query>"
INFO = (
    "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload:0'/>"
    "<x xmlns='jabber:x:data' type='result'>"
    "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:http:upload:0</value></field>"
    "<field var='max-file-size'><value>{}</value></field></x></query>"
)
SLOT = (
    "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://put.example.org/1'/>"
    "<get url='https://get.example.org/1'/></slot>"
)


def refusal(condition: str, more: str = "") -> str:
    stanza = f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    return f"<error xmlns='jabber:client' type='modify'>{stanza}{more}</error>"


class Server:
    """Answers by the address and the kind of the request; silent where it has no answer."""

    def __init__(self, domain: str = "example.org", limit: int = 100) -> None:
        self.answers = {
            (domain, "items"): ITEMS.format(f"up.{domain}"),
            (f"up.{domain}", "info"): INFO.format(limit),
            (f"up.{domain}", "request"): SLOT,
        }
        self.asked: list[tuple[str, str]] = []

    async def ask(self, stream: Stream, iq: Iq, limit_s: float) -> Iq:
        assert limit_s > 0
        child = iq.xml[0]
        question = (str(iq["to"]), child.tag.partition("#")[2].partition("}")[0] or "request")
        self.asked.append(question)
        await asyncio.sleep(0)
        answer = self.answers.get(question)
        if answer is None:
            raise IqTimeout(iq)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        result = stream.make_iq_result(ito=iq["from"])
        result.xml.append(fromstring(answer))
        if answer.startswith("<error"):
            result["type"] = "error"
            raise IqError(result)  # type: ignore[no-untyped-call]  # untyped in slixmpp
        return result


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    scripted = Server()
    monkeypatch.setattr(http_upload, "ask", scripted.ask)
    monkeypatch.setattr(disco, "ask", scripted.ask)
    return scripted


async def test_the_service_is_searched_once_for_all_who_ask(outbox: SentStanzas, server: Server) -> None:
    slots = UploadSlots(outbox.stream)
    assert tuple(await asyncio.gather(slots.size_limit(), slots.size_limit())) == (100, 100)
    assert (await slots.slot("a b.png", 5, "image/png")).get_url == "https://get.example.org/1"
    assert slots.hosts() == {"get.example.org", "put.example.org"}
    assert server.asked.count(("example.org", "items")) == 1


async def test_a_component_searches_the_domain_above(
    outbox_of: Callable[[Mode], SentStanzas], server: Server
) -> None:
    assert await UploadSlots(outbox_of("component").stream).size_limit() == 100
    assert ("files.example.org", "items") not in server.asked


async def test_too_large_a_file_is_not_asked_for(outbox: SentStanzas, server: Server) -> None:
    with pytest.raises(TooLargeForService):
        await UploadSlots(outbox.stream).slot("a", 101, "image/png")
    assert ("up.example.org", "request") not in server.asked


async def test_a_new_limit_is_learned_from_the_refusal(outbox: SentStanzas, server: Server) -> None:
    told = (
        "<file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>7</max-file-size></file-too-large>"
    )
    server.answers["up.example.org", "request"] = refusal("not-acceptable", told)
    slots = UploadSlots(outbox.stream)
    with pytest.raises(TooLargeForService):
        await slots.slot("a", 50, "image/png")
    assert await slots.size_limit() == 7


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ("forbidden", ServiceRefused),
        ("resource-constraint", ServiceQuotaReached),
        ("service-unavailable", NoUploadService),
    ],
)
async def test_refusals_are_told_apart(
    outbox: SentStanzas, server: Server, condition: str, error: type[Exception]
) -> None:
    server.answers["up.example.org", "request"] = refusal(condition)
    with pytest.raises(error):
        await UploadSlots(outbox.stream).slot("a", 5, "image/png")


async def test_a_silent_service_is_searched_again(outbox: SentStanzas, server: Server) -> None:
    slots = UploadSlots(outbox.stream)
    del server.answers["up.example.org", "request"]
    with pytest.raises(NoUploadService):
        await slots.slot("a", 5, "image/png")
    server.answers["up.example.org", "request"] = SLOT
    assert (await slots.slot("a", 5, "image/png")).put_url


async def test_a_server_without_a_service_is_not_asked_all_the_time(
    outbox: SentStanzas, server: Server
) -> None:
    server.answers.clear()
    slots = UploadSlots(outbox.stream)
    for _ in range(3):
        with pytest.raises(NoUploadService):
            await slots.size_limit()
    assert server.asked.count(("example.org", "items")) == 1
    slots.forget()
    with pytest.raises(NoUploadService):
        await slots.size_limit()
    assert server.asked.count(("example.org", "items")) == 2
