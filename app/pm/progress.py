"""How far a run is, told to whoever shows it: a terminal, a page, or nobody."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What one finished shard adds: rows in all, of them those that were there already, and what was computed now.

    `within` counts sequences of shards that are not finished: a batch adds its own, and the shard takes them back when
    it is finished, so that a shard of many minutes can be seen to move.
    """

    rows: int
    kept: int = 0
    tokens: int = 0
    seconds: float = 0.0
    note: str = ""
    within: int = 0


Progress = Callable[[Step], None]


def silent(_step: Step) -> None:
    """Tell nobody."""
