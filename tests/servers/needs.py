"""Plugin of pytest that deselects tests whose needs a server or mode lacks, and names them in the summary.

It is enabled in ``pyproject.toml``. ``@pytest.mark.needs("occupant-id")`` names a need of a test; ``LACKS``
says which server lacks it, and why; ``MODE_LACKS`` says the same of accounts and components.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.servers.choice import KINDS, MODES, choose

LACKS: Final[dict[str, dict[str, str]]] = {
    "prosody": {
        "rooms without private messages": "Prosody 0.12 has no such setting",
    },
    "ejabberd": {
        "a daily upload quota": "ejabberd's quota refuses nothing: it removes older uploads",
        "a clock that can be set": "Erlang follows a jump of the clock by one percent at a time only",
        "hidden inviters": "ejabberd says who invites through a room that hides them",
        "modules of our own": "the tests have some for Prosody only, and start one for that",
        "occupant-id": "ejabberd 23.01 knows nothing of XEP-0421",
        "newer nicks": "ejabberd 23.01 takes no addresses with characters newer than Unicode 3.2",
        "stanzas in its log": "of in-band blocks ejabberd logs only some, and ends of sessions are missed",
        "tombstones": "ejabberd 23.01 forgets a destroyed room, and whoever comes makes it anew",
        "patience": "50 MB in-band take up to three minutes, and the path is that of 1 MB",
    },
}
"""Reasons by server, then by need."""

MODE_LACKS: Final[dict[str, dict[str, str]]] = {
    "client": {},
    "component": {
        "a contact with an account": "Dino talks to contacts only, and Gajim sends files to them only",
        "a node in its address": "libpurple 2.14 does SOCKS5 with no address that has none",
        "an account": "the test is about accounts, or about components in either run",
        "a roster": "only accounts have a roster on the server",
        "an archive of its own": "servers keep messages for accounts, not for components",
        "a server's limit": "servers limit what accounts send, and nothing that components do",
        "stream management": "components have neither it nor its resumption",
    },
}
"""Reasons by mode of the bot, then by need."""

_NOT_RUN: Final = pytest.StashKey[set[tuple[str, str]]]()
_TO_CONTROLLER: Final = "tests that a server lacks something for"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server", choices=list(KINDS), default="prosody", help="run the tests against this one"
    )
    parser.addoption("--mode", choices=MODES, default="client", help="run the bot as this on the server")


def pytest_configure(config: pytest.Config) -> None:
    choose(config.getoption("--server"), config.getoption("--mode"))
    config.stash[_NOT_RUN] = set()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lacks = _lacks(config)
    lacking = {item: needed for item in items for needed in needs(item) if needed in lacks}
    if lacking:
        config.hook.pytest_deselected(items=list(lacking))
        items[:] = [item for item in items if item not in lacking]
    config.stash[_NOT_RUN] |= {(needed, item.nodeid) for item, needed in lacking.items()}


def _lacks(config: pytest.Config) -> dict[str, str]:
    return LACKS[config.getoption("--server")] | MODE_LACKS[config.getoption("--mode")]


def needs(item: pytest.Item) -> Iterator[str]:
    known = {needed for by in (LACKS, MODE_LACKS) for lacks in by.values() for needed in lacks}
    for mark in item.iter_markers("needs"):
        for needed in mark.args:
            if needed not in known:
                raise pytest.UsageError(f"{item.nodeid} needs {needed!r}, which every server has")
            yield needed


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the deselected tests to the xdist controller, which prints the summary."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        not_run = session.config.stash[_NOT_RUN]
        output[_TO_CONTROLLER] = sorted(not_run)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told: list[tuple[str, str]] = getattr(node, "workeroutput", {}).get(_TO_CONTROLLER, [])
    stash: pytest.Stash = node.config.stash
    stash[_NOT_RUN] |= {(needed, nodeid) for needed, nodeid in told}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    name, mode = KINDS[config.getoption("--server")].name, config.getoption("--mode")
    not_run, lacks = config.stash[_NOT_RUN], _lacks(config)
    if not lacks:
        return
    who = f"{name} or a {mode}" if MODE_LACKS[mode] else name
    terminalreporter.section(f"not run, for what {who} lacks: {len(not_run)} of the tests")
    for needed, reason in lacks.items():
        names = sorted(nodeid for each, nodeid in not_run if each == needed)
        terminalreporter.line(f"{needed}: {reason}; not run for that: {len(names)}")
        for each in names:
            terminalreporter.line(f"    {each}")
