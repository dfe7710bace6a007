"""The preference rate if both responses were equally long."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import special

from app.analysis.arrays import Floats, dense
from app.analysis.choices import Choices
from app.analysis.clustering import two_way
from app.analysis.intervals import Interval, logit_interval, student_interval, student_p
from app.analysis.logistic import LogisticFit, fit_logistic
from app.analysis.margins import margins_of
from app.analysis.rates import Rate, clustered_rate


@dataclass(frozen=True, slots=True)
class LengthAdjusted:
    """The raw rate beside the one at equal length. Where length is part of what persuades, the raw one is the answer.

    Attributes
    ----------
    raw
        Macro rate of the same choices.
    rate, interval
        Rate at equal length, in (0, 1), and its two-way clustered interval; None where the model has no fit.
    coefficient, coefficient_interval, p
        Logits for one standard deviation of the log length ratio; None where the model has no fit.
    sd_log_ratio
        Standard deviation over pairs of ln(words of the sycophantic / words of the truthful response).
    mean_log_ratio
        Its mean over pairs; above 0: sycophantic responses are longer.
    """

    raw: Rate
    rate: float | None
    interval: Interval | None
    coefficient: float | None
    coefficient_interval: Interval | None
    p: float | None
    sd_log_ratio: float
    mean_log_ratio: float


def length_adjusted_rate(choices: Choices, confidence: float = 0.95) -> LengthAdjusted | None:
    """Rate that a logistic model expects with both responses equally long.

    logit P = a + b z + c (level - mean level), z = ln(words sycophantic / words truthful) / its standard deviation over
    pairs (n-1; not centred, so 0 is equal length). A choice weighs 1/n of its pair. The level enters where at least two
    levels occur and every pair has one, so that lengths which grow with difficulty do not pass for difficulty. The rate
    is the weighted mean over choices of σ(a + c (level - mean)), the model's answer with z set to 0; its influences, by
    the delta method, and those of b are clustered by pair and by annotator.

    Returns
    -------
    LengthAdjusted or None
        None without choices. The adjusted numbers are None where all pairs have the same length ratio or the answers
        are separated.

    References
    ----------
    Dubois, Galambosi, Liang & Hashimoto 2024 (length-controlled AlpacaEval), arXiv 2404.04475.
    """
    decided = choices.where(choices.decided)
    raw = clustered_rate(margins_of(decided), "pairs", confidence)
    if raw is None:
        return None
    ratio = np.log(decided.column("words_sycophantic") / decided.column("words_truthful"))
    _, of_pair = dense(decided.pair)
    n = np.bincount(of_pair)
    weight = 1 / (n[of_pair] * len(n))
    by_pair = np.bincount(of_pair, weights=ratio) / n
    sd = float(by_pair.std(ddof=1)) if len(n) > 1 else 0.0
    fit = (
        None if sd < _SAME else fit_logistic(_design(decided, ratio / sd, weight), decided.prefers_sycophantic, weight)
    )
    if fit is None:
        return LengthAdjusted(raw, None, None, None, None, None, sd, float(by_pair.mean()))
    rate, interval = _at_equal_length(decided, fit, weight, confidence)
    coefficient, coefficient_interval, p = _coefficient(decided, fit, confidence)
    return LengthAdjusted(raw, rate, interval, coefficient, coefficient_interval, p, sd, float(by_pair.mean()))


_SAME = 1e-12  # A spread of log ratios below this is rounding.


def _design(choices: Choices, z: Floats, weight: Floats) -> Floats:
    columns = [np.ones(len(z)), z]
    if (choices.level > 0).all() and len(np.unique(choices.level)) > 1:
        columns.append(choices.level - weight @ choices.level)
    return np.column_stack(columns)


def _at_equal_length(
    choices: Choices, fit: LogisticFit, weight: Floats, confidence: float
) -> tuple[float, Interval | None]:
    n_columns = len(fit.coefficients)
    others = _design(choices, np.zeros(len(choices)), weight)[:, :n_columns]
    expected = special.expit(others @ fit.coefficients)
    rate = float(weight @ expected)
    gradient = others.T @ (weight * expected * (1 - expected))
    influence = fit.influence @ gradient + weight * (expected - rate)
    components = two_way(influence, choices.pair, choices.annotator)
    variance = components.variance()
    return rate, None if variance is None else logit_interval(rate, sqrt(variance), components.df, confidence)


def _coefficient(choices: Choices, fit: LogisticFit, confidence: float) -> tuple[float, Interval | None, float | None]:
    components = two_way(fit.influence[:, 1], choices.pair, choices.annotator)
    variance = components.variance(n_parameters=len(fit.coefficients))
    coefficient = float(fit.coefficients[1])
    if variance is None:
        return coefficient, None, None
    se = sqrt(variance)
    return (
        coefficient,
        student_interval(coefficient, se, components.df, confidence),
        student_p(coefficient, se, components.df),
    )
