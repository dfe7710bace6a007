"""A second implementation of the crossed random-effects model: maximum likelihood by Laplace's approximation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from app.analysis.arrays import Floats
from app.analysis.crossed_design import CrossedDesign


@dataclass(frozen=True, slots=True)
class LaplaceFit:
    """Intercept and coefficients with their standard errors; the two standard deviations."""

    coefficients: Floats
    se: Floats
    sd_pair: float
    sd_annotator: float


def laplace_ml(design: CrossedDesign) -> LaplaceFit:
    """Maximise log p(y, u^) - ½ log det H over coefficients and log standard deviations, u^ the mode of the effects."""
    x = np.column_stack([np.ones(len(design)), design.x])
    q, n_effects = x.shape[1], design.n_pairs + design.n_annotators
    z = np.zeros((len(design), n_effects))
    rows = np.arange(len(design))
    z[rows, design.pair] = 1
    z[rows, design.n_pairs + design.annotator] = 1
    mode = np.zeros(n_effects)

    def minus_likelihood(theta: Floats) -> float:
        nonlocal mode
        sds = np.exp(theta[q:])
        scaled: NDArray[np.float64] = z * np.repeat(sds, [design.n_pairs, design.n_annotators])
        u = mode
        for _ in range(50):
            eta = x @ theta[:q] + scaled @ u
            p = special.expit(eta)
            hessian = (scaled.T * (p * (1 - p))) @ scaled + np.eye(n_effects)
            step = np.linalg.solve(hessian, scaled.T @ (design.prefers_sycophantic - p) - u)
            u = u + step
            if np.abs(step).max() < 1e-8:
                break
        mode = u
        eta = x @ theta[:q] + scaled @ u
        log_joint = float(design.prefers_sycophantic @ eta - np.logaddexp(0, eta).sum() - u @ u / 2)
        return float(np.linalg.slogdet(hessian)[1]) / 2 - log_joint

    start = np.concatenate([np.zeros(q), np.log([0.7, 0.7])])
    found = optimize.minimize(minus_likelihood, start, method="BFGS", options={"gtol": 1e-2})
    covariance = np.linalg.inv(_hessian(minus_likelihood, found.x))
    sd_pair, sd_annotator = np.exp(found.x[q:]).tolist()
    return LaplaceFit(found.x[:q], np.sqrt(np.diag(covariance))[:q], sd_pair, sd_annotator)


def _hessian(value: Callable[[Floats], float], at: Floats, step: float = 1e-3) -> NDArray[np.float64]:
    n = len(at)
    moves = np.eye(n) * step
    found = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            ends = [value(at + a * moves[i] + b * moves[j]) * a * b for a in (1, -1) for b in (1, -1)]
            found[i, j] = found[j, i] = sum(ends) / (4 * step**2)
    return found
