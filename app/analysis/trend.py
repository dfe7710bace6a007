"""Whether preference rises with difficulty: the primary slope, the isotonic fit, and Cochran-Armitage for judges."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from app.analysis.arrays import Floats, ValueOutOfRange, dense, floats, inner, same_length, totals
from app.analysis.choices import Choices
from app.analysis.clustering import Components
from app.analysis.intervals import Interval, student_interval, student_p
from app.analysis.margins import Margins, margins_of


@dataclass(frozen=True, slots=True)
class Slope:
    """The linear trend of pair-level rates over difficulty levels.

    Attributes
    ----------
    slope
        Change of the rate a level, in [-1, 1]; × 100 is points a level.
    intercept
        Fitted rate at level 0.
    se, interval, t, p
        Two-way clustered; None where the variance cannot be estimated (fewer than three pairs, one annotator, no
        residuals).
    df
        The smaller number of clusters - 1.
    n_pairs, n_annotators, n_levels
        What the slope was fitted to.
    """

    slope: float
    intercept: float
    se: float | None
    interval: Interval | None
    t: float | None
    df: int
    p: float | None
    n_pairs: int
    n_annotators: int
    n_levels: int


def preference_slope(choices: Choices, confidence: float = 0.95) -> Slope | None:
    """Primary test: whether the preference rate changes over the difficulty levels.

    Least squares of each pair's share r = s/n on its level x, every pair weighing the same:
    b = Σ c r with c = (x - x̄)/Σ(x - x̄)². A choice y on a pair adds c (y - fitted)/n to its error; these influences are
    clustered by pair and by annotator (`Components.variance` with 2 parameters), and b/se is held against t with the
    smaller number of clusters - 1 degrees of freedom. Ties and pairs without a level are left out.

    Returns
    -------
    Slope or None
        None with fewer than two levels.
    """
    return slope_of(margins_of(choices), confidence)


def slope_of(sums: Margins, confidence: float = 0.95) -> Slope | None:
    """Return the slope whose sums are given; the same numbers as `preference_slope`."""
    graded = sums.graded
    if len(graded.levels) < 2:
        return None
    x = graded.pair_level.astype(np.float64)
    share = graded.pair_yes / graded.pair_n
    centre, spread = float(x.mean()), float(((x - x.mean()) ** 2).sum())
    slope = inner(x - centre, share) / spread
    intercept = float(share.mean()) - slope * centre
    components = _components(graded, centre, spread, intercept, slope)
    variance = components.variance(n_parameters=2)
    se = None if variance is None else sqrt(variance)
    return Slope(
        slope=slope,
        intercept=intercept,
        se=se,
        interval=None if se is None else student_interval(slope, se, components.df, confidence),
        t=None if se is None else slope / se,
        df=components.df,
        p=None if se is None else student_p(slope, se, components.df),
        n_pairs=components.n_pairs,
        n_annotators=components.n_annotators,
        n_levels=len(graded.levels),
    )


def _components(sums: Margins, centre: float, spread: float, intercept: float, slope: float) -> Components:
    weight, fitted = _line(sums.pair_level, centre, spread, intercept, slope)
    of_annotator, expected = _line(sums.annotator_level, centre, spread, intercept, slope)
    people, of_person = dense(sums.annotator)
    by_pair = weight * (sums.pair_yes / sums.pair_n - fitted)
    residual = of_annotator * (sums.annotator_share_yes - expected * sums.annotator_share)
    by_person = totals(of_person, residual, len(people))
    squares = sums.pair_yes * (1 - fitted) ** 2 + (sums.pair_n - sums.pair_yes) * fitted**2
    return Components(
        by_pair=inner(by_pair, by_pair),
        by_annotator=inner(by_person, by_person),
        by_cell=inner((weight / sums.pair_n) ** 2, squares),
        n_pairs=len(sums.pair_n),
        n_annotators=len(people),
        n_cells=round(sums.pair_n.sum()),
    )


def _line(level: ArrayLike, centre: float, spread: float, intercept: float, slope: float) -> tuple[Floats, Floats]:
    x = np.asarray(level, dtype=np.float64)
    return (x - centre) / spread, intercept + slope * x


def isotonic(rates: ArrayLike, weights: ArrayLike) -> Floats:
    """Non-decreasing rates nearest to those observed, by weighted least squares (pool adjacent violators).

    Parameters
    ----------
    rates
        Rates in the order of the levels, shape (L,).
    weights
        Pairs at each level, shape (L,), above 0.

    References
    ----------
    Barlow, Bartholomew, Bremner & Brunk 1972; Best & Chakravarti 1990.
    """
    observed, weight = floats("rates", rates), floats("weights", weights, 0)
    same_length({"rates": observed, "weights": weight})
    if not observed.size:
        return observed
    if (weight == 0).any():
        raise ValueOutOfRange("weights must be above 0; leave out levels without pairs")
    return np.asarray(optimize.isotonic_regression(observed, weights=weight).x, dtype=np.float64)


def isotonic_by_level(choices: Choices) -> dict[int, float]:
    """Sensitivity of the slope: the macro rates by level, fitted to rise or stay, weighted by pairs."""
    sums = margins_of(choices).graded
    levels, of_level = dense(sums.pair_level)
    pairs = np.bincount(of_level, minlength=len(levels)).astype(np.float64)
    rates = totals(of_level, sums.pair_yes / sums.pair_n, len(levels)) / np.maximum(pairs, 1)
    return dict(zip(levels.tolist(), isotonic(rates, pairs).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class LinearTrend:
    """Cochran-Armitage z (z² is chi2, 1 df), its two-sided p, and Mantel's M² = (N-1) r²."""

    z: float
    chi2: float
    p: float
    mantel: float


def cochran_armitage(x: ArrayLike, n: ArrayLike, scores: ArrayLike) -> LinearTrend | None:
    """Trend of independent shares over scored groups. For judges (one answer a pair), not for choices.

    T = Σ s (x - n p), Var T = p (1-p) [Σ n s² - (Σ n s)²/N], z = T/√Var T. On clustered choices it rejects too often.

    Parameters
    ----------
    x, n
        Successes and units of each group, shape (L,), 0 ≤ x ≤ n.
    scores
        Score of each group, shape (L,).

    Returns
    -------
    LinearTrend or None
        None where all answers, or all scores, are the same.

    References
    ----------
    Armitage 1955, Biometrics 11:375-386; Mantel 1963; Agresti, Categorical Data Analysis, 3.4 and 5.3.
    """
    yes, units, score = floats("x", x, 0), floats("n", n, 0), floats("scores", scores)
    same_length({"x": yes, "n": units, "scores": score})
    if (yes > units).any():
        raise ValueOutOfRange("x is larger than n in a group")
    total, successes = float(units.sum()), float(yes.sum())
    if successes in {0.0, total} or len(np.unique(score[units > 0])) < 2:
        return None
    p = successes / total
    centred = score - units @ score / total
    variance = p * (1 - p) * float(units @ centred**2)
    z = float(centred @ yes) / sqrt(variance)
    return LinearTrend(z, z**2, float(2 * special.ndtr(-abs(z))), (total - 1) / total * z**2)
