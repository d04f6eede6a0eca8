"""Needs of a plugin: the parts of its context that it uses, declared by ``Plugin(..., needs={...})``.

The operator reads them to see what a plugin touches, and a context has nothing else. This guards against
mistakes, not against malice: a plugin runs in the bot's process, and Python is no sandbox there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar, cast, get_args

from filebot.errors import PluginError
from filebot.plugin import deprecated
from filebot.plugin.files import Files
from filebot.plugin.rooms import RoomAccess

API: Final = 1
"""Version of the plugin API."""

Need = Literal[
    "files.read",
    "files.write",
    "files.annotate",
    "files.own",
    "files.send",
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
    "reload",
]

NEEDS: Final[tuple[str, ...]] = get_args(Need)

_FILES: Final[Mapping[Need, tuple[str, ...]]] = {
    "files.read": (
        "page",
        "count",
        "search",
        "one",
        "with_id",
        "exactly",
        "some",
        "owner",
        "usage",
        "max_file_bytes",
        *("open", "path", "attached", "details"),
    ),
    "files.write": (
        *("keep", "add", "receive", "rename", "remove"),
        *("opt_out", "opt_in"),
    ),
    "files.own": ("change_owner",),
    "files.annotate": ("attach", "detach", "annotate"),
    "files.send": ("send_here", "send_to", "transfers", "waiting", "cancel"),
}
_ROOMS: Final = (
    *("join", "accept", "leave", "visible", "state", "change", "setting", "rooms_with"),
    "is_members_only",
    *("import_history", "stop_history_import"),
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
    "rooms.prefix": None,
    "files_posted_here": "files.read",
    "tell": "people",
    "choose_language": "people",
    "emit": "events",
    "reload": "reload",
}
"""Need of each attribute of the context, by its path below ``ctx``; an attribute that is not here needs
nothing, but the parts (``ctx.files``, ``ctx.rooms`` and so on) have no others."""

_RENAMED: Final = {
    f"{path}.{old}": f"{path}.{new}"
    for path, owner in (("files", Files), ("rooms", RoomAccess))
    for cls, old, new in deprecated.ATTRIBUTES
    if cls is owner
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Grants:
    """Needs that one plugin declared, for the checks on the contexts of its functions."""

    plugin: str
    needs: frozenset[str]
    declared_at: str
    """File and line of its ``Plugin(...)``."""
    hook: str = ""
    """Function of the plugin that has the context: ``command 'count'``."""

    def require(self, path: str) -> None:
        """Raise PluginError if the plugin did not declare its need of ``ctx.<path>``."""
        need = NEED_OF.get(_RENAMED.get(path, path))
        if need is not None and need not in self.needs:
            raise PluginError(self.missing(f"ctx.{path}", need))

    def missing(self, used: str, need: str) -> str:
        """Return a line that says what to change, because something needs what was not declared."""
        plugin, needs = self.plugin, ", ".join(f'"{each}"' for each in sorted({*self.needs, need}))
        return (
            f'plugin {plugin!r}, {self.hook}: {used} needs "{need}", which is not declared; '
            f'write Plugin("{plugin}", ..., needs={{{needs}}}) in {self.declared_at}'
        )

    def guarded(self, path: str, target: T) -> T:
        """Return ``ctx.<path>`` with those attributes alone that the plugin declared its need of."""
        return cast("T", _Guarded(self, path, target))


class _Guarded:
    """Object of the context that checks each use of it."""

    __slots__ = ("_grants", "_path", "_target")

    def __init__(self, grants: Grants, path: str, target: object) -> None:
        self._grants = grants
        self._path = path
        self._target = target

    def __getattr__(self, name: str) -> object:
        path = f"{self._path}.{name}"
        if _RENAMED.get(path, path) not in NEED_OF:
            raise AttributeError(f"there is no ctx.{path}")
        self._grants.require(path)
        return getattr(self._target, name)
