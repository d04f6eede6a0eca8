"""Recorder of events for durable listeners: each event becomes a job for each of them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from filebot.errors import PluginError, StorageError
from filebot.events.facts import Event
from filebot.failures import blame, origin_of, report
from filebot.model import Entry, JobKind, NewJob, Sender
from filebot.plugin.listeners import DurableListener, SettingOf
from filebot.ports import LONGEST_PAYLOAD, JobStore

log = logging.getLogger(__name__)

LONGEST_NICK: Final = 200
"""Characters of a nick in an event that is too long to be kept whole."""


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
        now = self._clock()
        payloads: dict[type[Event], str] = {}  # listeners of one class are given the same
        for listener in self._listeners:
            if listener.hears(event, self._setting_of):
                try:
                    if listener.event not in payloads:
                        payloads[listener.event] = self._payload(listener, event)
                except Exception as error:  # noqa: BLE001 - what happened must not fail for a listener
                    origin = origin_of(listener.plugin, listener.hook, listener.handler)
                    report(blame(error, origin), f"{type(event).__name__} cannot be kept")
                else:
                    kind = JobKind(listener.plugin, listener.job)
                    jobs.append(NewJob(kind, payloads[listener.event], now, group=_group_of(event)))
        return jobs

    def examine(self, event: Event) -> None:
        """Raise PluginError if durable listeners could not hear of an event of a plugin."""
        for listener in self._listeners:
            if isinstance(event, listener.event):
                try:
                    self._payload(listener, event)
                except (TypeError, ValueError) as error:
                    raise PluginError(f"{type(event).__name__} cannot be kept: {error}") from error

    async def record(self, event: Event) -> None:
        """Add the jobs for an event that no transaction has recorded. It raises nothing."""
        for job in self.jobs_for(event):
            try:
                await self._store.add(job)
            except StorageError as error:
                log.error("job %s of plugin %s is lost: %s", job.kind.name, job.kind.plugin, error)

    @staticmethod
    def _payload(listener: DurableListener, event: Event) -> str:
        """Return the event as a payload. Raises TypeError or ValueError if it cannot be one."""
        payload = listener.codec.write(event, None)
        if _is_too_long(payload):
            payload = listener.codec.write(_shortened(event), None)
        if _is_too_long(payload):
            raise ValueError(f"it has {len(payload.encode())} bytes, more than {LONGEST_PAYLOAD}")
        return payload


def _group_of(event: Event) -> str | None:
    """Return the group of an event's jobs: events of one file are told in their order."""
    entry = getattr(event, "entry", None)
    return f"entry {entry.id}" if isinstance(entry, Entry) else None


def _is_too_long(payload: str) -> bool:
    return len(payload.encode()) > LONGEST_PAYLOAD


def _shortened(event: Event) -> Event:
    """Return an event without what strangers can make as long as they like, ids of messages above all."""
    changed = dict[str, Any]()
    for each in fields(event):
        match getattr(event, each.name):
            case Sender() as sender:
                nick = sender.nick and sender.nick[:LONGEST_NICK]
                changed[each.name] = replace(sender, message_id="", message_ref=None, nick=nick)
            case Entry() as entry:
                changed[each.name] = replace(entry, source_message=None)
    return replace(event, **changed)
