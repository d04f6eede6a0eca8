"""Durable listeners: the events that they wait for become jobs, together with what happened."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from filebot.chat.commands import LoadedPlugin
from filebot.errors import StorageError
from filebot.events.facts import Event
from filebot.model import Entry, JobKind, NewJob
from filebot.plugin.listeners import ListenerKind, ListenerSpec
from filebot.ports import JobStore

log = logging.getLogger(__name__)


class DurableListeners:
    """Implements :class:`filebot.events.bus.Recorder` for the listeners of plugins."""

    def __init__(
        self, plugins: Sequence[LoadedPlugin], store: JobStore, clock: Callable[[], datetime]
    ) -> None:
        self._listeners = [
            (loaded.plugin.name, each)
            for loaded in plugins
            for each in loaded.plugin.listeners
            if each.kind is ListenerKind.DURABLE
        ]
        self._store = store
        self._clock = clock

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def jobs_for(self, event: Event) -> Sequence[NewJob]:
        """Return the jobs for an event. It raises nothing: what happened must not fail for a listener."""
        jobs: list[NewJob] = []
        for plugin, listener in self._listeners:
            if isinstance(event, listener.event):
                try:
                    jobs.append(self._job(plugin, listener, event))
                except Exception:
                    log.exception("%s of plugin %s cannot be kept", listener.job, plugin)
        return jobs

    async def record(self, event: Event) -> None:
        """Add the jobs for an event that no change of the catalog brought with it."""
        for job in self.jobs_for(event):
            try:
                await self._store.add(job)
            except StorageError as error:
                log.error("job %s of plugin %s is lost: %s", job.kind.name, job.kind.plugin, error)

    def _job(self, plugin: str, listener: ListenerSpec, event: Event) -> NewJob:
        entry = getattr(event, "entry", None)
        # Events of one file are told in their order.
        group = f"entry {entry.id}" if isinstance(entry, Entry) else None
        payload = listener.codec.write(event, None)
        return NewJob(JobKind(plugin, listener.job), payload, self._clock(), group=group)
