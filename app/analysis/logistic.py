"""Logistic regression by maximum likelihood, with weights, and with the influences that clustering needs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, special

from app.analysis.arrays import Floats, LengthsDiffer, ValueOutOfRange, floats, same_length

Matrix = NDArray[np.float64]

_STEPS = 60
_DONE = 1e-11
_SEPARATED = 40.0  # A linear predictor this far out has probability 0 or 1 in double precision.


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """P(y = 1) = σ(X b).

    Attributes
    ----------
    coefficients
        b, shape (q,), in logits a unit of the column.
    covariance
        Inverse of the information X'WX, W = w p (1-p), shape (q, q). For independent units only.
    fitted
        p, shape (n,).
    influence
        What each row adds to the error of b: (X'WX)⁻¹ x w (y - p), shape (n, q); cluster it for people's choices.
    """

    coefficients: Floats
    covariance: Matrix
    fitted: Floats
    influence: Matrix

    @property
    def se(self) -> Floats:
        """Standard errors for independent units, shape (q,)."""
        return np.sqrt(np.diag(self.covariance))


def fit_logistic(design: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> LogisticFit | None:
    """Fit a logistic regression by Newton's method.

    Parameters
    ----------
    design
        X, shape (n, q), with its own column of ones if an intercept is wanted.
    y
        Shares in [0, 1], shape (n,).
    weights
        Weight or number of units of each row, shape (n,), at least 0; 1 where not given.

    Returns
    -------
    LogisticFit or None
        None where the maximum does not exist: no rows, columns that depend on each other, or answers that the columns
        separate.

    References
    ----------
    McCullagh & Nelder 1989, Generalized Linear Models, chapter 4.
    """
    x = np.asarray(design, dtype=np.float64)
    answers = floats("y", y, 0, 1)
    weight = np.ones(len(answers)) if weights is None else floats("weights", weights, 0)
    _check(x, answers, weight)
    coefficients = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        step = _newton_step(x, answers, weight, coefficients)
        if step is None:
            return None
        coefficients = coefficients + step
        if np.abs(step).max() <= _DONE * (1 + np.abs(coefficients).max()):
            return _finished(x, answers, weight, coefficients)
    return None


def _check(x: Matrix, y: Floats, weights: Floats) -> None:
    if x.ndim != 2:
        raise ValueOutOfRange("design must have two dimensions: rows and columns")
    if len(x) != len(y):
        raise LengthsDiffer(f"lengths differ: design has {len(x)}, y has {len(y)}")
    same_length({"y": y, "weights": weights})
    if not np.isfinite(x).all():
        raise ValueOutOfRange("design holds a number that is not finite")


def _newton_step(x: Matrix, y: Floats, weights: Floats, coefficients: Floats) -> Floats | None:
    score, information = _score_and_information(x, y, weights, coefficients)
    factor = _cholesky(information)
    if factor is None:
        return None
    step = np.asarray(linalg.cho_solve(factor, score), dtype=np.float64)
    step *= min(1.0, 5.0 / max(float(np.abs(x @ step).max(initial=0)), 1e-300))  # Newton overshoots from afar.
    used = weights > 0
    if float(np.abs(x[used] @ (coefficients + step)).max(initial=0)) > _SEPARATED:
        return None
    return step


def _cholesky(information: Matrix) -> tuple[Matrix, bool] | None:
    scale = np.sqrt(np.diag(information))
    if not scale.size or not (scale > 0).all():
        return None
    if np.linalg.cond(information / np.outer(scale, scale)) > 1e12:
        return None
    factor, lower = linalg.cho_factor(information)
    return factor, bool(lower)


def _score_and_information(x: Matrix, y: Floats, weights: Floats, coefficients: Floats) -> tuple[Floats, Matrix]:
    p = special.expit(x @ coefficients)
    return x.T @ (weights * (y - p)), x.T @ (x * (weights * p * (1 - p))[:, None])


def _finished(x: Matrix, y: Floats, weights: Floats, coefficients: Floats) -> LogisticFit | None:
    _, information = _score_and_information(x, y, weights, coefficients)
    factor = _cholesky(information)
    if factor is None:
        return None
    covariance = np.asarray(linalg.cho_solve(factor, np.eye(len(information))), dtype=np.float64)
    p = np.asarray(special.expit(x @ coefficients), dtype=np.float64)
    return LogisticFit(coefficients, covariance, p, (x * (weights * (y - p))[:, None]) @ covariance)


@dataclass(frozen=True, slots=True)
class LogisticSlope:
    """Intercept and slope in logits with their standard errors, and e^slope: the odds ratio a level."""

    intercept: float
    slope: float
    se_intercept: float
    se_slope: float
    odds_ratio: float


def logistic_slope(x: ArrayLike, n: ArrayLike, scores: ArrayLike) -> LogisticSlope | None:
    """Logistic regression of shares x / n on scores: logit P = a + b score. For independent units (judges).

    Parameters
    ----------
    x, n, scores
        Successes, units and score of each group, shape (L,), 0 ≤ x ≤ n.

    Returns
    -------
    LogisticSlope or None
        None where the fit does not exist.
    """
    yes, units, score = floats("x", x, 0), floats("n", n, 0), floats("scores", scores)
    same_length({"x": yes, "n": units, "scores": score})
    if (yes > units).any():
        raise ValueOutOfRange("x is larger than n in a group")
    used = units > 0
    design = np.column_stack([np.ones(int(used.sum())), score[used]])
    fit = fit_logistic(design, yes[used] / units[used], units[used])
    if fit is None:
        return None
    (intercept, slope), (se_intercept, se_slope) = fit.coefficients.tolist(), fit.se.tolist()
    return LogisticSlope(intercept, slope, se_intercept, se_slope, float(np.exp(slope)))
