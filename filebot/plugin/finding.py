"""Help of plugins in finding files: filters such as ``tag:invoice``, and names that they understand."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.errors import BadCommand, FilebotError, PluginError, UserError
from filebot.failures import blame, origin_of, report, shown
from filebot.model import Entry, EntryFilter, Sender
from filebot.plugin.arguments import Parameter

T = TypeVar("T")

FIND_LIMIT_S: Final = 5.0
"""Time for one function of a plugin that helps in finding."""
MOST_FILTERS: Final = 8
"""Filters of one search."""

_FILTER = re.compile(r"([A-Za-z_]\w*):(\S+)")
_resolving: Final[ContextVar[bool]] = ContextVar("_resolving", default=False)


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A filter as its plugin declared it."""

    plugin: str
    name: str
    handler: Callable[..., Awaitable[EntryFilter]]
    parameter: Parameter
    """Its value."""

    @property
    def hook(self) -> str:
        """Description of its function, for messages about it."""
        return f"filter {self.name!r}"

    def read(self, text: str, now: datetime) -> object:
        """Return the value that a person wrote. Raises BadValue."""
        usage = (f"find {self.name}:{self.parameter.word}",)
        return self.parameter.value_of(text, now, command="find", usage=usage)


@dataclass(frozen=True, slots=True)
class ResolverSpec:
    """A function of a plugin that understands names of files."""

    plugin: str
    handler: Callable[[Any, str], Awaitable[Entry | None]]
    hook: str


def by_name(filters: Iterable[FilterSpec]) -> dict[str, FilterSpec]:
    """Return filters by their names. Raises PluginError if two have one."""
    found = dict[str, FilterSpec]()
    for each in filters:
        other = found.setdefault(each.name, each)
        if other is not each:
            raise PluginError(
                f"both plugins {other.plugin!r} and {each.plugin!r} have a filter {each.name!r}"
            )
    return found


Function = Callable[[Any], Awaitable[object]]
Call = Callable[[str, str, Sender | None, str | None, Function, float], Awaitable[object]]
"""Function that calls one of a plugin, and returns what that returns.

It is given the plugin, the hook, the sender (None for nobody), their language, the function, and the time
that it has. Raises TimeLimitExceeded after that."""


class Finding:
    """Calls filters and resolvers of plugins, each with a context for the person who looks for a file."""

    def __init__(
        self,
        filters: Mapping[str, FilterSpec],
        resolvers: Sequence[ResolverSpec],
        *,
        plugins: frozenset[str],
        clock: Callable[[], datetime],
    ) -> None:
        """``filters`` are by their names; ``plugins`` names all that are loaded; ``clock`` gives the
        present in UTC.
        """
        self.plugins = plugins
        self.call: Call | None = None
        """To be set before anybody looks for a file."""
        self._filters = filters
        self._resolvers = resolvers
        self._clock = clock

    async def filters_in(
        self, text: str, sender: Sender, language: str | None
    ) -> tuple[list[str], list[EntryFilter]]:
        """Return the plain words of a search, and what its filters stand for.

        Words such as ``x:y`` with an unknown ``x`` are plain ones. Raises BadValue for a wrong value,
        BadCommand for too many filters, what a filter raises to the person, or PluginError if one fails.
        """
        words, wanted = list[str](), dict[str, tuple[FilterSpec, object]]()
        for word in text.split():
            match = _FILTER.fullmatch(word)
            spec = self._filters.get(match[1].lower()) if match else None
            if match is None or spec is None:
                words.append(word)
            else:
                wanted[word] = spec, spec.read(match[2], self._clock())
        if len(wanted) > MOST_FILTERS:
            raise BadCommand(command="find", usage=("find WORDS",))
        filters = list[EntryFilter]()
        for spec, value in wanted.values():
            filters.append(await self._filter(spec, value, sender, language))
        return words, filters

    async def resolved(self, wanted: str, sender: Sender, language: str | None) -> Entry | None:
        """Return the entry that some plugin takes ``wanted`` for; the first that knows one decides.

        A resolver that fails is named in the log, and counts for none. Raises UserErrors of resolvers.
        """
        if _resolving.get():  # a resolver looks for a file itself
            return None
        token = _resolving.set(True)
        try:
            for spec in self._resolvers:
                found = await self._resolved(spec, wanted, sender, language)
                if found is not None:
                    return found
        finally:
            _resolving.reset(token)
        return None

    async def _filter(
        self, spec: FilterSpec, value: object, sender: Sender, language: str | None
    ) -> EntryFilter:
        found = await self._called(
            spec.plugin, spec.hook, sender, language, lambda ctx: spec.handler(ctx, value)
        )
        if not isinstance(found, EntryFilter):
            mistake = PluginError(
                f"{spec.hook} of plugin {spec.plugin!r} returned {type(found).__name__}; "
                "return what ctx.store.having or ctx.db.having returns"
            )
            raise blame(mistake, origin_of(spec.plugin, spec.hook, spec.handler))
        return found

    async def _resolved(
        self, spec: ResolverSpec, wanted: str, sender: Sender, language: str | None
    ) -> Entry | None:
        try:
            found = await self._called(
                spec.plugin, spec.hook, sender, language, lambda ctx: spec.handler(ctx, wanted)
            )
        except UserError:
            raise
        except FilebotError as error:
            report(blame(error, origin_of(spec.plugin, spec.hook, spec.handler)))
            return None
        if found is None or isinstance(found, Entry):
            return found
        mistake = PluginError(f"it returned {type(found).__name__}; return an Entry, or None for no file")
        report(blame(mistake, origin_of(spec.plugin, spec.hook, spec.handler)), with_traceback=False)
        return None

    async def _called(
        self,
        plugin: str,
        hook: str,
        sender: Sender,
        language: str | None,
        function: Function,
    ) -> object:
        if self.call is None:
            raise PluginError(f"{hook} of plugin {plugin!r} is called too early")
        try:
            return await self.call(plugin, hook, sender, language, function, FIND_LIMIT_S)
        except PluginError as error:
            raise PluginError(f"{hook} of plugin {plugin!r} failed: {error}") from error
        except FilebotError:
            raise
        except TimeLimitExceeded as error:
            raise PluginError(f"{hook} of plugin {plugin!r} took over {FIND_LIMIT_S:g} s") from error
        except Exception as error:
            raise PluginError(f"{hook} of plugin {plugin!r} failed: {shown(error)}") from error
