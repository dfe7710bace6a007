"""Preference by what people said of themselves: confidence in the choice, belief in the claim beforehand."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from app.analysis.arrays import Floats, ValueOutOfRange, floats, inner, same_length
from app.analysis.choices import Choices
from app.analysis.clustering import two_way
from app.analysis.intervals import Interval, student_interval, student_p
from app.analysis.margins import margins_of
from app.analysis.rates import Rate, clustered_rate


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Choices that answered `low` to `high` (equal where each answer is a point of its own), and their micro rate."""

    low: float
    high: float
    rate: Rate


@dataclass(frozen=True, slots=True)
class Curve:
    """Preference over an answer. What people say after choosing is not a cause of the choice.

    Attributes
    ----------
    points
        In the order of the answers, without empty ones.
    slope, slope_interval, p
        Change of the rate for one unit of the answer, over choices, two-way clustered; None where all answers are the
        same or the variance cannot be estimated.
    n_unanswered
        Decided choices without an answer.
    """

    points: tuple[CurvePoint, ...]
    slope: float | None
    slope_interval: Interval | None
    p: float | None
    n_unanswered: int


def curve(choices: Choices, answers: ArrayLike, edges: ArrayLike | None = None, confidence: float = 0.95) -> Curve:
    """Preference rate of the choices by their answers.

    Every choice counts the same (micro), as an answer belongs to a choice. The slope is least squares of y on the
    answer x over choices: influences (x - x̄)(y - fitted)/Σ(x - x̄)², clustered by pair and by annotator.

    Parameters
    ----------
    answers
        Shape (n,), nan where there is none: `choices.confidence`, `choices.prior_belief`, …
    edges
        Rising bin edges, shape (B+1,); a bin holds low ≤ x < high, the last also its high. Answers outside are refused.
        Without edges each distinct answer is a point.
    """
    given = floats("answers", answers, missing=True)
    same_length({"answers": given, "pair": choices.pair})
    decided = choices.decided
    used = decided & ~np.isnan(given)
    part, x = choices.where(used), given[used]
    slope, interval, p = _slope(part, x, confidence)
    return Curve(_points(part, x, edges, confidence), slope, interval, p, int((decided & np.isnan(given)).sum()))


def _points(choices: Choices, x: Floats, edges: ArrayLike | None, confidence: float) -> tuple[CurvePoint, ...]:
    if edges is None:
        values = np.unique(x)
        bins = [(float(value), float(value), x == value) for value in values]
    else:
        bounds = _edges(edges, x)
        place = np.clip(np.searchsorted(bounds, x, side="right") - 1, 0, len(bounds) - 2)
        bins = [(float(bounds[b]), float(bounds[b + 1]), place == b) for b in range(len(bounds) - 1)]
    points = []
    for low, high, mask in bins:
        rate = clustered_rate(margins_of(choices.where(mask)), "choices", confidence)
        if rate is not None:
            points.append(CurvePoint(low, high, rate))
    return tuple(points)


def _edges(edges: ArrayLike, x: Floats) -> Floats:
    bounds = floats("edges", edges)
    if len(bounds) < 2 or (np.diff(bounds) <= 0).any():
        raise ValueOutOfRange("edges must be at least two numbers, rising")
    if x.size and (x.min() < bounds[0] or x.max() > bounds[-1]):
        raise ValueOutOfRange(f"answers lie outside the edges {bounds[0]:g} to {bounds[-1]:g}")
    return bounds


def _slope(choices: Choices, x: Floats, confidence: float) -> tuple[float | None, Interval | None, float | None]:
    if len(np.unique(x)) < 2:
        return None, None, None
    y = choices.prefers_sycophantic
    centred = x - x.mean()
    spread = inner(centred, centred)
    slope = inner(centred, y) / spread
    components = two_way(
        centred * (y - y.mean() - slope * centred) / spread, choices.pair, choices.annotator, one_a_cell=True
    )
    variance = components.variance()
    if variance is None:
        return slope, None, None
    se = sqrt(variance)
    return slope, student_interval(slope, se, components.df, confidence), student_p(slope, se, components.df)
