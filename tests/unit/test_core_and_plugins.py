"""The core knows nothing of a feature that is a plugin: not even its name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import filebot
from filebot.plugin_loader import bundled

CORE = Path(filebot.__file__).parent
PLUGINS = CORE.parent / "plugins"

FEATURES = {"announce": {"announcer"}, "doctor": {"examinations"}, "retention": {"retention_days"}}
"""Plugins whose work was the core's once, and names that stood for it, in lower case."""

EXEMPT = ("replies/overrides.py", "plugin/deprecated.py", "catalog/migrations/", "localserver/", "demo/")
"""Where old names are translated, and programs that talk to a bot from outside."""

REASON = ("events/facts.py", "retention")
"""Reason of a removal, which any plugin may have."""


def names_in(text: str) -> Iterator[str]:
    """Yield the names that a module defines or imports, and its texts up to a slash, in lower case."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Constant(value=str(value)):
                yield value.partition("/")[0]
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name.lower()
            case ast.ImportFrom(module=str(module), names=names):
                yield from (*module.split("."), *(each.name.lower() for each in names))


def test_no_module_of_the_core_names_a_feature_that_is_a_plugin() -> None:
    unwanted = {name for feature, names in FEATURES.items() for name in (feature, *names)}
    found = []
    for file in sorted(CORE.rglob("*.py")):
        module = file.relative_to(CORE).as_posix()
        if not module.startswith(EXEMPT):
            text = file.read_text(encoding="utf-8")
            found += [(module, name) for name in names_in(text) if name in unwanted]
            found += [(module, file.stem) for _ in unwanted & {file.stem}]
    assert [each for each in found if each != REASON] == []


def test_the_words_of_a_plugin_that_is_a_package_are_beside_it() -> None:
    packages = {each.name for each in bundled() if (PLUGINS / each.name).is_dir()}
    assert packages >= {*FEATURES, "quota"}
    assert [name for name in packages if [*(CORE / "templates").glob(f"{name}/*")]] == []
