"""What is remembered of clients, and for how long."""

from datetime import UTC, datetime, timedelta

from filebot.delivery import client_history as experience
from filebot.delivery.client_history import Experience, Verdict
from filebot.model import Client, Method, Negotiation, Way

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WAY = Way(Negotiation.SI, Method.SOCKS5)


def client(number: int) -> Client:
    return Client(f"a@x/{number}", {}, "software")


def test_the_last_outcome_counts_and_only_for_its_way() -> None:
    known = Experience()
    assert known.verdict(client(1), WAY, NOW) is Verdict.UNKNOWN
    for went, verdict in ((False, Verdict.FAILED), (True, Verdict.WENT)):
        known.note(client(1), WAY, went=went, now=NOW)
        assert known.verdict(client(1), WAY, NOW) is verdict
    other = Way(Negotiation.JINGLE, Method.SOCKS5)
    assert known.verdict(client(1), other, NOW) is Verdict.UNKNOWN
    assert known.verdict(client(2), WAY, NOW) is Verdict.UNKNOWN
    assert known.verdict(client(1), WAY, NOW + timedelta(hours=2)) is Verdict.UNKNOWN


def test_what_is_no_rate_is_ignored() -> None:
    known = Experience()
    for rate in (0.0, -1.0):
        known.note_rate(client(1), rate, NOW)
    assert known.rate(client(1), NOW) is None


def test_memory_is_bounded_and_keeps_the_newest() -> None:
    known = Experience()
    for number in range(experience.MOST + 10):
        known.note(client(number), WAY, went=True, now=NOW)
        known.note_rate(client(number), 1.0 + number, NOW)
        known.note(client(0), WAY, went=True, now=NOW)
    assert len(known._outcomes) == len(known._rates) == experience.MOST
    assert known.verdict(client(1), WAY, NOW) is Verdict.UNKNOWN
    assert known.verdict(client(0), WAY, NOW) is Verdict.WENT
    assert known.rate(client(experience.MOST + 9), NOW) == experience.MOST + 10
