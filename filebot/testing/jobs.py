"""Queue of jobs in memory: a fake of :class:`filebot.ports.JobStore` for tests."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from filebot.errors import JobQueueFull
from filebot.model import DeadJob, Job, JobKind, NewJob
from filebot.ports import (
    LONGEST_ERROR,
    LONGEST_PAYLOAD,
    MOST_BYTES,
    MOST_BYTES_OF_PLUGIN,
    MOST_DEAD_OF_PLUGIN,
    MOST_JOBS,
    MOST_JOBS_OF_PLUGIN,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Claim:
    worker: str
    until: datetime


class MemoryJobs:
    """Implements :class:`filebot.ports.JobStore` in a few dictionaries."""

    def __init__(self) -> None:
        self._living: dict[int, Job] = {}
        self._claims: dict[int, _Claim] = {}
        self._dead: list[DeadJob] = []
        self._last_number = 0
        self._notify: Callable[[], None] = lambda: None

    async def add(self, new: NewJob) -> bool:
        if not self._has_place(new):
            raise JobQueueFull(f"no place for job {new.kind.name} of plugin {new.kind.plugin}")
        return self._add(new)

    def add_outbox(self, new: Iterable[NewJob]) -> None:
        """Add what a change brings with it, as far as there is a place for it."""
        for each in new:
            if self._has_place(each):
                self._add(each)
            else:
                log.error("no place for job %s of plugin %s", each.kind.name, each.kind.plugin)

    async def claim(
        self, kinds: Collection[JobKind], worker: str, now: datetime, until: datetime, limit: int
    ) -> list[Job]:
        claimed: list[Job] = []
        while len(claimed) < limit and (job := self._due(kinds, now)) is not None:
            if job.deadline is not None and job.deadline <= now:
                self._bury(job, now, "its deadline has passed")
                continue
            job = self._living[job.number] = replace(job, tries=job.tries + 1)
            self._claims[job.number] = _Claim(worker, until)
            claimed.append(job)
        return claimed

    async def next_at(self, kinds: Collection[JobKind]) -> datetime | None:
        claims = self._claims
        first = (job for job in self._first() if job.kind in kinds)
        return min(
            (claims[job.number].until if job.number in claims else job.run_at for job in first),
            default=None,
        )

    async def complete(self, job: Job) -> None:
        if self._is_held(job):
            self._end_claim(job)
            del self._living[job.number]

    async def put_off(self, job: Job, run_at: datetime, *, tries: int, error: str = "") -> None:
        if self._is_held(job):
            self._end_claim(job)
            self._living[job.number] = replace(
                job, run_at=run_at.astimezone(UTC), tries=tries, error=error[:LONGEST_ERROR]
            )

    async def bury(self, job: Job, now: datetime, error: str) -> None:
        if self._is_held(job):
            self._bury(job, now, error)

    async def end_claims(self, worker: str) -> None:
        self._claims = {n: claim for n, claim in self._claims.items() if claim.worker != worker}

    async def find(self, plugin: str, key: str) -> Job | None:
        return next((job for job in self._of(plugin) if job.key == key), None)

    async def cancel(self, plugin: str, key: str) -> bool:
        job = await self.find(plugin, key)
        if job is None or job.number in self._claims:
            return False
        del self._living[job.number]
        return True

    async def dead(self, plugin: str) -> list[DeadJob]:
        return [each for each in self._dead if each.job.kind.plugin == plugin]

    async def counts(self) -> dict[str, int]:
        plugins = {job.kind.plugin for job in self._all()}
        return {plugin: len(self._of(plugin)) for plugin in plugins}

    async def purge(self, plugin: str) -> int:
        theirs = [job for job in self._all() if job.kind.plugin == plugin]
        for job in theirs:
            self._living.pop(job.number, None)
            self._end_claim(job)
        self._dead = [each for each in self._dead if each.job.kind.plugin != plugin]
        return len(theirs)

    def on_added(self, notify: Callable[[], None]) -> None:
        self._notify = notify

    def _add(self, new: NewJob) -> bool:
        if new.key is not None and any(job.key == new.key for job in self._of(new.kind.plugin)):
            return False
        self._last_number += 1
        values = {each.name: getattr(new, each.name) for each in fields(NewJob)}
        values["run_at"] = new.run_at.astimezone(UTC)
        values["deadline"] = new.deadline and new.deadline.astimezone(UTC)
        self._living[self._last_number] = Job(**values, number=self._last_number)
        self._notify()
        return True

    def _has_place(self, new: NewJob) -> bool:
        size, all_jobs = len(new.payload.encode()), self._all()
        theirs = [job for job in all_jobs if job.kind.plugin == new.kind.plugin]
        return (
            size <= LONGEST_PAYLOAD
            and len(theirs) < MOST_JOBS_OF_PLUGIN
            and _bytes(theirs) + size <= MOST_BYTES_OF_PLUGIN
            and len(all_jobs) < MOST_JOBS
            and _bytes(all_jobs) + size <= MOST_BYTES
        )

    def _due(self, kinds: Collection[JobKind], now: datetime) -> Job | None:
        due = [
            job
            for job in self._first()
            if job.kind in kinds
            and job.run_at <= now
            and (job.number not in self._claims or self._claims[job.number].until <= now)
        ]
        return min(due, key=lambda job: (job.run_at, job.number), default=None)

    def _first(self) -> list[Job]:
        """Return the living jobs that no older one of their group blocks."""
        groups: set[tuple[str, str]] = set()
        first: list[Job] = []
        for job in self._living.values():  # in the order of their numbers
            if job.group is None:
                first.append(job)
            elif (group := (job.kind.plugin, job.group)) not in groups:
                groups.add(group)
                first.append(job)
        return first

    def _is_held(self, job: Job) -> bool:
        living = self._living.get(job.number)
        return living is not None and living.tries == job.tries and job.number in self._claims

    def _end_claim(self, job: Job) -> None:
        self._claims.pop(job.number, None)

    def _bury(self, job: Job, now: datetime, error: str) -> None:
        self._end_claim(job)
        del self._living[job.number]
        self._dead.append(DeadJob(replace(job, error=error[:LONGEST_ERROR]), now))
        theirs = [each for each in self._dead if each.job.kind.plugin == job.kind.plugin]
        for each in theirs[:-MOST_DEAD_OF_PLUGIN]:
            self._dead.remove(each)

    def _of(self, plugin: str) -> list[Job]:
        return [job for job in self._living.values() if job.kind.plugin == plugin]

    def _all(self) -> list[Job]:
        return [*self._living.values(), *(each.job for each in self._dead)]


def _bytes(jobs: Sequence[Job]) -> int:
    return sum(len(job.payload.encode()) for job in jobs)
