"""Reactions of a session in every state, from either side; see ``jingle_talk`` for the words."""

from dataclasses import replace

import pytest

from filebot.errors import LocalProtocolError
from filebot.protocol.jingle.actions import (
    OUT_OF_ORDER,
    TIE_BREAK,
    UNKNOWN_SESSION,
    Action,
    Checksum,
    Content,
    Info,
    Jingle,
    JingleReason,
    Ping,
    ReceivedInfo,
    UnknownInfo,
)
from filebot.protocol.jingle.description import Range
from filebot.protocol.jingle.effects import Route, SendJingle
from filebot.protocol.jingle.parameters import SessionLimits
from filebot.protocol.jingle.quirks import Quirks
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import (
    Activated,
    Candidate,
    CandidateError,
    CandidateUsed,
    InBandTransport,
    Notice,
    ProxyError,
    Transport,
    TransportNotice,
    UnknownTransport,
)
from filebot.protocol.stanza_error import StanzaError
from tests.support.jingle_talk import (
    DIRECT,
    IN_BAND,
    OUR_DIRECT,
    OUR_PROXY,
    PLAIN,
    RANGED,
    THEIR_DIRECT,
    THEIR_PROXY,
    Talk,
    in_state,
    socks5,
)
from tests.support.jingle_world import candidate

BOTH = pytest.mark.parametrize("initiating", [True, False])
STATES = list(State)
ERROR = StanzaError("bad-request")

# --- from the offer to the bytes ------------------------------------------------------------------------


@pytest.mark.parametrize(("senders", "initiating"), [("initiator", True), ("responder", False)])
def test_a_sender_offers_or_accepts_sends_and_is_told_that_it_arrived(
    senders: str, *, initiating: bool
) -> None:
    talk = Talk(initiating=initiating, senders=senders, ours=IN_BAND, theirs=IN_BAND)
    assert talk.session.terms.sending
    began = talk.begins()
    assert began == (["open t 4096"] if initiating else ["session-accept t 4096", "await t 4096"])
    assert talk.words(talk.session.opened()) == ["flow IN_BAND"]
    assert talk.words(talk.session.sent()) == []
    assert talk.session.state is State.FINISHING
    assert talk.hears(Action.SESSION_INFO, info=ReceivedInfo()) == ["ok", "ended success"]


@pytest.mark.conformance(48)
@pytest.mark.parametrize(("senders", "initiating"), [("initiator", False), ("responder", True)])
def test_a_receiver_says_received_and_then_ends_with_success(senders: str, *, initiating: bool) -> None:
    talk = Talk(initiating=initiating, senders=senders, ours=IN_BAND, theirs=IN_BAND)
    assert not talk.session.terms.sending
    talk.begins()
    talk.words(talk.session.opened())
    ends = ["session-info received", "session-terminate success", "ended success"]
    assert talk.words(talk.session.stored()) == ends
    assert talk.words(talk.session.stored()) == []


def test_an_offer_may_be_declined_with_words() -> None:
    talk = in_state(State.OFFERED)
    assert talk.hears_end(JingleReason.DECLINE) == ["ok", "ended decline"]
    assert talk.ended[0].error is None
    ours = in_state(State.OFFERED, initiating=False)
    assert ours.words(ours.session.fail(JingleReason.DECLINE, "No.")) == [
        "session-terminate decline",
        "ended decline",
    ]


def test_an_offer_that_nobody_answers_is_taken_back() -> None:
    talk = in_state(State.OFFERED)
    assert talk.session.wait_s == 300.0
    assert talk.expires() == ["session-terminate timeout", "ended timeout"]
    assert talk.ended[0].waited_s == 300.0


def test_an_offer_to_us_waits_for_nobody_but_us() -> None:
    assert in_state(State.OFFERED, initiating=False).session.wait_s is None


@pytest.mark.parametrize(
    ("theirs", "initiating"),
    [
        (UnknownTransport("x:y"), True),
        (IN_BAND, True),
        (None, True),
        (UnknownTransport("x:y"), False),
    ],
)
def test_another_transport_than_the_offered_one_is_no_answer(
    theirs: Transport | None, *, initiating: bool
) -> None:
    talk = Talk(initiating=initiating, theirs=theirs)
    talk.theirs = theirs  # type: ignore[assignment]  # None is what a client may say
    ends = ["session-terminate unsupported-transports", "ended unsupported-transports"]
    assert talk.begins()[-2:] == ends


def test_an_in_band_stream_of_another_name_is_no_answer() -> None:
    talk = Talk(ours=IN_BAND, theirs=InBandTransport("other", 4096))
    assert talk.begins() == ["session-terminate unsupported-transports", "ended unsupported-transports"]


@BOTH
@pytest.mark.parametrize(("ours", "theirs", "agreed"), [(4096, 8192, 4096), (8192, 4096, 4096)])
def test_the_smaller_block_counts(ours: int, theirs: int, agreed: int, *, initiating: bool) -> None:
    talk = Talk(initiating=initiating, ours=InBandTransport("t", ours), theirs=InBandTransport("t", theirs))
    assert talk.begins()[-1] == f"{'open' if initiating else 'await'} t {agreed}"


def test_only_an_initiator_offers_and_only_at_the_beginning() -> None:
    for wrong in (
        in_state(State.OFFERED, initiating=False),
        in_state(State.CHECKING),
        in_state(State.ENDED),
    ):
        with pytest.raises(LocalProtocolError):
            wrong.session.offer()


def test_only_an_offer_is_accepted_and_once() -> None:
    talk = in_state(State.CHECKING, initiating=False)
    for wrong in (talk, in_state(State.OFFERED)):
        with pytest.raises(LocalProtocolError):
            wrong.session.accept(IN_BAND)


# --- candidates -----------------------------------------------------------------------------------------


@pytest.mark.conformance(58)
@BOTH
def test_what_came_of_dialling_is_said_once_and_after_the_accept(*, initiating: bool) -> None:
    for chosen, said in ((THEIR_DIRECT, "CandidateUsed theirs"), (None, "CandidateError")):
        talk = Talk(initiating=initiating)
        began = talk.begins()
        # Sends go out one by one, each when the one before it was answered: the accept is ahead.
        assert began == (["dial"] if initiating else ["session-accept", "dial"])
        assert talk.dialled(chosen) == [f"transport-info {said}"]
        assert talk.dialled(chosen) == []
        assert talk.dialled(None) == []


@pytest.mark.conformance(58)
@BOTH
@pytest.mark.parametrize("second", [CandidateError(), CandidateUsed("ours")])
def test_the_peers_outcome_counts_once(second: Notice, *, initiating: bool) -> None:
    talk = in_state(State.CHECKING, initiating=initiating)
    assert talk.hears_notice(CandidateUsed("ours")) == ["ok"]
    assert talk.hears_notice(second) == ["out-of-order"]


@BOTH
def test_a_candidate_that_we_do_not_have_is_not_found(*, initiating: bool) -> None:
    talk = in_state(State.CHECKING, initiating=initiating)
    assert talk.hears_notice(CandidateUsed("nobody's")) == ["item-not-found"]
    assert talk.hears_notice(CandidateUsed("ours")) == ["ok"]


@pytest.mark.parametrize("first", ["we", "they"])
@pytest.mark.parametrize(
    ("dialled", "told", "said"),
    [
        (THEIR_DIRECT, CandidateError(), "flow DIALLED"),
        (None, CandidateUsed("ours"), "flow AWAITED"),
        (THEIR_DIRECT, CandidateUsed("ours"), "flow DIALLED"),  # theirs has the higher priority
    ],
)
@BOTH
def test_the_better_connection_is_used(
    dialled: Candidate | None, told: Notice, said: str, first: str, *, initiating: bool
) -> None:
    talk = in_state(State.CHECKING, initiating=initiating)
    if first == "we":
        assert "flow" not in str(talk.dialled(dialled))
        assert talk.hears_notice(told) == ["ok", said]
    else:
        assert talk.hears_notice(told) == ["ok"]
        assert talk.dialled(dialled)[-1] == said


def test_ours_is_used_if_it_has_the_higher_priority() -> None:
    talk = Talk(ours=socks5(candidate("ours", DIRECT, 9)))
    talk.begins()
    talk.dialled(THEIR_DIRECT)
    assert talk.hears_notice(CandidateUsed("ours")) == ["ok", "flow AWAITED"]


@pytest.mark.conformance(57)
@pytest.mark.parametrize(("initiating", "said"), [(True, "flow DIALLED"), (False, "flow AWAITED")])
def test_on_a_tie_the_candidate_that_the_initiator_chose_is_used(said: str, *, initiating: bool) -> None:
    same = socks5(candidate("ours", DIRECT, 5)), socks5(candidate("theirs", DIRECT, 5))
    talk = Talk(initiating=initiating, ours=same[0], theirs=same[1])
    talk.begins()
    talk.dialled(same[1].candidates[0])
    assert talk.hears_notice(CandidateUsed("ours")) == ["ok", said]


@BOTH
def test_a_notice_before_there_are_candidates_is_out_of_order(*, initiating: bool) -> None:
    for state in (State.OFFERED, State.OPENING, State.FLOWING):
        talk = in_state(state, initiating=initiating)
        assert talk.hears_notice(CandidateError()) == ["out-of-order"]


# --- proxies --------------------------------------------------------------------------------------------


def activating(*, initiating: bool, ours: bool) -> Talk:
    """A proxy is nominated."""
    talk = Talk(initiating=initiating, ours=socks5(OUR_PROXY), theirs=socks5(THEIR_PROXY))
    talk.begins()
    talk.dialled(None if ours else THEIR_PROXY)
    said = talk.hears_notice(CandidateUsed("ours") if ours else CandidateError())
    assert said == (["ok", "activate ours"] if ours else ["ok"])
    assert talk.session.state is State.ACTIVATING
    return talk


@pytest.mark.conformance(65)
@BOTH
def test_our_proxy_is_activated_when_both_outcomes_are_known_and_that_is_told(*, initiating: bool) -> None:
    talk = Talk(initiating=initiating, ours=socks5(OUR_PROXY), theirs=socks5(THEIR_PROXY))
    talk.begins()
    assert talk.hears_notice(CandidateUsed("ours")) == ["ok"]  # not before our own outcome
    assert talk.dialled(None) == ["transport-info CandidateError", "activate ours"]
    assert talk.words(talk.session.activated(well=True)) == [
        "transport-info Activated ours",
        "flow ACTIVATED",
    ]
    assert talk.words(talk.session.activated(well=True)) == []


@pytest.mark.conformance(65)
@BOTH
def test_activated_that_is_refused_is_said_again_once_after_two_seconds(*, initiating: bool) -> None:
    talk = activating(initiating=initiating, ours=True)
    told = talk.session.activated(well=True)[0]
    assert isinstance(told, SendJingle)
    again = talk.session.refused(told.jingle, ERROR)
    assert again == [SendJingle(told.jingle, 2.0)]
    assert talk.session.refused(told.jingle, ERROR) == []
    assert talk.session.state is State.FLOWING


@BOTH
def test_the_peers_proxy_is_used_when_it_is_activated(*, initiating: bool) -> None:
    talk = activating(initiating=initiating, ours=False)
    assert talk.hears_notice(Activated("nobody's")) == ["out-of-order"]
    assert talk.hears_notice(Activated("theirs")) == ["ok", "flow DIALLED"]
    assert talk.hears_notice(Activated("theirs")) == ["out-of-order"]


@BOTH
def test_the_peer_does_not_activate_our_proxy(*, initiating: bool) -> None:
    talk = activating(initiating=initiating, ours=True)
    assert talk.hears_notice(Activated("ours")) == ["out-of-order"]


@pytest.mark.conformance(66)
@BOTH
@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("how", ["refused", "told", "silence"])
def test_a_proxy_that_is_of_no_use_is_followed_by_the_next_transport(
    how: str, *, ours: bool, initiating: bool
) -> None:
    talk = activating(initiating=initiating, ours=ours)
    if how == "refused" and not ours:
        assert talk.words(talk.session.activated(well=False)) == []  # it is not ours to activate
        return
    if how == "refused":
        said = talk.words(talk.session.activated(well=False))
    elif how == "silence":
        assert talk.session.wait_s == 30.0
        said = talk.expires()
    else:
        said = talk.hears_notice(ProxyError())
        assert said.pop(0) == "ok"
    told = [] if how == "told" else ["transport-info ProxyError"]
    assert said == told + (["transport-replace spare 16384"] if initiating else [])
    assert talk.session.state is State.REPLACING


# --- going on in-band -----------------------------------------------------------------------------------


@pytest.mark.conformance(69)
def test_when_both_sides_fail_the_initiator_replaces_the_transport() -> None:
    talk = in_state(State.CHECKING)
    assert talk.dialled(None) == ["transport-info CandidateError"]
    assert talk.hears_notice(CandidateError()) == ["ok", "transport-replace spare 16384"]
    assert talk.hears(Action.TRANSPORT_ACCEPT, InBandTransport("spare", 4096)) == ["ok", "open spare 4096"]


@pytest.mark.conformance(70)
def test_the_responder_waits_for_it_and_accepts_the_same_stream_with_no_larger_block() -> None:
    for offered, agreed in ((4096, 4096), (65535, 16384)):
        talk = in_state(State.REPLACING, initiating=False)
        said = talk.hears(Action.TRANSPORT_REPLACE, InBandTransport("new", offered))
        assert said == ["ok", f"transport-accept new {agreed}", f"await new {agreed}"]


@BOTH
@pytest.mark.parametrize("state", [State.CHECKING, State.ACTIVATING])
def test_the_peer_may_replace_the_transport_before_any_byte(state: State, *, initiating: bool) -> None:
    talk = in_state(state, initiating=initiating)
    said = talk.hears(Action.TRANSPORT_REPLACE, InBandTransport("new", 4096))
    assert said == ["ok", "transport-accept new 4096", f"{'open' if initiating else 'await'} new 4096"]
    # The results of the old transport's candidates do not matter any more.
    assert talk.dialled(THEIR_DIRECT) == []
    assert talk.hears_notice(CandidateError()) == ["out-of-order"]


@BOTH
def test_a_second_replacement_is_one_too_many(*, initiating: bool) -> None:
    talk = in_state(State.CHECKING, initiating=initiating)
    talk.hears(Action.TRANSPORT_REPLACE, InBandTransport("new", 4096))
    assert talk.hears(Action.TRANSPORT_REPLACE, InBandTransport("newer", 4096)) == ["out-of-order"]


def test_when_both_replace_at_once_the_initiators_counts() -> None:
    talk = in_state(State.REPLACING)
    assert talk.hears(Action.TRANSPORT_REPLACE, InBandTransport("theirs", 4096)) == ["tie-break"]
    assert talk.hears(Action.TRANSPORT_ACCEPT, InBandTransport("spare", 4096))[0] == "ok"


@BOTH
@pytest.mark.parametrize("transport", [UnknownTransport("x:y"), socks5(THEIR_DIRECT), None])
def test_a_replacement_that_we_do_not_have_is_rejected_and_the_session_goes_on(
    transport: Transport | None, *, initiating: bool
) -> None:
    talk = in_state(State.CHECKING, initiating=initiating)
    assert talk.hears(Action.TRANSPORT_REPLACE, transport) == ["ok", "transport-reject"]
    talk.dialled(None)
    assert talk.hears_notice(CandidateUsed("ours")) == ["ok", "flow AWAITED"]


def test_a_replacement_that_is_rejected_is_the_end() -> None:
    ends = ["session-terminate failed-transport", "ended failed-transport"]
    assert in_state(State.REPLACING).hears(Action.TRANSPORT_REJECT) == ["ok", *ends]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ERROR, ["session-terminate failed-transport", "ended failed-transport"]),
        (TIE_BREAK, []),
    ],
)
def test_a_replacement_that_is_refused_is_the_end_but_not_where_both_had_the_same_idea(
    error: StanzaError, said: list[str]
) -> None:
    talk = Talk()
    talk.begins()
    talk.dialled(None)
    sent = talk.session.receive(
        Jingle(
            Action.TRANSPORT_INFO, "s", (Content("file", transport=TransportNotice("t", CandidateError())),)
        )
    ).effects[0]
    assert isinstance(sent, SendJingle)
    assert talk.words(talk.session.refused(sent.jingle, error)) == said


@BOTH
def test_without_in_band_streams_there_is_nothing_left_to_try(*, initiating: bool) -> None:
    talk = Talk(initiating=initiating, spare="")
    talk.begins()
    talk.dialled(None)
    ends = ["session-terminate connectivity-error", "ended connectivity-error"]
    assert talk.hears_notice(CandidateError()) == ["ok", *ends]


# --- time -----------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("state", "limit", "ends"),
    [
        (State.CHECKING, "check_s", None),
        (State.ACTIVATING, "activate_s", None),
        (State.REPLACING, "replace_s", "failed-transport"),
        (State.OPENING, "open_s", "failed-transport"),
        (State.FINISHING, "finish_s", "success"),
    ],
)
def test_each_state_has_its_limit(state: State, limit: str, ends: str | None, *, initiating: bool) -> None:
    limits = replace(SessionLimits(), **{limit: 7.0})
    senders = "initiator" if initiating else "responder"
    talk = in_state(state, initiating=initiating, senders=senders)
    talk.session.terms = replace(talk.session.terms, limits=limits)
    assert talk.session.wait_s == 7.0
    said = talk.expires()
    if ends is None:
        assert talk.session.state is State.REPLACING
    else:
        assert said == [f"session-terminate {ends}", f"ended {ends}"]


@pytest.mark.conformance(49)
def test_after_the_last_byte_silence_is_success_after_30_seconds() -> None:
    talk = in_state(State.FINISHING)
    assert talk.session.wait_s == 30.0
    assert talk.expires() == ["session-terminate success", "ended success"]


@pytest.mark.parametrize("state", [State.FLOWING, State.ENDED])
def test_where_nothing_is_waited_for_nothing_expires(state: State) -> None:
    talk = in_state(state)
    assert talk.session.wait_s is None
    assert talk.words(talk.session.expired()) == []


# --- the end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("reason", list(JingleReason))
@BOTH
def test_the_peer_may_end_the_session_at_any_time_for_any_reason(
    state: State, reason: JingleReason, *, initiating: bool
) -> None:
    senders = "initiator" if initiating else "responder"
    talk = in_state(state, initiating=initiating, senders=senders)
    said = talk.hears_end(reason)
    assert said == (["unknown-session"] if state is State.ENDED else ["ok", f"ended {reason.value}"])
    assert talk.hears_end(reason) == ["unknown-session"]
    assert talk.session.wait_s is None


@pytest.mark.parametrize("state", STATES)
@BOTH
def test_the_bot_may_end_it_at_any_time_and_says_so_once(state: State, *, initiating: bool) -> None:
    senders = "initiator" if initiating else "responder"
    talk = in_state(state, initiating=initiating, senders=senders)
    said = talk.words(talk.session.fail(JingleReason.CANCEL))
    assert said == ([] if state is State.ENDED else ["session-terminate cancel", "ended cancel"])
    assert talk.words(talk.session.fail(JingleReason.CANCEL)) == []


@pytest.mark.conformance(53)
@pytest.mark.parametrize("state", STATES)
@BOTH
def test_who_is_gone_is_told_nothing(state: State, *, initiating: bool) -> None:
    senders = "initiator" if initiating else "responder"
    talk = in_state(state, initiating=initiating, senders=senders)
    said = talk.words(talk.session.lost())
    if state is State.ENDED:
        assert said == []
    else:
        assert said == ["ended success" if state is State.FINISHING else "ended gone"]
    assert talk.words(talk.session.lost()) == []


@pytest.mark.conformance(53)
@pytest.mark.parametrize("senders", ["initiator", "responder"])
def test_bytes_beside_the_stream_flow_on_when_it_is_lost(senders: str) -> None:
    talk = Talk(senders=senders)
    talk.begins()
    talk.dialled(THEIR_DIRECT)
    talk.hears_notice(CandidateError())
    assert talk.words(talk.session.lost()) == []
    done = talk.session.sent() if talk.session.terms.sending else talk.session.stored()
    assert talk.words(done) == ["ended success"]


def test_bytes_beside_the_stream_that_break_after_it_was_lost_are_told_to_nobody() -> None:
    talk = Talk()
    talk.begins()
    talk.dialled(THEIR_DIRECT)
    talk.hears_notice(CandidateError())
    talk.session.lost()
    assert talk.words(talk.session.fail(JingleReason.CONNECTIVITY_ERROR)) == ["ended connectivity-error"]


@pytest.mark.parametrize("reason", [JingleReason.SUCCESS, JingleReason.CANCEL])
def test_a_sender_that_says_success_while_bytes_flow_has_only_sent_them(reason: JingleReason) -> None:
    talk = in_state(State.FLOWING, initiating=False)
    said = talk.hears_end(reason)
    if reason is JingleReason.SUCCESS:
        assert said == ["ok"]
        assert talk.words(talk.session.stored()) == ["ended success"]
    else:
        assert said == ["ok", "ended cancel"]
        assert talk.words(talk.session.stored()) == []


@pytest.mark.parametrize("before", [True, False])
def test_received_may_come_before_we_know_that_all_is_sent(*, before: bool) -> None:
    talk = in_state(State.FLOWING)
    if before:
        assert talk.hears(Action.SESSION_INFO, info=ReceivedInfo()) == ["ok"]
        assert talk.words(talk.session.sent()) == ["ended success"]
    else:
        assert talk.words(talk.session.sent()) == []
        assert talk.hears(Action.SESSION_INFO, info=ReceivedInfo()) == ["ok", "ended success"]


# --- what we say is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_peer_that_does_not_know_the_session_has_ended_it(state: State) -> None:
    talk = in_state(state)
    said = talk.words(talk.session.refused(Jingle(Action.SESSION_INFO, "s"), UNKNOWN_SESSION))
    assert said == ([] if state is State.ENDED else ["ended gone"])


@pytest.mark.parametrize("action", [Action.SESSION_INITIATE, Action.SESSION_ACCEPT])
def test_an_offer_or_accept_that_is_refused_is_the_end(action: Action) -> None:
    talk = in_state(State.OFFERED if action is Action.SESSION_INITIATE else State.CHECKING)
    assert talk.words(talk.session.refused(Jingle(action, "s"), ERROR)) == ["ended gone"]
    assert talk.ended[0].error == ERROR


@pytest.mark.parametrize(
    "action",
    [Action.SESSION_INFO, Action.TRANSPORT_INFO, Action.TRANSPORT_ACCEPT, Action.CONTENT_REJECT],
)
@pytest.mark.parametrize("error", [ERROR, OUT_OF_ORDER])
def test_other_refusals_are_no_reason_to_give_up(action: Action, error: StanzaError) -> None:
    talk = in_state(State.CHECKING)
    assert talk.words(talk.session.refused(Jingle(action, "s"), error)) == []
    assert talk.session.state is State.CHECKING


# --- infos ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [each for each in STATES if each is not State.ENDED])
@BOTH
def test_infos_are_answered_in_every_state(state: State, *, initiating: bool) -> None:
    senders = "initiator" if initiating else "responder"
    talk = in_state(state, initiating=initiating, senders=senders)
    infos: list[tuple[Info, str]] = [
        (Ping(), "ok"),
        (UnknownInfo(), "unsupported-info"),
        (Checksum({"sha-1": b"x"}), "ok"),
    ]
    for info, expected in infos:
        assert talk.hears(Action.SESSION_INFO, info=info) == [expected]
    assert talk.session.late_hashes == {}  # a sender knows its file


def test_hashes_that_come_late_are_kept_and_added() -> None:
    talk = in_state(State.FLOWING, initiating=False)
    talk.hears(Action.SESSION_INFO, info=Checksum({"sha-1": b"1"}))
    talk.hears(Action.SESSION_INFO, info=Checksum({"sha-256": b"2"}))
    assert talk.session.late_hashes == {"sha-1": b"1", "sha-256": b"2"}
    assert talk.hears(Action.SESSION_INFO, info=ReceivedInfo()) == ["ok"]
    assert not talk.session.received


@pytest.mark.parametrize(
    ("hashes", "follows", "quirk_s", "late", "wait_s"),
    [
        ({}, False, 0.0, {}, 0.0),
        ({}, True, 0.0, {}, 30.0),
        ({}, False, 3.0, {}, 3.0),
        ({}, True, 3.0, {}, 30.0),
        ({"sha-1": b"x"}, True, 3.0, {}, 0.0),
        ({}, True, 3.0, {"sha-1": b"x"}, 0.0),
    ],
)
def test_a_late_hash_is_waited_for_where_it_is_to_be_expected(
    hashes: dict[str, bytes], quirk_s: float, late: dict[str, bytes], wait_s: float, *, follows: bool
) -> None:
    file = replace(PLAIN, offer=replace(PLAIN.offer, hashes=hashes), hash_follows=follows)
    talk = Talk(initiating=False, file=file, quirks=Quirks(checksum_within_s=quirk_s))
    talk.session.late_hashes = late
    assert talk.session.checksum_wait_s == wait_s


# --- contents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [each for each in STATES if each is not State.ENDED])
@pytest.mark.conformance(52)
def test_another_content_is_rejected_and_nothing_else_happens(state: State) -> None:
    talk = in_state(state)
    assert talk.hears(Action.CONTENT_ADD, IN_BAND, name="more") == ["ok", "content-reject"]
    assert talk.session.state is state


@pytest.mark.conformance(52)
def test_contents_beside_the_one_that_is_taken_are_rejected_by_name() -> None:
    talk = Talk(initiating=False)
    others = (Content("b", "responder", file=PLAIN, transport=IN_BAND), Content("c"))
    effects = talk.session.accept(socks5(OUR_DIRECT), others=others)
    rejected = effects[0]
    assert isinstance(rejected, SendJingle)
    assert rejected.jingle.contents == (Content("b", "responder"), Content("c"))
    assert talk.words(effects) == ["content-reject", "session-accept", "dial"]


@pytest.mark.parametrize("action", [Action.CONTENT_REMOVE, Action.CONTENT_REJECT])
def test_without_its_content_a_session_ends(action: Action) -> None:
    talk = in_state(State.CHECKING)
    assert talk.hears(action, name="another") == ["ok"]
    assert talk.hears(action) == ["ok", "session-terminate cancel", "ended cancel"]


# --- parts ----------------------------------------------------------------------------------------------


@pytest.mark.conformance(50)
def test_a_part_is_asked_for_only_where_parts_were_offered() -> None:
    plain = Talk(initiating=False, file=PLAIN)
    with pytest.raises(LocalProtocolError):
        plain.session.accept(socks5(OUR_DIRECT), offset=4)
    ranged = Talk(initiating=False, file=RANGED)
    said = ranged.session.accept(socks5(OUR_DIRECT), offset=4)[0]
    assert isinstance(said, SendJingle)
    file = said.jingle.contents[0].file
    assert file is not None
    assert (file.range, ranged.session.expected_bytes) == (Range(4), 6)


@pytest.mark.conformance(50)
@pytest.mark.parametrize("file", [PLAIN, RANGED])
def test_who_wants_all_says_nothing_of_parts(file: object) -> None:
    talk = Talk(initiating=False, file=RANGED if file is RANGED else PLAIN)
    said = talk.session.accept(socks5(OUR_DIRECT))[0]
    assert isinstance(said, SendJingle)
    [content] = said.jingle.contents
    assert content.file is not None
    assert (content.file.range, talk.session.expected_bytes) == (None, 10)


@pytest.mark.parametrize(
    ("asked", "sends"),
    [
        (None, 10),
        (Range(), 10),
        (Range(4), 6),
        (Range(4, 3), 3),
        (Range(10), 0),
        (Range(0, 10), 10),
        (Range(11), None),
        (Range(4, 7), None),
        (Range(2**62, 2**62), None),
    ],
)
def test_the_part_that_the_receiver_asks_for_is_sent_if_there_is_one(
    asked: Range | None, sends: int | None
) -> None:
    talk = Talk(file=RANGED)
    began = talk.begins(file=replace(PLAIN, range=asked))
    if sends is None:
        assert began == ["session-terminate incompatible-parameters", "ended incompatible-parameters"]
    else:
        assert (began, talk.session.expected_bytes) == (["dial"], sends)


def test_a_file_that_was_asked_for_is_described_when_it_is_sent() -> None:
    talk = Talk(
        initiating=False, senders="responder", file=replace(PLAIN, offer=replace(PLAIN.offer, size=None))
    )
    described = replace(RANGED, range=Range(2))
    said = talk.session.accept(socks5(OUR_DIRECT), file=described)[0]
    assert isinstance(said, SendJingle)
    assert said.jingle.contents[0].file == described
    assert talk.session.expected_bytes == 8


def test_of_a_file_without_a_size_nobody_knows_how_much_comes() -> None:
    talk = Talk(initiating=False, file=replace(PLAIN, offer=replace(PLAIN.offer, size=None)))
    talk.begins()
    assert talk.session.expected_bytes is None


# --- duplicates, and everything out of order ------------------------------------------------------------

IN_ORDER = {
    Action.SESSION_ACCEPT: {State.OFFERED, State.REPLACING},
    Action.TRANSPORT_ACCEPT: {State.REPLACING},
    Action.TRANSPORT_REJECT: {State.REPLACING},
    Action.TRANSPORT_REPLACE: {State.CHECKING, State.ACTIVATING, State.REPLACING},
    Action.CONTENT_ACCEPT: set(),
    Action.CONTENT_MODIFY: set(),
    Action.SECURITY_INFO: set(),
    Action.SESSION_INITIATE: set(),
    Action.TRANSPORT_INFO: set(),
}
"""When an initiator takes them; those that are missing are taken always."""


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (action, state)
        for action, right in IN_ORDER.items()
        for state in STATES
        if state not in {*right, State.ENDED}
    ],
)
def test_what_comes_at_the_wrong_time_is_refused_and_changes_nothing(action: Action, state: State) -> None:
    talk = in_state(state)
    assert talk.hears(action, IN_BAND) == ["out-of-order"]
    assert talk.session.state is state


@pytest.mark.parametrize(
    "action", [Action.SESSION_ACCEPT, Action.TRANSPORT_ACCEPT, Action.TRANSPORT_REJECT]
)
@pytest.mark.parametrize("state", [each for each in STATES if each is not State.ENDED])
def test_a_responder_is_not_answered_by_the_initiator(action: Action, state: State) -> None:
    talk = in_state(state, initiating=False, senders="responder")
    assert talk.hears(action, IN_BAND) == ["out-of-order"]
    assert talk.session.state is state


@pytest.mark.parametrize("action", list(Action))
def test_after_the_end_every_action_is_about_an_unknown_session(action: Action) -> None:
    assert in_state(State.ENDED).hears(action, IN_BAND) == ["unknown-session"]


@pytest.mark.parametrize("action", [Action.SESSION_ACCEPT, Action.TRANSPORT_INFO, Action.TRANSPORT_REPLACE])
def test_what_is_about_another_content_is_out_of_order(action: Action) -> None:
    talk = in_state(State.OFFERED if action is Action.SESSION_ACCEPT else State.CHECKING)
    assert talk.hears(action, IN_BAND, name="another") == ["out-of-order"]


def test_a_second_accept_is_out_of_order() -> None:
    talk = in_state(State.CHECKING)
    assert talk.hears(Action.SESSION_ACCEPT, talk.theirs) == ["out-of-order"]


def test_more_words_about_the_file_are_taken_and_ignored() -> None:
    assert in_state(State.CHECKING).hears(Action.DESCRIPTION_INFO, file=RANGED) == ["ok"]


@pytest.mark.parametrize("state", [each for each in STATES if each is not State.CHECKING])
def test_what_the_driver_tells_too_late_does_nothing(state: State) -> None:
    talk = in_state(state)
    assert talk.dialled(THEIR_DIRECT) == []
    if state is not State.ACTIVATING:
        assert talk.words(talk.session.activated(well=True)) == []
    if state is not State.OPENING:
        assert talk.words(talk.session.opened()) == []
    if state is not State.FLOWING:
        assert talk.words(talk.session.sent()) == talk.words(talk.session.stored()) == []


@pytest.mark.parametrize("route", list(Route))
def test_people_know_each_route_by_its_method(route: Route) -> None:
    assert (route.method.value == "ibb") == (route is Route.IN_BAND)
