"""Difficulty levels from graded plausibility: eight groups by rank, and how firm the cuts between them are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

LEVELS = 8
POINT = 1.0
"""How far off a value may well be, on the scale of 0 to 100."""


@dataclass(frozen=True, slots=True)
class AtCuts:
    """How many claims could as well have another level.

    Attributes
    ----------
    within_a_point
        Claims that a change by one point would carry up to the nearest claim beyond a cut, or over it.
    on_tied_values
        Claims whose very value stands on both sides of a cut, so that their keys alone divide them.
    """

    within_a_point: int
    on_tied_values: int


def levels_by_rank(values: Mapping[str, float]) -> dict[str, int]:
    """Return the level of each key, 1 for the least plausible eighth to 8 for the most plausible one.

    The r-th of n values by rank, r from 0, has level 1 + ⌊8r/n⌋, so that the sizes of the levels differ by at most one.
    Equal values are ranked by their keys, in the order of their bytes.
    """
    ranked = _ranked(values)
    return {key: 1 + LEVELS * rank // len(ranked) for rank, key in enumerate(ranked)}


def at_cuts(values: Mapping[str, float]) -> AtCuts:
    """Return how many claims lie so near to a cut between two levels that they could as well be beyond it."""
    near: set[str] = set()
    tied: set[str] = set()
    for below, above in _cuts(values):
        near |= {key for key, value in values.items() if _crosses(value, below, above)}
        tied |= {key for key, value in values.items() if value == below == above}
    return AtCuts(len(near), len(tied))


def _ranked(values: Mapping[str, float]) -> list[str]:
    return sorted(values, key=lambda key: (values[key], key.encode()))


def _cuts(values: Mapping[str, float]) -> list[tuple[float, float]]:
    """Return the values on either side of each cut: the highest of one level, the lowest of the next."""
    level = levels_by_rank(values)
    return [(values[a], values[b]) for a, b in pairwise(_ranked(values)) if level[a] != level[b]]


def _crosses(value: float, below: float, above: float) -> bool:
    return (value <= below and above - value <= POINT) or (value >= above and value - below <= POINT)
