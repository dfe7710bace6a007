"""How many independent draws Markov chains are worth: bulk and tail effective sample size."""

from math import log10

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.analysis.convergence import halves, normal_scores

Matrix = NDArray[np.float64]

_TAILS = (0.05, 0.95)


def bulk_ess(chains: ArrayLike) -> float | None:
    """Effective sample size for the centre of the posterior: of rank-normalised half-chains.

    S / τ, with τ = -1 + 2 Σ (ρ_2t + ρ_2t+1) over Geyer's initial monotone sequence and ρ_t = 1 - (W - mean over chains
    of the autocovariance at lag t) / var⁺. At most S log10 S, where chains swing about their mean.

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
    Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, Bayesian Analysis 16:667-718; Geyer 1992, Statistical Science
    7:473-483.
    """
    return _ess(normal_scores(halves(chains)))


def tail_ess(chains: ArrayLike) -> float | None:
    """Effective sample size for the ends of intervals: the smaller one of being below the 5 % and the 95 % quantile.

    Parameters
    ----------
    chains
        As for `bulk_ess`.

    Returns
    -------
    float or None
        None where all draws are the same.
    """
    split = halves(chains)
    found = [_ess((split <= np.quantile(split, tail)).astype(np.float64)) for tail in _TAILS]
    values = [value for value in found if value is not None]
    return min(values) if values else None


def _ess(chains: Matrix) -> float | None:
    m, n = chains.shape
    covariance = _autocovariance(chains)
    within = float(covariance[:, 0].mean()) * n / (n - 1)
    var_plus = within * (n - 1) / n + float(chains.mean(axis=1).var(ddof=1))
    if var_plus == 0:
        return None
    rho = 1 - (within - covariance.mean(axis=0)) / var_plus
    rho[0] = 1
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: negative[0]] if negative.size else pairs)
    tau: float = max(-1 + 2 * float(kept.sum()), 1 / log10(m * n))
    return float(m * n / tau)


def _autocovariance(chains: Matrix) -> Matrix:
    """Return each chain's autocovariance at every lag, divided by n, shape (m, n)."""
    n = chains.shape[1]
    about = chains - chains.mean(axis=1, keepdims=True)
    length = 1 << (2 * n - 1).bit_length()  # Padded with zeros, so that ends do not meet.
    spectrum = np.fft.rfft(about, length)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, length)[:, :n] / n, dtype=np.float64)
