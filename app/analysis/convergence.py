"""Whether Markov chains agree: the rank-normalised split R-hat."""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from app.analysis.arrays import ValueOutOfRange

Matrix = NDArray[np.float64]


def rank_normalised_rhat(chains: ArrayLike) -> float | None:
    """R-hat of one quantity: the larger of bulk (rank-normalised) and tail (folded about the median), of half-chains.

    √(((n-1)/n W + B/n) / W), W the mean of the half-chains' variances and B n times the variance of their means, on
    z = Φ⁻¹((rank - 3/8) / (S + 1/4)). About 1; report convergence below 1.01.

    Parameters
    ----------
    chains
        Shape (chains, draws), at least 4 draws, finite; of an odd number the middle one is dropped.

    Returns
    -------
    float or None
        None where all draws are the same.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, Bayesian Analysis 16:667-718.
    """
    split = halves(chains)
    found = [_rhat(normal_scores(part)) for part in (split, np.abs(split - np.median(split)))]
    values = [value for value in found if value is not None]
    return max(values) if values else None


def halves(chains: ArrayLike) -> Matrix:
    """Return each chain's first and last half as chains; of an odd number of draws the middle one is dropped.

    Raises
    ------
    ValueOutOfRange
        When the chains are not finite, shape (chains, draws), at least 4 draws.
    """
    draws = np.asarray(chains, dtype=np.float64)
    if draws.ndim != 2 or draws.shape[1] < 4 or not np.isfinite(draws).all():
        raise ValueOutOfRange("chains must be finite numbers, a row for each chain, of at least 4 draws")
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def normal_scores(draws: Matrix) -> Matrix:
    """Return draws as what standard normal draws of the same ranks would be."""
    ranks = np.asarray(stats.rankdata(draws)).reshape(draws.shape)
    return np.asarray(special.ndtri((ranks - 0.375) / (draws.size + 0.25)), dtype=np.float64)


def _rhat(chains: Matrix) -> float | None:
    n = chains.shape[1]
    within = float(chains.var(axis=1, ddof=1).mean())
    if within == 0:
        return None
    between = n * float(chains.mean(axis=1).var(ddof=1))
    return sqrt(((n - 1) / n * within + between / n) / within)
