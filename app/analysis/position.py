"""Position bias, and the preference rate that would be seen without it."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import special

from app.analysis.arrays import Floats, ValueOutOfRange, inner, totals
from app.analysis.choices import Choices
from app.analysis.clustering import Components
from app.analysis.crossing import Crossing
from app.analysis.intervals import Interval, expit_interval, student_interval, student_p, student_quantile
from app.analysis.margins import Margins
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
    crossing = choices.crossing
    shown_left = ~crossing.truthful_left  # The sycophantic response.
    if not shown_left.any() or shown_left.all():
        return None
    left, right = (_Side(crossing, shown.astype(np.float64)) for shown in (shown_left, ~shown_left))
    share, share_p = _left_share(crossing, left, right, confidence)
    return PositionBias(share, share_p, left.rate, right.rate, *_adjusted(crossing, left, right, confidence))


class _Side:
    """The votes with the sycophantic response shown on one side, by pair, shape (P,), and by person, shape (M,).

    A vote weighs 1/n of its pair, whichever side it is on.
    """

    def __init__(self, crossing: Crossing, shown: Floats) -> None:
        n_pairs = len(crossing.pair)
        votes = (crossing.truthful * shown, crossing.sycophantic * shown)
        weight, one = 1 / crossing.n, np.ones(n_pairs)
        self.weight = weight
        self.truthful, self.sycophantic = (totals(crossing.of_pair, each, n_pairs) for each in votes)
        self.truthful_of, self.sycophantic_of = (crossing.by_person(each, one) for each in votes)
        self.truthful_share, self.sycophantic_share = (crossing.by_person(each, weight) for each in votes)
        self.n = self.truthful + self.sycophantic
        self.total = inner(weight, self.n)
        self.rate = self._rate()

    def _rate(self) -> float:
        if not self.truthful.any() or not self.sycophantic.any():
            return float(self.sycophantic.any())  # All the same, whatever the weights are rounded to.
        return inner(self.weight, self.sycophantic) / self.total

    def logit_errors(self) -> tuple[Floats, Floats, float]:
        """Return the error of the logit of the rate, summed by pair and by person, and its square summed by vote."""
        scale = 1 / (self.total * self.rate * (1 - self.rate))
        by_pair = scale * self.weight * (self.sycophantic - self.rate * self.n)
        by_person = scale * ((1 - self.rate) * self.sycophantic_share - self.rate * self.truthful_share)
        squares = self.sycophantic * (1 - self.rate) ** 2 + self.truthful * self.rate**2
        return by_pair, by_person, inner((scale * self.weight) ** 2, squares)


def _left_share(crossing: Crossing, left: _Side, right: _Side, confidence: float) -> tuple[Rate, float | None]:
    """Return the rate of choices for what was shown left: the sycophantic response there, or the truthful one."""
    sums = Margins(
        pair_level=crossing.level,
        pair_n=crossing.n.astype(np.float64),
        pair_yes=left.sycophantic + right.truthful,
        annotator=crossing.person,
        annotator_level=np.zeros_like(crossing.person),  # A rate of all levels does not ask for it.
        annotator_n=np.diff(crossing.starts).astype(np.float64),
        annotator_yes=left.sycophantic_of + right.truthful_of,
        annotator_share=left.sycophantic_share + left.truthful_share + right.sycophantic_share + right.truthful_share,
        annotator_share_yes=left.sycophantic_share + right.truthful_share,
    )
    share = clustered_rate(sums, "choices", confidence)
    assert share is not None
    df = min(share.n_pairs, share.n_annotators) - 1
    return share, None if share.se is None else student_p(share.rate - 0.5, share.se, df)


_Adjusted = tuple[float | None, Interval | None, float | None, float, Interval | None, str]


def _adjusted(crossing: Crossing, left: _Side, right: _Side, confidence: float) -> _Adjusted:
    rates = left.rate, right.rate
    if not all(0 < rate < 1 for rate in rates):
        return None, None, None, (left.rate + right.rate) / 2, None, "mean"
    logits = [float(special.logit(rate)) for rate in rates]
    middle, bias = (logits[0] + logits[1]) / 2, (logits[0] - logits[1]) / 2
    se_middle, df = _se(crossing, left, right, 1)
    se_bias, _ = _se(crossing, left, right, -1)
    return (
        bias,
        None if se_bias is None else student_interval(bias, se_bias, df, confidence),
        None if se_bias is None else student_p(bias, se_bias, df),
        float(special.expit(middle)),
        None if se_middle is None else expit_interval(middle, student_quantile(confidence, df) * se_middle),
        "logits",
    )


def _se(crossing: Crossing, left: _Side, right: _Side, sign: int) -> tuple[float | None, int]:
    """Return the standard error of half the sum (sign 1) or difference (-1) of the logits, and degrees of freedom."""
    (pair, person, cell), (other_pair, other_person, other_cell) = left.logit_errors(), right.logit_errors()
    by_pair, by_person = (pair + sign * other_pair) / 2, (person + sign * other_person) / 2
    components = Components(
        by_pair=inner(by_pair, by_pair),
        by_annotator=inner(by_person, by_person),
        by_cell=(cell + other_cell) / 4,
        n_pairs=len(crossing.pair),
        n_annotators=len(crossing.person),
        n_cells=len(crossing),
    )
    variance = components.variance()
    return None if variance is None else sqrt(variance), components.df
