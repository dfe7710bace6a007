"""Logistic regression with a Laplace prior, at its posterior mode: what feature effects prefer in paired data."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from app.analysis.arrays import Floats, ValueOutOfRange, flags

_STEPS = 100_000
_DONE = 1e-13


def laplace_mode(features: ArrayLike, preferred: ArrayLike, scale: float) -> Floats | None:
    """Posterior mode of P(A preferred) = σ(Σ β φ), β ~ Laplace(0, scale), without intercept.

    Minimises Σ ln(1 + exp(-y β·φ)) + Σ|β|/scale, y = ±1, by accelerated proximal gradient; it equals an L1 penalty with
    C = scale.

    Parameters
    ----------
    features
        φ, shape (n, q): -1, 0 or 1.
    preferred
        Whether A was preferred, shape (n,).
    scale
        b of the prior, above 0.

    Returns
    -------
    array of shape (q,), or None
        In logits a unit of the feature; None where it does not settle.

    References
    ----------
    Sharma et al. 2023, arXiv 2310.13548, section 4.1; Beck & Teboulle 2009 (FISTA).
    """
    x = np.asarray(features, dtype=np.float64)
    y = flags("preferred", preferred).astype(np.float64)
    if x.ndim != 2 or len(x) != len(y) or not np.isfinite(x).all():
        raise ValueOutOfRange("features must be finite, with a row for each preference")
    if not scale > 0:
        raise ValueOutOfRange(f"scale is {scale:g}; it must be above 0")
    step = 4 / max(float(np.linalg.norm(x, 2)) ** 2, 1e-300) if x.size else 1.0
    return _settle(x, y, step, step / scale)


def _settle(x: Floats, y: Floats, step: float, shrink: float) -> Floats | None:
    beta = ahead = np.zeros(x.shape[1])
    momentum = 1.0
    for _ in range(_STEPS):
        moved = ahead + step * (x.T @ (y - special.expit(x @ ahead)))
        new = np.sign(moved) * np.maximum(np.abs(moved) - shrink, 0)
        if np.abs(new - ahead).max(initial=0) <= _DONE:
            return np.asarray(new, dtype=np.float64)
        if float((ahead - new) @ (new - beta)) > 0:  # Momentum that points uphill is dropped.
            momentum, ahead, beta = 1.0, new, new
            continue
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead, beta, momentum = new + (momentum - 1) / following * (new - beta), new, following
    return None
