"""Whether two things of dataclasses, arrays and plain values are exactly the same; nan is the same as nan."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def differences(one: Any, two: Any, where: str = "") -> Iterator[str]:
    """Name every place where they differ."""
    if type(one) is not type(two):
        yield f"{where}: {type(one).__name__} and {type(two).__name__}"
    elif isinstance(one, np.ndarray):
        if one.dtype != two.dtype or not np.array_equal(one, two, equal_nan=one.dtype.kind == "f"):
            yield f"{where}: {one} and {two}"
    elif (parts := _parts(one)) is not None:
        others = _parts(two)
        if others is None or list(parts) != list(others):
            yield f"{where}: {list(parts)} and {list(others or ())}"
        else:
            for name in parts:
                yield from differences(parts[name], others[name], f"{where}.{name}")
    elif one != two and not (one != one and two != two):  # noqa: PLR0124 - nan
        yield f"{where}: {one!r} and {two!r}"


def _parts(value: Any) -> dict[Any, Any] | None:
    """Return what something is made of, by name; None of what has no parts."""
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return dict(enumerate(value)) if isinstance(value, tuple | list) else None
