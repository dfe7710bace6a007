"""The preference rate if both responses were equally long."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import special

from app.analysis.arrays import Floats, inner
from app.analysis.choices import Choices
from app.analysis.clustering import Components
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


def length_adjusted_rate(choices: Choices, confidence: float = 0.95, raw: Rate | None = None) -> LengthAdjusted | None:
    """Rate that a logistic model expects with both responses equally long.

    logit P = a + b z + c (level - mean level), z = ln(words sycophantic / words truthful) / its standard deviation over
    pairs (n-1; not centred, so 0 is equal length). A choice weighs 1/n of its pair. The level enters where at least two
    levels occur and every pair has one, so that lengths which grow with difficulty do not pass for difficulty. The rate
    is the weighted mean over choices of σ(a + c (level - mean)), the model's answer with z set to 0; its influences, by
    the delta method, and those of b are clustered by pair and by annotator.

    Parameters
    ----------
    raw
        Macro rate of these choices, where it is known already.

    Returns
    -------
    LengthAdjusted or None
        None without choices. The adjusted numbers are None where all pairs have the same length ratio or the answers
        are separated.

    References
    ----------
    Dubois, Galambosi, Liang & Hashimoto 2024 (length-controlled AlpacaEval), arXiv 2404.04475.
    """
    if raw is None:
        raw = clustered_rate(margins_of(choices.without_ties), "pairs", confidence)
    if raw is None:
        return None
    pairs = _Pairs(choices)
    sd = float(pairs.ratio.std(ddof=1)) if len(pairs) > 1 else 0.0
    mean = float(pairs.ratio.mean())
    # A choice weighs 1/n of its pair and the design is the pair's: the fit to the pairs' shares is the fit to choices.
    fit = None if sd < _SAME else fit_logistic(pairs.design(pairs.ratio / sd), pairs.share, pairs.weight)
    if fit is None:
        return LengthAdjusted(raw, None, None, None, None, None, sd, mean)
    rate, interval = _at_equal_length(pairs, fit, sd, confidence)
    coefficient, coefficient_interval, p = _coefficient(pairs, fit, sd, confidence)
    return LengthAdjusted(raw, rate, interval, coefficient, coefficient_interval, p, sd, mean)


_SAME = 1e-12  # A spread of log ratios below this is rounding.


class _Pairs:
    """What the model needs of each pair, shapes (P,), and the votes on them."""

    def __init__(self, choices: Choices) -> None:
        self._crossing = crossing = choices.crossing
        self.n = crossing.n
        words = choices.column("words_sycophantic")[crossing.row] / choices.column("words_truthful")[crossing.row]
        self.ratio = np.log(words)
        self.level = crossing.level.astype(np.float64)
        self.share = crossing.n_sycophantic / self.n
        self.weight = np.full(len(self.n), 1 / len(self.n))

    def __len__(self) -> int:
        return len(self.n)

    def design(self, z: Floats) -> Floats:
        columns = [np.ones(len(z)), z]
        if (self.level > 0).all() and len(np.unique(self.level)) > 1:
            columns.append(self.level - self.level.mean())
        return np.column_stack(columns)

    def components(self, of_y: Floats, fitted: Floats, beside: Floats | None = None) -> Components:
        """Cluster the influences of the choices: of_y (y - fitted) + beside of their pair, divided by its n."""
        share, more = of_y / self.n, 0.0 if beside is None else beside / self.n
        return self._crossing.components(more - share * fitted, more + share * (1 - fitted))


def _at_equal_length(pairs: _Pairs, fit: LogisticFit, sd: float, confidence: float) -> tuple[float, Interval | None]:
    others = pairs.design(np.zeros(len(pairs)))
    expected = special.expit(others @ fit.coefficients)
    rate = inner(pairs.weight, expected)
    gradient = others.T @ (pairs.weight * expected * (1 - expected))
    of_y = pairs.weight * (pairs.design(pairs.ratio / sd) @ (fit.covariance @ gradient))
    components = pairs.components(of_y, fit.fitted, pairs.weight * (expected - rate))
    variance = components.variance()
    return rate, None if variance is None else logit_interval(rate, sqrt(variance), components.df, confidence)


def _coefficient(
    pairs: _Pairs, fit: LogisticFit, sd: float, confidence: float
) -> tuple[float, Interval | None, float | None]:
    of_y = pairs.weight * (pairs.design(pairs.ratio / sd) @ fit.covariance[:, 1])
    components = pairs.components(of_y, fit.fitted)
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
