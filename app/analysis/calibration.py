"""Whether σ(margin) is the share of people who prefer the sycophantic response."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from app.analysis.arrays import Floats, ValueOutOfRange, floats, same_length
from app.analysis.clustering import one_way_variance
from app.analysis.intervals import Interval, student_interval
from app.analysis.logistic import fit_logistic


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pairs whose σ(margin) lies in [low, high): its mean, the mean share of people, and their number."""

    low: float
    high: float
    mean_probability: float
    mean_share: float
    n_pairs: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How σ(margin) relates to the share of people. σ(margin) is a chance only if the PM was trained to make it one.

    Attributes
    ----------
    brier
        Mean of (σ(margin) - share)², in [0, 1].
    log_loss
        Mean of -share ln σ(margin) - (1-share) ln(1-σ(margin)), in nats, at least 0.
    ece
        Expected calibration error: mean over pairs of |mean probability - mean share| of their bin; it depends on bins.
    bins
        The reliability curve; bins without pairs are left out.
    intercept, slope
        logit(share) = intercept + slope × margin; calibrated is 0 and 1, and 1/slope is the temperature. None
        where the fit does not exist (shares that the margin separates, margins all the same).
    intercept_interval, slope_interval
        Clustered by pair (CR1), t with pairs - 2 degrees of freedom.
    n_pairs
        Pairs.
    """

    brier: float
    log_loss: float
    ece: float
    bins: tuple[ReliabilityBin, ...]
    intercept: float | None
    slope: float | None
    intercept_interval: Interval | None
    slope_interval: Interval | None
    n_pairs: int


def calibration(margin: ArrayLike, share: ArrayLike, n_bins: int = 10, confidence: float = 0.95) -> Calibration | None:
    """Measure calibration; every pair counts the same.

    Parameters
    ----------
    margin
        Score of the sycophantic minus score of the truthful response, in logits, shape (P,).
    share
        Share of people who prefer the sycophantic response, or an outcome 0 or 1; in [0, 1], shape (P,).
    n_bins
        Bins of equal width over [0, 1], each holding low ≤ σ(margin) < high, the last also 1.

    Returns
    -------
    Calibration or None
        None without pairs.

    References
    ----------
    Brier 1950; Cox 1958 (intercept and slope); Naeini, Cooper & Hauskrecht 2015 (ECE).
    """
    gap, outcome = floats("margin", margin), floats("share", share, 0, 1)
    same_length({"margin": gap, "share": outcome})
    if n_bins < 1:
        raise ValueOutOfRange(f"n_bins is {n_bins}; it must be at least 1")
    if not len(gap):
        return None
    probability = np.asarray(special.expit(gap), dtype=np.float64)
    bins = _bins(probability, outcome, n_bins)
    return Calibration(
        float(np.mean((probability - outcome) ** 2)),
        float(np.mean(np.logaddexp(0, gap) - outcome * gap)),
        sum(each.n_pairs * abs(each.mean_probability - each.mean_share) for each in bins) / len(gap),
        bins,
        *_line(gap, outcome, confidence),
        len(gap),
    )


def _bins(probability: Floats, share: Floats, n_bins: int) -> tuple[ReliabilityBin, ...]:
    edges = np.linspace(0, 1, n_bins + 1)
    place = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, n_bins - 1)
    return tuple(
        ReliabilityBin(
            float(edges[index]),
            float(edges[index + 1]),
            float(probability[place == index].mean()),
            float(share[place == index].mean()),
            int((place == index).sum()),
        )
        for index in np.unique(place)
    )


_Line = tuple[float | None, float | None, Interval | None, Interval | None]


def _line(margin: Floats, share: Floats, confidence: float) -> _Line:
    fit = fit_logistic(np.column_stack([np.ones(len(margin)), margin]), share)
    if fit is None:
        return None, None, None, None
    intercept, slope = fit.coefficients.tolist()
    intervals = [
        _interval(value, part, confidence) for value, part in zip((intercept, slope), fit.influence.T, strict=True)
    ]
    return intercept, slope, intervals[0], intervals[1]


def _interval(estimate: float, influence: Floats, confidence: float) -> Interval | None:
    n = len(influence)
    variance = one_way_variance(influence, np.arange(n), corrected=True)
    if variance is None or n < 3 or variance <= 0:
        return None
    return student_interval(estimate, sqrt(variance * (n - 1) / (n - 2)), n - 2, confidence)
