"""How many byte streams there may be at once."""

from typing import Any, cast

import pytest

from filebot.xmpp.bytestreams.registry import Sessions, StreamLimits


class NoExpress:
    def serve(self, *_: Any, **__: Any) -> None:
        """Nothing comes."""


@pytest.mark.conformance(98)
def test_sessions_are_bounded_for_each_person_and_in_all() -> None:
    sessions = Sessions(cast("Any", NoExpress()), StreamLimits(per_person=2, total=3))
    for client in ("anna@example.org/phone", "anna@example.org/desk"):
        assert sessions.room_for(client)
        sessions.hold(client)
    assert not sessions.room_for("anna@example.org/third")
    sessions.hold("eve@example.org/x")
    assert not sessions.room_for("bob@example.org/x")
    sessions.let_go("anna@example.org/phone")
    assert sessions.room_for("bob@example.org/x")
    assert sessions.room_for("anna@example.org/third")
