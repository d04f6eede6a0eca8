"""How the jobs, durable listeners and schedules of the plugins are done: each with its context."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from filebot.jobs.payloads import OnBehalfOf
from filebot.jobs.worker import Work
from filebot.model import Job, JobKind
from filebot.plugin.calls import PluginCalls
from filebot.plugin.context import Context
from filebot.plugin.declare import LoadedPlugin
from filebot.plugin.declare_jobs import JobSpec, ScheduleSpec
from filebot.plugin.handlers import called, examine_nothing
from filebot.plugin.listeners import DurableListener


def works_of(plugins: Sequence[LoadedPlugin], calls: PluginCalls) -> Iterator[Work]:
    """Return how all kinds of jobs of these plugins are done."""
    for loaded in plugins:
        plugin = loaded.plugin
        for job in plugin.jobs.values():
            run = partial(_do, calls, plugin.name, job)
            origin = calls.origin(plugin.name, job.hook, job.handler)
            yield Work(JobKind(plugin.name, job.name), run, job.limit_s, origin=origin)
        for listener in plugin.durable_listeners:
            origin = calls.origin(plugin.name, listener.hook, listener.handler)
            yield Work(JobKind(plugin.name, listener.job), partial(_tell, calls, listener), origin=origin)
        for each in plugin.schedules.values():
            do = partial(_keep, calls, plugin.name, each)
            origin = calls.origin(plugin.name, each.hook, each.handler)
            kind = JobKind(plugin.name, f"schedule {each.name}")
            yield Work(kind, do, each.limit_s, each.schedule, origin)


async def _do(calls: PluginCalls, plugin: str, spec: JobSpec, job: Job) -> None:
    payload = spec.codec.read(job.payload)
    await _call(calls, plugin, spec.hook, payload.by, lambda ctx: spec.handler(ctx, payload.value))


async def _tell(calls: PluginCalls, listener: DurableListener, job: Job) -> None:
    event = listener.codec.read(job.payload).value
    by = OnBehalfOf(event.sender, event.language)
    await _call(calls, listener.plugin, listener.hook, by, lambda ctx: listener.handler(ctx, event))


async def _keep(calls: PluginCalls, plugin: str, spec: ScheduleSpec, _: Job) -> None:
    await _call(calls, plugin, spec.hook, None, spec.handler)


async def _call(
    calls: PluginCalls,
    plugin: str,
    hook: str,
    by: OnBehalfOf | None,
    function: Callable[[Context[Any]], Awaitable[None]],
) -> None:
    """Call a function with a context of its plugin; whoever does the job has a limit for it."""
    with calls.under_way.counted(plugin):
        work = function(await calls.context(plugin, hook, by))
        origin = calls.origin(plugin, hook, work)
        examine_nothing(await called(work, origin), origin)
