"""How far a run is, told to whoever shows it: a terminal, a page, or nobody."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What one finished shard adds: rows in all, of them those that were there already, and what was computed now."""

    rows: int
    kept: int = 0
    tokens: int = 0
    seconds: float = 0.0
    note: str = ""


Progress = Callable[[Step], None]


def silent(_step: Step) -> None:
    """Tell nobody."""
