"""How far gradings agree: with the levels that a set has, and those who graded with each other. Pure.

In plain Python, because pages import what stores gradings, and a server starts without numpy.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, groupby
from math import atanh, fsum, sqrt, tanh
from statistics import fmean, pvariance
from typing import Any

from app.study.levelling import at_cuts, levels_by_rank

Ratings = Mapping[str, Mapping[str, float]]
"""Plausibility, 0 to 100, by key and by who rated it: a person, or one question put to a model."""

_FEWEST = 4
_MOST_PAIRS = 500
_SEED = 20260101
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a grading agrees with the levels that a set has.

    Attributes
    ----------
    n
        Claims that have both.
    spearman, low, high
        Rank correlation of value and level in [-1, 1], ties at mean rank, and its 95 % interval.
    weighted_kappa
        Quadratic-weighted kappa of the levels that the grading's ranks make; at most 1, 0 is chance.
    """

    n: int
    spearman: float
    low: float
    high: float
    weighted_kappa: float | None


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """How those who rated agree: means over pairs of raters, each on the claims that both rated.

    Attributes
    ----------
    n_raters, n_pairs
        Raters, and the pairs of them that were compared: all with four claims in common, or 500 drawn with a fixed
        seed where there are more.
    spearman
        Mean rank correlation of the two raters' values; pairs with a rater who gave one value to all are left out.
    weighted_kappa
        Mean quadratic-weighted kappa of the levels that each rater's own ranks make.
    """

    n_raters: int
    n_pairs: int
    spearman: float | None
    weighted_kappa: float | None


def means(ratings: Ratings) -> dict[str, float]:
    """Return the mean plausibility of each claim. Exactly rounded, so that the order of raters changes nothing."""
    return {key: fmean(by_rater.values()) for key, by_rater in ratings.items()}


def findings(ratings: Ratings, levels: Mapping[str, int | None]) -> dict[str, Any]:
    """Return what is said of a grading, as its record holds it.

    Parameters
    ----------
    ratings
        At least one rating of each claim.
    levels
        The level that each claim has in the set, None where it has none.
    """
    values = means(ratings)
    between = between_raters(ratings)
    with_levels = with_own_levels(values, levels)
    return {
        "n_claims": len(values),
        "n_raters": len({rater for by_rater in ratings.values() for rater in by_rater}),
        "with_levels": None if with_levels is None else asdict(with_levels),
        "between_raters": None if between is None else asdict(between),
        "at_cuts": asdict(at_cuts(values)),
        "mean_by_level": _mean_by_level(values, levels),
    }


def with_own_levels(values: Mapping[str, float], levels: Mapping[str, int | None]) -> Agreement | None:
    """Return how values agree with levels; None with fewer than four claims that have both, or all of one level."""
    made = levels_by_rank(values)
    known = {key: level for key, level in levels.items() if level is not None and key in values}
    correlation = spearman([values[key] for key in known], list(known.values()))
    if correlation is None:
        return None
    low, high = spearman_interval(correlation, len(known))
    kappa = weighted_kappa([made[key] for key in known], list(known.values()))
    return Agreement(len(known), correlation, low, high, kappa)


def between_raters(ratings: Ratings) -> RaterAgreement | None:
    """Return how raters agree with each other; None where no two of them have four claims in common."""
    by_rater: dict[str, dict[str, float]] = {}
    for key, given in ratings.items():
        for rater, value in given.items():
            by_rater.setdefault(rater, {})[key] = value
    compared = [_compared(by_rater[a], by_rater[b]) for a, b in _pairs(sorted(by_rater))]
    shared = [one for one in compared if one is not None]
    if not shared:
        return None
    return RaterAgreement(
        len(by_rater), len(shared), _mean([one[0] for one in shared]), _mean([one[1] for one in shared])
    )


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties at mean rank; None with fewer than four pairs, or where a side is constant."""
    if len(first) < _FEWEST:
        return None
    a, b = (_centred_ranks(side) for side in (first, second))
    spread = sqrt(fsum(x * x for x in a) * fsum(y * y for y in b))
    return max(-1.0, min(1.0, fsum(x * y for x, y in zip(a, b, strict=True)) / spread)) if spread else None


def _centred_ranks(values: Sequence[float]) -> list[float]:
    """Return ranks less their mean; equal values have the mean of their ranks."""
    ranks = [0.0] * len(values)
    before = 0
    for _, tied in groupby(sorted(range(len(values)), key=values.__getitem__), key=values.__getitem__):
        places = list(tied)
        for place in places:
            ranks[place] = before + (len(places) - 1) / 2 - (len(values) - 1) / 2
        before += len(places)
    return ranks


def spearman_interval(correlation: float, n: int) -> tuple[float, float]:
    """95 % interval: tanh(artanh r ± 1.96 √((1 + r²/2) / (n - 3))), n ≥ 4; at ±1 it is the point itself.

    References
    ----------
    Bonett & Wright 2000, Psychometrika 65:23-28.
    """
    if abs(correlation) == 1:
        return correlation, correlation
    half = _Z95 * sqrt((1 + correlation**2 / 2) / (n - 3))
    return tanh(atanh(correlation) - half), tanh(atanh(correlation) + half)


def weighted_kappa(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Quadratic-weighted kappa, 1 - mean (a-b)² over its mean under independence; None where all are one level.

    References
    ----------
    Cohen 1968, Psychological Bulletin 70:213-220.
    """
    if not first:
        return None
    a, b = (list(map(float, side)) for side in (first, second))
    expected = pvariance(a) + pvariance(b) + (fmean(a) - fmean(b)) ** 2
    return 1 - fmean((x - y) ** 2 for x, y in zip(a, b, strict=True)) / expected if expected else None


def _pairs(raters: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of raters: all, or as many as can be compared in a second, drawn with a fixed seed."""
    n = len(raters)
    if n * (n - 1) // 2 <= _MOST_PAIRS:
        return list(combinations(raters, 2))
    draw = random.Random(_SEED)  # noqa: S311 - a sample, not a secret
    chosen: dict[tuple[str, str], None] = {}
    while len(chosen) < _MOST_PAIRS:
        a, b = sorted(draw.sample(raters, 2))
        chosen[a, b] = None
    return list(chosen)


def _compared(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[float | None, float | None] | None:
    """Return two raters' correlation and kappa on what both rated; None on fewer than four claims."""
    shared = sorted(first.keys() & second.keys())
    if len(shared) < _FEWEST:
        return None
    a, b = ({key: side[key] for key in shared} for side in (first, second))
    levels = [levels_by_rank(side) for side in (a, b)]
    return (
        spearman(list(a.values()), list(b.values())),
        weighted_kappa(*([own[key] for key in shared] for own in levels)),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def _mean_by_level(values: Mapping[str, float], levels: Mapping[str, int | None]) -> dict[str, float]:
    groups: dict[int, list[float]] = {}
    for key, level in levels.items():
        if level is not None:
            groups.setdefault(level, []).append(values[key])
    return {str(level): fmean(groups[level]) for level in sorted(groups)}
