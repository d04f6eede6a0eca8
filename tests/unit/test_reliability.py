"""Every test that docs/reliability.md names exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs/reliability.md"


def missing(table: str) -> list[str]:
    """The tests named as `tests/path.py::name` (or `::Class::name`) that are not there."""
    named = re.findall(r"`((?:tests|filebot/testing)/[\w/]+\.py)((?:::\w+)+)`", table)
    return [file + path for file, path in named if not _is_defined(ROOT / file, path.split("::")[1:])]


def _is_defined(file: Path, names: list[str]) -> bool:
    if not file.is_file():
        return False
    body: list[ast.stmt] = ast.parse(file.read_text(encoding="utf-8")).body
    for name in names:
        found = next((each for each in body if getattr(each, "name", None) == name), None)
        if found is None:
            return False
        body = getattr(found, "body", [])
    return True


def rows(table: str) -> list[str]:
    cells = [line for line in table.splitlines() if line.startswith("| ")]
    return [line for line in cells if line != "| behaviour | test |"]


def test_every_named_test_exists() -> None:
    assert missing(TABLE.read_text(encoding="utf-8")) == []


def test_every_row_names_a_test() -> None:
    places = ("`tests/", "`filebot/testing/")
    for row in rows(TABLE.read_text(encoding="utf-8")):
        assert any(place in row for place in places), row


def test_missing_tests_are_found() -> None:
    here = "tests/unit/test_reliability.py"
    assert missing(f"`{here}::missing` `{here}::gone`") == [f"{here}::gone"]
    assert rows("| behaviour | test |\n|---|---|\n| it holds | nowhere |") == ["| it holds | nowhere |"]
