"""How far different people agree on a pair: Krippendorff's alpha, Gwet's AC1, Fleiss' kappa, raw agreement.

All work on counts of ratings, shape (units, categories). Votes are coded sycophantic or truthful, not left or right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.analysis.arrays import Bools, Floats, ValueOutOfRange, dense
from app.analysis.resampling import Bootstrap, Resampled, bootstrap, divide
from app.analysis.votes import Votes

Matrix = NDArray[np.float64]
Metric = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on which response is preferred, each with a bootstrap over pairs; None where not defined.

    Attributes
    ----------
    alpha
        Krippendorff's alpha, nominal; at most 1, 0 is chance; not defined where all votes are the same.
    ac1
        Gwet's AC1; at most 1; stays high where nearly all votes are the same.
    raw
        Chance that two votes on the same pair agree, in [0, 1].
    n_pairs
        Pairs with at least two votes.
    """

    alpha: Resampled | None
    ac1: Resampled | None
    raw: Resampled | None
    n_pairs: int


def agreement(votes: Votes, how: Bootstrap) -> Agreement:
    """Agreement of people, by drawing pairs with all their votes again."""
    span = int(votes.n.max(initial=0)) + 1
    kinds, of_kind = dense(votes.n * span + votes.sycophantic)  # There are few kinds of pair, however many pairs.
    n, sycophantic = kinds // span, kinds % span
    counts, often = np.column_stack([sycophantic, n - sycophantic]).astype(np.float64), np.bincount(of_kind)
    return Agreement(
        alpha=bootstrap(_alpha_rows(counts), _alpha_of_sums, how, often),
        ac1=bootstrap(_ac1_rows(counts), _ac1_of_sums, how, often),
        raw=bootstrap(_raw_rows(counts), _raw_of_sums, how, often),
        n_pairs=int((votes.n >= 2).sum()),
    )


def rating_counts(ratings: ArrayLike) -> tuple[Matrix, Floats]:
    """Count ratings by unit and category.

    Parameters
    ----------
    ratings
        Shape (coders, units), numbers, nan where a coder did not rate.

    Returns
    -------
    counts, categories
        Shapes (units, categories) and (categories,), categories rising.
    """
    given = np.asarray(ratings, dtype=np.float64)
    if given.ndim != 2:
        raise ValueOutOfRange("ratings must have a row for each coder and a column for each unit")
    categories = np.unique(given[~np.isnan(given)])
    counts = (
        np.stack([(given == category).sum(axis=0) for category in categories], axis=-1) if categories.size else None
    )
    return (np.zeros((given.shape[1], 0)) if counts is None else counts.astype(np.float64)), categories


def krippendorff_alpha(counts: ArrayLike, values: ArrayLike | None = None, metric: Metric = "nominal") -> float | None:
    """Krippendorff's alpha: 1 - observed over expected disagreement, 1 - (N-1) Σ oδ / Σ eδ.

    Over units with m ≥ 2 ratings and categories c, k with counts n: o_ck = Σ n_c (n_k - [c=k]) / (m-1), e_ck =
    N_c N_k - [c=k] N_c, N_c the total of c in those units. δ is 1 where c ≠ k (nominal), (v_c - v_k)² (interval),
    ((v_c - v_k)/(v_c + v_k))² (ratio), or (N_c/2 + totals between + N_k/2)² (ordinal).

    Parameters
    ----------
    counts
        Shape (units, categories), whole numbers; units may have any number of ratings.
    values
        The categories as numbers, shape (categories,), rising; needed for interval and ratio.

    Returns
    -------
    float or None
        At most 1. None where no unit has two ratings or all ratings are the same.

    References
    ----------
    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability; Krippendorff 2004, Content Analysis, chapter 11.
    """
    table = _table(counts)
    paired = table[table.sum(axis=1) >= 2]
    totals = paired.sum(axis=0)
    delta = _distance(totals, values, metric)
    expected = float(totals @ delta @ totals)
    if expected <= 0:
        return None
    weights = 1 / (paired.sum(axis=1) - 1)
    observed = float(((paired @ delta) * paired).sum(axis=1) @ weights)
    return 1 - (float(totals.sum()) - 1) * observed / expected


def _table(counts: ArrayLike) -> Matrix:
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or (table < 0).any() or (table != np.rint(table)).any():
        raise ValueOutOfRange("counts must be whole numbers of at least 0, a row for each unit, a column a category")
    return table


def _distance(totals: Floats, values: ArrayLike | None, metric: Metric) -> Matrix:
    if metric == "nominal":
        return 1 - np.eye(len(totals))
    if metric == "ordinal":
        middle = np.cumsum(totals) - totals / 2
        return np.asarray(np.subtract.outer(middle, middle) ** 2)
    given = np.asarray(values, dtype=np.float64) if values is not None else np.empty(0)
    if len(given) != len(totals):
        raise ValueOutOfRange(f"the {metric} metric needs a value for each category")
    difference = np.subtract.outer(given, given)
    if metric == "interval":
        return np.asarray(difference**2)
    total = np.add.outer(given, given)
    return np.asarray(np.divide(difference, total, out=np.zeros_like(difference), where=total != 0) ** 2)


def gwet_ac1(counts: ArrayLike) -> float | None:
    """Gwet's AC1: (p_a - p_e) / (1 - p_e).

    p_a = mean over units with m ≥ 2 ratings of Σ n_c (n_c - 1) / (m (m-1)); p_e = Σ π_c (1-π_c) / (q-1), π_c the mean
    over units with a rating of n_c/m, q the number of categories (columns), used or not.

    Returns
    -------
    float or None
        At most 1. None where no unit has two ratings or there are fewer than two categories.

    References
    ----------
    Gwet 2008, British Journal of Mathematical and Statistical Psychology 61:29-48.
    """
    return _value(_table(counts), _ac1_rows, _ac1_of_sums)


def raw_agreement(counts: ArrayLike) -> float | None:
    """Mean over units with m ≥ 2 ratings of Σ n_c (n_c - 1) / (m (m-1)), in [0, 1]. None without such units."""
    return _value(_table(counts), _raw_rows, _raw_of_sums)


def fleiss_kappa(counts: ArrayLike) -> float | None:
    """Fleiss' kappa: (p_a - p_e) / (1 - p_e), p_e = Σ p_c², p_c the share of all ratings; m ratings of every unit.

    Returns
    -------
    float or None
        At most 1. None without units or where all ratings are the same.

    References
    ----------
    Fleiss 1971, Psychological Bulletin 76:378-382.
    """
    table = _table(counts)
    m = table.sum(axis=1)
    if len(np.unique(m)) > 1 or (m < 2).any():
        raise ValueOutOfRange("Fleiss' kappa needs the same number of ratings, at least 2, of every unit")
    share = table.sum(axis=0) / max(float(table.sum()), 1)
    chance = float(share @ share)
    raw = raw_agreement(table)
    return None if raw is None or (share == 1).any() else (raw - chance) / (1 - chance)


def _value(
    table: Matrix, rows: Callable[[Matrix], Matrix], statistic: Callable[[Matrix], tuple[Floats, Bools]]
) -> float | None:
    values, defined = statistic(rows(table).sum(axis=0, keepdims=True))
    return float(values[0]) if defined[0] else None


# Each statistic is a function of sums over units, so that a bootstrap only has to add rows up.


def _pairwise(table: Matrix) -> tuple[Floats, Floats, Floats]:
    """Ratings of each unit, 1 where there are two or more, and the chance there that two of them agree."""
    m = table.sum(axis=1)
    several = m >= 2
    agreeing = (table * (table - 1)).sum(axis=1)
    return m, several.astype(np.float64), np.divide(agreeing, m * (m - 1), out=np.zeros_like(m), where=several)


def _raw_rows(table: Matrix) -> Matrix:
    _, several, agreeing = _pairwise(table)
    return np.column_stack([agreeing, several])


def _raw_of_sums(sums: Matrix) -> tuple[Floats, Bools]:
    return divide(sums[:, 0], sums[:, 1])


def _ac1_rows(table: Matrix) -> Matrix:
    m, several, agreeing = _pairwise(table)
    rated = m > 0
    shares = np.divide(table, m[:, None], out=np.zeros_like(table), where=rated[:, None])
    return np.column_stack([agreeing, several, rated, shares])


def _ac1_of_sums(sums: Matrix) -> tuple[Floats, Bools]:
    raw, some = divide(sums[:, 0], sums[:, 1])
    categories = sums.shape[1] - 3
    if categories < 2:
        return np.zeros(len(sums)), np.zeros(len(sums), dtype=np.bool_)
    share = sums[:, 3:] / np.maximum(sums[:, 2:3], 1)
    chance = (share * (1 - share)).sum(axis=1) / (categories - 1)
    return (raw - chance) / (1 - chance), some  # chance is at most 1/categories, so never 1


def _alpha_rows(table: Matrix) -> Matrix:
    m, several, agreeing = _pairwise(table)
    return np.column_stack([several * m * (1 - agreeing), several[:, None] * table])


def _alpha_of_sums(sums: Matrix) -> tuple[Floats, Bools]:
    totals = sums[:, 1:]
    n = totals.sum(axis=1)
    ratio, defined = divide((n - 1) * sums[:, 0], n**2 - (totals**2).sum(axis=1))
    return 1 - ratio, defined
