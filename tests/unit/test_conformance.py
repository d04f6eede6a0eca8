"""Every rule of docs/conformance.md is named by a test, and tests name no others."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs/conformance.md"


def rules() -> dict[int, str]:
    """The numbers of the table, each with what it says."""
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len({number for number, _ in rows}) == len(rows)
    return {int(number): rule for number, rule in rows}


def marks(source: str) -> dict[str, set[int]]:
    """The numbers that each test of a module names."""
    found: dict[str, set[int]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("conformance"):
                    assert node.name.startswith("test_"), node.name
                    numbers = [ast.literal_eval(argument) for argument in decorator.args]
                    found.setdefault(node.name, set()).update(numbers)
    return found


@cache
def named() -> set[int]:
    sources = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return {number for source in sources for numbers in marks(source).values() for number in numbers}


def test_every_rule_has_a_test() -> None:
    tested = named()
    assert {number: rule for number, rule in rules().items() if number not in tested} == {}


def test_no_test_names_a_rule_that_is_not_there() -> None:
    assert named() <= set(rules())


def test_all_rules_of_messages_streams_rooms_and_commands_are_in_the_table() -> None:
    assert set(rules()) == {*range(22, 26), *range(42, 87), *range(91, 116)}


def test_marks_are_found_wherever_they_stand() -> None:
    source = """
class TestIt:
    @pytest.mark.parametrize("x", [1])
    @pytest.mark.conformance(43, 54)
    @pytest.mark.conformance(44)
    async def test_one(self): ...

def test_two(): ...
"""
    assert marks(source) == {"test_one": {43, 54, 44}}
