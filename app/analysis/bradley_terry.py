"""Bradley-Terry strengths, for more than two responses to a misconception. For one pair it is the logit of the rate."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csgraph

from app.analysis.arrays import Floats, ValueOutOfRange

_STEPS = 200
_DONE = 1e-12


def bradley_terry(wins: ArrayLike) -> Floats | None:
    """Strengths a with P(i beats j) = σ(a_i - a_j), by maximum likelihood (Newton), the last item at 0.

    Parameters
    ----------
    wins
        How often i was preferred to j, shape (m, m), at least 0; the diagonal is not used.

    Returns
    -------
    array of shape (m,), or None
        In logits. None where not every item is linked to every other by wins, both ways: then there is no maximum.

    References
    ----------
    Bradley & Terry 1952; Ford 1957; Agresti, Categorical Data Analysis, 10.6.
    """
    won = np.array(wins, dtype=np.float64)
    if won.ndim != 2 or won.shape[0] != won.shape[1] or not (np.isfinite(won) & (won >= 0)).all():
        raise ValueOutOfRange("wins must be a square table of numbers that are at least 0")
    np.fill_diagonal(won, 0)
    if not len(won):
        return np.empty(0)
    n_parts, _ = csgraph.connected_components(won, connection="strong")
    return None if n_parts > 1 else _maximum(won)


def _maximum(won: Floats) -> Floats | None:
    games, total = won + won.T, won.sum(axis=1)
    strength = np.zeros(len(won))
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(np.subtract.outer(strength, strength), -700, 700)))
        score = total - (games * chance).sum(axis=1)
        weight = games * chance * (1 - chance)
        information = np.diag(weight.sum(axis=1)) - weight
        step = np.zeros(len(won))
        step[:-1] = np.linalg.solve(information[:-1, :-1], score[:-1])
        strength = strength + step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < _DONE * (1 + np.abs(strength).max()):
            return strength
    return None
