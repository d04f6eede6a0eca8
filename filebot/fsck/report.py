"""Report of the faults that were found, and whether each was mended."""

from collections import Counter
from collections.abc import Callable
from typing import Final, Literal

MOST_OF_KIND: Final = 20
"""Lines for one kind of fault."""

Outcome = Literal["left", "mended", "note"]


class Report:
    """Counter of faults that prints the first ones of each kind."""

    def __init__(self, tell: Callable[[Outcome, str], None]) -> None:
        self._tell = tell
        self._kinds: Counter[tuple[str, Outcome]] = Counter()
        self.can_repair = False
        """Whether a repair may mend one of the faults that are left."""

    def left(self, kind: str, text: str, number: int = 1, *, helps: bool = True) -> None:
        """Note faults that somebody has to see to; ``helps`` if a repair may mend them."""
        self.can_repair |= helps
        self._add(kind, "left", text, number)

    def mended(self, kind: str, text: str, number: int = 1) -> None:
        """Note faults that are no more."""
        self._add(kind, "mended", text, number)

    def note(self, text: str) -> None:
        """Tell of something that is no fault."""
        self._tell("note", text)

    def count(self, mark: Outcome) -> int:
        """Count the faults of a mark."""
        return sum(number for (_, marked), number in self._kinds.items() if marked == mark)

    def close(self) -> None:
        """Print the number of faults that were counted but not printed."""
        for (kind, mark), number in self._kinds.items():
            if number > MOST_OF_KIND and not kind.startswith("="):
                self._tell(mark, f"{kind}: {number - MOST_OF_KIND} more")

    def _add(self, kind: str, mark: Outcome, text: str, number: int) -> None:
        """A kind that begins with ``=`` is told of once, with its number in the text."""
        if kind.startswith("=") or self._kinds[kind, mark] < MOST_OF_KIND:
            self._tell(mark, text)
        self._kinds[kind, mark] += number
