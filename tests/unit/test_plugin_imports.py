"""Plugins import ``filebot.plugin`` alone of filebot, and their tests ``filebot.testing`` as well."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import filebot.plugin as plugin_api

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in ("plugins", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
MANUAL = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs/plugins.md").read_text(encoding="utf-8"), re.DOTALL
)
SOURCES |= {f"docs/plugins.md, example {number}": text for number, text in enumerate(MANUAL, 1)}

LIBRARIES = {"cachetools", "PIL", "sqlalchemy"}
"""Libraries of others that plugins here use; of SQLAlchemy Core alone."""


OF_MANUAL = {
    *("words", "frail", "framing", "filebot_hashes"),
    *("filebot.plugin.backends", "filebot.testing.contracts.scanner"),
}
"""Modules of the manual's own examples, and those for authors of backends."""


def imports(source: str) -> Iterator[str]:
    """Yield the modules that a module imports, but its own package's."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(str() as module, _, 0):
                yield module


def names_of_the_api(source: str) -> set[str]:
    """Return the names that a module imports from ``filebot.plugin``."""
    return {
        each.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "filebot.plugin"
        for each in node.names
    }


def allowed(where: str) -> set[str]:
    """Return the modules that code at a place may import, beside the standard library's."""
    name = Path(where).name
    is_test = name.startswith("test_")
    own = (
        {path.stem for path in (ROOT / where).parent.glob("*.py")}
        if where.startswith("examples/")
        else set()
    )
    is_manual = where.startswith("docs/")
    of_tests = {"filebot.testing", "pytest"} if is_test or is_manual else set()
    of_migrations = {"alembic"} if "migrations/" in where or is_manual else set()
    return {
        "filebot.plugin",
        *LIBRARIES,
        *own,
        *of_tests,
        *of_migrations,
        *(OF_MANUAL if is_manual else ()),
    }


@pytest.mark.parametrize("where", SOURCES)
def test_a_plugin_imports_the_api_alone(where: str) -> None:
    wanted = {
        each for each in imports(SOURCES[where]) if each.partition(".")[0] not in sys.stdlib_module_names
    }
    wanted -= {"sqlalchemy.dialects.sqlite"}  # for an upsert, which Core has in its dialects alone
    assert wanted - allowed(where) == set()
    assert names_of_the_api(SOURCES[where]) <= set(plugin_api.__all__)
