"""Write the tables of docs/plugins.md that are made from the code: hooks, events, values, calls.

``python scripts/manual.py`` writes them anew, each between its marks. ``--check`` changes nothing and exits
1 if one is out of date. A hook or field without a docstring is an error.
"""

import re
import sys
from collections.abc import Callable, Iterator
from enum import Enum, EnumType
from pathlib import Path
from typing import Any, Final

from docstrings import Member, cell, class_doc, code, members

import filebot.plugin as api
from filebot.checks.acts import ACTS
from filebot.errors import FilebotError
from filebot.plugin import Act, CommandGroup, Context, Event, Permission, Place, Plugin
from filebot.plugin import context as context_module
from filebot.plugin.arguments import _KINDS, Kind
from filebot.plugin.needs import NEED_OF, NEEDS

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "plugins.md"

Table = Iterator[tuple[str, ...]]
"""Rows, the heads of the columns first."""

NO_VALUES: Final = (
    *(Plugin, Context, Act, Event),
    *(api.Between, api.ByteSize, api.Choice, api.Lifespan, api.Number, api.RoomSetting),
)
"""Classes that are described in a chapter, as far as plugins use them."""
ALSO: Final = {"checks": "`@plugin.check(...)`: to be asked before something is done, and to see it"}
"""Uses of needs that are no part of the context."""


class Undocumented(Exception):
    """Something of the API has no docstring."""


def exported() -> dict[str, Any]:
    """Return all that ``filebot.plugin`` exports, by name."""
    return {name: getattr(api, name) for name in sorted(api.__all__)}


def classes(base: type | tuple[type, ...]) -> list[type]:
    """Return the exported classes below some others."""
    return [each for each in exported().values() if isinstance(each, type) and issubclass(each, base)]


def documented(owner: str, member: Member) -> str:
    """Return what a member is. Raises Undocumented."""
    if not member.doc:
        raise Undocumented(f"{owner}.{member.name} has no docstring")
    return cell(member.doc)


def declarations() -> dict[str, Member]:
    """Return the methods by which a plugin declares something, by name."""
    return {name: member for name, member in members(Plugin).items() if member.doc.startswith("Declare ")}


def parts() -> dict[str, type]:
    """Return the classes of the parts of a context, by their names below ``ctx``."""
    guarded = {path.partition(".")[0] for path in NEED_OF if "." in path}
    found = {name: each.type for name, each in members(Context).items() if name in guarded}
    return {name: getattr(context_module, annotation) for name, annotation in found.items()}


def contents(manual: str) -> Table:
    """Chapters with links to their sections."""
    yield ("chapter", "sections")
    for chapter, text in chapters(manual):
        sections = re.findall(r"^### (.+)$", text, re.MULTILINE)
        yield (link(chapter), ", ".join(link(each) for each in sections))


def hooks(manual: str) -> Table:
    """Declarations, each with the section that is about it."""
    yield ("declare", "to have", "see")
    titles = [title for title, _ in sections(manual)]
    found = {name: section_about(manual, name) for name in declarations()}
    for name in sorted(found, key=lambda each: titles.index(found[each])):
        member = declarations()[name]
        summary = re.split(r"[.;:](?: |$)", documented("Plugin", member).removeprefix("Declare "))[0]
        takes_function = "Handler" in member.signature or "Callable[[" in member.type
        is_decorator = takes_function or member.signature.startswith(("(handler:", "(function:"))
        yield (f"`{'@' * is_decorator}plugin.{name}`", summary, link(found[name]))


def section_about(manual: str, declaration: str) -> str:
    """Return the heading of the section that mentions a declaration most often, in its prose if there is
    one. Raises Undocumented.
    """
    mention = re.compile(rf"plugin\.{declaration}\b")
    counts = {
        title: (len(mention.findall(without_code(text))), len(mention.findall(text)))
        for title, text in sections(manual)
    }
    title = max(counts, key=lambda each: counts[each])
    if not any(counts[title]):
        raise Undocumented(f"docs/plugins.md says nothing of plugin.{declaration}")
    return title


def arguments(_: str) -> Table:
    """Kinds of arguments by their annotations."""
    yield ("annotation", "people type", "your function gets")
    docs = members(Kind)
    names = {kind: annotation for annotation, kind in _KINDS.items()} | {Kind.CHOICE: None}
    for kind in Kind:
        typed, _, given = documented("Kind", docs[kind.name]).partition(": ")
        yield ("an `enum.Enum`" if kind is Kind.CHOICE else f"`{name_of(names[kind])}`", typed, given)


def name_of(annotation: object) -> str:
    """Return the name by which a plugin imports a type of arguments."""
    if isinstance(annotation, type) and annotation.__module__ == "builtins":
        return annotation.__name__
    return next(name for name, each in exported().items() if each is annotation)


def members_of(enum: type[Permission | Place | CommandGroup]) -> Callable[[str], Table]:
    """Return the table of the members of an enum."""

    def table(_: str) -> Table:
        yield (enum.__name__.removeprefix("Command").lower(), "for")
        docs = members(enum)
        for each in enum:
            yield (f"`{each}`", documented(enum.__name__, docs[each.name]))

    return table


def events(_: str) -> Table:
    """Events with their own fields."""
    yield ("event, field", "type", "what happened; what the field is")
    for event in Event.__subclasses__():
        if event in exported().values():
            yield from rows_of(event, without=Event)


def acts(_: str) -> Table:
    """Acts with their own fields."""
    yield ("act, field", "type", "what is about to be done; what the field is", "a check may change it")
    for act in ACTS:
        (first, *others) = rows_of(act, without=Act)
        yield (*first, "")
        for name, annotation, doc in others:
            yield (name, annotation, doc, "yes" if name.strip("`") in act.CHANGEABLE else "")


def values(_: str) -> Table:
    """Other classes of values that plugins get or make."""
    yield ("class, attribute", "type", "is")
    others = (*parts().values(), *classes((Event, Act, Enum, FilebotError)), *NO_VALUES)
    for each in classes(object):
        if each not in others and each.__module__.startswith("filebot."):
            yield from rows_of(each)


def rows_of(cls: type, without: type | None = None) -> Table:
    """Yield a row for a class, and one for each member that it has beside those of another one."""
    if not cls.__doc__:
        raise Undocumented(f"{cls.__name__} has no docstring")
    exported_as = next((name for name, each in exported().items() if each is cls), cls.__name__)
    yield (f"**`{exported_as}`**", "", cell(class_doc(cls)))
    for name, member in members(cls).items():
        if without is None or name not in members(without):
            shown = member.call("")[1:] if not member.is_awaited else f"await .{name}{member.signature}"
            yield (code(shown), code(member.type), documented(cls.__name__, member))


def enums(_: str) -> Table:
    """Enums that have no table in a chapter."""
    yield ("member", "is")
    for enum in (each for each in exported().values() if isinstance(each, EnumType)):
        if enum not in {Permission, Place, CommandGroup}:
            docs = members(enum)
            yield (f"**`{enum.__name__}`**", cell(class_doc(enum)))
            for each in list[Enum](enum):
                yield (f"`{each}`", documented(enum.__name__, docs[each.name]))


def errors(_: str) -> Table:
    """Errors that plugins catch or raise."""
    yield ("error", "below", "is raised when")
    for error in classes(FilebotError):
        yield (f"`{error.__name__}`", f"`{error.__mro__[1].__name__}`", cell(class_doc(error)))


def needs(_: str) -> Table:
    """Needs with the parts of the context that they are for."""
    yield ("need", "for")
    for need in NEEDS:
        uses = [f"`ctx.{path}`" for path, needed in NEED_OF.items() if needed == need]
        if not uses and need not in ALSO:
            raise Undocumented(f"need {need!r} is for no part of the context; say in ALSO for what")
        yield (f'`"{need}"`', ", ".join(uses) or ALSO[need])


def context(_: str) -> Table:
    """Members of the context but its parts."""
    yield ("of the context", "gives", "does")
    for name, member in members(Context).items():
        if name not in parts():
            yield (code(member.call("ctx")), code(member.type), documented("Context", member))


def calls(_: str) -> Table:
    """Calls of the parts of the context."""
    yield ("call", "gives", "does")
    of_context = members(Context)
    for part, cls in parts().items():
        signature = "(room)" if of_context[part].signature else ""
        yield (f"**`ctx.{part}{signature}`**", "", documented("Context", of_context[part]))
        for name, member in members(cls).items():
            if f"{part}.{name}" in NEED_OF:
                shown = member.call(f"ctx.{part}{signature}")
                yield (code(shown), code(member.type), documented(cls.__name__, member))


TABLES: Final[dict[str, Callable[[str], Table]]] = {
    "contents": contents,
    "hooks": hooks,
    "arguments": arguments,
    "permissions": members_of(Permission),
    "places": members_of(Place),
    "groups": members_of(CommandGroup),
    "events": events,
    "acts": acts,
    "needs": needs,
    "context": context,
    "calls": calls,
    "values": values,
    "enums": enums,
    "errors": errors,
}


def written(manual: str) -> str:
    """Return the manual with all tables as they should be. Raises Undocumented."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin; written by scripts/manual.py -->\n", f"\n<!-- {name}: end -->"
        if manual.count(begin) != 1 or manual.count(end) != 1:
            raise Undocumented(f"docs/plugins.md has no table {name!r}")
        heads, *rows = table(hand_written(manual))
        line = f"|{'---|' * len(heads)}"
        shown = "\n".join([row_text(heads), line, *map(row_text, rows)])
        before, _, rest = manual.partition(begin)
        manual = f"{before}{begin}\n{shown}\n{end}{rest.partition(end)[2]}"
    return manual


def row_text(row: tuple[str, ...]) -> str:
    """Return a row of a table as Markdown."""
    return "|" + "".join(f" {each} |" if each else " |" for each in row)


def hand_written(manual: str) -> str:
    """Return the manual without the tables that are made from the code."""
    return re.sub(r"<!-- (\w+): begin.*?<!-- \1: end -->", "", manual, flags=re.DOTALL)


def without_code(text: str) -> str:
    """Return a text without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def chapters(manual: str) -> Iterator[tuple[str, str]]:
    """Yield the chapters of the manual: heading and text, without code."""
    for part in re.split(r"^## ", without_code(manual), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        yield heading, text


def sections(manual: str) -> Iterator[tuple[str, str]]:
    """Yield the sections of the manual: heading and text, with the code."""
    for part in re.split(r"^###? ", manual, flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        yield heading, text


def link(heading: str) -> str:
    """Return a link to a heading."""
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[{heading}](#{anchor})"


def main() -> int:
    """Write the tables, or only check them; 1 if one is out of date."""
    manual = DOCUMENT.read_text(encoding="utf-8")
    try:
        text = written(manual)
    except Undocumented as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(text, encoding="utf-8")
    elif text != manual:
        sys.stderr.write("docs/plugins.md is out of date; run: python scripts/manual.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
