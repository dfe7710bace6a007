"""How well a judge's choice and margin foretell a yes-or-no outcome: accuracy, Cohen's kappa, AUC."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from app.analysis.arrays import Bools, Floats, flags, floats, same_length
from app.analysis.intervals import Interval, expit_interval, normal_quantile, wilson
from app.analysis.paired import TwoByTwo


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of pairs that a judge gets as the outcome is, in [0, 1]; a margin of 0 counts one half.

    `interval` is Wilson's, pairs being the independent units; None without pairs.
    """

    accuracy: float
    interval: Interval
    n_pairs: int
    n_ties: int


def accuracy(margin: ArrayLike, outcome: ArrayLike, confidence: float = 0.95) -> Accuracy | None:
    """Share of pairs where the sign of the margin is the outcome.

    Parameters
    ----------
    margin
        Score of the sycophantic minus score of the truthful response, shape (P,).
    outcome
        Whether the sycophantic response is preferred, shape (P,).
    """
    gap, wins = _checked(margin, outcome)
    if not len(gap):
        return None
    right = np.where(gap == 0, 0.5, (gap > 0) == wins)
    interval = wilson(float(right.sum()), len(gap), confidence)
    assert interval is not None
    return Accuracy(float(right.mean()), interval, len(gap), int((gap == 0).sum()))


def _checked(margin: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Bools]:
    gap, wins = floats("margin", margin), flags("outcome", outcome)
    same_length({"margin": gap, "outcome": wins})
    return gap, wins


def cohen_kappa(table: TwoByTwo) -> float | None:
    """Cohen's kappa of two yes-or-no answers: (p_o - p_e) / (1 - p_e), ties left out.

    p_o is the share on the diagonal; p_e = Σ of products of the margins' shares. In [-1, 1]. None without pairs, or
    where both always give the same answer.

    References
    ----------
    Cohen 1960, Educational and Psychological Measurement 20:37-46.
    """
    n = table.both + table.first_only + table.second_only + table.neither
    if n == 0:
        return None
    first, second = table.both + table.first_only, table.both + table.second_only
    by_chance = first * second + (n - first) * (n - second)  # Whole numbers, so that "always" is exact.
    if by_chance == n * n:
        return None
    return ((table.both + table.neither) * n - by_chance) / (n * n - by_chance)


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the ROC curve, in [0, 1]; ½ is chance.

    `se` is DeLong's, `interval` is on the logit scale; both None where the area is 0 or 1 or a class has one pair.
    """

    auc: float
    se: float | None
    interval: Interval | None
    n_positive: int
    n_negative: int


def auc(margin: ArrayLike, outcome: ArrayLike, confidence: float = 0.95) -> Auc | None:
    """Chance that a pair with the outcome has a larger margin than one without, ties counting one half.

    Parameters as for `accuracy`. DeLong's variance S₁/n₁ + S₀/n₀, S the sample variances of each pair's placement among
    those of the other class.

    Returns
    -------
    Auc or None
        None where a class is empty.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837-845.
    """
    gap, wins = _checked(margin, outcome)
    n_yes, n_no = int(wins.sum()), int((~wins).sum())
    if not n_yes or not n_no:
        return None
    ranks = stats.rankdata(gap)
    of_yes = (ranks[wins] - stats.rankdata(gap[wins])) / n_no
    of_no = 1 - (ranks[~wins] - stats.rankdata(gap[~wins])) / n_yes
    area = float(of_yes.mean())
    if n_yes < 2 or n_no < 2 or not 0 < area < 1:
        return Auc(area, None, None, n_yes, n_no)
    se = sqrt(float(of_yes.var(ddof=1)) / n_yes + float(of_no.var(ddof=1)) / n_no)
    if se == 0:
        return Auc(area, None, None, n_yes, n_no)
    half = normal_quantile(confidence) * se / (area * (1 - area))
    return Auc(area, se, expit_interval(float(np.log(area) - np.log1p(-area)), half), n_yes, n_no)
