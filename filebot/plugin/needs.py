"""Needs of a plugin: the parts of its context that it uses, declared by ``Plugin(..., needs={...})``.

The operator reads them to see what a plugin touches, and a context has nothing else. This guards against
mistakes, not against malice: a plugin runs in the bot's process, and Python is no sandbox there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import ClassVar, Final, Literal, get_args

from filebot.errors import PluginError

API: Final = 1
"""Version of the plugin API."""

Need = Literal[
    "files.read",
    "files.write",
    "files.annotate",
    "files.own",
    "files.weigh",
    "files.send",
    "files.unasked",
    "files.rooms",
    "files.expire",
    "rooms",
    "store",
    "jobs",
    "db",
    "delivery",
    "http",
    "people",
    "events",
    "checks",
    "reload",
]

NEEDS: Final[tuple[str, ...]] = get_args(Need)

_FILES: Final[Mapping[Need, tuple[str, ...]]] = {
    "files.read": (
        "page",
        "oldest",
        "matching",
        "named",
        "count",
        "search",
        "one",
        "with_id",
        "with_ids",
        "exactly",
        "some",
        "some_exactly",
        "owner",
        "usage",
        "max_file_bytes",
        "has_link",
        *("open", "path", "attached", "details"),
    ),
    "files.write": (*("keep", "add", "receive", "rename", "remove"),),
    "files.own": ("change_owner",),
    "files.weigh": ("set_weight",),
    "files.annotate": ("attach", "detach", "annotate"),
    "files.send": (
        "send_here",
        "send_in_chat",
        "neighbour",
        "recipient",
        "send_to",
        "transfers",
        "waiting",
        "cancel",
    ),
    "files.unasked": ("keep_unasked", "kept_unasked", "remove_unasked"),
}
_ROOMS: Final = (
    *("join", "accept", "leave", "visible", "state", "change", "setting", "rooms_with"),
    *("managed", "is_in", "history"),
    "is_members_only",
    "own_nick",
)
_STORE: Final = (
    *("entry", "person", "room", "get", "set", "delete", "change", "items"),
    *("entries_with", "people_with", "rooms_with", "having"),
)
_JOBS: Final = ("add", "cancel")
_DB: Final = ("read", "write", "having")
_HTTP: Final = ("get", "post", "put")
_DELIVERY: Final = ("upload_service", "addresses", "proxies", "clients", "measure", "plan", "slot")

NEED_OF: Final[Mapping[str, Need | None]] = {
    **{f"files.{name}": need for need, names in _FILES.items() for name in names},
    **{f"rooms.{name}": "rooms" for name in _ROOMS},
    **{f"store.{name}": "store" for name in _STORE},
    **{f"jobs.{name}": "jobs" for name in _JOBS},
    **{f"db.{name}": "db" for name in _DB},
    **{f"delivery.{name}": "delivery" for name in _DELIVERY},
    "room_files.with_ids": "files.rooms",
    "room_files.expire": "files.expire",
    **{f"http.{name}": "http" for name in _HTTP},
    "rooms.nick": None,
    "rooms.prefix": None,
    "files_posted_here": "files.read",
    "tell": "people",
    "choose_language": "people",
    "emit": "events",
    "reload": "reload",
}
"""Need of each attribute of the context, by its path below ``ctx``; an attribute that is not here needs
nothing, but the parts (``ctx.files``, ``ctx.rooms`` and so on) have no others."""


@dataclass(frozen=True, slots=True)
class Grants:
    """Needs that one plugin declared, for the checks on the contexts of its functions."""

    plugin: str
    needs: frozenset[str]
    declared_at: str
    """File and line of its ``Plugin(...)``."""
    views: "Mapping[str, type[View]]"
    """Classes of the parts of its contexts, by their paths below ``ctx``."""
    hook: str = ""
    """Function of the plugin that has the context: ``command 'count'``."""

    def require(self, path: str) -> None:
        """Raise PluginError if the plugin did not declare its need of ``ctx.<path>``."""
        need = NEED_OF.get(path)
        if need is not None and need not in self.needs:
            raise PluginError(self.missing(f"ctx.{path}", need))

    def missing(self, used: str, need: str) -> str:
        """Return a line that says what to change, because something needs what was not declared."""
        plugin, needs = self.plugin, ", ".join(f'"{each}"' for each in sorted({*self.needs, need}))
        return (
            f'plugin {plugin!r}, {self.hook}: {used} needs "{need}", which is not declared; '
            f'write Plugin("{plugin}", ..., needs={{{needs}}}) in {self.declared_at}'
        )


@dataclass(slots=True, eq=False)
class View:
    """Part of a context with those attributes alone that one plugin declared its need of.

    Each class of views has these as properties, so that nothing is checked when they are used.
    """

    _PATH: ClassVar[str]

    _target: object
    _grants: Grants

    def __getattr__(self, name: str) -> object:
        """Refuse an attribute that is not among these."""
        path = f"{self._PATH}.{name}"
        if path not in NEED_OF:
            raise AttributeError(f"there is no ctx.{path}")
        self._grants.require(path)
        return getattr(self._target, name)


@lru_cache(maxsize=64)
def views(needs: frozenset[str]) -> Mapping[str, type[View]]:
    """Return the class of each part of the contexts of a plugin with these needs, by its path."""
    attributes: dict[str, dict[str, object]] = {}
    for path, need in NEED_OF.items():
        part, _, name = path.rpartition(".")
        if part:
            found = attributes.setdefault(part, {})
            if need is None or need in needs:
                found[name] = property(attrgetter(f"_target.{name}"))
    return {
        part: type(f"ctx.{part}", (View,), {"__slots__": (), "_PATH": part, **found})
        for part, found in attributes.items()
    }
