"""Durable queue of the plugins' jobs."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeVar

from filebot.model import DeadJob, Job, JobKind, NewJob

R_contra = TypeVar("R_contra", contravariant=True)

LONGEST_PAYLOAD: Final = 16 * 1024
"""Bytes of a job's payload, in UTF-8."""
MOST_JOBS_OF_PLUGIN: Final = 10_000
MOST_BYTES_OF_PLUGIN: Final = 32 * 1024 * 1024
"""Bytes of the payloads of one plugin's jobs, the dead ones included."""
MOST_JOBS: Final = 50_000
MOST_BYTES: Final = 128 * 1024 * 1024
MOST_DEAD_OF_PLUGIN: Final = 100
"""The oldest dead jobs beyond these are forgotten."""
LONGEST_ERROR: Final = 500
"""Characters that are kept of why a try failed."""


class Outbox(Protocol[R_contra]):
    """Function that says which jobs a change brings with it.

    It is called with the result of the change while that is not durable yet: jobs and change become so
    together. It may be called again after a rollback, and does nothing but to return the jobs.
    """

    def __call__(self, result: R_contra, /) -> Sequence[NewJob]: ...


class JobStore(Protocol):
    """Jobs that wait, run or are dead. Each is run at least once.

    All changes are durable when the method returns. A job is claimed for a time: until it is over, nobody
    else claims the job; after it the job can be claimed again, as its worker may be gone. What is reported
    of a claim that is over, and of a job that is gone, changes nothing. All methods raise StorageError.

    A job is living until it is completed, cancelled or dead. Of a group only the oldest living job can be
    claimed. Jobs of a kind that nobody claims stay as they are.
    """

    async def add(self, new: NewJob) -> bool:
        """Add a job; return False, without adding it, if a living one of the plugin has its key.

        Raises JobQueueFull where one of the bounds above would be passed.
        """

    async def claim(
        self, kinds: Collection[JobKind], worker: str, now: datetime, until: datetime, limit: int
    ) -> list[Job]:
        """Claim jobs of these kinds that are due, at most so many; the longest due come first.

        Their tries are counted. Those past their deadline are dead instead.
        """

    async def next_at(self, kinds: Collection[JobKind]) -> datetime | None:
        """Return when the next job of these kinds can be claimed; None if there is none.

        It may be in the past.
        """

    async def complete(self, job: Job) -> None:
        """Remove a claimed job that is done."""

    async def put_off(self, job: Job, run_at: datetime, *, tries: int, error: str = "") -> None:
        """End the claim of a job that is to be run later, with so many tries counted."""

    async def bury(self, job: Job, now: datetime, error: str) -> None:
        """Make a claimed job a dead one; its key and its group are free."""

    async def end_claims(self, worker: str) -> None:
        """End the claims of a worker that is known not to run any more."""

    async def find(self, plugin: str, key: str) -> Job | None:
        """Return the plugin's living job with this key."""

    async def cancel(self, plugin: str, key: str) -> bool:
        """Remove the plugin's living job with this key, unless it is claimed; return whether it was."""

    async def dead(self, plugin: str) -> list[DeadJob]:
        """Return the plugin's dead jobs, the oldest first."""

    async def counts(self) -> dict[str, int]:
        """Return for each plugin that has jobs how many living ones it has."""

    async def purge(self, plugin: str) -> int:
        """Remove all jobs of a plugin; return how many there were."""

    def on_added(self, notify: Callable[[], None]) -> None:
        """Call ``notify`` each time when jobs may have been added, after they are durable."""
