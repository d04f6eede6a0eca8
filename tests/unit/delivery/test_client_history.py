"""History of transfers by client: its content and its bound."""

from datetime import UTC, datetime, timedelta

from filebot.delivery import client_history
from filebot.delivery.client_history import ClientHistory, Outcome
from filebot.model import Client, Method, Negotiation, StreamMethod

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WAY = StreamMethod(Negotiation.SI, Method.SOCKS5)


def client(number: int) -> Client:
    return Client(f"a@x/{number}", {}, "software")


def test_the_last_outcome_counts_and_only_for_its_way() -> None:
    known = ClientHistory()
    assert known.outcome(client(1), WAY, NOW) is Outcome.UNKNOWN
    for went, outcome in ((False, Outcome.FAILED), (True, Outcome.WENT)):
        known.note(client(1), WAY, went=went, now=NOW)
        assert known.outcome(client(1), WAY, NOW) is outcome
    other = StreamMethod(Negotiation.JINGLE, Method.SOCKS5)
    assert known.outcome(client(1), other, NOW) is Outcome.UNKNOWN
    assert known.outcome(client(2), WAY, NOW) is Outcome.UNKNOWN
    assert known.outcome(client(1), WAY, NOW + timedelta(hours=2)) is Outcome.UNKNOWN


def test_what_is_no_rate_is_ignored() -> None:
    known = ClientHistory()
    for rate in (0.0, -1.0):
        known.note_rate(client(1), rate, NOW)
    assert known.rate(client(1), NOW) is None


def test_memory_is_bounded_and_keeps_the_newest() -> None:
    known = ClientHistory()
    for number in range(client_history.MOST + 10):
        known.note(client(number), WAY, went=True, now=NOW)
        known.note_rate(client(number), 1.0 + number, NOW)
        known.note(client(0), WAY, went=True, now=NOW)
    assert len(known._outcomes) == len(known._rates) == client_history.MOST
    assert known.outcome(client(1), WAY, NOW) is Outcome.UNKNOWN
    assert known.outcome(client(0), WAY, NOW) is Outcome.WENT
    assert known.rate(client(client_history.MOST + 9), NOW) == client_history.MOST + 10
