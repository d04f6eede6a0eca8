"""Failures in a fake bot: what a real one would log is raised by the call that led to it."""

from collections.abc import Iterator
from contextlib import contextmanager

from filebot.failures import Failure, observed


class Failures:
    """Failures so far, and whether they are raised."""

    def __init__(self, *, may_fail: bool) -> None:
        self.may_fail = may_fail
        self.noted: list[Failure] = []
        self._new: list[Failure] = []

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Note what fails within, for the next call to raise."""
        with observed(self._note):
            yield

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise at the end what failed within, or failed before while nobody waited for it.

        Several errors are an ExceptionGroup. What is raised within anyway comes first.
        """
        with self.observing():
            yield
        new, self._new = self._new, []
        if new and not self.may_fail:
            for each in new:
                each.error.add_note(each.line)
            errors = list(dict.fromkeys(each.error for each in new))
            raise errors[0] if len(errors) == 1 else ExceptionGroup("several functions failed", errors)

    def _note(self, failure: Failure) -> None:
        self.noted.append(failure)
        self._new.append(failure)
