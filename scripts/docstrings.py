"""Members of classes with their docstrings, those of attributes too, read from the source."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

OURS: Final = "filebot."
"""Beginning of the names of modules that are read."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Member:
    """Public attribute or method of a class."""

    name: str
    type: str
    """Annotation of an attribute, or of the result of a method; empty for none."""
    doc: str
    """Docstring in Markdown, on one line; empty for none."""
    signature: str = ""
    """Parameters of a method, in brackets; empty for an attribute."""
    is_awaited: bool = False
    is_context: bool = False
    """Whether it is an asynchronous context manager."""

    def call(self, owner: str) -> str:
        """Return the member as it is written behind the name of what has it."""
        before = "await " if self.is_awaited else "async with " if self.is_context else ""
        return f"{before}{owner}.{self.name}{self.signature}"


def members(cls: type) -> dict[str, Member]:
    """Return the public members of a class and of our classes above it, by name, the inherited ones first.

    A member that overrides another one without a docstring keeps the docstring.
    """
    found = dict[str, Member]()
    for each in reversed(cls.__mro__):
        if each.__module__.startswith(OURS):
            for member in _own(_definition(each)):
                above = found.get(member.name)
                inherited = "" if above is None else above.doc
                found[member.name] = replace(member, doc=member.doc or inherited)
    return found


def class_doc(cls: type) -> str:
    """Return the docstring of a class in Markdown, on one line."""
    return markdown(cls.__doc__ or "")


def markdown(docstring: str) -> str:
    """Return a docstring as Markdown, on one line."""
    text = " ".join(inspect.cleandoc(docstring).split())
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")


def cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return text.replace("|", r"\|")


def code(text: str) -> str:
    """Return code for a cell of a table; empty for none."""
    return f"`{cell(text)}`" if text else ""


def _definition(cls: type) -> ast.ClassDef:
    parsed = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    return next(each for each in parsed.body if isinstance(each, ast.ClassDef))


def _own(definition: ast.ClassDef) -> Iterator[Member]:
    for index, node in enumerate(definition.body):
        match node:
            case ast.AnnAssign(ast.Name(name), annotation) if "ClassVar" not in ast.unparse(annotation):
                member = Member(name, ast.unparse(annotation), _following(definition.body, index))
            case ast.Assign([ast.Name(name)]):
                member = Member(name, "", _following(definition.body, index))
            case ast.FunctionDef(name="__init__"):
                yield from _set_in(node)
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                member = _function(node)
            case _:
                continue
        if not member.name.startswith("_"):
            yield member


def _set_in(init: ast.FunctionDef) -> Iterator[Member]:
    """Yield the public attributes that ``__init__`` sets and that have a docstring."""
    types = {each.arg: each.annotation for each in (*init.args.args, *init.args.kwonlyargs)}
    for index, node in enumerate(init.body):
        match node:
            case ast.Assign([ast.Attribute(ast.Name("self"), name)], value):
                annotation = types.get(value.id) if isinstance(value, ast.Name) else None
            case ast.AnnAssign(ast.Attribute(ast.Name("self"), name), annotation):
                pass
            case _:
                continue
        doc = _following(init.body, index)
        if doc and not name.startswith("_"):
            yield Member(name, ast.unparse(annotation) if annotation else "", doc)


def _function(node: Function) -> Member:
    decorators = {ast.unparse(each) for each in node.decorator_list}
    result = ast.unparse(node.returns).strip("'") if node.returns else ""
    doc = markdown(ast.get_docstring(node) or "")
    if decorators & {"property", "cached_property"}:
        return Member(node.name, result, doc)
    is_context = "asynccontextmanager" in decorators
    if is_context:
        result = re.sub(r"^\w+\[(.*?)(?:, None)?\]$", r"\1", result)
    return Member(
        node.name,
        result,
        doc,
        f"({_parameters(node)})",
        is_awaited=isinstance(node, ast.AsyncFunctionDef) and not is_context and "Generator" not in result,
        is_context=is_context,
    )


def _parameters(node: Function) -> str:
    """Return the parameters of a method but ``self``."""
    arguments = node.args
    if arguments.posonlyargs:
        arguments.posonlyargs.pop(0)
    else:
        arguments.args.pop(0)
    return ast.unparse(arguments).removeprefix("/, ")


def _following(body: list[ast.stmt], index: int) -> str:
    match body[index + 1 : index + 2]:
        case [ast.Expr(ast.Constant(str() as text))]:
            return markdown(text)
        case _:
            return ""
