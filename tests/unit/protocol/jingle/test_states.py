"""The table of a Jingle session's states."""

import pytest

from filebot.errors import LocalProtocolError
from filebot.protocol.jingle.states import NEXT_STATES, State, next_state


def test_every_state_but_the_last_leads_to_the_end_and_none_back_to_an_earlier_one() -> None:
    order = list(State)
    assert set(NEXT_STATES) == set(order)
    for state, following in NEXT_STATES.items():
        assert all(order.index(each) > order.index(state) for each in following)
        assert (State.ENDED in following) == (state is not State.ENDED)


def test_a_step_that_the_table_does_not_have_is_refused() -> None:
    assert next_state(State.OFFERED, State.CHECKING) is State.CHECKING
    with pytest.raises(LocalProtocolError, match="FLOWING cannot be CHECKING"):
        next_state(State.FLOWING, State.CHECKING)
