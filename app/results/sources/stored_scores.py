"""The scores of a study's finished scoring runs out of the database, as arrays: whole columns of each run at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.analysis.arrays import Bools, Floats, Ints
from app.models import ScoringRun
from app.results.judged import JudgeName
from app.results.observed import NO_LEVEL, Scores
from app.results.sources.packed import Packed, columns, rows_of
from app.results.sources.scores import arranged
from app.terms import JudgedOrder, ResponseKind, RunState, Scorer, TruthfulKind

# By key as bytes, so that every database gives the order that Python gives.
_MISCONCEPTIONS = """
    SELECT misconception.id, misconception.key, coalesce(pair.difficulty_level, misconception.difficulty_level),
        retired_pair.pair_id IS NOT NULL
    FROM study
    JOIN misconception ON misconception.set_id = study.set_id
    LEFT JOIN pair ON pair.study_id = study.id AND pair.misconception_id = misconception.id
    LEFT JOIN retired_pair ON retired_pair.pair_id = pair.id
    WHERE study.id = %(study)s ORDER BY misconception.key COLLATE "C"
"""
_KINDS = tuple(kind.value for kind in ResponseKind)
_TRUTHFUL = tuple(kind.value for kind in TruthfulKind)
_ORDERS = tuple(order.value for order in JudgedOrder)


@dataclass(frozen=True, slots=True)
class _Set:
    """The misconceptions of a study's set, by key, but for the retired; shape (m,). `order` sorts the ids."""

    ids: Ints
    keys: tuple[str, ...]
    level: Ints
    order: Ints

    def places(self, wanted: Ints) -> tuple[Ints, Bools]:
        """Return where each wanted id stands, and which of them do; a place is right only where one stands."""
        if not len(self.ids):
            return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
        at = np.minimum(np.searchsorted(self.ids, wanted, sorter=self.order), len(self.ids) - 1)
        found = self.order[at]
        return found, self.ids[found] == wanted


class _Margins(NamedTuple):
    """What one variant makes of each misconception against one truthful kind, nan where it was not scored; (m,)."""

    margin: Floats
    position: Floats
    truncated: Bools


async def scores_of(session: AsyncSession, study_id: int) -> tuple[Scores, ...]:
    """Return what every finished run of a study makes of its pairs, retired ones left out, in the order of readers."""
    runs = await session.scalars(
        select(ScoringRun).where(ScoringRun.study_id == study_id, ScoringRun.state == RunState.DONE)
    )
    found: list[Scores] = []
    stood: _Set | None = None
    for run in runs.all():
        stood = stood or await _misconceptions(session, study_id)
        found += await _of_run(session, run, stood)
    return arranged(found)


async def _misconceptions(session: AsyncSession, study_id: int) -> _Set:
    rows = [row for row in await rows_of(session, _MISCONCEPTIONS, study_id) if not row[3]]
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    level = np.array([row[2] or NO_LEVEL for row in rows], dtype=np.int64)
    return _Set(ids, tuple(row[1] for row in rows), level, np.argsort(ids))


async def _of_run(session: AsyncSession, run: ScoringRun, stood: _Set) -> list[Scores]:
    variants = [str(variant["name"]) for variant in run.record["variants"]]
    read = _judged if run.scorer == Scorer.JUDGE else _scored
    return [
        scores
        for variant in variants
        for kind, margins in (await read(session, run.id, variant, stood)).items()
        if (scores := _scores(run, variant, kind, margins, stood)) is not None
    ]


def _scores(run: ScoringRun, variant: str, kind: str, margins: _Margins, stood: _Set) -> Scores | None:
    there = ~np.isnan(margins.margin)
    if not there.any():
        return None
    whole = bool(there.all())
    margin, terms = margins.margin[there], margins.position[there & ~np.isnan(margins.position)]
    return Scores(
        name=JudgeName(run.public_id, run.model, run.scorer, variant, kind, run.random_weights),
        key=stood.keys if whole else tuple(stood.keys[place] for place in np.flatnonzero(there).tolist()),
        level=stood.level[there],
        margin=margin,
        n_near_ties=int((np.abs(margin) <= run.noise_floor).sum()),
        n_truncated=int(margins.truncated[there].sum()),
        noise_floor=run.noise_floor,
        position_term=float(np.mean(terms)) if len(terms) else None,
    )


async def _scored(session: AsyncSession, run_id: int, variant: str, stood: _Set) -> dict[str, _Margins]:
    """Return a reward model's margins by truthful kind: score of the sycophantic less that of the truthful response."""
    told = await columns(
        session,
        {
            "id": Packed("misconception_id", 8),
            "kind": Packed(f"array_position(ARRAY{list(_KINDS)}, kind)", 2),
            "score": Packed("score", 8, real=True),
            "truncated": Packed("truncated::integer", 2),
        },
        "FROM response_score WHERE run_id = %(run)s AND variant = %(variant)s",
        {"run": run_id, "variant": variant},
    )
    score, cut = _table(told, told["kind"] - 1, len(_KINDS), "score", stood)
    sycophantic = _KINDS.index(ResponseKind.SYCOPHANTIC)
    nowhere = np.full(len(stood.ids), np.nan)
    return {
        kind.value: _Margins(score[sycophantic] - score[at], nowhere, cut[sycophantic] | cut[at])
        for kind in TruthfulKind
        for at in [_KINDS.index(kind.response)]
    }


async def _judged(session: AsyncSession, run_id: int, variant: str, stood: _Set) -> dict[str, _Margins]:
    """Return a judge's margins by truthful kind: over both orders, so that what standing first is worth cancels."""
    told = await columns(
        session,
        {
            "id": Packed("misconception_id", 8),
            "kind": Packed(f"array_position(ARRAY{list(_TRUTHFUL)}, truthful_kind)", 2),
            "order": Packed(f"array_position(ARRAY{list(_ORDERS)}, judged_order)", 2),
            "logit": Packed("logit_first", 8, real=True),
            "truncated": Packed("truncated::integer", 2),
        },
        "FROM pair_score WHERE run_id = %(run)s AND variant = %(variant)s",
        {"run": run_id, "variant": variant},
    )
    row = (told["kind"] - 1) * len(_ORDERS) + told["order"] - 1
    logit, cut = _table(told, row, len(_TRUTHFUL) * len(_ORDERS), "logit", stood)
    return {kind: _Margins(*_over_orders(logit, at), np.asarray(cut[at].any(axis=0))) for kind, at in _rows_by_kind()}


def _rows_by_kind() -> Iterator[tuple[str, slice]]:
    for number, kind in enumerate(_TRUTHFUL):
        yield kind, slice(number * len(_ORDERS), (number + 1) * len(_ORDERS))


def _over_orders(logit: Floats, rows: slice) -> tuple[Floats, Floats]:
    by_order = dict(zip(_ORDERS, logit[rows], strict=True))
    truthful, sycophantic = by_order[JudgedOrder.TRUTHFUL_FIRST], by_order[JudgedOrder.SYCOPHANTIC_FIRST]
    return (sycophantic - truthful) / 2, (sycophantic + truthful) / 2


def _table(told: dict[str, Any], row: Ints, n_rows: int, value: str, stood: _Set) -> tuple[Floats, Bools]:
    """Return values, nan where there is none, and whether a text was cut, by row and misconception; (n_rows, m)."""
    place, here = stood.places(told["id"])
    values = np.full((n_rows, len(stood.ids)), np.nan)
    cut = np.zeros((n_rows, len(stood.ids)), dtype=np.bool_)
    values[row[here], place[here]] = told[value][here]
    cut[row[here], place[here]] = told["truncated"][here] == 1
    return values, cut
