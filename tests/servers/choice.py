"""Which server the tests of behaviour run against: ``pytest --server ejabberd``; Prosody by default."""

from collections.abc import Callable
from typing import Final, ParamSpec

from filebot.demo.prosody import Prosody
from filebot.demo.server import Server
from tests.servers.ejabberd import Ejabberd

KINDS: Final[dict[str, type[Server]]] = {"prosody": Prosody, "ejabberd": Ejabberd}

_choice = ["prosody"]

P = ParamSpec("P")


def choose(kind: str) -> None:
    """One of the KINDS, for this process; set once, before any test."""
    _choice[0] = kind


def chosen() -> type[Server]:
    """The kind that was chosen."""
    return KINDS[_choice[0]]


def _made_like(kind: Callable[P, Server]) -> Callable[P, Server]:
    def make(*args: P.args, **kwargs: P.kwargs) -> Server:
        return chosen()(*args, **kwargs)  # type: ignore[arg-type]  # all kinds take the same

    return make


private_server: Final = _made_like(Prosody)
"""One of the chosen kind, made with what :class:`Server` takes."""
