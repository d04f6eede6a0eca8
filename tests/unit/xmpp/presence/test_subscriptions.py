"""Subscriptions to the bot's presence, and its requests in return."""

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import fromstring

import pytest

from filebot.testing.catalog import MemoryCatalog
from filebot.xmpp.presence import subscribers
from filebot.xmpp.presence.subscribers import Subscribers
from filebot.xmpp.presence.subscriptions import Contacts
from tests.unit.xmpp.conftest import Mode, SentStanzas

ANNA = "anna@example.org"


def tell(
    outbox: SentStanzas, *presences: tuple[str, str]
) -> list[tuple[str | None, str | None, str | None]]:
    """Feed presences (type, from); returns what was answered: type, to and status."""
    contacts = Contacts(outbox.stream, outbox.settings, lambda jid: jid == ANNA, "Not for you.")
    for kind, sender in presences:
        contacts.presence(fromstring(f"<presence xmlns='jabber:client' from='{sender}' type='{kind}'/>"))
    space = outbox.stream.default_ns
    return [(each.get("type"), each.get("to"), each.findtext(f"{{{space}}}status")) for each in outbox.sent]


def test_served_people_are_accepted_and_asked_back_once(outbox: SentStanzas) -> None:
    assert tell(outbox, ("subscribe", f"{ANNA}/phone"), ("subscribe", ANNA)) == [
        ("subscribed", ANNA, None),
        ("subscribe", ANNA, None),
        ("subscribed", ANNA, None),
    ]


def test_others_are_declined_with_the_reason(outbox: SentStanzas) -> None:
    assert tell(outbox, ("subscribe", "eve@example.org")) == [
        ("unsubscribed", "eve@example.org", "Not for you.")
    ]


def test_who_goes_is_let_go_and_may_come_back(outbox: SentStanzas) -> None:
    answers = tell(
        outbox, ("subscribe", ANNA), ("unsubscribe", ANNA), ("unsubscribed", ANNA), ("subscribe", ANNA)
    )
    assert [kind for kind, _, _ in answers] == [
        "subscribed", "subscribe", "unsubscribed", "unsubscribe", "subscribed", "subscribe",
    ]  # fmt: skip


async def test_of_each_request_by_served_people_is_told_after_the_answer(outbox: SentStanzas) -> None:
    told: list[tuple[str, str, str | None, int]] = []

    async def tell_of(person: str, own: str, language: str | None) -> None:
        told.append((person, own, language, len(outbox.sent)))

    contacts = Contacts(
        outbox.stream, outbox.settings, lambda jid: jid == ANNA, "Not for you.", on_subscribed=tell_of
    )
    for kind, sender in ("subscribe", ANNA), ("subscribe", "eve@example.org"), ("unsubscribe", ANNA):
        contacts.presence(
            fromstring(f"<presence xmlns='jabber:client' from='{sender}' type='{kind}' xml:lang='zh'/>")
        )
    await asyncio.sleep(0)
    [(person, own, language, answers)] = told
    assert (person, own, language) == (ANNA, "", "zh")
    assert answers >= 2, "subscribed, and the request in return"
    await contacts.close()


@pytest.mark.parametrize("kind", ["available", "unavailable", "error", "subscribed"])
def test_other_presences_ask_for_nothing(outbox: SentStanzas, kind: str) -> None:
    assert tell(outbox, (kind, ANNA), (kind, "eve@example.org")) == []


def test_the_bot_does_not_answer_itself(outbox: SentStanzas) -> None:
    assert tell(outbox, ("subscribe", "bot@example.org/other")) == []


async def idle(contacts: Contacts) -> None:
    """Wait until nothing is under way."""
    while contacts._work._running:
        await asyncio.wait(contacts._work._running)


async def tell_component(
    outbox: SentStanzas, kept: MemoryCatalog, *presences: tuple[str, str, str]
) -> list[tuple[str, str, str]]:
    """Feed presences (type, from, to); returns what was answered: type, from and to."""
    contacts = Contacts(outbox.stream, outbox.settings, lambda jid: jid == ANNA, "Not for you.", kept)
    for kind, sender, to in presences:
        contacts.presence(
            fromstring(f"<presence xmlns='jabber:client' from='{sender}' to='{to}' type='{kind}'/>")
        )
    await idle(contacts)
    answers = [tuple(each.get(name, "") for name in ("type", "from", "to")) for each in outbox.sent]
    outbox.sent.clear()
    return answers  # type: ignore[return-value]  # three


async def test_a_component_shows_itself_to_whom_it_serves(outbox_of: Callable[[Mode], SentStanzas]) -> None:
    outbox, domain = outbox_of("component"), "files.example.org"
    answers = await tell_component(
        outbox,
        MemoryCatalog(),
        ("subscribe", ANNA, domain),
        ("probe", f"{ANNA}/phone", domain),
        ("probe", "eve@example.org", domain),
    )
    assert answers == [
        ("subscribed", domain, ANNA),
        ("subscribe", domain, ANNA),
        ("", f"{domain}/filebot", ANNA),
        ("", f"{domain}/filebot", ANNA),
        ("unsubscribed", domain, "eve@example.org"),
    ]


async def test_each_address_of_a_component_has_its_own_contacts(
    outbox_of: Callable[[Mode], SentStanzas],
) -> None:
    outbox, drop = outbox_of("component"), "drop@files.example.org"
    assert await tell_component(outbox, MemoryCatalog(), ("subscribe", ANNA, drop)) == [
        ("subscribed", drop, ANNA),
        ("subscribe", drop, ANNA),
        ("", f"{drop}/filebot", ANNA),
    ]


async def test_after_a_restart_a_component_shows_itself_and_asks_who_is_online(
    outbox_of: Callable[[Mode], SentStanzas],
) -> None:
    outbox, kept = outbox_of("component"), MemoryCatalog()
    domain, drop, gone = "files.example.org", "drop@files.example.org", "eve@example.org"
    await tell_component(
        outbox,
        kept,
        ("subscribe", ANNA, domain),
        ("subscribe", ANNA, "other@files.example.org"),
        ("unsubscribe", ANNA, "other@files.example.org"),
        ("probe", ANNA, drop),
    )
    await kept.keep_subscription(gone, domain)  # was served once
    contacts = Contacts(outbox.stream, outbox.settings, lambda jid: jid == ANNA, "", kept)
    contacts.show()
    await idle(contacts)
    assert [tuple(each.get(name) for name in ("type", "from", "to")) for each in outbox.sent] == [
        (None, f"{domain}/filebot", ANNA),
        ("probe", domain, ANNA),
        (None, f"{drop}/filebot", ANNA),
        ("probe", drop, ANNA),
        ("unsubscribed", domain, gone),
    ]
    assert gone not in {person for person, _ in await kept.subscriptions()}
    assert contacts.known_as(ANNA) == drop
    assert contacts.known_as(gone) == domain
    outbox.sent.clear()
    await contacts.say_goodbye("Back soon.")
    assert [(each.get("type"), each.get("from")) for each in outbox.sent] == [
        ("unavailable", f"{domain}/filebot"),
        ("unavailable", f"{drop}/filebot"),
    ]


async def test_nobody_fills_the_memory_of_a_component(
    outbox_of: Callable[[Mode], SentStanzas], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "MOST_SUBSCRIBERS", 2)
    outbox, kept = outbox_of("component"), MemoryCatalog()
    them = Subscribers(outbox.stream, kept, "", lambda _: True)
    for number in range(20):
        await them.add(ANNA, f"a{number}@files.example.org")
    assert [own for _, own in await kept.subscriptions()] == [
        f"a{n}@files.example.org" for n in range(4, 20)
    ]
    await them.add("bob@example.org", "files.example.org")
    await them.add("carol@example.org", "files.example.org")
    assert {person for person, _ in await kept.subscriptions()} == {"bob@example.org", "carol@example.org"}
