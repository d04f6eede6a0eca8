"""States of a Jingle session: a table for people, and the same one for the machine.

Theory of operation. Iqs of the peer go into :meth:`JingleSession.receive`, events at our side (a connection
was made, the last byte moved, time ran out) into its other methods. Each returns a list of effects, to be
carried out in that order. ``SendJingle`` effects are iqs: each goes out when the one before it was
answered, so that nobody sees the second before the first.

    state       meaning                              left by                                     for
    ----------  -----------------------------------  ------------------------------------------  ----------
    OFFERED     initiator: offered, not answered     session-accept                              CHECKING*
                responder: offered to us             accept()                                    CHECKING*
    CHECKING    both sides dial the candidates of    both outcomes known, one of them good:
                the other and tell what came of it     direct                                    FLOWING
                                                       a proxy                                   ACTIVATING
                                                     both bad, or too late                       REPLACING
    ACTIVATING  who offered the proxy activates it   activated (ours or theirs)                  FLOWING
                                                     proxy-error, or too late                    REPLACING
    REPLACING   initiator: transport-replace sent    transport-accept                            OPENING
                responder: it is awaited             transport-replace, answered with -accept    OPENING
    OPENING     the initiator opens the in-band      opened()                                    FLOWING
                stream (XEP-0261)
    FLOWING     bytes move                           sent()                                      FINISHING
                                                     stored()                                    ENDED
    FINISHING   sender: the receiver has to confirm  received, session-terminate, or too late    ENDED
    ENDED       nothing more is said

    * OPENING at once where the offer is in-band.

Any state is left for ENDED by session-terminate, fail(), lost(), or when its time has run out and there
is nothing left to try. Every state in which we wait for the peer has its limit in ``SessionLimits``.
"""

from collections.abc import Mapping
from enum import Enum, auto, unique
from typing import Final

from filebot.errors import LocalProtocolError
from filebot.protocol.jingle.parameters import SessionParameters


@unique
class State(Enum):
    """State of a session, as in the table above."""

    OFFERED = auto()
    CHECKING = auto()
    ACTIVATING = auto()
    REPLACING = auto()
    OPENING = auto()
    FLOWING = auto()
    FINISHING = auto()
    ENDED = auto()


NEXT_STATES: Final[Mapping[State, frozenset[State]]] = {
    State.OFFERED: frozenset({State.CHECKING, State.OPENING, State.ENDED}),
    # The step to OPENING without REPLACING: the peer asks for a replacement by itself.
    State.CHECKING: frozenset(
        {State.FLOWING, State.ACTIVATING, State.REPLACING, State.OPENING, State.ENDED}
    ),
    State.ACTIVATING: frozenset({State.FLOWING, State.REPLACING, State.OPENING, State.ENDED}),
    State.REPLACING: frozenset({State.OPENING, State.ENDED}),
    State.OPENING: frozenset({State.FLOWING, State.ENDED}),
    State.FLOWING: frozenset({State.FINISHING, State.ENDED}),
    State.FINISHING: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}

REPLACEABLE: Final = frozenset({State.CHECKING, State.ACTIVATING, State.REPLACING})
"""States in which the transport can still be replaced: no byte has moved."""


def next_state(state: State, following: State) -> State:
    """Return ``following``. Raises LocalProtocolError if the table has no such step."""
    if following not in NEXT_STATES[state]:
        raise LocalProtocolError(f"a session in state {state.name} cannot be {following.name} next")
    return following


def wait_s(state: State, parameters: SessionParameters) -> float | None:
    """Return how long a state may last; None for ever.

    Not limited are the things that the bot itself has to do, and bytes that move.
    """
    limits = parameters.limits
    if state is State.OFFERED:
        if not parameters.initiating:
            return None
        return parameters.quirks.answer_within_s or limits.answer_s
    return {
        State.CHECKING: limits.check_s,
        State.ACTIVATING: limits.activate_s,
        State.REPLACING: limits.replace_s,
        State.OPENING: limits.open_s,
        State.FINISHING: limits.finish_s,
    }.get(state)
