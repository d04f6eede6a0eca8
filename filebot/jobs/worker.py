"""Worker that does the jobs of the queue, and owns the tasks in which they are done.

It sleeps until the next job is due or one is added. A job that fails is tried again after a pause that
doubles; one that keeps failing is dead, which the log says. A try counts from its claim on, so that a job
that takes the whole process down is not tried for ever.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from filebot.concurrency.backoff import Backoff
from filebot.concurrency.bounded_call import call_bounded
from filebot.concurrency.tasks import Tasks
from filebot.errors import JobQueueFull, PluginError, StorageError
from filebot.failures import Origin, blame, report, shown
from filebot.jobs.schedules import Schedule
from filebot.model import Job, JobKind, NewJob
from filebot.ports import JobStore

log = logging.getLogger(__name__)

MOST_RUNNING: Final = 8
MOST_RUNNING_OF_PLUGIN: Final = 4
MOST_TRIES: Final = 10

LIMIT_S: Final = 60.0
"""Usual limit of a try."""
LONGEST_LIMIT_S: Final = 3600.0
CLAIM_MARGIN_S: Final = 60.0
"""For how long a claim outlasts the limit of the try."""

FIRST_PAUSE_S: Final = 10.0
LONGEST_PAUSE_S: Final = 3600.0
JITTER: Final = (0.75, 1.0)

LONGEST_SLEEP_S: Final = 3600.0
"""Clocks are set, and machines suspended: so a far moment is looked at again."""
SHORTEST_SLEEP_S: Final = 0.1
SETTLE_S: Final = 0.05
"""Pause before new jobs are looked for: answers go first, and what comes together is claimed together."""

WORKER: Final = "filebot"
"""One process alone has the data folder: an earlier one of this name is gone."""


@dataclass(frozen=True, slots=True)
class Work:
    """How jobs of one kind are done."""

    kind: JobKind
    run: Callable[[Job], Coroutine[Any, Any, object]]
    limit_s: float = LIMIT_S
    schedule: Schedule | None = None
    """When the one job of this kind is done again; None for a kind whose jobs end."""
    origin: Origin | None = None
    """Function of a plugin that does them, for the log."""


class JobWorker:
    """Does the jobs of all kinds that it knows; the others stay in the queue."""

    def __init__(self, store: JobStore, clock: Callable[[], datetime]) -> None:
        """``clock`` gives the present in UTC."""
        self._store = store
        self._clock = clock
        self._works: dict[JobKind, Work] = {}
        self._unplanted: dict[JobKind, Schedule] = {}
        """Schedules that the queue may not have yet."""
        self._tasks = Tasks(2 * MOST_RUNNING)  # some may have ended and be there for a moment still
        self._running: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._prepared = False
        self._has_new = False
        self._closed = False
        store.on_added(self._note_new)

    def replace(self, works: Iterable[Work]) -> None:
        """Do jobs of these kinds from now on, and of no others. A job that runs ends as it began."""
        before, self._works = self._works, {work.kind: work for work in works}
        for kind, work in self._works.items():
            old = before.get(kind)
            if work.schedule is not None and (old is None or old.schedule != work.schedule):
                self._unplanted[kind] = work.schedule
        self._wake.set()

    async def run(self) -> None:
        """Do jobs as they become due, until it is closed. Raises StorageError."""
        while not self._closed:
            await self.prepare()
            self._has_new = False  # what is planted there is nothing to settle
            self._wake.clear()
            now, works = self._clock(), self._free()
            at = await self._next_at(works)
            if not await self._begin_due(works, at, now):
                await self._sleep(at, now)
                if self._has_new:
                    await asyncio.sleep(SETTLE_S)

    def _note_new(self) -> None:
        self._has_new = True
        self._wake.set()

    async def run_due(self) -> None:
        """Do all jobs that are due; return when they have ended. Raises StorageError."""
        while True:
            await self.prepare()
            self._wake.clear()
            works = self._free()
            if not await self._begin_due(works, await self._next_at(works), self._clock()):
                if not self._running.total():
                    return
                await self._wake.wait()

    async def next_at(self) -> datetime | None:
        """Return when something is due next; None for never. Raises StorageError."""
        await self.prepare()
        return await self._next_at([*self._works.values()])

    async def close(self, *, timeout_s: float) -> None:
        """Begin nothing more; let running jobs end for at most ``timeout_s``, then give them back."""
        self._closed = True
        self._wake.set()
        await self._tasks.idle(timeout_s)
        await self._tasks.close()

    # --- schedules ------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Give back what an earlier run had begun, and note when new schedules are due.

        :meth:`run` does it first. Raises StorageError.
        """
        if not self._prepared:
            await self._store.end_claims(WORKER)
            self._prepared = True
        while self._unplanted:
            kind, schedule = next(iter(self._unplanted.items()))
            if kind in self._works:
                await self._plant(kind, schedule)
            if self._unplanted.get(kind) is schedule:
                del self._unplanted[kind]

    async def _plant(self, kind: JobKind, schedule: Schedule) -> None:
        """Make sure that the queue has the job of a schedule, and none of an earlier rule."""
        planted = await self._store.find(kind.plugin, kind.name)
        first = schedule.first(self._clock())
        # A later moment was noted while the clock was ahead.
        if planted is not None and planted.payload == schedule.rule and planted.run_at <= first:
            return
        await self._store.cancel(kind.plugin, kind.name)
        try:
            await self._store.add(NewJob(kind, schedule.rule, first, kind.name))
        except JobQueueFull as error:  # the others do not wait for it
            log.error("a schedule is left out until the next start: %s", error)

    # --- claims ---------------------------------------------------------------------------------

    async def _next_at(self, works: Sequence[Work]) -> datetime | None:
        """Return when the next job of some kinds is due; None for never."""
        return await self._store.next_at([work.kind for work in works]) if works else None

    async def _begin_due(self, works: Sequence[Work], at: datetime | None, now: datetime) -> bool:
        """Begin jobs of these kinds, of which the next is due ``at``; return False if none is begun."""
        if self._closed or at is None or at > now:
            return False
        by_kind = {work.kind: work for work in works}
        kinds = list(by_kind)
        limit = min(
            MOST_RUNNING - self._running.total(),
            *(MOST_RUNNING_OF_PLUGIN - self._running[kind.plugin] for kind in kinds),
        )
        lease = timedelta(seconds=max(work.limit_s for work in works) + CLAIM_MARGIN_S)
        claimed = await self._store.claim(kinds, WORKER, now, now + lease, limit)
        for job in claimed:
            self._running[job.kind.plugin] += 1
            work = self._works.get(job.kind, by_kind[job.kind])  # they may have been replaced meanwhile
            self._tasks.start(self._do(work, job), _named(job))
        return bool(claimed)

    def _free(self) -> Sequence[Work]:
        """Return the works of the plugins of which one more job may run."""
        if self._running.total() >= MOST_RUNNING:
            return ()
        return [
            work
            for kind, work in self._works.items()
            if self._running[kind.plugin] < MOST_RUNNING_OF_PLUGIN
        ]

    async def _sleep(self, at: datetime | None, now: datetime) -> None:
        delay_s = None
        if at is not None:
            delay_s = min(max((at - now).total_seconds(), SHORTEST_SLEEP_S), LONGEST_SLEEP_S)
        try:
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    # --- one job --------------------------------------------------------------------------------

    async def _do(self, work: Work, job: Job) -> None:
        try:
            await self._try(work, job)
        except StorageError as error:
            # It is claimed until its time is over, and done once more then.
            log.error("what came of %s is not noted: %s", _named(job), error)
        finally:
            self._running[job.kind.plugin] -= 1
            self._wake.set()

    async def _try(self, work: Work, job: Job) -> None:
        if job.tries > MOST_TRIES:
            await self._failed(work, job, PluginError("the bot was killed while it was done"))
            return
        try:
            await call_bounded(work.run(job), _named(job), work.limit_s)
        except asyncio.CancelledError:
            await self._store.put_off(job, job.run_at, tries=job.tries - 1, error=job.error)
            raise
        except Exception as error:  # noqa: BLE001 - a job harms itself alone
            await self._failed(work, job, error if work.origin is None else blame(error, work.origin))
        else:
            await self._succeeded(work, job)

    async def _succeeded(self, work: Work, job: Job) -> None:
        schedule = self._schedule_of(work)
        if schedule is None:
            await self._store.complete(job)
        else:
            await self._store.put_off(job, schedule.after(job.run_at, self._clock()), tries=0)

    async def _failed(self, work: Work, job: Job, error: Exception) -> None:
        reason = shown(error)
        now, gives_up = self._clock(), job.tries >= MOST_TRIES
        pause = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, JITTER, failures=job.tries - 1)
        at = now + timedelta(seconds=pause.next_s())
        schedule = self._schedule_of(work)
        regular = None if schedule is None else schedule.after(job.run_at, now)
        if regular is not None and (gives_up or at >= regular):
            _report(job, error, "failed and waits for its next time")
            await self._store.put_off(job, regular, tries=0, error=reason)
        elif gives_up:
            _report(job, error, f"is given up after {MOST_TRIES} tries")
            await self._store.bury(job, now, reason)
        else:
            _report(job, error, "failed and is tried again", logging.WARNING)
            await self._store.put_off(job, at, tries=job.tries, error=reason)

    def _schedule_of(self, work: Work) -> Schedule | None:
        """Return the schedule in force, which may have been replaced while the job ran."""
        return self._works.get(work.kind, work).schedule


def _report(job: Job, error: Exception, outcome: str, level: int = logging.ERROR) -> None:
    """Log a try that failed: its traceback only for debugging, as it may fail often."""
    report(error, f"{_named(job)} {outcome}", plugin=job.kind.plugin, level=level, with_traceback=False)
    log.debug("%s failed", _named(job), exc_info=error)


def _named(job: Job) -> str:
    return f"job {job.kind.name} of plugin {job.kind.plugin}"
