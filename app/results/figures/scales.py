"""Scales: from the unit of an axis to a place in a drawing, and ticks at round numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from app.results.figures.charts import Axis, Tick

_STEPS = (1, 2, 2.5, 5, 10)
_FINEST = 1e-6
"""Values that lie closer together than this are drawn as one: ticks are rounded to the tenth digit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from [low, high] to [start, end]; what lies beyond is drawn at the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value, to a tenth."""
        if self.high == self.low:
            return round((self.start + self.end) / 2, 1)
        within = min(max(value, self.low), self.high)
        share = (within - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def round_axis(title: str, values: Iterable[float], *, unit: str = "", ends: tuple[str, str] = ("", "")) -> Axis:
    """Return an axis with about five ticks at round numbers, which holds all finite values."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    if high - low < _FINEST:
        low, high = low - 1, high + 1
    step = _step((high - low) / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(Tick(at=round(n * step, 10), text=_told(n * step, step) + unit) for n in range(first, last + 1))
    return Axis(title=title, low=ticks[0].at, high=ticks[-1].at, ticks=ticks, ends=ends)


def _step(least: float) -> float:
    size: float = 10.0 ** math.floor(math.log10(least))
    return next(size * step for step in _STEPS if size * step >= least * (1 - 1e-9))


def _told(value: float, step: float) -> str:
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if digits and round(step, digits) != round(step, digits + 1):
        digits += 1
    rounded = round(value, digits) + 0.0  # No minus zero.
    return f"{rounded:,.{digits}f}".replace("-", "−")
