"""Both sides of a session in every order in which things can happen between them."""

from collections.abc import Callable
from itertools import product

import pytest

from filebot.protocol.jingle.actions import JingleReason
from filebot.protocol.jingle.effects import Route
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import CandidateType
from tests.support.jingle_world import MEETING, SIDES, Setting, Side, World

KINDS = (CandidateType.DIRECT, CandidateType.PROXY, None)


def explore(setting: Setting, check: Callable[[World], None], *, hasty: bool = False) -> int:
    """Go through every order of steps; ``check`` looks at each world in which nothing can happen any more.

    Time runs out only where nothing else can happen or, if ``hasty``, at any moment. Returns how many
    different worlds there were.
    """
    waiting = [World(setting)]
    seen = {waiting[0].mark()}
    while waiting:
        world = waiting.pop()
        steps = world.steps()
        if hasty or not steps:
            steps += world.timeouts()
        if not steps:
            check(world)
        for step in steps:
            after = world.copy()
            after.take(step)
            mark = after.mark()
            if mark not in seen:
                seen.add(mark)
                waiting.append(after)
    return len(seen)


def outcomes(world: World) -> tuple[JingleReason, JingleReason]:
    one, two = (end.ended for end in world.ends.values())
    assert one is not None
    assert two is not None, world.ends["responder"].session.state
    return one.reason, two.reason


def both_end(world: World) -> None:
    assert all(outcomes(world))


def both_agree(world: World) -> None:
    """Both have ended in the same way, and never over different connections."""
    reasons = outcomes(world)
    assert all(end.session.state is State.ENDED for end in world.ends.values())
    assert (reasons[0] is JingleReason.SUCCESS) == (reasons[1] is JingleReason.SUCCESS), reasons
    routes = {end.route for end in world.ends.values()}
    if None not in routes:
        one, two = (end.route for end in world.ends.values())
        assert one is not None
        # Only one end of a proxied stream is ACTIVATED; the other has dialled the same proxy.
        assert MEETING.get(one, Route.DIALLED) is two or {one, two} == {Route.ACTIVATED, Route.DIALLED}


@pytest.mark.parametrize("senders", ["initiator", "responder"])
@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize("ours", KINDS)
@pytest.mark.parametrize("theirs", KINDS)
def test_whatever_the_order_both_sides_come_to_the_same_end(
    ours: CandidateType | None, theirs: CandidateType | None, *, replaces: bool, senders: str
) -> None:
    for i_dial, r_dials, activates, same in product((True, False), repeat=4):
        works = (i_dial and theirs is not None) or (r_dials and ours is not None)
        setting = Setting(
            offers={"initiator": ours, "responder": theirs},
            dials={"initiator": i_dial, "responder": r_dials},
            activates=activates,
            replaces=replaces,
            senders=senders,
            same_priority=same,
        )

        def check(world: World, *, surely: bool = replaces or (works and activates)) -> None:
            both_agree(world)
            if surely:
                assert outcomes(world) == (JingleReason.SUCCESS, JingleReason.SUCCESS)

        assert explore(setting, check) > 10


@pytest.mark.parametrize("senders", ["initiator", "responder"])
def test_in_band_from_the_beginning_needs_no_candidates(senders: str) -> None:
    setting = Setting({"initiator": None, "responder": None}, {}, in_band=True, senders=senders)

    def check(world: World) -> None:
        both_agree(world)
        assert {end.route for end in world.ends.values()} == {Route.IN_BAND}

    explore(setting, check)


@pytest.mark.parametrize("works", [True, False])
@pytest.mark.parametrize(
    ("ours", "theirs"), [KINDS[:2], KINDS[1::-1], KINDS[1:], (CandidateType.PROXY, CandidateType.PROXY)]
)
def test_whenever_time_runs_out_both_sides_end(
    ours: CandidateType | None, theirs: CandidateType | None, *, works: bool
) -> None:
    offers: dict[Side, CandidateType | None] = {"initiator": ours, "responder": theirs}
    dials: dict[Side, bool] = dict.fromkeys(SIDES, works)
    explore(Setting(offers, dials), both_end, hasty=True)
