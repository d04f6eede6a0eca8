"""Each hook has a docstring, a place in the manual, a test, and a user among the plugins that come along.

A hook is a method by which a plugin declares something, or a member of the context of its functions.
"""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from filebot.plugin import Context, Plugin
from filebot.plugin.conversation import Conversation
from tests.support.manual import given_context

ROOT = Path(__file__).parents[2]
TESTS = sorted({*(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").rglob("test_*.py")})
USERS = sorted({*(ROOT / "plugins").rglob("*.py"), *(ROOT / "examples").rglob("*.py")} - {*TESTS})

METHODS = {
    name: method
    for name, method in inspect.getmembers(Plugin, inspect.isfunction)
    if not name.startswith("_")
}
DECLARATIONS = sorted(METHODS.keys() - {"hooks"})
"""All methods of a plugin but the one by which the bot reads what it declares."""


TRIED = [
    path
    for path in USERS
    for name in path.relative_to(ROOT).with_suffix("").parts[1:2]
    if (ROOT / f"tests/plugins/test_{name}.py") in TESTS
    or (ROOT / f"examples/{name}/test_{name}.py") in TESTS
]
"""The users that have a suite of their own."""

OF_NO_USE = {"action", "replies_to"}
"""Members of the context that no plugin here has a use for: ids of messages, and words of errors."""


def uses(sources: Iterable[Path | str], *owners: str) -> set[str]:
    """Return the attributes that code has behind one of these names, as in ``ctx.files``."""
    found = (each for source in sources for each in attributes(source))
    return {attribute for owner, attribute in found if owner in owners}


@cache
def attributes(source: Path | str) -> frozenset[tuple[str, str]]:
    """Return the names before and behind each dot in code."""
    return frozenset(
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(source if isinstance(source, str) else source.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    )


def manual() -> str:
    """Return the manual without what is made from the docstrings."""
    text = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    return re.sub(r"<!-- (\w+): begin.*?<!-- \1: end -->", "", text, flags=re.DOTALL)


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", manual(), re.DOTALL)


async def members_of_the_context() -> set[str]:
    return {name for name in dir(await given_context()) if not name.startswith("_")}


def attributes_with_docstrings(cls: type) -> Iterator[str]:
    """Yield the attributes that ``__init__`` sets and that have a docstring."""
    source = ast.parse(inspect.cleandoc("\n" + inspect.getsource(cls.__init__)))  # type: ignore[misc]
    body = source.body[0].body  # type: ignore[attr-defined]
    for node, following in pairwise(body):
        match node, following:
            case ast.Assign([ast.Attribute(ast.Name("self"), name)]), ast.Expr(ast.Constant(str())):
                yield name


@pytest.mark.parametrize("name", DECLARATIONS)
def test_each_declaration_has_a_docstring_an_example_a_test_and_a_user(name: str) -> None:
    assert (METHODS[name].__doc__ or "").startswith("Declare "), "its docstring says what it declares"
    assert name in uses(examples(), "plugin"), "an example in docs/plugins.md has it"
    assert name in uses(TESTS, "plugin"), "a test has it"
    assert name in uses(USERS, "plugin"), "a bundled plugin, or one in examples/, has it"


async def test_each_member_of_the_context_has_a_docstring() -> None:
    described = {*attributes_with_docstrings(Context), *attributes_with_docstrings(Conversation)}
    for cls in (Conversation, Context):
        described |= {name for name, member in vars(cls).items() if inspect.getdoc(member)}
    assert await members_of_the_context() - described == set()


async def test_each_member_of_the_context_is_in_the_manual() -> None:
    assert await members_of_the_context() - set(re.findall(r"\bctx\.(\w+)", manual())) == set()


@cache
def text_of_tests() -> str:
    return "\n".join(path.read_text("utf-8") for path in TESTS)


@pytest.mark.parametrize("text", examples())
def test_each_example_of_the_manual_is_run(text: str) -> None:
    tests = text_of_tests()
    names = re.findall(r"Plugin(?:\[\w+\])?\(\s*\"(\w+)\"", text)
    assert any(f'example("{name}")' in tests for name in names) or any(
        each in text for each in re.findall(r"(?:example|module)_with\([\"'](.+?)[\"']\)", tests)
    )


async def test_each_member_of_the_context_has_a_test() -> None:
    tried = uses([*TESTS, *TRIED, *examples()], "ctx", "context", "conversation")
    assert await members_of_the_context() - tried == set()


async def test_each_member_of_the_context_has_a_user() -> None:
    assert await members_of_the_context() - uses(USERS, "ctx", "life") == OF_NO_USE
