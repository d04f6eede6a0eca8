"""Lifespans: what a plugin opens before the bot is online, keeps open meanwhile, and closes at the end.

Each lifespan is entered and left in one task of its own, as task groups and the like need it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

from filebot.concurrency.bounded_call import call_bounded, cut_off
from filebot.concurrency.tasks import Tasks
from filebot.errors import PluginError
from filebot.failures import blame, origin_of, report
from filebot.plugin.blocking import BlockingWork
from filebot.plugin.database import PluginDatabase
from filebot.plugin.handlers import called, named
from filebot.plugin.http import Http
from filebot.plugin.jobs import Jobs
from filebot.plugin.needs import Grants
from filebot.plugin.own_data import OwnData
from filebot.plugin.store import PluginStore

log = logging.getLogger(__name__)

S_co = TypeVar("S_co", covariant=True)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")

OPEN_LIMIT_S: Final = 30.0
CLOSE_LIMIT_S: Final = 10.0
MOST_TASKS: Final = 32
"""Tasks that a plugin may have running in its lifespan."""
HOOK: Final = "lifespan"


@dataclass(frozen=True, slots=True)
class LifeServices:
    """Services that a lifespan may use."""

    own_data: Callable[[str], OwnData]
    jobs: Callable[[str], Jobs]
    http: Callable[[str], Http]
    clock: Callable[[], datetime]
    blocking: BlockingWork


class Life(Generic[S_co]):
    """Context of a plugin's lifespan. There is nobody to speak to: the bot is not online yet, or no longer.

    Work that speaks to people is for a job, which ``jobs.add`` adds.
    """

    def __init__(self, services: LifeServices, settings: S_co, grants: Grants) -> None:
        self._services = services
        self._grants = grants
        self._tasks = Tasks(MOST_TASKS)
        self.settings = settings
        """The plugin's own settings."""

    @property
    def now(self) -> datetime:
        """The present in UTC."""
        return self._services.clock()

    @property
    def jobs(self) -> Jobs:
        """The plugin's own jobs; those that are added are done for nobody."""
        return self._guarded("jobs", self._services.jobs(self._grants.plugin))

    @property
    def store(self) -> PluginStore:
        """Values that the plugin keeps by key."""
        return self._guarded("store", self._services.own_data(self._grants.plugin).store)

    @property
    def db(self) -> PluginDatabase:
        """The plugin's own tables, which its migrations made."""
        return self._guarded("db", self._services.own_data(self._grants.plugin).db)

    @property
    def http(self) -> Http:
        """HTTP to servers elsewhere."""
        return self._guarded("http", self._services.http(self._grants.plugin))

    def _guarded(self, path: str, part: T) -> T:
        """Return a part with those attributes alone that the plugin declared its need of."""
        return cast("T", self._grants.views[path](part, self._grants))

    async def run_blocking(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking function in one of the threads that all plugins share; four are of this one."""
        return await self._services.blocking.run(self._grants.plugin, function, *args, **kwargs)

    def start(self, work: Coroutine[Any, Any, object], name: str) -> bool:
        """Run ``work`` in the background; it is cancelled before the lifespan ends. What it raises is
        logged.

        Return False, without running it, while 32 others run.
        """
        hook = f"task {name!r}"
        name = named(self._grants.plugin, hook)
        origin = origin_of(self._grants.plugin, hook, work, self.settings)
        return self._tasks.start(_reported(call_bounded(called(work, origin), name)), name)

    async def end_tasks(self) -> None:
        """Cancel what was started, and wait for its clean-up."""
        await self._tasks.close()


@dataclass(frozen=True, slots=True)
class Lifespan(Generic[T_co]):
    """Declaration of a plugin's lifespan; ``ctx.state(...)`` is given it, and returns what it yields."""

    plugin: str
    """Name of the plugin."""
    handler: Callable[[Life[Any]], AsyncIterator[T_co]]
    """The async generator."""


class Lifespans:
    """Lifespans of the plugins that are loaded, and what they yielded."""

    def __init__(
        self, services: LifeServices, before: "Lifespans | None" = None, kept: Collection[str] = ()
    ) -> None:
        """``before`` has those of the plugins loaded so far, of which those that are ``kept`` stay open."""
        self._services = services
        self._open: dict[str, _OpenLifespan] = {}
        self._all: set[_OpenLifespan] = set()
        """All that are open, those of plugins that were loaded earlier included."""
        if before is not None:
            self._open = {name: each for name, each in before._open.items() if name in kept}  # noqa: SLF001
            self._all = before._all  # noqa: SLF001 - of the same class

    @property
    def blocking(self) -> BlockingWork:
        """Threads for the blocking work of all plugins."""
        return self._services.blocking

    async def open(self, plugins: Iterable[tuple[Lifespan[Any], object, Grants]]) -> dict[str, Exception]:
        """Enter lifespans, each with the settings and grants of its plugin, all at the same time.

        Return what kept some from being open, by the name of the plugin.
        """
        opening = {
            lifespan.plugin: _OpenLifespan(lifespan, Life(self._services, settings, grants))
            for lifespan, settings, grants in plugins
        }
        results = await asyncio.gather(
            *(self._enter(plugin, each) for plugin, each in opening.items()), return_exceptions=True
        )
        failed = dict[str, Exception]()
        for plugin, result in zip(opening, results, strict=True):
            if isinstance(result, Exception):
                failed[plugin] = result
            elif result is not None:
                raise result
        return failed

    async def _enter(self, plugin: str, lifespan: "_OpenLifespan") -> None:
        await lifespan.enter()
        self._open[plugin] = lifespan
        self._all.add(lifespan)

    async def close(self) -> None:
        """Leave all lifespans, also those of plugins that were loaded earlier. Errors are logged."""
        await self._leave(self._all.copy())

    async def close_without(self, other: "Lifespans") -> None:
        """Leave those lifespans that are not open for ``other`` as well. Errors are logged."""
        await self._leave(set(self._open.values()) - set(other._open.values()))  # noqa: SLF001

    async def _leave(self, lifespans: Collection["_OpenLifespan"]) -> None:
        await asyncio.gather(*(each.leave() for each in lifespans))
        self._all.difference_update(lifespans)  # after it: who cancels this is not to lose them

    def state(self, plugin: str, lifespan: Lifespan[T]) -> T:
        """Return what the lifespan of a plugin yielded.

        Raises PluginError if it is another plugin's, or not open.
        """
        if lifespan.plugin != plugin:
            raise PluginError(f"plugin {plugin!r} asks for the state of plugin {lifespan.plugin!r}")
        found = self._open.get(plugin)
        if found is None or found not in self._all:
            raise PluginError(f"the lifespan of plugin {plugin!r} is not open")
        return cast("T", found.state)


async def _reported(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - nobody waits for it
        report(error)


class _OpenLifespan:
    """One lifespan, in its task."""

    def __init__(self, lifespan: Lifespan[Any], life: Life[Any]) -> None:
        self._lifespan = lifespan
        self._life = life
        self._name = named(lifespan.plugin, HOOK)
        self._origin = origin_of(lifespan.plugin, HOOK, lifespan.handler, life.settings)
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.state: object = None

    async def enter(self) -> None:
        """Return when it is open. Raises what it raises, or PluginError at the limit."""
        task = self._task = asyncio.create_task(called(self._live(), self._origin), name=self._name)
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({task, ready}, timeout=OPEN_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
            if self._ready.is_set():
                return
        except asyncio.CancelledError:
            if self._ready.is_set():
                await self.leave()
            raise
        finally:
            ready.cancel()
            if not self._ready.is_set():
                await cut_off(task)
                await self._life.end_tasks()
        if not task.done() or task.cancelled():
            raise blame(PluginError(f"it is not open after {OPEN_LIMIT_S:g} s"), self._origin)
        raise task.exception() or blame(PluginError("it yields nothing"), self._origin)

    async def leave(self) -> None:
        task = self._task
        assert task is not None  # noqa: S101 - entered
        await self._life.end_tasks()
        self._over.set()
        await asyncio.wait((task,), timeout=CLOSE_LIMIT_S)
        if not task.done():
            mistake = PluginError(f"it does not end within {CLOSE_LIMIT_S:g} s")
            report(blame(mistake, self._origin), with_traceback=False)
            await cut_off(task)
        elif not task.cancelled() and isinstance(error := task.exception(), Exception):
            report(error)

    async def _live(self) -> None:
        async with asynccontextmanager(self._lifespan.handler)(self._life) as self.state:
            self._ready.set()
            await self._over.wait()
