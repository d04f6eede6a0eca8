"""Notices of clients that come online, one for each."""

from collections.abc import Callable
from xml.etree.ElementTree import fromstring

import pytest

from filebot.xmpp.presence.online_clients import OnlineClients
from tests.unit.xmpp.conftest import Mode, SentStanzas

ANNA = "anna@example.org"


def presence(sender: str, kind: str | None = None, caps: str = "") -> str:
    kind_of = f" type='{kind}'" if kind else ""
    c = f"<c xmlns='http://jabber.org/protocol/caps' node='n' ver='{caps}'/>" if caps else ""
    return f"<presence xmlns='jabber:client' from='{sender}'{kind_of}>{c}</presence>"


def told(outbox: SentStanzas, *presences: str) -> list[str]:
    online: list[str] = []
    resources = OnlineClients(outbox.stream, lambda jid: not jid.startswith("eve"), on_online=online.append)
    for each in presences:
        resources.presence(fromstring(each))
    return online


def test_each_client_that_comes_is_told_and_each_that_comes_back(outbox: SentStanzas) -> None:
    phone, desktop = f"{ANNA}/phone", f"{ANNA}/desktop"
    come, go = presence(phone, caps="1"), presence(phone, "unavailable")
    assert told(outbox, come, presence(desktop, caps="1"), go, come) == [ANNA] * 3


def test_who_only_changes_status_is_not_but_who_changes_features_is(outbox: SentStanzas) -> None:
    first, other = presence(f"{ANNA}/phone", caps="1"), presence(f"{ANNA}/phone", caps="2")
    assert told(outbox, first, first, first) == [ANNA]
    assert told(outbox, first, other) == [ANNA] * 2


@pytest.mark.parametrize(
    "stanza",
    [
        presence("eve@example.org/x", caps="1"),
        presence(ANNA, caps="1"),
        presence(f"{ANNA}/x", "unavailable"),
        presence(f"{ANNA}/x", "error"),
        presence(f"{ANNA}/x", "probe"),
        presence("bot@example.org/other", caps="1"),
    ],
)
def test_strangers_and_what_is_no_coming_are_not(outbox: SentStanzas, stanza: str) -> None:
    assert told(outbox, stanza) == []


def test_of_what_a_client_says_of_itself_only_so_much_is_kept(outbox: SentStanzas) -> None:
    resources = OnlineClients(outbox.stream, lambda _: True)
    show = f"<presence xmlns='jabber:client' from='{ANNA}/x'><show>{'away' * 9999}</show></presence>"
    resources.presence(fromstring(presence(f"{ANNA}/x", caps="v" * 99_999)))
    resources.presence(fromstring(show))
    [client] = resources._people[ANNA].values()
    assert len(client.show) + len(client.caps) < 1000


def test_a_client_is_written_to_from_the_address_that_it_sees(
    outbox_of: Callable[[Mode], SentStanzas],
) -> None:
    outbox = outbox_of("component")
    resources = OnlineClients(outbox.stream, lambda _: True)
    phone = fromstring(presence(f"{ANNA}/phone"))
    phone.set("to", "drop@files.example.org")
    resources.presence(phone)
    assert resources.own_for(f"{ANNA}/phone") == "drop@files.example.org/filebot"
    assert resources.own_for(f"{ANNA}/desktop") == "files.example.org/filebot"


def test_a_component_is_no_client_of_its_own(outbox_of: Callable[[Mode], SentStanzas]) -> None:
    outbox, online = outbox_of("component"), list[str]()
    resources = OnlineClients(outbox.stream, lambda _: True, on_online=online.append)
    resources.presence(fromstring(presence("drop@files.example.org/filebot")))
    assert online == []
