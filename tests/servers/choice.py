"""Choice of the server that the tests of behaviour run against, and of the bot's place on it.

``pytest --server ejabberd``; Prosody by default. ``pytest --mode component``: the bot is an external
component (XEP-0114); an account by default.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec

from filebot.localserver.prosody import Prosody
from filebot.localserver.server import ComponentLogin, Server
from tests.servers.ejabberd import Ejabberd

Mode = Literal["client", "component"]

KINDS: Final[dict[str, type[Server]]] = {"prosody": Prosody, "ejabberd": Ejabberd}
MODES: Final[tuple[Mode, ...]] = ("client", "component")
BOTS: Final = {"filebot": "files.localhost", "bot": "bot.localhost"}
"""Users that are bots, with the domain of each in component mode."""

_choice: list[Any] = ["prosody", "client"]

P = ParamSpec("P")


def choose(kind: str, mode: Mode) -> None:
    """Set one of the KINDS and of the MODES for this process, once and before any test."""
    _choice[:] = [kind, mode]


def chosen() -> type[Server]:
    """Return the kind that was chosen."""
    return _KINDS_BY_MODE[mode()][_choice[0]]


def mode() -> Mode:
    """Return the mode that was chosen."""
    chosen_mode: Mode = _choice[1]
    return chosen_mode


def component_login(server: Server, user: str) -> ComponentLogin | None:
    """Return the login of a bot; None for people, and for bots with an account."""
    return server.component(BOTS[user]) if mode() == "component" and user in BOTS else None


class _WithBotsAsComponents(Server):
    """Server on which bots are external components, even if they are requested as users."""

    def __init__(
        self, folder: Path, *, users: Iterable[str] = (), components: Iterable[str] = (), **others: Any
    ) -> None:
        people = [user for user in users if user not in BOTS]
        domains = [BOTS[user] for user in users if user in BOTS]
        super().__init__(folder, users=people, components=dict.fromkeys([*components, *domains]), **others)

    def jid(self, user: str) -> str:
        return BOTS[user] if user in BOTS else super().jid(user)

    def password(self, user: str) -> str:
        return self.component(BOTS[user]).secret if user in BOTS else super().password(user)


_KINDS_BY_MODE: Final[dict[str, dict[str, type[Server]]]] = {
    "client": KINDS,
    "component": {
        name: type(kind.__name__, (_WithBotsAsComponents, kind), {}) for name, kind in KINDS.items()
    },
}


def _made_like(kind: Callable[P, Server]) -> Callable[P, Server]:
    def make(*args: P.args, **kwargs: P.kwargs) -> Server:
        return chosen()(*args, **kwargs)  # type: ignore[arg-type]  # all kinds take the same

    return make


private_server: Final = _made_like(Prosody)
"""Server of the chosen kind; takes the arguments of :class:`Server`."""
