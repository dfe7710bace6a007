"""What a scoring run has not scored: counted over the study's pairs, and named."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import ScoringRun, Study
from app.study.scoring_pairs import PAIRS_SCORED, n_pairs
from app.terms import JudgedOrder, ResponseKind, Scorer, TruthfulKind


class ScoresIncomplete(CandorError):
    """A run is not whole: no truthful kind is scored over all of the study's pairs."""


class Gap(NamedTuple):
    """How many pairs lack a part of a run (a response, or a pair in an order), and the key of the first."""

    n: int
    first: str


_ROWS = {
    False: "response_score.kind = part.name",
    True: "pair_score.truthful_kind || ' ' || pair_score.judged_order = part.name",
}


def _gaps(*, judge: bool) -> str:
    table = "pair_score" if judge else "response_score"
    return f"""
        SELECT part.name, count(*), min(misconception.key COLLATE "C")
        FROM {PAIRS_SCORED}
        CROSS JOIN unnest(CAST(:parts AS text[])) AS part (name)
        LEFT JOIN {table} ON {table}.run_id = :run AND {table}.variant = :variant
          AND {table}.misconception_id = misconception.id AND {_ROWS[judge]}
        WHERE misconception.set_id = :set AND retired_pair.pair_id IS NULL AND {table}.run_id IS NULL
        GROUP BY part.name
    """  # noqa: S608 - of the SQL above


_GAPS = {judge: text(_gaps(judge=judge)) for judge in (False, True)}


def _parts(kind: TruthfulKind, *, judge: bool) -> tuple[str, str]:
    """Return the two parts that make a pair whole with this truthful kind."""
    if judge:
        return f"{kind} {JudgedOrder.TRUTHFUL_FIRST}", f"{kind} {JudgedOrder.SYCOPHANTIC_FIRST}"
    return str(kind.response), str(ResponseKind.SYCOPHANTIC)


async def refuse_incomplete(session: AsyncSession, run: ScoringRun, study: Study, variants: list[str]) -> None:
    """Refuse a run unless each variant has at least one truthful kind scored over all of the study's pairs.

    Raises
    ------
    ScoresIncomplete
        Saying of which variant, what is missing, of how many pairs, and of which first.
    """
    judge = run.scorer == Scorer.JUDGE
    wanted = {kind: _parts(kind, judge=judge) for kind in TruthfulKind}
    parts = sorted({part for both in wanted.values() for part in both})
    all_pairs = await n_pairs(session, study)
    for variant in variants:
        values = {"run": run.id, "variant": variant, "study": study.id, "set": study.set_id, "parts": parts}
        gaps = {name: Gap(n, first) for name, n, first in await session.execute(_GAPS[judge], values)}
        if any(gaps.keys().isdisjoint(both) for both in wanted.values()):
            continue
        told = "; ".join(f"{name} of {gap.n} (the first is {gap.first!r})" for name, gap in sorted(gaps.items()))
        raise ScoresIncomplete(
            f"variant {variant!r} is not whole; of the study's {all_pairs} pairs it lacks {told}. "
            f"One truthful kind must be scored over all pairs, {'in both orders' if judge else 'beside sycophantic'}"
        )
