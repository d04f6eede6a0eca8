"""Examination of a whole plugin when it is loaded: its API version, what its functions use undeclared, and
templates that they name and that are not there.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from rapidfuzz import process

from filebot.errors import PluginError
from filebot.plugin.arguments import Kind
from filebot.plugin.code_uses import Use, uses_of
from filebot.plugin.commands import SUGGESTION_SCORE
from filebot.plugin.declare import Plugin
from filebot.plugin.needs import API, NEED_OF

_NEEDS: Final = {Kind.FILE: "files.read", Kind.FILES: "files.read", Kind.ROOM: "rooms"}


def examine(plugin: Plugin[Any], is_shipped: Callable[[str], bool] = lambda _: False) -> None:
    """Raise PluginError for the first mistake of a plugin; see :func:`mistakes_of`."""
    for mistake in mistakes_of(plugin, is_shipped):
        raise mistake


def mistakes_of(
    plugin: Plugin[Any], is_shipped: Callable[[str], bool] = lambda _: False
) -> Iterator[PluginError]:
    """Yield an error, with the line to change, if a plugin is for another API, and for each use of what it
    did not declare and each name of a template of its own that it does not have.

    ``is_shipped`` tells whether filebot has a template of a name, as for its bundled plugins.
    """
    if plugin.api is None:
        yield PluginError(
            f"plugin {plugin.name!r} does not say for which API it is; "
            f'write Plugin("{plugin.name}", api={API}, ...) in {plugin.declared_at}'
        )
    elif plugin.api != API:
        yield PluginError(
            f"plugin {plugin.name!r} is for API {plugin.api!r}, and this filebot has API {API}; "
            "install a version of one of them that fits the other"
        )
    yield from _mistakes_of_declarations(plugin, is_shipped)
    for hook, function in plugin.hooks():
        uses = list(uses_of(function))
        yield from _undeclared_needs(plugin, hook, uses)
        for use in uses:
            yield from _missing_template(plugin, hook, use, is_shipped)


def _mistakes_of_declarations(
    plugin: Plugin[Any], is_shipped: Callable[[str], bool]
) -> Iterator[PluginError]:
    """Yield errors for arguments and checks whose needs are not declared, and for wrong templates."""
    for command in plugin.commands:
        for parameter in command.parameters:
            need = _NEEDS.get(parameter.kind)
            if need is not None and need not in plugin.needs:
                grants = replace(plugin.grants, hook=command.hook)
                yield PluginError(grants.missing(f"its argument {parameter.name!r}", need))
        if command.elsewhere:
            use = Use("elsewhere", "", command.elsewhere)
            yield from _missing_template(plugin, command.hook, use, is_shipped)
    for check in plugin.checks:
        if "checks" not in plugin.needs:
            grants = replace(plugin.grants, hook=check.hook)
            yield PluginError(grants.missing(f"to be asked before each {check.act.__name__}", "checks"))


def _undeclared_needs(plugin: Plugin[Any], hook: str, uses: Iterable[Use]) -> Iterator[PluginError]:
    grants = replace(plugin.grants, hook=hook)
    for use in uses:
        need = NEED_OF.get(use.what)
        if need is not None and need not in grants.needs:
            yield PluginError(grants.missing(f"ctx.{use.what} ({use.place})", need))


def _missing_template(
    plugin: Plugin[Any], hook: str, use: Use, is_shipped: Callable[[str], bool]
) -> Iterator[PluginError]:
    """Yield an error for a name that can be no template; others may be another plugin's."""
    if use.template is None:
        return
    owner, _, name = use.template.rpartition("/")
    if owner not in {"", plugin.name} or (owner and name in plugin.templates) or is_shipped(use.template):
        return
    own = [f"{plugin.name}/{each}" for each in plugin.templates]
    match = process.extractOne(name, [*plugin.templates], score_cutoff=SUGGESTION_SCORE)
    hint = (
        f"did you mean '{plugin.name}/{match[0]}'?" if match else f"there are: {', '.join(own) or 'none'}"
    )
    place = f" ({use.place})" if use.place else ""
    yield PluginError(
        f"plugin {plugin.name!r}, {hook}: {use.what}{place} names the template {use.template!r}, "
        f"which is not there; {hint}"
    )
