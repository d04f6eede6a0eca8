"""Copies of what went to another client of the account: which are believed."""

from xml.etree.ElementTree import fromstring

import pytest

from filebot.xmpp.messages.carbons import received_copy

OWN = "bot@example.org"
ALICE = "alice@example.org/phone"


def copy(
    sender: str | None = OWN,
    *,
    kind: str = "received",
    to: str = f"{OWN}/other",
    inner: str = "chat",
    forwarded: str = "forwarded",
) -> str | None:
    """The body of the message that is believed to be inside."""
    of = "" if sender is None else f" from='{sender}'"
    stanza = fromstring(
        f"<message xmlns='jabber:client'{of} to='{OWN}/filebot'><{kind} xmlns='urn:xmpp:carbons:2'>"
        f"<{forwarded} xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='{ALICE}' to='{to}'"
        f" type='{inner}'><body>ls</body></message></{forwarded}></{kind}></message>"
    )
    message = received_copy(stanza, OWN)
    return None if message is None else message.findtext("{jabber:client}body")


@pytest.mark.parametrize("sender", [OWN, None])
@pytest.mark.parametrize("to", [OWN, f"{OWN}/other"])
def test_a_copy_of_the_account_s_own_is_opened(sender: str | None, to: str) -> None:
    assert copy(sender, to=to) == "ls"


@pytest.mark.parametrize("sender", [ALICE, "example.org", f"{OWN}/other", "bot@example.com", "@"])
def test_only_the_account_itself_sends_copies(sender: str) -> None:
    assert copy(sender) is None


def test_what_the_account_sent_is_said_by_nobody() -> None:
    assert copy(kind="sent") is None


def test_what_is_for_somebody_else_or_no_chat_is_left_alone() -> None:
    assert copy(to="eve@example.org") is None
    assert copy(inner="groupchat") is None
    assert copy(inner="error") is None
    assert copy(forwarded="other") is None
