"""Numbers of the progress page in words."""

from datetime import timedelta
from typing import NamedTuple

_MINUTES_UNTIL_HOURS = 90
_HOURS_UNTIL_DAYS = 48
_DAYS_UNTIL_WEEKS = 60


class Slots(NamedTuple):
    """How many slots there are in all, filled, and held now."""

    total: int
    filled: int
    held: int


def counted(n: int, one: str, many: str) -> str:
    """Return a number with what it counts."""
    return f"{n:,} {one if n == 1 else many}"


def percent(part: int, whole: int) -> str:
    """Return a share in percent; what is there and rounds to nothing is said to be below 1."""
    if not whole or not part:
        return "0"
    share = 100 * part / whole
    return "<1" if share < 0.5 else f"{share:.0f}" if part == whole else f"{min(share, 99):.0f}"


def time_span(length: timedelta) -> str:
    """Return a length of time as roughly as it is known."""
    hours = length / timedelta(hours=1)
    if hours * 60 < _MINUTES_UNTIL_HOURS:
        return counted(max(1, round(hours * 60)), "minute", "minutes")
    if hours < _HOURS_UNTIL_DAYS:
        return counted(round(hours), "hour", "hours")
    if hours / 24 < _DAYS_UNTIL_WEEKS:
        return counted(round(hours / 24), "day", "days")
    return counted(round(hours / 24 / 7), "week", "weeks")
