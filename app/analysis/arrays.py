"""Checked arrays: what comes in is turned into one type, or refused with a fact."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.errors import CandorError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class LengthsDiffer(CandorError):
    """Arrays that describe the same things do not have the same length."""


class ValueOutOfRange(CandorError):
    """A value is not one that the quantity can take."""


class ColumnMissing(CandorError):
    """An analysis needs a column that was not given."""


def floats(
    name: str,
    values: ArrayLike,
    low: float = -np.inf,
    high: float = np.inf,
    *,
    missing: bool = False,
) -> Floats:
    """Return a one-dimensional float array within [low, high], finite but for nan where `missing` allows it."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueOutOfRange(f"{name} must be numbers") from None
    if array.ndim != 1:
        raise ValueOutOfRange(f"{name} must be one-dimensional, not {array.ndim}-dimensional")
    absent = np.isnan(array)
    if absent.any() and not missing:
        raise ValueOutOfRange(f"{name} is missing at index {int(absent.argmax())}")
    wrong = ~absent & ~(np.isfinite(array) & (array >= low) & (array <= high))
    if wrong.any():
        index = int(wrong.argmax())
        raise ValueOutOfRange(f"{name} is {array[index]:g} at index {index}; it must {_range(low, high)}")
    return array


def _range(low: float, high: float) -> str:
    if np.isfinite(low) and np.isfinite(high):
        return f"lie between {low:g} and {high:g}"
    if np.isfinite(low):
        return f"be finite and at least {low:g}"
    return "be finite" if np.isinf(high) else f"be finite and at most {high:g}"


def whole(name: str, values: ArrayLike, low: float = -np.inf, high: float = np.inf) -> Ints:
    """Return a one-dimensional array of whole numbers within [low, high]."""
    given = np.asarray(values)
    if given.ndim == 1 and given.dtype.kind in "iub" and given.size:
        array = given.astype(np.int64, copy=False)
        if array.min() >= low and array.max() <= high:
            return array
    numbers = floats(name, values, low, high)
    wrong = numbers != np.rint(numbers)
    if wrong.any():
        index = int(wrong.argmax())
        raise ValueOutOfRange(f"{name} is {numbers[index]:g} at index {index}; it must be a whole number")
    return numbers.astype(np.int64)


def flags(name: str, values: ArrayLike) -> Bools:
    """Return a one-dimensional boolean array; 0 and 1 are taken as such."""
    given = np.asarray(values)
    if given.ndim == 1 and given.dtype.kind == "b":
        return given
    return whole(name, values, 0, 1).astype(np.bool_)


def same_length(arrays: Mapping[str, NDArray[Any]]) -> int:
    """Return the one length that these arrays have."""
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise LengthsDiffer("lengths differ: " + ", ".join(f"{name} has {size}" for name, size in sizes.items()))
    return next(iter(sizes.values()), 0)


def dense(codes: Ints) -> tuple[Ints, Ints]:
    """Return the distinct codes in order, and for each code its place among them (0 … G-1)."""
    if codes.size and codes.min() >= 0 and codes.max() < 4 * codes.size:
        present = np.bincount(codes) > 0  # Counting is faster than sorting, and codes are mostly small.
        return np.flatnonzero(present).astype(np.int64), (np.cumsum(present) - 1)[codes]
    distinct, places = np.unique(codes, return_inverse=True)
    return distinct, places.astype(np.int64, copy=False)


def inner(first: Floats, second: Floats) -> float:
    """Return Σ first second, on one core: what is summed here is too little to be worth waking others for."""
    return float(np.einsum("i,i->", first, second))


def totals(groups: Ints, values: ArrayLike, n_groups: int) -> Floats:
    """Sum values by group code 0 … n_groups-1."""
    sums = np.bincount(groups, weights=np.asarray(values, dtype=np.float64), minlength=n_groups)
    return sums.astype(np.float64, copy=False)
