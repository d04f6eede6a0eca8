"""Values that a template shows."""

from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.defaults import DEFAULT_NAMESPACE

_GIVEN: Final = frozenset({"prefix", "gettext", "ngettext", "pgettext", "npgettext", *DEFAULT_NAMESPACE})
"""Names that every template has."""


def values_shown(template: str) -> set[str]:
    """Return the names of values without which a template fails, whatever its conditions say."""
    try:
        tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(template)
    except TemplateSyntaxError:
        return set()
    made = {each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"}
    if next(tree.find_all((nodes.Import, nodes.FromImport, nodes.Macro)), None) is not None:
        return set()
    return {*_loaded(tree)} - made - _GIVEN


def _loaded(node: nodes.Node) -> Iterator[str]:
    match node:
        case nodes.Name(ctx="load"):
            yield node.name
        case nodes.If() | nodes.CondExpr():
            yield from _loaded(node.test)
        case nodes.For():
            yield from _loaded(node.iter)
        case nodes.And() | nodes.Or():
            yield from _loaded(node.left)
        case nodes.Test(name="defined" | "undefined") | nodes.Filter(name="default" | "d"):
            return
        case _:
            for child in node.iter_child_nodes():
                yield from _loaded(child)
