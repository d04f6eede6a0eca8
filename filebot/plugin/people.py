"""Data of people: what plugins keep of somebody is exported, or forgotten, by all of them."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from filebot.errors import PluginError
from filebot.failures import blame, origin_of, report
from filebot.model import DataOwner, Identity, JsonValue, OwnerKind
from filebot.plugin.finding import Call
from filebot.ports import PluginData

HOOK_LIMIT_S: Final = 60.0
MOST_EXPORT_BYTES: Final = 32 * 2**20
"""Bytes of one export, as JSON."""
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class PersonHook:
    """Function of a plugin about the data of one person."""

    plugin: str
    hook: str
    handler: Callable[[Any, Identity], Awaitable[object]]


@dataclass(slots=True)
class PersonExport:
    """Data that plugins keep of a person, as JSON values, by the name of the plugin."""

    kept: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    """Values of ``ctx.store.person``, by key, of all plugins that have some, loaded or not."""
    told: dict[str, JsonValue] = field(default_factory=dict)
    """Answers of the plugins themselves."""
    failed: list[str] = field(default_factory=list)
    """Plugins that failed to answer, or whose answer was too much."""


class People:
    """Calls the hooks of all plugins for one person. One that fails does not stop the rest."""

    def __init__(
        self,
        exports: Sequence[PersonHook],
        forgets: Sequence[PersonHook],
        call: Call,
        data: PluginData,
        forget_occupants: Callable[[Identity], Awaitable[None]],
    ) -> None:
        """``forget_occupants`` forgets which occupants of rooms somebody has shown to be."""
        self._exports = exports
        self._forgets = forgets
        self._call = call
        self._data = data
        self._forget_occupants = forget_occupants

    async def export_person(self, person: Identity) -> PersonExport:
        """Return what plugins keep of somebody. Raises StorageError."""
        export, left = PersonExport(), MOST_EXPORT_BYTES
        owner, after = DataOwner(OwnerKind.PERSON, person), ("", "")
        while page := await self._data.of_owner(owner, _PAGE, after=after):
            for plugin, key, text in page:
                left -= len(text.encode())
                if left >= 0:
                    export.kept.setdefault(plugin, {})[key] = json.loads(text)
                elif plugin not in export.failed:
                    export.failed.append(plugin)
            after = page[-1][:2]
        for each in self._exports:
            try:
                told = await self._called(each, person)
                size = _size(told, left)
            except Exception as error:  # noqa: BLE001 - one plugin costs its own answer alone
                self._note(each, error, export.failed)
            else:
                left -= size
                export.told[each.plugin] = told
        return export

    async def forget_person(self, person: Identity) -> Sequence[str]:
        """Have all plugins forget somebody, and remove the values that any keeps of them, and which
        occupants of rooms they have shown to be.

        Returns the names of plugins that failed; it can be called again. Raises StorageError.
        """
        failed = list[str]()
        for each in self._forgets:
            try:
                await self._called(each, person)
            except Exception as error:  # noqa: BLE001 - one plugin must not keep the rest from forgetting
                self._note(each, error, failed)
        # Last: the plugins may need them to know what to forget.
        await self._data.forget_person(person)
        await self._forget_occupants(person)
        return failed

    async def _called(self, hook: PersonHook, person: Identity) -> Any:
        return await self._call(
            hook.plugin, hook.hook, None, None, lambda ctx: hook.handler(ctx, person), HOOK_LIMIT_S
        )

    def _note(self, hook: PersonHook, error: Exception, failed: list[str]) -> None:
        report(blame(error, origin_of(hook.plugin, hook.hook, hook.handler)))
        if hook.plugin not in failed:
            failed.append(hook.plugin)


def _size(value: object, most: int) -> int:
    """Return the bytes of a value as JSON. Raises PluginError if it is none, or has too many."""
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise PluginError(f"its export is no JSON value: {error}") from error
    if size > most:
        raise PluginError(f"its export has {size} bytes, which are too many")
    return size
