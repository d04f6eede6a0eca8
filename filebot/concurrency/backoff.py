"""Exponential back-off: how long to wait before the next attempt after failures in a row."""

import random
from dataclasses import dataclass
from typing import Final

SPREAD: Final = (0.5, 1.0)
"""Jitter for clients that would otherwise all come back at once."""


@dataclass(slots=True)
class Backoff:
    """Counter of failures that tells how long to wait after each; it starts no timer itself."""

    first_s: float
    longest_s: float
    jitter: tuple[float, float] = (1.0, 1.0)
    """Each wait is multiplied by a random number between these two."""
    factor: float = 2.0
    """How much longer each wait is than the one before."""
    failures: int = 0
    """Failures since the last success."""

    def next_s(self) -> float:
        """Count a failure; return how many seconds to wait before the next attempt."""
        wait_s = self.longest_s
        if self.failures < 64:  # beyond that a float may overflow
            wait_s = min(wait_s, self.first_s * self.factor**self.failures)
        self.failures += 1
        return wait_s * random.uniform(*self.jitter)  # noqa: S311  # spreads load, hides nothing

    def reset(self) -> None:
        """Note a success: the next wait is short again."""
        self.failures = 0
