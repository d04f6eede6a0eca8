"""Who may see the bot, and whom it asks back."""

from collections.abc import Callable
from xml.etree.ElementTree import fromstring

import pytest

from filebot.xmpp.contacts import Contacts
from tests.unit.xmpp.conftest import Mode, Outbox

ANNA = "anna@example.org"


def tell(outbox: Outbox, *presences: tuple[str, str]) -> list[tuple[str | None, str | None, str | None]]:
    """Feed presences (type, from); returns what was answered: type, to and status."""
    contacts = Contacts(outbox.stream, outbox.settings, lambda jid: jid == ANNA, "Not for you.")
    for kind, sender in presences:
        contacts.presence(fromstring(f"<presence xmlns='jabber:client' from='{sender}' type='{kind}'/>"))
    space = outbox.stream.default_ns
    return [(each.get("type"), each.get("to"), each.findtext(f"{{{space}}}status")) for each in outbox.sent]


def test_served_people_are_accepted_and_asked_back_once(outbox: Outbox) -> None:
    assert tell(outbox, ("subscribe", f"{ANNA}/phone"), ("subscribe", ANNA)) == [
        ("subscribed", ANNA, None),
        ("subscribe", ANNA, None),
        ("subscribed", ANNA, None),
    ]


def test_others_are_declined_with_the_reason(outbox: Outbox) -> None:
    assert tell(outbox, ("subscribe", "eve@example.org")) == [
        ("unsubscribed", "eve@example.org", "Not for you.")
    ]


def test_who_goes_is_let_go_and_may_come_back(outbox: Outbox) -> None:
    answers = tell(
        outbox, ("subscribe", ANNA), ("unsubscribe", ANNA), ("unsubscribed", ANNA), ("subscribe", ANNA)
    )
    assert [kind for kind, _, _ in answers] == [
        "subscribed", "subscribe", "unsubscribed", "unsubscribe", "subscribed", "subscribe",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["available", "unavailable", "error", "subscribed"])
def test_other_presences_ask_for_nothing(outbox: Outbox, kind: str) -> None:
    assert tell(outbox, (kind, ANNA), (kind, "eve@example.org")) == []


def test_the_bot_does_not_answer_itself(outbox: Outbox) -> None:
    assert tell(outbox, ("subscribe", "bot@example.org/other")) == []


async def test_a_component_shows_itself_to_whom_it_serves(outbox_of: Callable[[Mode], Outbox]) -> None:
    outbox = outbox_of("component")
    answers = tell(outbox, ("subscribe", ANNA), ("probe", f"{ANNA}/phone"), ("probe", "eve@example.org"))
    assert answers == [
        ("subscribed", ANNA, None),
        ("subscribe", ANNA, None),
        (None, ANNA, outbox.settings.status),
        (None, ANNA, outbox.settings.status),
        ("unsubscribed", "eve@example.org", "Not for you."),
    ]
    senders = [each.get("from") for each in outbox.sent]
    assert senders[0] == senders[1] == senders[4] == "files.example.org"
    assert senders[2] == senders[3] == "files.example.org/filebot"
