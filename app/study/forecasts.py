"""When a study may be full, if people go on coming as they lately did: a rough guess, with how rough it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from app.study.progress import Hour

_WINDOWS = (timedelta(hours=24), timedelta(days=7))
_SHORTEST = timedelta(minutes=30)
_FEWEST = 10  # people, below which nothing is said


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long the rest would take: in the middle, at the shortest and at the longest that chance alone explains.

    `n_recent` people came within `window`, who judged `per_day` ratings a day that count.
    """

    middle: timedelta
    shortest: timedelta
    longest: timedelta
    window: timedelta
    n_recent: int
    per_day: float


def forecast(hours: Sequence[Hour], missing: int, counting: float, now: datetime) -> Forecast | None:
    """Return when the missing ratings may be there, or None where too few people came lately to say.

    `counting` is the share of judgements that fill a slot. The interval is that of a Poisson count of people.
    """
    if not hours or missing <= 0 or counting <= 0:
        return None
    for window in _WINDOWS:
        recent = [hour for hour in hours if hour.hour >= now - window]
        n = sum(hour.n for hour in recent)
        judged = counting * sum(hour.n_judged for hour in recent)
        length = min(window, now - hours[0].hour)
        if n >= _FEWEST and judged > 0 and length >= _SHORTEST:
            middle, spread = length * (missing / judged), 1.96 / sqrt(n)
            return Forecast(
                middle, middle / (1 + spread), middle / (1 - spread), length, n, judged / (length / timedelta(days=1))
            )
    return None
