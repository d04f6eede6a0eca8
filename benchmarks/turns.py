"""Variants measured in turns, so that a busy minute of the machine hits all of them alike."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio that has to be reached: how much faster ``variant`` is than ``base``."""

    name: str
    variant: str
    base: str
    at_least: float


def in_turns(variants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run every variant once a round; their measurements by name. A first round is thrown away."""
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, measure in variants.items():
            value = measure()
            if number:
                taken[name].append(value)
    return taken


def ratio(goal: Goal, seconds: Mapping[str, list[float]]) -> float:
    """How many times as fast as its base a variant is, by medians."""
    return statistics.median(seconds[goal.base]) / statistics.median(seconds[goal.variant])


def report(goals: list[Goal], seconds: Mapping[str, list[float]]) -> bool:
    """Print seconds and ratios; whether all goals are reached."""
    print(f"{'variant':<24}{'median s':>10}{'min s':>10}{'max s':>10}")
    for name, values in seconds.items():
        print(f"{name:<24}{statistics.median(values):>10.3f}{min(values):>10.3f}{max(values):>10.3f}")
    print(f"\n{'goal':<44}{'at least':>10}{'measured':>10}")
    reached = True
    for goal in goals:
        measured = ratio(goal, seconds)
        reached &= measured >= goal.at_least
        print(f"{goal.name:<44}{goal.at_least:>10.2f}{measured:>10.2f}")
    return reached
