"""Silence of a receiver that has every byte, and the outcome that it counts as."""

import pytest

from filebot.model import Offer
from filebot.protocol.jingle.actions import Action, Content, Jingle, JingleReason
from filebot.protocol.jingle.description import FileDescription
from filebot.protocol.jingle.effects import Ended, SendJingle
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.quirks import STANDARD, Quirks, quirks_of
from filebot.protocol.jingle.session import JingleSession
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import InBandTransport


@pytest.mark.parametrize(
    ("quirks", "reason"),
    [(STANDARD, JingleReason.SUCCESS), (quirks_of("https://dino.im"), JingleReason.TIMEOUT)],
)
def test_silence_is_success_unless_the_client_is_known_to_speak(
    quirks: Quirks, reason: JingleReason
) -> None:
    file = FileDescription(Offer(name="a.bin", size=10))
    content = Content("file", senders="initiator", file=file, transport=InBandTransport("s2", 4096))
    session = JingleSession(SessionParameters("s1", content, initiating=True, quirks=quirks))
    session.offer()
    session.receive(Jingle(Action.SESSION_ACCEPT, "s1", (content,)))
    session.opened()
    session.sent()
    assert session.state is State.FINISHING
    waited_s = session.wait_s
    bye, ended = session.expired()
    assert isinstance(bye, SendJingle)
    assert (bye.jingle.action, bye.jingle.reason) == (Action.SESSION_TERMINATE, reason)
    assert ended == Ended(reason, waited_s=0.0 if reason is JingleReason.SUCCESS else waited_s or 0.0)
