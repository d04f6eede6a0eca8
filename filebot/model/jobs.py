"""Jobs: work of plugins that is kept until it is done."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class JobKind:
    """Kind of jobs: those of one name of one plugin."""

    plugin: str
    name: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is not in the queue yet."""

    kind: JobKind
    payload: str
    """JSON, for the plugin alone."""
    run_at: datetime
    """Not to be run before this moment; in UTC."""
    key: str | None = None
    """While the plugin has a living job with this key, another one is not added."""
    group: str | None = None
    """The plugin's jobs of one group run one after the other, in the order in which they were added."""
    deadline: datetime | None = None
    """Moment after which it is not begun any more; in UTC."""


@dataclass(frozen=True, slots=True)
class Job(NewJob):
    """A job in the queue."""

    number: int = field(kw_only=True)
    """Never reused; a higher one was added later."""
    tries: int = field(kw_only=True, default=0)
    """Number of claims; in a claimed job this one included."""
    error: str = field(kw_only=True, default="")
    """Reason why the last try failed; for operators."""


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that is not tried any more."""

    job: Job
    died_at: datetime
    """In UTC."""
