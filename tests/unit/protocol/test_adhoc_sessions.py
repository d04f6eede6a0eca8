"""Sessions of ad-hoc commands: whose they are, how long, how many, and what may be done in them."""

from collections.abc import Iterator
from itertools import count

import pytest

from filebot.model import FieldKind, Form, FormAction, FormField, FormStep
from filebot.protocol.adhoc import BAD_ACTION, BAD_SESSION_ID, SESSION_EXPIRED, CommandRefused
from filebot.protocol.adhoc_sessions import (
    BUSY,
    UNDER_WAY,
    CommandLimits,
    CommandSession,
    CommandSessions,
    Move,
    Party,
    State,
)
from filebot.protocol.stanza_error import StanzaError

ANNA = Party("anna@example.org/phone", "anna@example.org")
LAPTOP = Party("anna@example.org/laptop", "anna@example.org")
EVE = Party("eve@example.org/phone", "eve@example.org")
FORM = Form("Which?", fields=(FormField("file", FieldKind.TEXT, "File"),))
ASK = FormStep(form=FORM, actions=(FormAction.NEXT, FormAction.COMPLETE))
SECOND = FormStep(form=FORM, actions=(FormAction.COMPLETE, FormAction.PREVIOUS))
DONE = FormStep("Done.")

Sessions = CommandSessions[str]
Session = CommandSession[str]


def made(**limits: float) -> Sessions:
    ids: Iterator[int] = count()
    return Sessions(CommandLimits(**limits), lambda: f"id{next(ids)}")  # type: ignore[arg-type]  # numbers


def asking(sessions: Sessions, party: Party = ANNA, now: float = 0.0, step: FormStep = ASK) -> Session:
    session = sessions.begin(party, "send", "", now)
    assert sessions.stepped(session, step, now)
    return session


def refusal(sessions: Sessions, party: Party, session_id: str, now: float = 0.0) -> StanzaError:
    with pytest.raises(CommandRefused) as refused:
        sessions.find(party, "send", session_id, now)
    return refused.value.error


def move_error(session: Session, action: FormAction | None) -> StanzaError:
    with pytest.raises(CommandRefused) as refused:
        session.move(action)
    return refused.value.error


# --- whose ------------------------------------------------------------------------------------------


@pytest.mark.conformance(105)
@pytest.mark.parametrize("other", [LAPTOP, EVE, Party(ANNA.jid, "somebody else")])
def test_nobody_goes_on_with_the_session_of_another_client_or_person(other: Party) -> None:
    sessions = made()
    session = asking(sessions)
    assert sessions.find(ANNA, "send", session.id, 1.0) is session
    assert refusal(sessions, other, session.id) == BAD_SESSION_ID
    sessions.end(session)
    assert refusal(sessions, other, session.id) == BAD_SESSION_ID


def test_a_session_is_for_one_command() -> None:
    sessions = made()
    session = asking(sessions)
    with pytest.raises(CommandRefused):
        sessions.find(ANNA, "rm", session.id, 1.0)


@pytest.mark.conformance(106)
def test_ids_that_never_were_differ_from_those_that_expired() -> None:
    sessions = made()
    session = asking(sessions)
    assert refusal(sessions, ANNA, "made up") == BAD_SESSION_ID
    assert refusal(sessions, ANNA, session.id, 600.0) == SESSION_EXPIRED
    assert len(sessions) == 0


def test_expired_ids_are_remembered_up_to_a_bound() -> None:
    sessions = made(ended=2)
    ended = [asking(sessions) for _ in range(3)]
    for each in ended:
        sessions.end(each)
    assert [refusal(sessions, ANNA, each.id) for each in ended] == [
        BAD_SESSION_ID,
        SESSION_EXPIRED,
        SESSION_EXPIRED,
    ]


# --- how long ---------------------------------------------------------------------------------------


@pytest.mark.conformance(106)
def test_time_counts_from_the_last_step_and_not_while_one_is_under_way() -> None:
    sessions = made()
    session = asking(sessions)
    assert sessions.find(ANNA, "send", session.id, 599.0) is session
    sessions.run(session, {}, 599.0)
    assert sessions.find(ANNA, "send", session.id, 5000.0) is session
    sessions.stepped(session, SECOND, 5000.0)
    assert sessions.find(ANNA, "send", session.id, 5599.0) is session
    assert refusal(sessions, ANNA, session.id, 5600.0) == SESSION_EXPIRED


# --- how many ---------------------------------------------------------------------------------------


@pytest.mark.conformance(107)
def test_the_oldest_of_the_same_person_makes_room() -> None:
    sessions = made(per_person=3)
    first, second, third = (asking(sessions, now=float(number)) for number in range(3))
    sessions.run(first, {}, 3.0)
    sessions.stepped(first, SECOND, 3.0)
    asking(sessions, LAPTOP, 4.0)
    assert refusal(sessions, ANNA, second.id, 4.0) == SESSION_EXPIRED
    assert {each.id for each in sessions} >= {first.id, third.id}


@pytest.mark.conformance(107)
def test_steps_under_way_are_not_pushed_out() -> None:
    sessions = made(per_person=2)
    running = [sessions.begin(ANNA, "send", "", 0.0) for _ in range(2)]
    with pytest.raises(CommandRefused) as refused:
        sessions.begin(ANNA, "send", "", 1.0)
    assert refused.value.error == BUSY
    assert [*sessions] == running


@pytest.mark.conformance(107)
def test_ten_thousand_sessions_of_one_person_leave_those_of_others() -> None:
    sessions = made()
    others = asking(sessions, EVE)
    for number in range(10_000):
        asking(sessions, Party(f"anna@example.org/{number}", "anna@example.org"))
    assert len(sessions) == 9
    assert sessions.find(EVE, "send", others.id, 1.0) is others


@pytest.mark.conformance(107)
def test_ten_thousand_people_push_nobody_out() -> None:
    sessions = made()
    first = asking(sessions)
    for number in range(999):
        asking(sessions, Party(f"p{number}@example.org/x", f"p{number}@example.org"))
    for number in range(9_000):
        with pytest.raises(CommandRefused):
            sessions.begin(Party(f"q{number}@example.org/x", f"q{number}@example.org"), "send", "", 1.0)
    assert sessions.find(ANNA, "send", first.id, 1.0) is first
    asking(sessions, EVE, 600.0)
    assert len(sessions) == 1


@pytest.mark.conformance(107)
def test_people_whom_a_room_makes_up_leave_room_for_others() -> None:
    sessions, room = made(), "den@conference.example.org"
    made_up = [Party(f"{room}/{number}", f"{room}/id{number}", room) for number in range(10_000)]
    for each in made_up[:200]:
        asking(sessions, each)
    for each in made_up[200:]:
        with pytest.raises(CommandRefused) as refused:
            sessions.begin(each, "send", "", 1.0)
        assert refused.value.error == BUSY
    asking(sessions, EVE)
    asking(sessions, Party("hall@conference.example.org/x", "x", "hall@conference.example.org"))


@pytest.mark.conformance(107)
def test_memory_is_bounded_in_a_room() -> None:
    large, room = FormStep(form=Form("x" * 100_000)), "den@conference.example.org"
    sessions = made(room_bytes=250_000)
    people = [Party(f"{room}/{number}", f"{room}/id{number}", room) for number in range(3)]
    for each in people[:2]:
        asking(sessions, each, step=large)
    third = sessions.begin(people[2], "send", "", 1.0)
    with pytest.raises(CommandRefused):
        sessions.stepped(third, large, 1.0)
    asking(sessions, EVE, step=large)


@pytest.mark.conformance(107)
def test_memory_is_bounded_for_a_person_and_in_all() -> None:
    large = FormStep(form=Form("x" * 100_000))
    sessions = made(person_bytes=250_000, total_bytes=400_000)
    first, second = asking(sessions, step=large), asking(sessions, step=large, now=1.0)
    third = asking(sessions, step=large, now=2.0)
    assert refusal(sessions, ANNA, first.id, 2.0) == SESSION_EXPIRED
    assert {*sessions} == {second, third}
    asking(sessions, EVE, step=large)
    more = sessions.begin(EVE, "send", "", 2.0)
    with pytest.raises(CommandRefused):
        sessions.stepped(more, large, 2.0)
    assert sessions.size_bytes < 400_000
    for each in sessions:
        sessions.end(each)
    assert sessions.size_bytes == 0


def test_what_is_filled_in_counts_while_its_step_is_under_way() -> None:
    sessions = made(person_bytes=50_000)
    session = asking(sessions)
    with pytest.raises(CommandRefused):
        sessions.run(session, {"file": ("x" * 50_000,)}, 1.0)
    assert session.state is State.ASKING
    sessions.run(session, {"file": ("x" * 40_000,)}, 1.0)
    assert sessions.size_bytes > 40_000
    sessions.stepped(session, ASK, 1.0)
    assert sessions.size_bytes < 10_000


# --- what may be done -------------------------------------------------------------------------------


@pytest.mark.conformance(103, 104)
def test_execute_means_the_usual_action() -> None:
    sessions = made()
    session = asking(sessions)
    assert session.move(None) is Move.NEXT
    assert session.move(FormAction.COMPLETE) is Move.COMPLETE
    sessions.run(session, {}, 0.0)
    sessions.stepped(session, SECOND, 0.0)
    assert session.move(None) is Move.COMPLETE
    assert session.move(FormAction.PREVIOUS) is Move.PREVIOUS
    assert move_error(session, FormAction.NEXT) == BAD_ACTION


@pytest.mark.conformance(104)
def test_there_is_no_way_back_from_the_first_step() -> None:
    assert move_error(asking(made()), FormAction.PREVIOUS) == BAD_ACTION


def test_a_form_without_actions_can_be_completed() -> None:
    session = asking(made(), step=FormStep(form=FORM))
    assert session.move(None) is Move.COMPLETE
    assert move_error(session, FormAction.NEXT) == BAD_ACTION


@pytest.mark.conformance(109)
@pytest.mark.parametrize("action", [None, FormAction.NEXT, FormAction.COMPLETE, FormAction.PREVIOUS])
def test_nothing_is_begun_while_a_step_is_under_way(action: FormAction | None) -> None:
    sessions = made()
    session = asking(sessions)
    sessions.run(session, {}, 0.0)
    assert move_error(session, action) == UNDER_WAY


@pytest.mark.conformance(109)
def test_a_session_that_is_done_has_expired() -> None:
    sessions = made()
    session = asking(sessions)
    sessions.run(session, {}, 0.0)
    assert sessions.stepped(session, DONE, 0.0)
    assert refusal(sessions, ANNA, session.id) == SESSION_EXPIRED
    assert len(sessions) == 0


def test_cancel_is_always_possible() -> None:
    sessions = made()
    session = sessions.begin(ANNA, "send", "", 0.0)
    assert session.move(FormAction.CANCEL) is Move.CANCEL
    sessions.late(session)
    assert session.move(FormAction.CANCEL) is Move.CANCEL
    sessions.stepped(session, ASK, 0.0)
    assert session.move(FormAction.CANCEL) is Move.CANCEL
    sessions.fetched(session, 0.0)
    assert session.move(FormAction.CANCEL) is Move.CANCEL


@pytest.mark.conformance(110)
def test_a_late_step_is_waited_for_and_fetched_once() -> None:
    sessions = made()
    session = sessions.begin(ANNA, "send", "", 0.0)
    sessions.late(session)
    assert session.move(None) is session.move(FormAction.NEXT) is Move.WAIT
    assert move_error(session, FormAction.PREVIOUS) == BAD_ACTION
    assert not sessions.stepped(session, ASK, 30.0)
    assert session.move(None) is Move.FETCH
    sessions.fetched(session, 40.0)
    assert (session.state, session.move(None)) == (State.ASKING, Move.NEXT)


def test_a_late_result_can_be_fetched_and_ends_the_session() -> None:
    sessions = made()
    session = sessions.begin(ANNA, "send", "", 0.0)
    sessions.late(session)
    assert not sessions.stepped(session, DONE, 30.0)
    assert session.move(FormAction.NEXT) is Move.FETCH
    sessions.fetched(session, 40.0)
    assert refusal(sessions, ANNA, session.id) == SESSION_EXPIRED
