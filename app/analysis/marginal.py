"""The rate that a crossed random-effects logistic model implies over pairs and people."""

from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from app.analysis.arrays import Floats, floats, same_length

# For a smooth integrand that dies out, equal steps converge faster than any power of the step.
_REACH = 10.0
_STEP = 0.02


def marginal_rate(logit: ArrayLike, sd: ArrayLike) -> Floats:
    """Population-average rate E[σ(a + s Z)], Z standard normal, by the trapezoidal rule.

    σ(a) alone is the rate of the median pair and person, and further from one half.

    Parameters
    ----------
    logit
        a, the fixed part, in logits, shape (n,).
    sd
        s ≥ 0, in logits, shape (n,): √ of the sum of all random effects' variances. To 1e-9 up to s = 40.

    Returns
    -------
    array of shape (n,), in (0, 1)
    """
    a, s = floats("logit", logit), floats("sd", sd, 0)
    same_length({"logit": a, "sd": s})
    z = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    density = _STEP * np.exp(-(z**2) / 2) / sqrt(2 * pi)
    return np.asarray(special.expit(a[:, None] + s[:, None] * z) @ density)
