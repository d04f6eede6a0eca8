"""How the jobs and schedules of the plugins are done: each with its context."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from filebot.chat.commands import Commands, LoadedPlugin
from filebot.jobs.payloads import OnBehalfOf, PayloadCodec
from filebot.jobs.worker import Work
from filebot.model import Job, JobKind
from filebot.plugin.listeners import ListenerKind, ListenerSpec


def works_of(plugins: Sequence[LoadedPlugin], commands: Commands) -> Iterator[Work]:
    """Return how all kinds of jobs of these plugins are done."""
    for loaded in plugins:
        plugin = loaded.plugin
        for job in plugin.jobs.values():
            run = partial(_do, commands, plugin.name, job.codec, job.handler)
            yield Work(JobKind(plugin.name, job.name), run, job.limit_s)
        for listener in plugin.listeners:
            if listener.kind is ListenerKind.DURABLE:
                tell = partial(_tell, commands, plugin.name, listener)
                yield Work(JobKind(plugin.name, listener.job), tell)
        for each in plugin.schedules.values():
            do = partial(_keep, commands, plugin.name, each.handler)
            yield Work(JobKind(plugin.name, f"schedule {each.name}"), do, each.limit_s, each.schedule)


async def _do(
    commands: Commands,
    plugin: str,
    codec: PayloadCodec[Any],
    handler: Callable[..., Awaitable[None]],
    job: Job,
) -> None:
    payload = codec.read(job.payload)
    await handler(await commands.context(plugin, payload.by), payload.value)


async def _tell(commands: Commands, plugin: str, listener: ListenerSpec, job: Job) -> None:
    event = listener.codec.read(job.payload).value
    by = OnBehalfOf(event.sender, event.language)
    await listener.handler(await commands.context(plugin, by), event)


async def _keep(commands: Commands, plugin: str, handler: Callable[..., Awaitable[None]], _: Job) -> None:
    await handler(await commands.context(plugin, None))
