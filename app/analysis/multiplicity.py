"""Adjusted p-values: Holm for families of tests, Benjamini-Hochberg for what is exploratory."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from app.analysis.arrays import Floats, floats


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down p-values, which control the chance of any false finding.

    Sorted ascending, max over i ≤ j of (m-i+1) p₍ᵢ₎, at most 1; in the order given.

    Parameters
    ----------
    p
        Shape (m,), in [0, 1]; m = 0 gives an empty array.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6:65-70.
    """
    given = floats("p", p, 0, 1)
    order = np.argsort(given, kind="stable")
    adjusted = np.empty_like(given)
    steps = given[order] * np.arange(len(given), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


Name = TypeVar("Name", bound=Hashable)


def holm_of(p: Mapping[Name, float | None]) -> dict[Name, float]:
    """Holm's p-values of a family of named tests, such as levels × PMs; tests without a p are not in the family."""
    given = {name: value for name, value in p.items() if value is not None}
    return dict(zip(given, holm(list(given.values())).tolist(), strict=True))


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Benjamini and Hochberg's p-values, which control the share of false findings among findings.

    Sorted ascending, min over i ≥ j of m p₍ᵢ₎ / i, at most 1; in the order given. Shapes as for `holm`.

    References
    ----------
    Benjamini & Hochberg 1995, Journal of the Royal Statistical Society B 57:289-300.
    """
    given = floats("p", p, 0, 1)
    order = np.argsort(given, kind="stable")[::-1]
    adjusted = np.empty_like(given)
    steps = given[order] * len(given) / np.arange(len(given), 0, -1)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps), 1)
    return adjusted
