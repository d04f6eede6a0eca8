"""A plugin's own jobs, as its handlers add and cancel them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rapidfuzz import process

from filebot.errors import PluginError
from filebot.jobs.payloads import OnBehalfOf, PayloadCodec
from filebot.model import JobKind, NewJob
from filebot.ports import LONGEST_PAYLOAD, JobStore

LONGEST_KEY: Final = 200
"""Characters of a key or a group."""
LONGEST_DELAY: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class JobServices:
    """Services behind :class:`Jobs`."""

    store: JobStore
    clock: Callable[[], datetime]


class Jobs:
    """The jobs of one plugin; those that are added are done on behalf of one person, or of nobody."""

    def __init__(
        self,
        services: JobServices,
        plugin: str,
        codecs: Mapping[str, PayloadCodec[object]],
        by: OnBehalfOf | None,
    ) -> None:
        """``codecs`` has the declared jobs by their names."""
        self._store = services.store
        self._clock = services.clock
        self._plugin = plugin
        self._codecs = codecs
        self._by = by

    async def add(
        self,
        name: str,
        payload: object,
        *,
        key: str | None = None,
        after: timedelta = timedelta(0),
        group: str | None = None,
        within: timedelta | None = None,
    ) -> bool:
        """Add a job, durably, that is done as soon as may be, or ``after`` a time.

        While a job with the same ``key`` waits or runs, another one is not added, and False is returned.
        Jobs of one ``group`` are done one after the other, in order; one that fails holds up the others
        until it is done or given up. A job that could not be begun ``within`` a time from when it is due is
        given up.

        Raises PluginError for what does not fit the declaration, JobQueueFull, or StorageError.
        """
        codec = self._codecs.get(name)
        if codec is None:
            raise PluginError(f"plugin {self._plugin!r} has no job {name!r}{self._did_you_mean(name)}")
        try:
            text = codec.write(payload, self._by)
        except TypeError as error:
            raise PluginError(f"job {name!r} of plugin {self._plugin!r}: its payload: {error}") from error
        if (size := len(text.encode())) > LONGEST_PAYLOAD:
            raise PluginError(
                f"job {name!r} of plugin {self._plugin!r}: its payload has {size} bytes, more than "
                f"{LONGEST_PAYLOAD}; keep what is large elsewhere"
            )
        for each in (key, group):
            if each is not None and not 0 < len(each) <= LONGEST_KEY:
                raise PluginError(f"a key or group has 1 to {LONGEST_KEY} characters, not {len(each)}")
        if not timedelta(0) <= after <= LONGEST_DELAY or (within is not None and within <= timedelta(0)):
            raise PluginError(f"after is at most {LONGEST_DELAY.days} days, and neither time is negative")
        due = self._clock() + after
        deadline = None if within is None else due + within
        kind, own = JobKind(self._plugin, name), None if key is None else _own(key)
        return await self._store.add(NewJob(kind, text, due, own, group, deadline))

    async def cancel(self, key: str) -> bool:
        """Cancel the job with this key; False if there is none, or it is running."""
        return await self._store.cancel(self._plugin, _own(key))

    def _did_you_mean(self, name: str) -> str:
        found = process.extractOne(name, list(self._codecs), score_cutoff=60)
        return f"; did you mean {found[0]!r}?" if found else ""


def _own(key: str) -> str:
    """Return the key that the queue has for a plugin's own one: those of its schedules are others."""
    return f"own {key}"
