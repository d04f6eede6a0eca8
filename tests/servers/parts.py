"""Plugin of pytest for ``--part``: it runs a part of the plan of ``tests/servers/combinations.py``.

Tests of another run are deselected, and the summary counts them by file. ``--part plan`` runs nothing and
prints how many tests of each file each run has.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.servers.combinations import Candidate, Combination, NeverRun, Plan, table
from tests.servers.needs import LACKS, MODE_LACKS, needs

_ELSEWHERE: Final = pytest.StashKey[dict[str, str]]()
_PLAN: Final = pytest.StashKey[str]()
_TO_CONTROLLER: Final = "tests that another run has"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part",
        choices=("all", "smoke", "rest", "plan"),
        default="all",
        help="run this part of the plan; 'plan' prints it and runs nothing",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ELSEWHERE] = {}
    config.stash[_PLAN] = ""


# This hook runs before that of needs.py, since the plan takes account of the needs itself.
@pytest.hookimpl
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.getoption("--part")
    if part == "all":
        return
    plan = planned(items)
    if part == "plan":
        config.stash[_PLAN] = table(plan)
        config.hook.pytest_deselected(items=items[:])
        items.clear()
        return
    combination = Combination(config.getoption("--server"), config.getoption("--mode"))
    chosen = plan.runs[combination, part]
    able = {test.nodeid for test in plan.tests if test.can_run(combination)}
    others = [item for item in items if item.nodeid in able - chosen]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.nodeid not in able - chosen]
    config.stash[_ELSEWHERE] |= {item.nodeid: plan.where(item.nodeid) for item in others}


def planned(items: list[pytest.Item]) -> Plan:
    """Return the plan for these tests. Raises UsageError if one would never run."""
    try:
        return Plan(map(candidate, items))
    except NeverRun as error:
        raise pytest.UsageError(f"no combination has what {error} needs") from None


def candidate(item: pytest.Item) -> Candidate:
    """Return the properties of a test that the plan depends on."""
    needed = set(needs(item))
    lacking = [
        name for by in (LACKS, MODE_LACKS) for name, lacks in by.items() if not needed.isdisjoint(lacks)
    ]
    function = item.nodeid.partition("[")[0]
    values = frozenset(f"{function} {value}" for value in _values(item))
    marks = frozenset(mark.name for mark in item.iter_markers())
    return Candidate(item.nodeid, values | {function}, frozenset(lacking), marks)


def _values(item: pytest.Item) -> Iterator[str]:
    """Yield a name for each value of each parameter; a tuple with named fields has several."""
    call = getattr(item, "callspec", None)
    if call is None:
        return
    for name, value in call.params.items():
        fields: tuple[str, ...] = getattr(value, "_fields", ())
        if fields:
            yield from (f"{name}.{field}={getattr(value, field)!r}" for field in fields)
        else:
            yield f"{name}={call.indices[name]}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the deselected tests to the xdist controller, which prints the summary."""
    output = getattr(session.config, "workeroutput", None)
    if session.config.stash[_PLAN] and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK
    if output is not None:
        output[_TO_CONTROLLER] = session.config.stash[_ELSEWHERE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told: dict[str, str] = getattr(node, "workeroutput", {}).get(_TO_CONTROLLER, {})
    stash: pytest.Stash = node.config.stash
    stash[_ELSEWHERE] |= told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    part = config.getoption("--part")
    if config.stash[_PLAN]:
        terminalreporter.section("tests of each file, by the run that has them")
        terminalreporter.line(config.stash[_PLAN])
    if part not in {"smoke", "rest"}:
        return
    elsewhere = config.stash[_ELSEWHERE]
    combination = Combination(config.getoption("--server"), config.getoption("--mode"))
    terminalreporter.section(f"part {part!r} of {combination}: another run has {len(elsewhere)} tests")
    for line in grouped(elsewhere):
        terminalreporter.line(line)


def grouped(elsewhere: dict[str, str]) -> Iterator[str]:
    """Yield a line for each file and each choice of runs that have some of its tests."""
    counts: dict[tuple[str, str], int] = {}
    for nodeid, where in sorted(elsewhere.items()):
        key = nodeid.partition("::")[0], where
        counts[key] = counts.get(key, 0) + 1
    for (file, where), count in counts.items():
        yield f"{file}: {count} in {where}"
