"""Bootstraps over pairs: misconceptions are drawn again, with all the choices on them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.analysis.arrays import Bools, Floats, ValueOutOfRange
from app.analysis.intervals import Interval

Matrix = NDArray[np.float64]

SAME = 1e-9
"""Shares, and what is made of them, are fractions: what differs by less differs by rounding."""
_CELLS = 2_000_000  # Numbers held at once: 16 MB.


@dataclass(frozen=True, slots=True)
class Resampled:
    """A bootstrap over pairs.

    Attributes
    ----------
    estimate
        From the data as they are.
    se, interval
        Standard deviation of the resamples (n-1), and percentile interval; None where all resamples are the same: there
        is no spread to draw from.
    n_resamples, n_undefined
        Resamples asked for, and those of them where the statistic had no value; these are left out.
    """

    estimate: float
    se: float | None
    interval: Interval | None
    n_resamples: int
    n_undefined: int


def resampled_sums(
    rows: ArrayLike, n_resamples: int, rng: np.random.Generator, counts: ArrayLike | None = None
) -> Matrix:
    """Sum what each of P pairs contributes over P pairs drawn with replacement, again and again.

    Equal rows are exchangeable, so how often each kind of row is drawn is one multinomial draw: the same distribution
    as drawing pairs, and fast, as there are few kinds of pair. Worked in pieces of constant memory; the pieces do not
    change what a seed gives.

    Parameters
    ----------
    rows
        Shape (P, q), P ≥ 1.
    n_resamples
        B ≥ 1.
    rng
        The only chance there is.
    counts
        How many pairs each row stands for, whole numbers above 0, shape (P,); one where not given. Equal rows give the
        same sums whether they are counted before or here.

    Returns
    -------
    array of shape (B, q)

    References
    ----------
    Field & Welsh 2007, Journal of the Royal Statistical Society B 69:369-390 (cluster bootstrap).
    """
    given = np.asarray(rows, dtype=np.float64)
    if given.ndim != 2 or not len(given):
        raise ValueOutOfRange("a bootstrap needs a row for each of at least one pair")
    if n_resamples < 1:
        raise ValueOutOfRange(f"n_resamples is {n_resamples}; it must be at least 1")
    kinds, kind = _kinds(given)
    often = np.bincount(kind.ravel(), weights=None if counts is None else np.asarray(counts, dtype=np.float64))
    n_pairs = round(often.sum())
    sums = np.empty((n_resamples, given.shape[1]))
    for piece in _pieces(n_resamples, len(kinds)):
        drawn = rng.multinomial(n_pairs, often / n_pairs, size=piece.stop - piece.start)
        sums[piece] = drawn @ kinds
    return sums


def _kinds(rows: Matrix) -> tuple[Matrix, NDArray[np.int64]]:
    """Return the distinct rows in order, and which of them each row is; single numbers are sorted faster as such."""
    if rows.shape[1] == 1:
        numbers, kind = np.unique(rows[:, 0], return_inverse=True)
        return numbers[:, None], kind
    return np.unique(rows, axis=0, return_inverse=True)


def _pieces(n_resamples: int, n_kinds: int) -> Iterator[slice]:
    step = max(1, _CELLS // max(n_kinds, 1))
    for start in range(0, n_resamples, step):
        yield slice(start, min(start + step, n_resamples))


def percentile_interval(draws: Floats, confidence: float = 0.95) -> Interval:
    """Quantiles (1 ∓ confidence)/2 of the resamples, interpolated linearly (Hyndman and Fan's type 7)."""
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def bootstrap_p(draws: Floats) -> float:
    """Two-sided p of "0": 2 (1 + smaller number of resamples on either side of 0) / (1 + B), at most 1.

    Resamples at 0 count on both sides. It agrees with the percentile interval about 0.

    References
    ----------
    Davison & Hinkley 1997, Bootstrap Methods and their Application, 4.4.
    """
    smaller = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    return min(1.0, 2 * (1 + smaller) / (1 + len(draws)))


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How to resample: how often, with which generator, and the confidence of the interval."""

    rng: np.random.Generator
    n_resamples: int = 2000
    confidence: float = 0.95


def bootstrap(
    rows: ArrayLike,
    statistic: Callable[[Matrix], tuple[Floats, Bools]],
    how: Bootstrap,
    counts: ArrayLike | None = None,
) -> Resampled | None:
    """Bootstrap over pairs a statistic that is a function of sums over pairs.

    Parameters
    ----------
    rows
        What each pair contributes, shape (P, q).
    statistic
        From sums, shape (B, q), to values, shape (B,), and whether each is defined.
    counts
        How many pairs each row stands for, as for `resampled_sums`.

    Returns
    -------
    Resampled or None
        None without pairs, where the statistic is not defined for the data, or in fewer than two resamples.
    """
    given = np.asarray(rows, dtype=np.float64)
    if not len(given):
        return None
    once = given.sum(axis=0) if counts is None else np.asarray(counts, dtype=np.float64) @ given
    value, is_defined = statistic(once[None, :])
    if not is_defined[0]:
        return None
    draws, defined = statistic(resampled_sums(given, how.n_resamples, how.rng, counts))
    kept = draws[defined]
    if len(kept) < 2:
        return None
    spread = np.ptp(kept) >= SAME
    return Resampled(
        estimate=float(value[0]),
        se=float(kept.std(ddof=1)) if spread else None,
        interval=percentile_interval(kept, how.confidence) if spread else None,
        n_resamples=how.n_resamples,
        n_undefined=how.n_resamples - len(kept),
    )


def divide(numerator: Floats, denominator: Floats) -> tuple[Floats, Bools]:
    """Return quotients, 0 where they are not defined, and which of them are."""
    defined = denominator > 0
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=defined), defined


def mean_over_pairs(values: ArrayLike, how: Bootstrap) -> Resampled | None:
    """Bootstrap the mean of one value a pair, shape (P,). None without pairs."""
    given = np.asarray(values, dtype=np.float64)
    return bootstrap(np.column_stack([given, np.ones_like(given)]), lambda sums: divide(sums[:, 0], sums[:, 1]), how)
