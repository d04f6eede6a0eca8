"""Typed arguments of commands: the kinds that a handler's annotations may name, and how each is read.

A file or a room is looked up later, with the rights of the person who asks: see ``resolving``.
"""

import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Annotated, Any, Final, NewType, Protocol, Union, get_args, get_origin

from filebot.errors import BadValue, PluginError
from filebot.files.selection import Selection
from filebot.model import Entry, size_bytes
from filebot.plugin import values
from filebot.reading import links

Size = NewType("Size", int)
"""A size in bytes: ``500 MB``."""
Duration = timedelta
"""A span of time: ``90 s``, ``2 weeks``."""
When = datetime
"""A moment, in UTC: ``tomorrow 08:00``, ``in 2 hours``, ``2026-12-24 18:30``."""
Jid = NewType("Jid", str)
"""The address of a person, without the client and in lower case."""
Link = NewType("Link", str)
"""A link to the web, without the signs that people paste around it."""
Room = NewType("Room", str)
"""The address of a room in which both the bot and the person are."""
Words = NewType("Words", str)
"""The rest of the text."""
Entries = Selection
"""Several files: ``entries``, and ``missing`` with the names that stand for none."""


class _Exact:
    """Marker of ``Annotated[Entry, exact]`` and ``Annotated[Entries, exact]``."""


exact: Final = _Exact()
"""Files must be named by their whole names, numbers or patterns: for changes that cannot be undone."""


@dataclass(frozen=True, slots=True)
class Between:
    """Marker of ``Annotated[int, Between(1, 6)]``: the lowest and the highest number allowed."""

    lowest: int
    """The lowest number allowed."""
    highest: int
    """The highest number allowed."""


@unique
class Kind(Enum):
    """Kind of an argument: the text that people type, and the value that it stands for.

    The values of the members are the words of ``declarations`` and of templates.
    """

    TEXT = "text"
    """A name or a text, in quotes if it would end too early: the text without the quotes."""
    WORDS = "words"
    """The rest of the text; it stands last in its usage: the text."""
    NUMBER = "number"
    """``12`` or ``#12``: the number. ``Annotated[int, Between(1, 6)]`` has bounds."""
    SIZE = "size"
    """``500 MB``, ``1.5 GiB``: bytes, as an ``int``."""
    DURATION = "duration"
    """``90 s``, ``1 h 30 min``, ``2 weeks``: a ``timedelta``, up to ten years."""
    WHEN = "when"
    """``tomorrow 08:00``, ``in 2 hours``, ``friday``, ``2026-12-24 18:30``: an aware ``datetime`` in UTC; a
    day alone is at the present time of day."""
    SWITCH = "switch"
    """``on`` or ``yes``, ``off`` or ``no``: ``True`` or ``False``."""
    CHOICE = "choice"
    """The value of a member, or the member's name if its value is no text: the member."""
    JID = "jid"
    """``bob@example.org``: the address in lower case, without the client."""
    LINK = "link"
    """``https://example.org/plan.pdf``: the link, without signs around it."""
    ROOM = "room"
    """The name or address of a room that the bot and the person are in: the room's address."""
    FILE = "file"
    """A name in any case, its beginning, or a number such as ``#12``: the file. ``Annotated[Entry, exact]``
    takes whole names and numbers alone, for changes that cannot be undone."""
    FILES = "files"
    """One name, a pattern such as ``*.pdf``, or several names or numbers: ``entries``, and ``missing`` with
    names that stand for no file."""

    @property
    def is_file(self) -> bool:
        """Whether it stands for files: one that is missing is taken from the message replied to."""
        return self in {Kind.FILE, Kind.FILES}


_KINDS: Final[Mapping[object, Kind]] = {
    str: Kind.TEXT,
    Words: Kind.WORDS,
    int: Kind.NUMBER,
    Size: Kind.SIZE,
    Duration: Kind.DURATION,
    When: Kind.WHEN,
    bool: Kind.SWITCH,
    Jid: Kind.JID,
    Link: Kind.LINK,
    Room: Kind.ROOM,
    Entry: Kind.FILE,
    Entries: Kind.FILES,
}

_READERS: Final[Mapping[Kind, Callable[[str], object]]] = {
    Kind.SIZE: size_bytes,
    Kind.DURATION: values.duration,
    Kind.SWITCH: values.switch,
    Kind.JID: values.bare_jid,
    Kind.LINK: links.cleaned,
}

_KNOWN: Final = "str, Words, int, bool, an Enum, Size, Duration, When, Jid, Link, Room, Entry or Entries"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Declaration of one argument of a command."""

    name: str
    """Keyword of the handler; in a usage line it is written in capitals."""
    kind: Kind
    may_be_none: bool = False
    has_default: bool = False
    default: object = None
    """Default of the handler, if it has one."""
    is_exact: bool = False
    bounds: Between | None = None
    choices: Mapping[str, Enum] | None = None
    """Members of an enum, by the words that people type."""

    @property
    def word(self) -> str:
        """The word in usage lines."""
        return self.name.upper()

    def value_of(self, text: str, now: datetime, *, command: str, usage: tuple[str, ...]) -> object:
        """Return what somebody's text stands for, as :meth:`read` does. Raises BadValue, which has the
        command and its usage lines.
        """
        try:
            return self.read(text, now)
        except ValueError as error:
            raise BadValue(
                command=command,
                usage=usage,
                word=self.word,
                value=text,
                kind=self.kind.value,
                choices=tuple(self.choices or ()),
                bounds=None if self.bounds is None else astuple(self.bounds),
            ) from error

    def read(self, text: str, now: datetime) -> object:
        """Return what a text stands for; of a file or a room the text itself. Raises ValueError."""
        read = _READERS.get(self.kind)
        if read is not None:
            return read(text)
        match self.kind:
            case Kind.NUMBER:
                return self._bounded(values.whole_number(text))
            case Kind.WHEN:
                return values.moment(text, now)
            case Kind.CHOICE:
                return self._chosen(text)
            case _:
                return text

    def _bounded(self, number: int) -> int:
        if self.bounds is not None and not self.bounds.lowest <= number <= self.bounds.highest:
            raise ValueError("out of bounds")
        return number

    def _chosen(self, text: str) -> Enum:
        found = (self.choices or {}).get(text.strip().casefold())
        if found is None:
            raise ValueError("no choice")
        return found


class Usage(Protocol):
    """Parameters of a usage line."""

    @property
    def parameters(self) -> tuple[str, ...]: ...

    @property
    def optional(self) -> str: ...


class _Mistake(Exception):
    """Mistake in an annotation, in words."""


def parameters_of(
    hook: str, handler: Callable[..., object], usages: Sequence[Usage]
) -> tuple[Parameter, ...]:
    """Return the arguments that a handler takes from its usage lines, in their order.

    ``hook`` names the command and its plugin. Raises PluginError, with the line of the handler, for an
    annotation that says nothing or does not go with the usage.
    """
    function = inspect.unwrap(handler)
    names = dict.fromkeys(name for usage in usages for name in usage.parameters)
    try:
        hints = _annotations(function) if names else {}
        declared = inspect.signature(handler).parameters
        found = tuple(_parameter(name, hints.get(name, str), declared.get(name), usages) for name in names)
    except _Mistake as mistake:
        code = getattr(function, "__code__", None)
        place = "" if code is None else f" ({code.co_filename}, line {code.co_firstlineno})"
        raise PluginError(f"{hook}: {mistake}{place}") from mistake
    return found


def _annotations(function: Callable[..., object]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise _Mistake(
            f"an annotation names something that is not there at run time ({error}); "
            "import it without TYPE_CHECKING, at the top of the module"
        ) from error
    except Exception as error:
        if not hasattr(function, "__annotations__"):
            return {}  # neither a function nor a method
        raise _Mistake(
            f"an annotation cannot be read ({type(error).__name__}: {str(error)[:200]})"
        ) from error


def _parameter(
    name: str, annotation: Any, declared: inspect.Parameter | None, usages: Sequence[Usage]
) -> Parameter:
    kind_of, markers, may_be_none = _parts(name, annotation)
    kind, choices = _KINDS.get(kind_of), None
    if kind is None and isinstance(kind_of, type) and issubclass(kind_of, Enum):
        kind, choices = Kind.CHOICE, _choices(name, kind_of)
    if kind is None:
        shown = getattr(kind_of, "__name__", repr(kind_of))
        raise _Mistake(f"{name}: {shown} is no type of an argument; use {_KNOWN}")
    default = inspect.Parameter.empty if declared is None else declared.default
    parameter = Parameter(
        name,
        kind,
        may_be_none,
        has_default=default is not inspect.Parameter.empty,
        default=None if default is inspect.Parameter.empty else default,
        is_exact=exact in markers,
        bounds=next((each for each in markers if isinstance(each, Between)), None),
        choices=choices,
    )
    for mistake in _mistakes(parameter, usages):
        raise _Mistake(f"{name}: {mistake}")
    return parameter


def _mistakes(parameter: Parameter, usages: Sequence[Usage]) -> Iterator[str]:
    name, kind, bounds = parameter.name, parameter.kind, parameter.bounds
    if parameter.is_exact and not kind.is_file:
        yield "exact is for Entry and Entries alone"
    if bounds is not None and (kind is not Kind.NUMBER or bounds.lowest > bounds.highest):
        yield f"{bounds} is for an int, with the lower number first"
    if kind is Kind.WORDS and any(name in usage.parameters[:-1] for usage in usages):
        yield "Words take the rest of the text, so they must stand last in a usage"
    can_be_missing = parameter.may_be_none or parameter.has_default
    is_needed = not can_be_missing and kind not in {Kind.TEXT, Kind.WORDS}
    if is_needed and any(name not in usage.parameters or name == usage.optional for usage in usages):
        yield f"a usage leaves {parameter.word} out; write `| None` behind its type, or give it a default"


def _parts(name: str, annotation: Any) -> tuple[Any, Collection[object], bool]:
    """Return a type without what surrounds it, its markers, and whether it may be None."""
    markers, may_be_none = list[object](), False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            markers += more
        elif get_origin(annotation) in {Union, types.UnionType}:
            others = [each for each in get_args(annotation) if each is not type(None)]
            if len(others) != 1:
                raise _Mistake(
                    f"{name}: {annotation} is more than one type; name one, or one with `| None`"
                )
            annotation, may_be_none = others[0], True
        else:
            return annotation, markers, may_be_none


def _choices(name: str, enum: type[Enum]) -> Mapping[str, Enum]:
    found = dict[str, Enum]()
    for member in enum:
        word = member.value if isinstance(member.value, str) else member.name.replace("_", "-")
        if not word.strip() or word.casefold() in found:
            raise _Mistake(f"{name}: nobody could choose {member}; its value must be a word of its own")
        found[" ".join(word.casefold().split())] = member
    if not found:
        raise _Mistake(f"{name}: {enum.__name__} has no members to choose from")
    return found
