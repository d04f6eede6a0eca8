"""Changes of the roster: ours are taken, those of others refused, and nothing breaks (RFC 6121 2.1.6)."""

import logging
from xml.etree import ElementTree as ET

import pytest

from filebot.xmpp.connection.stream import Stream
from tests.unit.xmpp.conftest import SentStanzas

PUSH = (
    '<iq xmlns="jabber:client" type="set" id="r1" {sender} to="bot@example.org/filebot">'
    '<query xmlns="jabber:iq:roster">{item}</query></iq>'
)
ITEM = '<item jid="eve@evil.example" subscription="both"/>'


def push(stream: Stream, sender: str, item: str = ITEM) -> None:
    stream.transport = _Tls()  # type: ignore[assignment]  # all that is asked of it
    stream._spawn_event(ET.fromstring(PUSH.format(sender=sender, item=item)))
    stream.transport = None


class _Tls:
    def get_extra_info(self, name: str) -> object:
        return self


@pytest.mark.parametrize(
    "sender", ["eve@evil.example/x", "evil.example", "bot@example.org/other", "bot@evil.example"]
)
@pytest.mark.parametrize("item", [ITEM, "", '<item jid="@@@"/>', "<item/>"])
async def test_a_strangers_change_of_the_roster_is_refused_without_a_traceback(
    outbox: SentStanzas, sender: str, item: str, caplog: pytest.LogCaptureFixture
) -> None:
    push(outbox.stream, f'from="{sender}"', item)
    (answer,) = outbox.sent
    assert (answer.get("type"), answer.get("to"), answer.get("id")) == ("error", sender, "r1")
    assert b"service-unavailable" in ET.tostring(answer)
    assert "eve@evil.example" not in outbox.stream.client_roster
    assert [each for each in caplog.records if each.exc_info or each.levelno > logging.INFO] == []


@pytest.mark.parametrize("sender", ["", 'from="bot@example.org"'])
async def test_the_accounts_own_change_of_the_roster_is_taken(outbox: SentStanzas, sender: str) -> None:
    push(outbox.stream, sender)
    (answer,) = outbox.sent
    assert (answer.get("type"), answer.get("id")) == ("result", "r1")
    assert "eve@evil.example" in outbox.stream.client_roster
