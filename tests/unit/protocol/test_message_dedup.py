"""A message that is delivered twice is acted on once (XEP-0359)."""

from filebot.protocol.message_dedup import SeenMessages


def test_the_second_delivery_is_not_new() -> None:
    seen = SeenMessages()
    assert seen.is_new("anna@example.org/phone", ["o1", "s1"], now=0.0)
    assert not seen.is_new("anna@example.org/phone", ["s1"], now=1.0)


def test_the_same_id_of_another_sender_is_another_message() -> None:
    seen = SeenMessages()
    seen.is_new("anna@example.org", ["1"], now=0.0)
    assert seen.is_new("bert@example.org", ["1"], now=0.0)


def test_a_message_without_ids_is_always_new() -> None:
    seen = SeenMessages()
    assert seen.is_new("anna@example.org", ["", ""], now=0.0)
    assert seen.is_new("anna@example.org", [], now=0.0)


def test_ids_are_forgotten_with_age() -> None:
    seen = SeenMessages(max_age_s=60.0)
    seen.is_new("anna@example.org", ["1"], now=0.0)
    assert not seen.is_new("anna@example.org", ["1"], now=59.0)
    assert seen.is_new("anna@example.org", ["1"], now=60.0)
    assert not seen.is_new("anna@example.org", ["1"], now=119.0)


def test_the_oldest_ids_make_room() -> None:
    seen = SeenMessages(most=100)
    for n in range(1000):
        assert seen.is_new("anna@example.org", [str(n)], now=0.0)
    assert not seen.is_new("anna@example.org", ["900"], now=0.0)
    assert seen.is_new("anna@example.org", ["899"], now=0.0)
