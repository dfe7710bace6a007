"""Tests and intervals for two answers on the same pairs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from app.analysis.arrays import Bools, Floats, ValueOutOfRange, floats, same_length
from app.analysis.intervals import Interval
from app.analysis.resampling import SAME, Bootstrap, bootstrap_p, percentile_interval, resampled_sums


@dataclass(frozen=True, slots=True)
class McNemar:
    """Whether two yes-or-no answers on the same pairs differ in their rates.

    Attributes
    ----------
    n_first_only, n_second_only
        Pairs where only the one, or only the other, is yes.
    p_mid, p_exact
        Two-sided p by the binomial; mid-p is the one to report, exact is too cautious. 1 without discordant pairs.
    chi2, p_chi2
        (b-c)²/(b+c) and its p, 1 df; None without discordant pairs.
    """

    n_first_only: int
    n_second_only: int
    p_mid: float
    p_exact: float
    chi2: float | None
    p_chi2: float | None


def mcnemar(n_first_only: int, n_second_only: int) -> McNemar:
    """McNemar's test on b and c discordant pairs.

    With X ~ Bin(b+c, ½) and m = min(b, c): exact p = min(1, 2 P(X ≤ m)); mid-p = 2 P(X ≤ m) - P(X = m), which is 1 at
    b = c.

    References
    ----------
    McNemar 1947; Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91.
    """
    b, c = int(n_first_only), int(n_second_only)
    if b < 0 or c < 0:
        raise ValueOutOfRange("numbers of discordant pairs must be at least 0")
    n, smaller = b + c, min(b, c)
    if n == 0:
        return McNemar(0, 0, 1.0, 1.0, None, None)
    below, at = float(stats.binom.cdf(smaller, n, 0.5)), float(stats.binom.pmf(smaller, n, 0.5))
    exact, mid = min(1.0, 2 * below), 1.0 if b == c else min(1.0, 2 * below - at)
    chi2 = (b - c) ** 2 / n
    return McNemar(b, c, mid, exact, chi2, float(stats.chi2.sf(chi2, 1)))


def mcnemar_of(first: ArrayLike, second: ArrayLike) -> McNemar:
    """McNemar's test on answers 1 or 0 of the same pairs, shape (P,); pairs where either is ½, a tie, are left out."""
    one, two = floats("first", first, 0, 1), floats("second", second, 0, 1)
    same_length({"first": one, "second": two})
    return mcnemar(int(((one == 1) & (two == 0)).sum()), int(((one == 0) & (two == 1)).sum()))


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean over pairs of first - second.

    Attributes
    ----------
    difference
        In [-1, 1].
    interval, se, p
        From drawing pairs again: percentile interval, standard deviation, two-sided p; None with fewer than two pairs.
        Where all pairs differ by the same, interval and p are None too: there is no spread to draw from.
    n_pairs
        Pairs.
    """

    difference: float
    interval: Interval | None
    se: float | None
    p: float | None
    n_pairs: int


def paired_difference(first: ArrayLike, second: ArrayLike, how: Bootstrap) -> PairedDifference | None:
    """Mean difference of two shares or answers of the same pairs, by cluster bootstrap.

    Parameters
    ----------
    first, second
        In [0, 1], ½ for a tie, shape (P,).

    Returns
    -------
    PairedDifference or None
        None without pairs.
    """
    one, two = floats("first", first, 0, 1), floats("second", second, 0, 1)
    same_length({"first": one, "second": two})
    return _mean(one - two, how)


def _mean(differences: Floats, how: Bootstrap) -> PairedDifference | None:
    n = len(differences)
    if not n:
        return None
    mean = float(differences.mean())
    if np.ptp(differences) < SAME:
        return PairedDifference(mean, None, None, None, n)
    draws = resampled_sums(np.round(differences, 12)[:, None], how.n_resamples, how.rng)[:, 0] / n
    draws[np.abs(draws) < SAME] = 0.0
    se = float(draws.std(ddof=1)) if len(draws) > 1 else None
    return PairedDifference(mean, percentile_interval(draws, how.confidence), se, bootstrap_p(draws), n)


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """Pairs by whether each of two answerers prefers the sycophantic response; ties of either apart."""

    both: int
    first_only: int
    second_only: int
    neither: int
    n_ties: int


def two_by_two(first: ArrayLike, second: ArrayLike) -> TwoByTwo:
    """Count pairs by two answers 1, 0 or ½ (a tie), shape (P,)."""
    one, two = floats("first", first, 0, 1), floats("second", second, 0, 1)
    same_length({"first": one, "second": two})
    both, neither = _count((one == 1) & (two == 1)), _count((one == 0) & (two == 0))
    first_only, second_only = _count((one == 1) & (two == 0)), _count((one == 0) & (two == 1))
    return TwoByTwo(both, first_only, second_only, neither, len(one) - both - neither - first_only - second_only)


def _count(mask: Bools) -> int:
    return int(mask.sum())
