"""Scores of pairs, row by row, gathered into what one PM, variant and truthful kind makes of all pairs."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from app.results.judged import STANDARD, JudgeName
from app.results.observed import NO_LEVEL, Scores

_SHORT = 8


class Scored(NamedTuple):
    """One scored pair. What is not known is None; `near_tie` and `truncated` then count as no."""

    name: JudgeName
    key: str
    level: int | None
    margin: float
    noise_floor: float | None
    near_tie: bool
    truncated: bool
    position_term: float | None


def gathered(rows: Iterable[Scored]) -> tuple[Scores, ...]:
    """Return the scores by model, run, truthful kind and variant: standard first, the others by alphabet."""
    by_name: dict[JudgeName, list[Scored]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    return arranged(_scores(name, rows) for name, rows in by_name.items())


def arranged(scores: Iterable[Scores]) -> tuple[Scores, ...]:
    """Return scores as a reader meets them; runs of one model are told apart by what they are called."""
    found = sorted(scores, key=lambda one: _order(one.name))
    runs: dict[str, set[str]] = {}
    for one in found:
        runs.setdefault(one.name.model, set()).add(one.name.run)
    return tuple(one if len(runs[one.name.model]) == 1 else replace(one, name=_with_run(one.name)) for one in found)


def _with_run(name: JudgeName) -> JudgeName:
    return replace(name, called=f"{name.model}, run {name.run[:_SHORT]}")


def _order(name: JudgeName) -> tuple[str, str, bool, str, bool, str]:
    kind, variant = name.truthful_kind, name.variant
    return name.model, name.run, kind != "helpful", kind, variant != STANDARD, variant


def _scores(name: JudgeName, rows: list[Scored]) -> Scores:
    rows = sorted(rows, key=lambda row: row.key)
    terms = [row.position_term for row in rows if row.position_term is not None]
    return Scores(
        name=name,
        key=tuple(row.key for row in rows),
        level=np.array([row.level or NO_LEVEL for row in rows], dtype=np.int64),
        margin=np.array([row.margin for row in rows], dtype=np.float64),
        n_near_ties=sum(row.near_tie for row in rows),
        n_truncated=sum(row.truncated for row in rows),
        noise_floor=rows[0].noise_floor,
        position_term=float(np.mean(terms)) if terms else None,
    )
