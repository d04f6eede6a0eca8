"""Every prefix of a valid conversation, followed by anything whatsoever, in either role and direction."""

from collections.abc import Callable
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebot.errors import LocalProtocolError
from filebot.model import Offer
from filebot.protocol.jingle.actions import (
    OUT_OF_ORDER,
    TIE_BREAK,
    UNKNOWN_SESSION,
    UNSUPPORTED_INFO,
    Action,
    Checksum,
    Content,
    Jingle,
    JingleReason,
    Ping,
    ReceivedInfo,
    UnknownInfo,
    read_jingle,
)
from filebot.protocol.jingle.description import FileDescription, Range
from filebot.protocol.jingle.effects import Effect, Ended, Flow, Reaction, SendJingle
from filebot.protocol.jingle.parameters import SessionLimits, SessionParameters
from filebot.protocol.jingle.quirks import _BY_NODE, STANDARD
from filebot.protocol.jingle.session import JingleSession
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import (
    Activated,
    CandidateError,
    CandidateType,
    CandidateUsed,
    InBandTransport,
    ProxyError,
    Socks5Transport,
    TransportNotice,
    UnknownTransport,
)
from filebot.protocol.stanza_error import StanzaError
from tests.support.jingle_world import candidate

Effects: TypeAlias = list[Effect] | tuple[Effect, ...] | Reaction
Step: TypeAlias = Callable[["Watched"], Effects]

OURS = {kind: candidate("ours", kind, 1) for kind in CandidateType}
THEIRS = {kind: candidate("theirs", kind, 2) for kind in CandidateType}
LONGEST_S = max(SessionLimits().answer_s, 60.0)


class Watched:
    """A session of which every effect is looked at."""

    def __init__(self, terms: SessionParameters, ours: Socks5Transport | InBandTransport) -> None:
        self.session = JingleSession(terms)
        self.ours = ours
        self.said: list[Jingle] = []
        self.ended = False
        self.flowed = False

    def take(self, step: Step) -> None:
        try:
            effects = step(self)
        except LocalProtocolError:
            return  # misuse, and nothing has happened
        for effect in effects.effects if isinstance(effects, Reaction) else effects:
            assert not self.ended, f"{effect} after the end"
            match effect:
                case SendJingle(jingle, after_s):
                    assert 0 <= after_s <= LONGEST_S
                    # Each message that we send must be readable to others.
                    assert read_jingle(jingle.element()).action is jingle.action
                    self.said.append(jingle)
                case Flow():
                    assert not self.flowed, "bytes flow once"
                    self.flowed = True
                case Ended():
                    self.ended = True
                case _:
                    assert not self.flowed, effect
        session = self.session
        assert self.ended == (session.state is State.ENDED)
        assert session.wait_s is None or 0 < session.wait_s <= LONGEST_S
        assert 0 <= session.checksum_wait_s <= LONGEST_S
        assert session.expected_bytes is None or session.expected_bytes >= 0
        if self.ended:
            assert session.wait_s is None

    def runs_out(self) -> None:
        """All that can be waited for does not come."""
        for _ in range(len(State)):
            if self.ended:
                return
            # A state without a limit waits for the bot itself, so the bot gives up.
            self.take(EXPIRED if self.session.wait_s is not None else GIVES_UP)
        raise AssertionError(f"still {self.session.state} when all time has run out")


# --- steps ----------------------------------------------------------------------------------------------


def hears(jingle: Jingle) -> Step:
    return lambda each: each.session.receive(jingle)


def about(action: Action, transport: object = None, *, file: FileDescription | None = None) -> Step:
    return hears(Jingle(action, "s", (Content("file", file=file, transport=transport),)))  # type: ignore[arg-type]


def notice(told: object) -> Step:
    return about(Action.TRANSPORT_INFO, TransportNotice("t", told))  # type: ignore[arg-type]


def refused(each: Watched, which: int, error: StanzaError) -> Effects:
    return each.session.refused(each.said[which % len(each.said)], error) if each.said else ()


def dials(kind: CandidateType | None) -> Step:
    return lambda each: each.session.dialled(None if kind is None else THEIRS[kind])


def activates(*, well: bool) -> Step:
    return lambda each: each.session.activated(well=well)


OPENED: Step = lambda each: each.session.opened()  # noqa: E731
SENT: Step = lambda each: each.session.sent()  # noqa: E731
STORED: Step = lambda each: each.session.stored()  # noqa: E731
LOST: Step = lambda each: each.session.lost()  # noqa: E731
GIVES_UP: Step = lambda each: each.session.fail(JingleReason.CANCEL)  # noqa: E731
EXPIRED: Step = lambda each: each.session.expired() if each.session.wait_s else ()  # noqa: E731
ACCEPTS: Step = lambda each: each.session.accept(each.ours)  # noqa: E731
OFFERS: Step = lambda each: each.session.offer()  # noqa: E731

NEW = InBandTransport("new", 4096)
SPARE = InBandTransport("spare", 4096)
RECEIVED = hears(Jingle(Action.SESSION_INFO, "s", info=ReceivedInfo()))


def socks5(kind: CandidateType) -> Socks5Transport:
    return Socks5Transport("t", (THEIRS[kind],))


def end_of(*, sending: bool) -> list[Step]:
    return [SENT, RECEIVED] if sending else [STORED]


def conversations(*, initiating: bool, sending: bool, kind: CandidateType) -> list[list[Step]]:
    """Valid ones, from the offer to the end."""
    began = [OFFERS, about(Action.SESSION_ACCEPT, socks5(kind))] if initiating else [ACCEPTS]
    replaced = (
        [about(Action.TRANSPORT_ACCEPT, SPARE)] if initiating else [about(Action.TRANSPORT_REPLACE, NEW)]
    )
    ours = [*began, dials(None), notice(CandidateUsed("ours"))]
    theirs = [*began, notice(CandidateError()), dials(kind)]
    if kind is CandidateType.PROXY:
        ours.append(activates(well=True))
        theirs.append(notice(Activated("theirs")))
    failed = [*began, dials(None), notice(CandidateError()), *replaced, OPENED]
    late = [*began, EXPIRED, *replaced, OPENED]
    return [each + end_of(sending=sending) for each in (ours, theirs, failed, late)]


IDS = st.sampled_from(["file", "ours", "theirs", "t", "new", "spare", "x" * 256]) | st.text(
    min_size=1, max_size=5
)
SIZES = st.none() | st.sampled_from([0, 5, 10, 2**62])
RANGES = st.none() | st.builds(Range, st.sampled_from([0, 5, 10, 11, 2**62]), SIZES)
FILES = st.builds(FileDescription, st.builds(Offer, name=st.just("a"), size=SIZES), range=RANGES)
NOTICES = (
    st.builds(CandidateUsed, IDS)
    | st.builds(Activated, IDS)
    | st.just(CandidateError())
    | st.just(ProxyError())
)
TRANSPORTS = (
    st.none()
    | st.sampled_from([NEW, SPARE, UnknownTransport("x:y"), *map(socks5, CandidateType)])
    | st.builds(InBandTransport, IDS, st.integers(1, 65535))
    | st.builds(TransportNotice, IDS, NOTICES)
)
SENDERS = st.sampled_from(["initiator", "responder", "both", "none"])
CONTENTS = st.builds(
    Content, st.just("file") | IDS, senders=SENDERS, file=st.none() | FILES, transport=TRANSPORTS
)
INFOS = st.sampled_from([None, ReceivedInfo(), Ping(), UnknownInfo(), Checksum({"sha-1": b"x"})])
SAYINGS = st.builds(
    Jingle,
    st.sampled_from(list(Action)),
    st.just("s"),
    st.lists(CONTENTS, max_size=3).map(tuple),
    st.none() | st.sampled_from(list(JingleReason)),
    info=INFOS,
)
ERRORS = st.sampled_from(
    [OUT_OF_ORDER, TIE_BREAK, UNKNOWN_SESSION, UNSUPPORTED_INFO, StanzaError("bad-request")]
)
ANYTHING: st.SearchStrategy[Step] = st.one_of(
    SAYINGS.map(hears),
    NOTICES.map(notice),
    st.sampled_from([OPENED, SENT, STORED, LOST, EXPIRED, EXPIRED, ACCEPTS, OFFERS, RECEIVED]),
    st.sampled_from([None, *CandidateType]).map(dials),
    st.booleans().map(lambda well: activates(well=well)),
    st.sampled_from(list(JingleReason)).map(lambda reason: lambda each: each.session.fail(reason)),
    st.tuples(st.integers(0, 5), ERRORS).map(lambda drawn: lambda each: refused(each, *drawn)),
    st.tuples(TRANSPORTS, st.sampled_from([Action.SESSION_ACCEPT, Action.TRANSPORT_ACCEPT])).map(
        lambda drawn: about(drawn[1], drawn[0])
    ),
)


@st.composite
def begun(draw: st.DrawFn) -> Watched:
    """A session, as far as a prefix of a valid conversation brings it."""
    initiating, sending = draw(st.booleans()), draw(st.booleans())
    kind = draw(st.sampled_from([CandidateType.DIRECT, CandidateType.PROXY]))
    in_band = draw(st.booleans())
    ours = InBandTransport("t", 4096) if in_band else Socks5Transport("t", (OURS[kind],))
    theirs = InBandTransport("t", 4096) if in_band else socks5(kind)
    content = Content(
        "file",
        senders="initiator" if initiating == sending else "responder",
        file=FileDescription(Offer(name="a", size=10), range=Range(), hash_follows=draw(st.booleans())),
        transport=ours if initiating else theirs,
    )
    quirks = draw(st.sampled_from([STANDARD, *_BY_NODE.values()]))
    spare = draw(st.sampled_from(["", "spare"]))
    watched = Watched(SessionParameters("s", content, initiating, quirks=quirks, spare_sid=spare), ours)
    if in_band:
        first = [OFFERS, about(Action.SESSION_ACCEPT, theirs)] if initiating else [ACCEPTS]
        steps = [*first, OPENED, *end_of(sending=sending)]
    else:
        steps = draw(st.sampled_from(conversations(initiating=initiating, sending=sending, kind=kind)))
    for step in steps[: draw(st.integers(0, len(steps)))]:
        watched.take(step)
    return watched


@given(begun(), st.lists(ANYTHING, max_size=12))
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_after_any_prefix_anything_may_come_and_the_session_ends_once(
    watched: Watched, steps: list[Step]
) -> None:
    for step in steps:
        watched.take(step)
    watched.runs_out()
    for step in steps:
        watched.take(step)
    assert watched.session.state is State.ENDED


@given(begun())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_after_any_prefix_silence_is_enough_for_an_end(watched: Watched) -> None:
    watched.runs_out()
    watched.runs_out()


def test_the_conversations_are_valid_to_their_end() -> None:
    """Check the source of the prefixes: each conversation transfers the file and refuses nothing."""
    count = 0
    for initiating in (True, False):
        for sending in (True, False):
            for kind in (CandidateType.DIRECT, CandidateType.PROXY):
                ours = Socks5Transport("t", (OURS[kind],))
                content = Content(
                    "file",
                    senders="initiator" if initiating == sending else "responder",
                    file=FileDescription(Offer(name="a", size=10)),
                    transport=ours if initiating else socks5(kind),
                )
                for steps in conversations(initiating=initiating, sending=sending, kind=kind):
                    watched = Watched(SessionParameters("s", content, initiating, spare_sid="spare"), ours)
                    for step in steps:
                        watched.take(refuses_nothing(step))
                    assert watched.ended
                    assert watched.flowed
                    count += 1
    assert count == 32


def refuses_nothing(step: Step) -> Step:
    def checked(each: Watched) -> Effects:
        effects = step(each)
        assert not isinstance(effects, Reaction) or effects.error is None, each.session.state
        return effects

    return checked
