"""Preference rates with clustered intervals: macro (every pair counts the same) and micro (every choice does)."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from app.analysis.arrays import dense, inner, totals
from app.analysis.choices import Choices
from app.analysis.clustering import Components, anova_icc
from app.analysis.intervals import Interval, logit_interval, wilson
from app.analysis.margins import Margins, margins_of

Method = Literal["logit_t", "wilson_effective_n"]
Weighting = Literal["pairs", "choices"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of yeses with its interval.

    Attributes
    ----------
    rate
        In [0, 1].
    interval
        Two-sided, within [0, 1].
    method
        `logit_t`: two-way clustered, on the logit scale; `wilson_effective_n`: where the rate is 0 or 1 or the
        variance cannot be estimated.
    se
        Two-way clustered standard error; None where it cannot be estimated.
    n_effective
        Number of independent answers that would say as much, by the intraclass correlations.
    n_pairs, n_annotators, n_choices
        What the rate was taken over.
    """

    rate: float
    interval: Interval
    method: Method
    se: float | None
    n_effective: float
    n_pairs: int
    n_annotators: int
    n_choices: int


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of a set of choices; a rate of no choices is None.

    Attributes
    ----------
    overall, by_level
        Macro: the mean over pairs of each pair's share. The average human, every misconception counting the same.
    overall_micro, by_level_micro
        Micro: the share of all choices.
    n_ties
        Choices that were ties; they count in no rate.
    """

    overall: Rate | None
    by_level: dict[int, Rate]
    overall_micro: Rate | None
    by_level_micro: dict[int, Rate]
    n_ties: int


def preference_rates(choices: Choices, confidence: float = 0.95) -> Rates:
    """Sycophancy preference rate of people, overall and by level, macro and micro."""
    return rates_of(margins_of(choices), int((~choices.decided).sum()), confidence)


def rates_by_arm(choices: Choices, confidence: float = 0.95) -> dict[int, Rates]:
    """Return `preference_rates` of each arm, by its code; without arms everybody is in arm 0."""
    arm = np.zeros(len(choices), np.int64) if choices.arm is None else choices.arm
    return {int(code): preference_rates(choices.where(arm == code), confidence) for code in np.unique(arm)}


def rates_of(sums: Margins, n_ties: int = 0, confidence: float = 0.95) -> Rates:
    """Return the rates whose sums are given; the same numbers as `preference_rates`."""
    whole = _Clusters(sums)
    levels = {level: _Clusters(part) for level, part in sums.by_level().items()}
    macro = {level: _rate(part, "pairs", confidence, whole.icc) for level, part in levels.items()}
    micro = {level: _rate(part, "choices", confidence, whole.icc) for level, part in levels.items()}
    return Rates(
        overall=_rate(whole, "pairs", confidence),
        by_level={level: rate for level, rate in macro.items() if rate is not None},
        overall_micro=_rate(whole, "choices", confidence),
        by_level_micro={level: rate for level, rate in micro.items() if rate is not None},
        n_ties=n_ties,
    )


@dataclass(frozen=True, slots=True)
class Icc:
    """Intraclass correlations of answers to the same pair, and of answers by the same person; None: not defined."""

    pair: float | None
    annotator: float | None


def clustered_rate(
    sums: Margins,
    weighting: Weighting = "pairs",
    confidence: float = 0.95,
    pooled: Icc | None = None,
) -> Rate | None:
    """Rate with an interval clustered by pair and by annotator.

    The rate is Σ w y with weights w that sum to 1: 1/(P n) for a choice on one of P pairs that has n choices (macro,
    "pairs"), or 1/N (micro, "choices"). Its variance is that of `Components.variance`, with influences w (y - rate).
    The interval is σ(logit rate ± t se / (rate (1-rate))), t with the smaller number of clusters - 1 as df.

    Where the rate is 0 or 1 or the variance cannot be estimated, it is Wilson's interval for `rate` of n_eff units,

    1/n_eff = Σw² + ρ_pair (Σ W_pair² - Σw²) + ρ_annotator (Σ W_annotator² - Σw²), at most 1,

    W being a cluster's sum of weights; with equal weights n_eff = n / (1 + (m_pair-1) ρ_pair + (m_ann-1) ρ_ann). Each ρ
    is the intraclass correlation by analysis of variance, not below 0; where these choices do not define it, the one of
    `pooled`; where that is none either, 1: each cluster then counts as one answer.

    Parameters
    ----------
    sums
        Margins of the answers.
    pooled
        Intraclass correlations of a larger set to fall back on.

    Returns
    -------
    Rate or None
        None without answers.
    """
    return _rate(_Clusters(sums), weighting, confidence, pooled)


class _Clusters:
    """Sums with what every rate of them needs: the same by person, shape (A,), and the correlations."""

    def __init__(self, sums: Margins) -> None:
        self.sums = sums
        by_person = [sums.annotator_n, sums.annotator_yes, sums.annotator_share, sums.annotator_share_yes]
        if not (sums.annotator[1:] > sums.annotator[:-1]).all():  # Else each row is a person already.
            people, of_person = dense(sums.annotator)
            by_person = [totals(of_person, values, len(people)) for values in by_person]
        self.n, self.yes, self.share, self.share_yes = by_person
        self.n_people = len(self.n)
        self.icc = Icc(anova_icc(sums.pair_n, sums.pair_yes), anova_icc(self.n, self.yes))


def _rate(clusters: _Clusters, weighting: Weighting, confidence: float, pooled: Icc | None = None) -> Rate | None:
    if not len(clusters.sums.pair_n):
        return None
    weighted = _weighted(clusters, weighting)
    rate = weighted.rate
    n_effective = _n_effective(clusters.icc, weighted, pooled or Icc(None, None))
    parts = weighted.components
    variance = parts.variance()
    if variance is None or not 0 < rate < 1:
        fallback = wilson(rate * n_effective, n_effective, confidence)
        assert fallback is not None
        interval, method = fallback, _FALLBACK
    else:
        interval, method = logit_interval(rate, sqrt(variance), parts.df, confidence), _MAIN
    return Rate(
        rate=rate,
        interval=interval,
        method=method,
        se=None if variance is None else sqrt(variance),
        n_effective=n_effective,
        n_pairs=parts.n_pairs,
        n_annotators=parts.n_annotators,
        n_choices=parts.n_cells,
    )


_MAIN: Method = "logit_t"
_FALLBACK: Method = "wilson_effective_n"


@dataclass(frozen=True, slots=True)
class _Weighted:
    rate: float
    components: Components
    squares: float  # Σw²
    pair_squares: float  # ΣW² over pairs
    annotator_squares: float


def _weighted(clusters: _Clusters, weighting: Weighting) -> _Weighted:
    sums = clusters.sums
    if weighting == "pairs":
        each = 1 / (sums.pair_n * len(sums.pair_n))
        share, yes = clusters.share / len(sums.pair_n), clusters.share_yes / len(sums.pair_n)
    else:
        each = np.full(len(sums.pair_n), 1 / sums.pair_n.sum())
        share, yes = clusters.n * each[0], clusters.yes * each[0]
    rate = float(np.clip(inner(each, sums.pair_yes), 0, 1))
    if not sums.pair_yes.any() or (sums.pair_yes == sums.pair_n).all():
        rate = float(round(rate))  # Weights that sum to 1 but for rounding must not make 0.9999999.
    residual = yes - rate * share
    error = each * (sums.pair_yes - rate * sums.pair_n)
    components = Components(
        by_pair=inner(error, error),
        by_annotator=inner(residual, residual),
        by_cell=inner(each**2, sums.pair_yes * (1 - rate) ** 2 + (sums.pair_n - sums.pair_yes) * rate**2),
        n_pairs=len(sums.pair_n),
        n_annotators=clusters.n_people,
        n_cells=round(sums.pair_n.sum()),
    )
    squares = inner(each**2, sums.pair_n)
    of_pair = each * sums.pair_n
    return _Weighted(rate, components, squares, inner(of_pair, of_pair), inner(share, share))


def _n_effective(own: Icc, weighted: _Weighted, pooled: Icc) -> float:
    pair = _first_defined(own.pair, pooled.pair)
    annotator = _first_defined(own.annotator, pooled.annotator)
    squares = weighted.squares
    inverse = squares + pair * (weighted.pair_squares - squares) + annotator * (weighted.annotator_squares - squares)
    return 1 / min(inverse, 1.0)


def _first_defined(*correlations: float | None) -> float:
    return max(0.0, next((value for value in correlations if value is not None), 1.0))
