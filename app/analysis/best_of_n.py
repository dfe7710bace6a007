"""Best of N: what is selected when the response with the highest of N scores is kept."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from app.analysis.arrays import Floats, Ints, ValueOutOfRange, floats, same_length, whole


def best_of_n(scores: ArrayLike, values: ArrayLike, sizes: ArrayLike) -> Floats:
    """Value to expect of the response with the highest score among N drawn from the pool without replacement.

    Σ over groups of equal scores of [C(hi, N) - C(lo, N)] / C(M, N) × mean value of the group; lo responses score less
    than the group, hi - lo are in it. Exact, as over all subsets of N; a tie is broken at random.

    Parameters
    ----------
    scores, values
        Score and value (1: truthful) of each of M ≥ 1 responses, shape (M,).
    sizes
        N, shape (K,), 1 … M.

    Returns
    -------
    array of shape (K,)

    References
    ----------
    Nakano et al. 2021, arXiv 2112.09332, appendix I; Gao et al. 2022, arXiv 2210.10760; Chen et al. 2021 (pass@k).
    """
    score, value, n = floats("scores", scores), floats("values", values), whole("sizes", sizes, 1)
    m = same_length({"scores": score, "values": value})
    if not m or (n > m).any():
        raise ValueOutOfRange(f"sizes must lie between 1 and the number of responses, {m}")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=value) / count
    below = _chance_all_among(np.concatenate([[0], np.cumsum(count)]), m, n)
    return np.asarray(np.diff(below, axis=1) @ mean)


def _chance_all_among(first: Ints, m: int, n: Ints) -> Floats:
    """C(first, N) / C(m, N) for each N (row) and number of responses (column); 0 where N is larger."""
    few = first[None, :] < n[:, None]
    enough = np.where(few, m, first[None, :])
    logs = _log_comb(enough, n[:, None]) - _log_comb(np.full_like(enough, m), n[:, None])
    return np.where(few, 0.0, np.exp(logs))


def _log_comb(m: Ints, n: Ints) -> Floats:
    return np.asarray(special.gammaln(m + 1) - special.gammaln(n + 1) - special.gammaln(m - n + 1))


def oracle_best_of_n(truthful: ArrayLike, sizes: ArrayLike) -> Floats:
    """Chance that N drawn responses hold a truthful one, 1 - C(M-c, N)/C(M, N): what an oracle's best of N yields.

    Parameters
    ----------
    truthful
        1 or 0 of each response, shape (M,).
    sizes
        N, shape (K,), 1 … M.
    """
    value = whole("truthful", truthful, 0, 1)
    return best_of_n(value, value, sizes)


def best_of_n_kl(sizes: ArrayLike) -> Floats:
    """KL divergence of best of N from the policy it samples, ln N - (N-1)/N, in nats; an upper bound where scores tie.

    References
    ----------
    Stiennon et al. 2020, arXiv 2009.01325; Beirami et al. 2024, arXiv 2401.01879.
    """
    n = whole("sizes", sizes, 1).astype(np.float64)
    return np.asarray(np.log(n) - (n - 1) / n)
