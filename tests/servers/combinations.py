"""Pairwise choice of the combinations of server and mode that each test runs in.

All tests run on Prosody with the bot as a client. To run them all in each other combination would take
hours, and few bugs depend on one server, one mode and one parameter at the same time. So each value of each
parameter of each test runs with each server and with each mode at least once, unless these lack a feature
that the test needs (``tests/servers/needs.py``). Tests marked ``core`` run in every combination.

``make test`` runs the part ``smoke``: on Prosody all tests outside ``tests/e2e`` and ``tests/interop``, and
those inside that are marked ``smoke`` or ``core``; with the bot as a component of Prosody the tests marked
``core``. ``make test-all`` runs that and then the part ``rest``: all other tests of this plan.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from tests.servers.choice import Mode

Part = Literal["smoke", "rest"]


class Combination(NamedTuple):
    """Server, and the bot's mode on it."""

    server: str
    mode: Mode

    def __str__(self) -> str:
        return f"{self.server} {self.mode}"


Run = tuple[Combination, Part]

MAIN: Final = Combination("prosody", "client")
# The second differs from the first in both, so it covers most pairs; the others cover those that remain.
COMBINATIONS: Final = (
    MAIN,
    Combination("ejabberd", "component"),
    Combination("ejabberd", "client"),
    Combination("prosody", "component"),
)
SMOKED: Final = (MAIN, Combination("prosody", "component"))
"""Combinations that ``make test`` runs."""

BEHAVIOUR: Final = (
    "tests/servers/test_private_server.py",
    "tests/servers/test_component_docs.py",
    "tests/e2e/",
    "tests/interop/",
)
"""Tests that use a server of the chosen kind."""
CHOSEN_SMOKE: Final = ("tests/e2e/", "tests/interop/")
"""Folders in which ``make test`` runs only marked tests."""


@dataclass(frozen=True)
class Candidate:
    """Properties of a test on which its combinations depend."""

    nodeid: str
    values: frozenset[str]
    """Name of the function, and each value of each of its parameters."""
    impossible: frozenset[str]
    """Servers and modes that lack a feature that the test needs."""
    marks: frozenset[str]

    @property
    def function(self) -> str:
        return self.nodeid.partition("[")[0]

    @property
    def file(self) -> str:
        return self.nodeid.partition("::")[0]

    def can_run(self, combination: Combination) -> bool:
        return self.impossible.isdisjoint(combination)

    def pairs(self, combination: Combination) -> frozenset[tuple[str, str]]:
        """Return the pairs of a value and a server or mode that a run in the combination covers."""
        return frozenset((value, each) for value in self.values for each in combination)


class NeverRun(Exception):
    """Test that cannot run in any combination; the text is its name."""


class Plan:
    """Combinations and parts that each test runs in."""

    def __init__(self, tests: Iterable[Candidate]) -> None:
        self.tests = sorted(tests, key=lambda test: test.nodeid)
        self.runs: dict[Run, set[str]] = {}
        """Names of the tests that each run of ``make test-all`` has."""
        met: set[tuple[str, str]] = set()
        seen: set[str] = set()
        for combination in COMBINATIONS:
            smoke = self.runs[combination, "smoke"] = set()
            rest = self.runs[combination, "rest"] = set()
            for test in self.tests:
                if self._is_due(test, combination, met, seen):
                    (smoke if _is_smoke(test, combination) else rest).add(test.nodeid)
                    met |= test.pairs(combination)
            seen |= smoke | rest
        for test in self.tests:
            if test.nodeid not in seen:
                raise NeverRun(test.nodeid)

    @staticmethod
    def _is_due(
        test: Candidate, combination: Combination, met: AbstractSet[tuple[str, str]], seen: AbstractSet[str]
    ) -> bool:
        if not test.can_run(combination):
            return False
        if combination == MAIN:
            return True
        if not test.nodeid.startswith(BEHAVIOUR):
            return test.nodeid not in seen
        return "core" in test.marks or test.nodeid not in seen or not test.pairs(combination) <= met

    def where(self, nodeid: str) -> str:
        """Return the runs that have a test, in words."""
        return ", ".join(f"{run[0]} ({run[1]})" for run, tests in self.runs.items() if nodeid in tests)


def _is_smoke(test: Candidate, combination: Combination) -> bool:
    if combination not in SMOKED:
        return False
    if combination != MAIN:
        return "core" in test.marks
    if test.nodeid.startswith(CHOSEN_SMOKE):
        return not test.marks.isdisjoint({"smoke", "core"})
    return "thorough" not in test.marks


def table(plan: Plan) -> str:
    """Return a line for each file: how many of its tests each run has."""
    runs = {run: tests for run, tests in plan.runs.items() if tests}
    files: dict[str, list[str]] = {}
    for test in plan.tests:
        files.setdefault(test.file, []).append(test.nodeid)
    wide = max(map(len, files), default=0)
    heads = [f"{combination} {part}" for combination, part in runs]
    lines = [" ".join([" " * wide, "tests", *heads])]
    for file, names in [*files.items(), ("all", [test.nodeid for test in plan.tests])]:
        numbers = [len(tests & set(names)) for tests in runs.values()]
        cells = [f"{number or '-':>{len(head)}}" for number, head in zip(numbers, heads, strict=True)]
        lines.append(" ".join([f"{file:{wide}}", f"{len(names):5}", *cells]))
    return "\n".join(lines)
