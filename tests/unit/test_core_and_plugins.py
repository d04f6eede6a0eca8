"""The core knows nothing of a feature that is a plugin: not even its name."""

import ast
from pathlib import Path

import filebot
from filebot.plugin_loader import bundled

CORE = Path(filebot.__file__).parent
PLUGINS = CORE.parent / "plugins"

FEATURES = {
    "announce": {"announcer"},
    "claim": {"claims", "claimexceedsquota", "nosuchclaim"},
    "doctor": {"examinations"},
    "retention": {"retention_days"},
}
"""Plugins whose work was the core's once, and names that stood for it, in lower case."""

EXEMPT = ("replies/overrides.py", "plugin/deprecated.py", "catalog/migrations/", "localserver/", "demo/")
"""Where old names are translated, and programs that talk to a bot from outside."""

REASON = ("events/facts.py", "retention")
"""Reason of a removal, which any plugin may have."""


def texts_in(module: ast.Module) -> set[str]:
    """Return the texts of a module, up to a slash: names of plugins and of their templates."""
    nodes = ast.walk(module)
    return {
        str(node.value).partition("/")[0]
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def names_in(module: ast.Module) -> set[str]:
    """Return what a module defines or imports, in lower case."""
    found = set[str]()
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name.lower())
            case ast.ImportFrom(names=names):
                found |= {each.name.lower() for each in names}
    return found


def test_no_module_of_the_core_names_a_feature_that_is_a_plugin() -> None:
    old_names = {name for names in FEATURES.values() for name in names}
    found = []
    for file in sorted(CORE.rglob("*.py")):
        name = file.relative_to(CORE).as_posix()
        if not name.startswith(EXEMPT):
            module = ast.parse(file.read_text(encoding="utf-8"))
            unwanted = (texts_in(module) & FEATURES.keys()) | (names_in(module) & old_names)
            found += [(name, each) for each in {*unwanted, *({file.stem} & {*FEATURES, *old_names})}]
    assert [each for each in found if each != REASON] == []


def test_the_words_of_a_plugin_that_is_a_package_are_beside_it() -> None:
    packages = {each.name for each in bundled() if (PLUGINS / each.name).is_dir()}
    assert packages >= {*FEATURES, "quota"}
    assert [name for name in packages if [*(CORE / "templates").glob(f"{name}/*")]] == []
