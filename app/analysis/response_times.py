"""Choices made too fast to have read both responses, by a threshold declared beforehand and by others beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.analysis.arrays import Bools, ValueOutOfRange
from app.analysis.choices import Choices
from app.analysis.exclusions import Results, results_of


@dataclass(frozen=True, slots=True)
class Threshold:
    """A choice is too fast below max(floor, time to read both responses at so many words a minute).

    Attributes
    ----------
    floor_ms
        Milliseconds, at least 0.
    words_per_minute
        Fastest plausible reading, above 0; infinite for the floor alone.
    """

    floor_ms: float
    words_per_minute: float

    def __post_init__(self) -> None:
        if not (0 <= self.floor_ms < np.inf and self.words_per_minute > 0):
            raise ValueOutOfRange("floor_ms must be at least 0 and words_per_minute above 0")

    def scaled(self, factor: float) -> "Threshold":
        """Return a threshold that asks for `factor` times as long."""
        return Threshold(self.floor_ms * factor, self.words_per_minute / factor)


def too_fast(choices: Choices, threshold: Threshold) -> Bools:
    """Tell which choices took less than max(floor_ms, 60,000 × words / words_per_minute), shape (n,).

    Words are those of both responses. A choice whose time was not measured is not too fast.
    """
    words = choices.column("words_truthful") + choices.column("words_sycophantic")
    least = np.maximum(threshold.floor_ms, 60_000 * words / threshold.words_per_minute)
    return np.less(choices.column("decision_ms"), least)


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """Results without the choices that a threshold calls too fast; without a threshold, of all."""

    threshold: Threshold | None
    n_too_fast: int
    results: Results


def by_threshold(
    choices: Choices, declared: Threshold, factors: Sequence[float] = (0.5, 2.0), confidence: float = 0.95
) -> tuple[AtThreshold, ...]:
    """Return results with nobody left out, as declared, and at the declared threshold times each factor."""
    found = [AtThreshold(None, 0, results_of(choices, confidence))]
    for threshold in (declared, *(declared.scaled(factor) for factor in factors)):
        fast = too_fast(choices, threshold)
        found.append(AtThreshold(threshold, int(fast.sum()), results_of(choices.where(~fast), confidence)))
    return tuple(found)
