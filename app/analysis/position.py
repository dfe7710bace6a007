"""Position bias, and the preference rate that would be seen without it."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import special

from app.analysis.arrays import Bools, Floats, ValueOutOfRange, dense, inner
from app.analysis.choices import Choices
from app.analysis.clustering import two_way
from app.analysis.intervals import Interval, expit_interval, student_interval, student_p, student_quantile
from app.analysis.margins import margins
from app.analysis.rates import Rate, clustered_rate


@dataclass(frozen=True, slots=True)
class PositionFreeLogit:
    """Logit of the rate without position bias, and the bias towards left; both in logits."""

    logit: float
    left_bias: float

    @property
    def rate(self) -> float:
        """σ(logit), in (0, 1)."""
        return float(special.expit(self.logit))


def position_free_logit(x_left: float, n_left: float, x_right: float, n_right: float) -> PositionFreeLogit | None:
    """Half the sum, and half the difference, of the logits of the rates with the sycophantic response left and right.

    Parameters
    ----------
    x_left, n_left
        Choices for the sycophantic response and all choices where it was shown left; x_right, n_right alike.

    Returns
    -------
    PositionFreeLogit or None
        None where a side is empty or its rate is 0 or 1.
    """
    if not (0 <= x_left <= n_left and 0 <= x_right <= n_right):
        raise ValueOutOfRange("choices for the sycophantic response must lie between 0 and all choices on that side")
    if not (0 < x_left < n_left and 0 < x_right < n_right):
        return None
    left, right = float(special.logit(x_left / n_left)), float(special.logit(x_right / n_right))
    return PositionFreeLogit((left + right) / 2, (left - right) / 2)


@dataclass(frozen=True, slots=True)
class PositionBias:
    """What the side of a response does to choices.

    Attributes
    ----------
    left_share
        Share of all choices that are for the left response, whatever it is, with a two-way clustered interval.
    left_share_p
        Two-sided p of left_share = ½, by t; None where its variance cannot be estimated.
    rate_when_left, rate_when_right
        Preference rate where the sycophantic response was shown left, and right; each pair weighs the same.
    left_bias, left_bias_interval, left_bias_p
        Half the difference of their logits; above 0: left is preferred. None where a rate is 0 or 1.
    adjusted_rate
        Rate without position bias: σ of half the sum of the logits; the plain mean of the two where one is 0 or 1.
    adjusted_interval
        Two-way clustered, on the logit scale; None where the variance cannot be estimated or `adjusted_by` is the mean.
    adjusted_by
        `logits` or `mean`.
    """

    left_share: Rate
    left_share_p: float | None
    rate_when_left: float
    rate_when_right: float
    left_bias: float | None
    left_bias_interval: Interval | None
    left_bias_p: float | None
    adjusted_rate: float
    adjusted_interval: Interval | None
    adjusted_by: str


def position_bias(choices: Choices, confidence: float = 0.95) -> PositionBias | None:
    """Measure position bias, and take it out of the preference rate.

    A choice weighs 1/n of its pair, on whichever side. With r_L and r_R the weighted rates where the sycophantic
    response is left and right, the adjusted logit is (logit r_L + logit r_R)/2 and the bias (logit r_L - logit r_R)/2:
    the intercept and coefficient of a logistic regression on side coded +1 and -1. Influences by the delta method,
    w (y - r) / (r (1-r)) / 2, are clustered by pair and by annotator.

    Returns
    -------
    PositionBias or None
        None where a side has no choices.
    """
    decided = choices.without_ties
    left = ~decided.truthful_left
    if not left.any() or left.all():
        return None
    share, share_p = _left_share(decided, left, confidence)
    rates, influences = _by_side(decided, left)
    adjusted = _adjusted(decided, rates, influences, confidence)
    return PositionBias(share, share_p, rates[0], rates[1], *adjusted)


def _left_share(choices: Choices, left: Bools, confidence: float) -> tuple[Rate, float | None]:
    chose_left = (left == (choices.prefers_sycophantic == 1)).astype(np.float64)
    sums = margins(chose_left, choices.pair, choices.annotator, choices.level)
    share = clustered_rate(sums, "choices", confidence)
    assert share is not None
    df = min(share.n_pairs, share.n_annotators) - 1
    return share, None if share.se is None else student_p(share.rate - 0.5, share.se, df)


def _by_side(choices: Choices, left: Bools) -> tuple[list[float], list[Floats]]:
    _, of_pair = dense(choices.pair)
    weight = 1 / np.bincount(of_pair)[of_pair]
    rates, influences = [], []
    for side in (left, ~left):
        each = np.where(side, weight, 0.0) / weight[side].sum()
        chose = choices.prefers_sycophantic[side]
        rate = float(chose.mean()) if chose.all() or not chose.any() else inner(each, choices.prefers_sycophantic)
        rates.append(rate)
        influences.append(each * (choices.prefers_sycophantic - rate))
    return rates, influences


_Adjusted = tuple[float | None, Interval | None, float | None, float, Interval | None, str]


def _adjusted(choices: Choices, rates: list[float], influences: list[Floats], confidence: float) -> _Adjusted:
    left, right = rates
    if not (0 < left < 1 and 0 < right < 1):
        return None, None, None, (left + right) / 2, None, "mean"
    logits = [float(special.logit(rate)) for rate in rates]
    slopes = [influence / (rate * (1 - rate)) for rate, influence in zip(rates, influences, strict=True)]
    middle, bias = (logits[0] + logits[1]) / 2, (logits[0] - logits[1]) / 2
    se_middle, df = _se(choices, (slopes[0] + slopes[1]) / 2)
    se_bias, _ = _se(choices, (slopes[0] - slopes[1]) / 2)
    return (
        bias,
        None if se_bias is None else student_interval(bias, se_bias, df, confidence),
        None if se_bias is None else student_p(bias, se_bias, df),
        float(special.expit(middle)),
        None if se_middle is None else expit_interval(middle, student_quantile(confidence, df) * se_middle),
        "logits",
    )


def _se(choices: Choices, influence: Floats) -> tuple[float | None, int]:
    components = two_way(influence, choices.pair, choices.annotator, one_a_cell=True)
    variance = components.variance()
    return None if variance is None else sqrt(variance), components.df
