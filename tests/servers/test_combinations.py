"""Each test runs at least once, and each of its values meets each server and each mode that it can."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from tests.servers.combinations import COMBINATIONS, MAIN, Candidate, Combination, NeverRun, Plan, table
from tests.servers.parts import grouped
from tests.servers.test_needs import run_pytest

FUNCTION = "tests/e2e/test_it.py::test_that"
TEST = Candidate(FUNCTION, frozenset({FUNCTION}), frozenset(), frozenset())
EJABBERD_COMPONENT = Combination("ejabberd", "component")


def ran(plan: Plan, test: Candidate) -> set[Combination]:
    return {combination for (combination, _), names in plan.runs.items() if test.nodeid in names}


def with_parameters(*values: Iterable[str]) -> list[Candidate]:
    return [
        replace(TEST, nodeid=f"{FUNCTION}[{'-'.join(some)}]", values=frozenset({FUNCTION, *some}))
        for some in product(*values)
    ]


def test_a_test_runs_on_prosody_as_client_and_on_ejabberd_as_component() -> None:
    assert ran(Plan([TEST]), TEST) == {MAIN, EJABBERD_COMPONENT}


@pytest.mark.parametrize(
    ("lacking", "combinations"),
    [
        ("component", {MAIN, Combination("ejabberd", "client")}),
        ("ejabberd", {MAIN, Combination("prosody", "component")}),
        ("prosody", {EJABBERD_COMPONENT, Combination("ejabberd", "client")}),
    ],
)
def test_a_test_meets_the_servers_and_modes_that_have_what_it_needs(
    lacking: str, combinations: set[Combination]
) -> None:
    test = replace(TEST, impossible=frozenset({lacking}))
    assert ran(Plan([test]), test) == combinations


def test_each_value_meets_each_server_and_mode_with_fewer_tests_than_all() -> None:
    tests = with_parameters(("one", "two"), ("small", "large"), ("in-band", "direct"))
    plan = Plan(tests)
    met = {pair for test in tests for run in ran(plan, test) for pair in test.pairs(run)}
    values = {value for test in tests for value in test.values}
    assert met == set(product(values, {each for combination in COMBINATIONS for each in combination}))
    assert plan.runs[MAIN, "rest"] == {test.nodeid for test in tests}
    assert len(plan.runs[EJABBERD_COMPONENT, "rest"]) < len(tests)


def test_a_core_test_runs_everywhere_and_in_make_test() -> None:
    test = replace(TEST, marks=frozenset({"core"}))
    plan = Plan([test])
    assert ran(plan, test) == set(COMBINATIONS)
    smoke = {combination for combination in COMBINATIONS if plan.runs[combination, "smoke"]}
    assert smoke == {MAIN, Combination("prosody", "component")}


def test_a_test_without_a_server_runs_once_in_make_test() -> None:
    test = replace(TEST, nodeid="tests/unit/test_it.py::test_that")
    thorough = replace(test, nodeid="tests/unit/test_it.py::test_long", marks=frozenset({"thorough"}))
    plan = Plan([test, thorough])
    assert [run for run, names in plan.runs.items() if names] == [(MAIN, "smoke"), (MAIN, "rest")]
    assert plan.where(test.nodeid) == "prosody client (smoke)"
    assert plan.where(thorough.nodeid) == "prosody client (rest)"


def test_a_test_that_nothing_can_run_is_a_mistake() -> None:
    with pytest.raises(NeverRun, match="test_that"):
        Plan([replace(TEST, impossible=frozenset({"component", "client"}))])


def test_the_plan_is_printed_by_file() -> None:
    lines = table(Plan(with_parameters(("one", "two")))).splitlines()
    assert lines[0].split() == ["tests", *["prosody", "client", "rest", "ejabberd", "component", "rest"]]
    assert lines[1].split() == ["tests/e2e/test_it.py", "2", "2", "2"]
    assert lines[2].split() == ["all", "2", "2", "2"]


def test_what_another_run_has_is_printed_by_file() -> None:
    elsewhere = {"a.py::f[1]": "here", "a.py::f[2]": "here", "a.py::g": "there"}
    assert [*grouped(elsewhere)] == ["a.py: 2 in here", "a.py: 1 in there"]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_run_names_what_it_leaves_to_another(tmp_path: Path, processes: str) -> None:
    code, printed = run_pytest(tmp_path, "occupant-id", "--part", "smoke", "-n", processes)
    assert code == 1, printed
    assert "part 'smoke' of prosody client: another run has 1 tests" in printed
    assert "test_it.py: 1 in prosody client (rest)" in printed
