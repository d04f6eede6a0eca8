"""Recorder of events for durable listeners: each event becomes a job for each of them."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from filebot.errors import StorageError
from filebot.events.facts import Event
from filebot.model import Entry, JobKind, NewJob
from filebot.plugin.listeners import DurableListener, SettingOf
from filebot.ports import JobStore

log = logging.getLogger(__name__)


class EventRecorder:
    """Implements :class:`filebot.events.bus.Recorder` for the listeners of plugins."""

    def __init__(
        self,
        listeners: Sequence[DurableListener],
        store: JobStore,
        clock: Callable[[], datetime],
        setting_of: SettingOf,
    ) -> None:
        self._listeners = listeners
        self._store = store
        self._clock = clock
        self._setting_of = setting_of

    def jobs_for(self, event: Event) -> Sequence[NewJob]:
        """Return the jobs by which the event gets to durable listeners. It raises nothing."""
        jobs: list[NewJob] = []
        for listener in self._listeners:
            if listener.hears(event, self._setting_of):
                try:
                    jobs.append(self._job(listener, event))
                except Exception:
                    log.exception("%s of plugin %s cannot be kept", listener.job, listener.plugin)
        return jobs

    async def record(self, event: Event) -> None:
        """Add the jobs for an event that no transaction has recorded. It raises nothing."""
        for job in self.jobs_for(event):
            try:
                await self._store.add(job)
            except StorageError as error:
                log.error("job %s of plugin %s is lost: %s", job.kind.name, job.kind.plugin, error)

    def _job(self, listener: DurableListener, event: Event) -> NewJob:
        entry = getattr(event, "entry", None)
        # Events of one file are told in their order.
        group = f"entry {entry.id}" if isinstance(entry, Entry) else None
        payload = listener.codec.write(event, None)
        return NewJob(JobKind(listener.plugin, listener.job), payload, self._clock(), group=group)
