"""How the jobs, durable listeners and schedules of the plugins are done: each with its context."""

from collections.abc import Iterator, Sequence
from functools import partial

from filebot.jobs.payloads import OnBehalfOf
from filebot.jobs.worker import Work
from filebot.model import Job, JobKind
from filebot.plugin.calls import PluginCalls
from filebot.plugin.declare import LoadedPlugin
from filebot.plugin.declare_jobs import JobSpec, ScheduleSpec
from filebot.plugin.handlers import called
from filebot.plugin.listeners import DurableListener


def works_of(plugins: Sequence[LoadedPlugin], calls: PluginCalls) -> Iterator[Work]:
    """Return how all kinds of jobs of these plugins are done."""
    for loaded in plugins:
        plugin = loaded.plugin
        for job in plugin.jobs.values():
            run = partial(_do, calls, plugin.name, job)
            yield Work(JobKind(plugin.name, job.name), run, job.limit_s)
        for listener in plugin.durable_listeners:
            yield Work(JobKind(plugin.name, listener.job), partial(_tell, calls, listener))
        for each in plugin.schedules.values():
            do = partial(_keep, calls, plugin.name, each)
            yield Work(JobKind(plugin.name, f"schedule {each.name}"), do, each.limit_s, each.schedule)


async def _do(calls: PluginCalls, plugin: str, spec: JobSpec, job: Job) -> None:
    payload = spec.codec.read(job.payload)
    with calls.under_way.counted(plugin):
        await called(spec.handler(await calls.context(plugin, spec.hook, payload.by), payload.value))


async def _tell(calls: PluginCalls, listener: DurableListener, job: Job) -> None:
    event = listener.codec.read(job.payload).value
    by = OnBehalfOf(event.sender, event.language)
    with calls.under_way.counted(listener.plugin):
        await called(listener.handler(await calls.context(listener.plugin, listener.hook, by), event))


async def _keep(calls: PluginCalls, plugin: str, spec: ScheduleSpec, _: Job) -> None:
    with calls.under_way.counted(plugin):
        await called(spec.handler(await calls.context(plugin, spec.hook, None)))
