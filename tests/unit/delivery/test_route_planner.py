"""By which ways a file may go, in which order, and why."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.delivery.client_history import ClientHistory
from filebot.delivery.route_planner import (
    ASSUMED_BYTES_PER_S,
    IN_BAND_LIMIT_S,
    Plan,
    Reason,
    RoutingInputs,
    Uploads,
    plan,
)
from filebot.errors import (
    NoTransferMethod,
    NoUploadService,
    ServiceQuotaReached,
    TooLargeForService,
    TooSlowInBand,
)
from filebot.model import AddressKind, Client, Method, Negotiation, StreamMethod

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOTH = frozenset({Method.SOCKS5, Method.IBB})
IN_BAND = frozenset({Method.IBB})
DINO = Client("a@x/dino", {Negotiation.JINGLE: BOTH}, "https://dino.im")
PSI = Client("a@x/psi", {Negotiation.SI: BOTH, Negotiation.JINGLE: BOTH}, "https://psi-im.org")
PIDGIN = Client("a@x/pidgin", {Negotiation.SI: BOTH})
SLOW = Client("a@x/slow", {Negotiation.SI: IN_BAND})
MB = 1_000_000
HUGE = int(ASSUMED_BYTES_PER_S * IN_BAND_LIMIT_S) + 1
"""Too much for in-band."""

ANY = Uploads()
SMALL = Uploads(limit_bytes=MB)
FULL = Uploads(full_until=NOW + timedelta(hours=1))

SHORT = {"sj": (Negotiation.JINGLE, Method.SOCKS5), "ss": (Negotiation.SI, Method.SOCKS5)}
SHORT |= {"ij": (Negotiation.JINGLE, Method.IBB), "is": (Negotiation.SI, Method.IBB)}


def facts(
    size: int,
    uploads: Uploads | None,
    *clients: Client,
    to: AddressKind = AddressKind.CHAT,
    asked: Method | None = None,
    has_link: bool = False,
) -> RoutingInputs:
    return RoutingInputs(size, to, uploads, has_link, clients, asked)


def told(made: Plan) -> list[str]:
    """The steps in short: ``link``, or ``sj dino`` for SOCKS5 by Jingle to Dino."""
    names = {StreamMethod(*way): name for name, way in SHORT.items()}
    return [
        "link"
        if step.way is None or step.client is None
        else f"{names[step.way]} {step.client.jid.partition('/')[2]}"
        for step in made.steps
    ]


@pytest.mark.parametrize(
    ("known", "steps"),
    [
        # Most people: a link, and behind it what could be if it fails.
        (facts(MB, ANY), ["link"]),
        (facts(MB, SMALL), ["link"]),
        (facts(MB, ANY, DINO), ["link", "sj dino", "ij dino"]),
        # Rooms and their occupants: links alone.
        (facts(MB, ANY, DINO, to=AddressKind.ROOM), ["link"]),
        (facts(MB, ANY, DINO, to=AddressKind.ROOM_PRIVATE), ["link"]),
        (facts(MB, None, DINO, to=AddressKind.ROOM), []),
        (facts(MB, None, DINO, to=AddressKind.ROOM_PRIVATE), []),
        # No service, too large for it, full: directly. A link that is alive needs no service.
        (facts(MB, None, DINO), ["sj dino", "ij dino"]),
        (facts(MB + 1, SMALL, DINO), ["sj dino", "ij dino"]),
        (facts(MB, FULL, DINO), ["sj dino", "ij dino"]),
        (facts(MB, None, DINO, has_link=True), ["link", "sj dino", "ij dino"]),
        (facts(MB, Uploads(full_until=NOW)), ["link"]),
        # Jingle before SI, SOCKS5 before in-band, the likelier client before the other.
        (facts(MB, None, PSI), ["sj psi", "ss psi", "ij psi", "is psi"]),
        (facts(MB, None, PIDGIN, DINO), ["ss pidgin", "sj dino", "is pidgin", "ij dino"]),
        (facts(MB, None, SLOW, DINO), ["sj dino", "is slow", "ij dino"]),
        # In-band up to what makes sense, unless it is asked for.
        (facts(HUGE - 1, None, SLOW), ["is slow"]),
        (facts(HUGE, None, SLOW), []),
        (facts(HUGE, None, PSI, SLOW), ["sj psi", "ss psi"]),
        (facts(HUGE, None, SLOW, asked=Method.IBB), ["is slow"]),
        # A method that was asked for rules out all others.
        (facts(MB, ANY, PSI, asked=Method.SOCKS5), ["sj psi", "ss psi"]),
        (facts(MB, ANY, PSI, asked=Method.IBB), ["ij psi", "is psi"]),
        (facts(MB, ANY, PSI, asked=Method.HTTP), ["link"]),
        (facts(MB, None, PSI, asked=Method.HTTP), []),
        (facts(MB, ANY, SLOW, asked=Method.SOCKS5), []),
        (facts(MB, ANY, DINO, to=AddressKind.ROOM, asked=Method.SOCKS5), []),
        (facts(MB, ANY, to=AddressKind.ROOM, asked=Method.HTTP), ["link"]),
        # Nobody is online.
        (facts(MB, None), []),
    ],
)
def test_the_ways_of_a_file_in_their_order(known: RoutingInputs, steps: list[str]) -> None:
    assert told(plan(known, ClientHistory(), NOW)) == steps


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        (facts(MB, ANY, DINO), [Reason.LINK_FIRST, Reason.IF_LINK_FAILS, Reason.IN_BAND_LAST]),
        (facts(MB, None, DINO), [Reason.NO_LINK, Reason.IN_BAND_LAST]),
        (facts(MB, ANY, to=AddressKind.ROOM), [Reason.ONLY_LINKS]),
        (facts(MB, ANY, DINO, asked=Method.SOCKS5), [Reason.ASKED]),
        (facts(MB, ANY, DINO, asked=Method.HTTP), [Reason.ASKED]),
    ],
)
def test_each_step_has_its_reason(known: RoutingInputs, reasons: list[Reason]) -> None:
    assert [step.reason for step in plan(known, ClientHistory(), NOW).steps] == reasons


@pytest.mark.parametrize(
    ("known", "no_link", "no_stream"),
    [
        (facts(MB, ANY, DINO), None, None),
        (facts(MB, None, DINO), NoUploadService, None),
        (facts(MB + 1, SMALL), TooLargeForService, NoTransferMethod),
        (facts(MB, FULL, DINO), ServiceQuotaReached, None),
        (facts(HUGE, None, SLOW), NoUploadService, TooSlowInBand),
        (facts(HUGE, None, SLOW, asked=Method.SOCKS5), NoUploadService, NoTransferMethod),
        (facts(MB, ANY, DINO, to=AddressKind.ROOM, asked=Method.IBB), None, NoTransferMethod),
        (facts(MB, None, to=AddressKind.ROOM), NoUploadService, None),
    ],
)
def test_what_is_no_step_has_its_cause(
    known: RoutingInputs, no_link: type[Exception] | None, no_stream: type[Exception] | None
) -> None:
    made = plan(known, ClientHistory(), NOW)
    assert type(made.no_link) is (no_link or type(None))
    assert type(made.no_stream) is (no_stream or type(None))


def test_who_failed_lately_stands_behind_the_others_for_an_hour() -> None:
    client_history, known = ClientHistory(), facts(MB, None, PIDGIN, DINO)
    way = StreamMethod(Negotiation.SI, Method.SOCKS5)
    client_history.note(PIDGIN, way, went=False, now=NOW)
    later = plan(known, client_history, NOW + timedelta(minutes=59))
    assert told(later) == ["sj dino", "ss pidgin", "is pidgin", "ij dino"]
    assert later.steps[1].reason is Reason.RECENT_FAILURE
    for other in (
        plan(known, client_history, NOW + timedelta(minutes=61)),
        plan(facts(MB, None, replace(PIDGIN, software="other"), DINO), client_history, NOW),
    ):
        assert told(other)[0] == "ss pidgin"
    client_history.note(PIDGIN, way, went=True, now=NOW)
    assert told(plan(known, client_history, NOW))[0] == "ss pidgin"


def test_the_client_in_which_the_person_asked_comes_first_unless_it_failed_lately() -> None:
    client_history, known = ClientHistory(), replace(facts(MB, None, DINO, SLOW), asking_client=SLOW.jid)
    assert told(plan(known, client_history, NOW)) == ["is slow", "sj dino", "ij dino"]
    with_link = replace(facts(MB, ANY, DINO, PSI), asking_client=PSI.jid)
    assert told(plan(with_link, client_history, NOW))[:2] == ["link", "sj psi"]
    too_slow = replace(facts(HUGE, None, DINO, SLOW), asking_client=SLOW.jid)
    assert told(plan(too_slow, client_history, NOW)) == ["sj dino"]
    client_history.note(SLOW, StreamMethod(Negotiation.SI, Method.IBB), went=False, now=NOW)
    assert told(plan(known, client_history, NOW)) == ["sj dino", "ij dino", "is slow"]


def test_what_went_well_with_a_client_comes_first_for_this_client() -> None:
    client_history = ClientHistory()
    client_history.note(PSI, StreamMethod(Negotiation.SI, Method.SOCKS5), went=True, now=NOW)
    made = plan(facts(MB, None, DINO, PSI), client_history, NOW)
    assert told(made)[:3] == ["sj dino", "ss psi", "sj psi"]


@pytest.mark.conformance(78)
def test_how_much_goes_in_band_depends_on_the_rate_that_was_measured() -> None:
    client_history = ClientHistory()
    known = facts(100 * MB, None, SLOW)
    assert told(plan(known, client_history, NOW)) == []
    client_history.note_rate(SLOW, 1_000_000.0, NOW)
    [step] = plan(known, client_history, NOW).steps
    assert step.seconds == 100
    other = replace(SLOW, jid="b@x/slow")
    assert told(plan(facts(100 * MB, None, other), client_history, NOW)) == ["is slow"]
    client_history.note_rate(other, 100.0, NOW)
    assert told(plan(facts(MB, None, other), client_history, NOW)) == []
    assert told(plan(known, client_history, NOW)) == ["is slow"]
    assert told(plan(known, client_history, NOW + timedelta(hours=2))) == []


def clients_of(streams: Mapping[Negotiation, frozenset[Method]], number: int) -> Client:
    return Client(f"a@x/{number}", streams, "software")


METHODS = st.sets(st.sampled_from(sorted(BOTH, key=str))).map(frozenset)
STREAMS = st.dictionaries(st.sampled_from(list(Negotiation)), METHODS)
CLIENTS = st.lists(STREAMS, max_size=4).map(
    lambda each: tuple(clients_of(streams, number) for number, streams in enumerate(each))
)
UPLOADS = st.none() | st.builds(
    Uploads,
    st.none() | st.integers(0, 10 * HUGE),
    st.none() | st.timedeltas(timedelta(-1), timedelta(1)).map(lambda delta: NOW + delta),
)
FACTS = st.builds(
    RoutingInputs,
    st.integers(1, 10 * HUGE),
    st.sampled_from(list(AddressKind)),
    UPLOADS,
    st.booleans(),
    CLIENTS,
    st.none() | st.sampled_from(list(Method)),
)
WAYS = st.builds(StreamMethod, st.sampled_from(list(Negotiation)), st.sampled_from(sorted(BOTH, key=str)))
PAST = st.lists(st.tuples(st.integers(0, 3), WAYS, st.booleans(), st.integers(0, 120)), max_size=8)
RATES = st.lists(st.tuples(st.integers(0, 3), st.floats(1, 1e7)), max_size=3)


def possible_ways(known: RoutingInputs, client_history: ClientHistory) -> set[tuple[str, StreamMethod]]:
    """Written anew: what the facts allow, in no order."""
    if known.to is not AddressKind.CHAT or known.asked is Method.HTTP:
        return set()
    found: set[tuple[str, StreamMethod]] = set()
    for client in known.clients:
        for negotiation, methods in client.streams.items():
            for method in methods:
                rate = client_history.rate(client, NOW) or ASSUMED_BYTES_PER_S
                sensible = method is Method.SOCKS5 or known.size_bytes / rate <= IN_BAND_LIMIT_S
                if known.asked is method or (known.asked is None and sensible):
                    found.add((client.jid, StreamMethod(negotiation, method)))
    return found


def a_link_can_be(known: RoutingInputs) -> bool:
    if known.asked not in {None, Method.HTTP}:
        return False
    service = known.uploads
    if known.has_link:
        return True
    return (
        service is not None
        and (service.limit_bytes is None or known.size_bytes <= service.limit_bytes)
        and (service.full_until is None or service.full_until <= NOW)
    )


@given(FACTS, PAST, RATES)
def test_whatever_the_facts_a_plan_keeps_its_promises(
    known: RoutingInputs, past: list[tuple[int, StreamMethod, bool, int]], rates: list[tuple[int, float]]
) -> None:
    client_history = ClientHistory()
    for number, way, went, minutes in past:
        at = NOW - timedelta(minutes=minutes)
        client_history.note(clients_of({}, number), way, went=went, now=at)
    for number, rate in rates:
        client_history.note_rate(clients_of({}, number), rate, NOW)
    made = plan(known, client_history, NOW)
    links = [step for step in made.steps if step.way is None]
    streams = [(step.client.jid, step.way) for step in made.steps if step.client and step.way]
    # Everything that can be, once, and nothing else: so no plan is empty where there is a way.
    assert len(links) == a_link_can_be(known)
    assert sorted(streams, key=str) == sorted(possible_ways(known, client_history), key=str)
    if known.to is not AddressKind.CHAT:
        assert streams == []
    if known.asked is not None:
        assert {step.method for step in made.steps} <= {known.asked}
        assert {step.reason for step in made.steps} <= {Reason.ASKED, Reason.ONLY_LINKS}
    # A link first, in-band last.
    order = [(Method.HTTP, Method.SOCKS5, Method.IBB).index(step.method) for step in made.steps]
    assert order == sorted(order)
    # A plan without a link or a stream names the cause.
    if known.asked in {None, Method.HTTP}:
        assert (made.no_link is None) == bool(links)
    if known.to is AddressKind.CHAT and known.asked is not Method.HTTP:
        assert (made.no_stream is None) == bool(streams)
