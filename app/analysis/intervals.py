"""Confidence intervals: for shares of independent units, and for estimates with a standard error."""

from dataclasses import dataclass
from math import log, log1p, sqrt

from scipy import special, stats

from app.analysis.arrays import ValueOutOfRange


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval, low ≤ high, in the unit of its estimate."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def normal_quantile(confidence: float) -> float:
    """Two-sided standard normal quantile: 1.96 at 0.95."""
    return float(special.ndtri(0.5 + _checked(confidence) / 2))


def student_quantile(confidence: float, df: float) -> float:
    """Two-sided Student quantile with df ≥ 1 degrees of freedom."""
    return float(special.stdtrit(df, 0.5 + _checked(confidence) / 2))


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueOutOfRange(f"confidence is {confidence:g}; it must lie between 0 and 1, as 0.95 does")
    return confidence


def _counts(x: float, n: float) -> None:
    if not 0 <= x <= n:
        raise ValueOutOfRange(f"{x:g} of {n:g} is no share: the first must lie between 0 and the second")


def wilson(x: float, n: float, confidence: float = 0.95) -> Interval | None:
    """Wilson score interval for the share x / n of independent units.

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), with p = x/n.

    Parameters
    ----------
    x, n
        Successes, 0 ≤ x ≤ n, and units. Both may be fractions, so that n can be an effective n. n = 0: None.
    confidence
        In (0, 1).

    References
    ----------
    Wilson 1927; Newcombe 1998, Statistics in Medicine 17:857-872, method 3.
    """
    _counts(x, n)
    if n == 0:
        return None
    z2 = normal_quantile(confidence) ** 2
    centre = (x + z2 / 2) / (n + z2)
    half = sqrt(z2 * (x * (n - x) / n + z2 / 4)) / (n + z2)
    return Interval(0.0 if x == 0 else max(0.0, centre - half), 1.0 if x == n else min(1.0, centre + half))


def clopper_pearson(x: float, n: float, confidence: float = 0.95) -> Interval | None:
    """Exact interval: Beta quantiles (α/2; x, n-x+1) and (1-α/2; x+1, n-x); 0 and 1 at the ends. n = 0: None.

    References
    ----------
    Clopper & Pearson 1934; Newcombe 1998, method 5.
    """
    _counts(x, n)
    if n == 0:
        return None
    tail = (1 - _checked(confidence)) / 2
    low = 0.0 if x == 0 else float(stats.beta.ppf(tail, x, n - x + 1))
    high = 1.0 if x == n else float(stats.beta.isf(tail, x + 1, n - x))
    return Interval(low, high)


def jeffreys(x: float, n: float, confidence: float = 0.95) -> Interval | None:
    """Equal-tailed posterior interval under Beta(½, ½): quantiles of Beta(x+½, n-x+½). n = 0: None.

    No boundary rule: at x = 0 the lower end is a small positive number (Brown, Cai & DasGupta 2001 would set 0).
    """
    _counts(x, n)
    if n == 0:
        return None
    tail = (1 - _checked(confidence)) / 2
    posterior = stats.beta(x + 0.5, n - x + 0.5)
    return Interval(float(posterior.ppf(tail)), float(posterior.isf(tail)))


def newcombe_difference(x1: float, n1: float, x2: float, n2: float, confidence: float = 0.95) -> Interval | None:
    """Interval for x1/n1 - x2/n2 of two independent samples, by square-and-add of their Wilson intervals.

    d - √((p1-l1)² + (u2-p2)²) to d + √((u1-p1)² + (p2-l2)²). Within [-1, 1]; None where a sample is empty.

    References
    ----------
    Newcombe 1998, Statistics in Medicine 17:873-890, method 10.
    """
    first, second = wilson(x1, n1, confidence), wilson(x2, n2, confidence)
    if first is None or second is None:
        return None
    p1, p2 = x1 / n1, x2 / n2
    below = sqrt((p1 - first.low) ** 2 + (second.high - p2) ** 2)
    above = sqrt((first.high - p1) ** 2 + (p2 - second.low) ** 2)
    return Interval(p1 - p2 - below, p1 - p2 + above)


def student_interval(estimate: float, se: float, df: float, confidence: float = 0.95) -> Interval:
    """Estimate ± t(df) × se, in the unit of the estimate; df ≥ 1, se > 0."""
    half = student_quantile(confidence, df) * se
    return Interval(estimate - half, estimate + half)


def logit_interval(rate: float, se: float, df: float, confidence: float = 0.95) -> Interval:
    """Interval for a rate in (0, 1) whose standard error is `se`, symmetric on the logit scale.

    σ(logit p ± t(df) se / (p(1-p))), by the delta method; it never leaves (0, 1).
    """
    half = student_quantile(confidence, df) * se / (rate * (1 - rate))
    return expit_interval(log(rate) - log1p(-rate), half)


def expit_interval(logit: float, half_width: float) -> Interval:
    """Return σ(logit ± half_width)."""
    return Interval(float(special.expit(logit - half_width)), float(special.expit(logit + half_width)))


def student_p(estimate: float, se: float, df: float) -> float:
    """Two-sided p-value of estimate / se against Student's t with df degrees of freedom."""
    return float(2 * special.stdtr(df, -abs(estimate / se)))
