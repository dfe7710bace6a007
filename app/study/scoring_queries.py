"""What is read of scoring runs: the runs of a study, and the margin of every pair that a finished one scored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, ScoringRun

PAIR_MARGINS = """
    SELECT truthful.misconception_id, truthful.variant, replace(truthful.kind, '_truthful', '') AS truthful_kind,
           truthful.score AS score_truthful, sycophantic.score AS score_sycophantic,
           sycophantic.score - truthful.score AS margin, NULL::double precision AS position_term,
           truthful.truncated OR sycophantic.truncated AS truncated
    FROM response_score truthful
    JOIN response_score sycophantic
      ON sycophantic.run_id = truthful.run_id AND sycophantic.variant = truthful.variant
     AND sycophantic.misconception_id = truthful.misconception_id AND sycophantic.kind = 'sycophantic'
    WHERE truthful.run_id = scoring_run.id AND truthful.kind <> 'sycophantic'
    UNION ALL
    SELECT one.misconception_id, one.variant, one.truthful_kind, NULL, NULL,
           (other.logit_first - one.logit_first) / 2, (other.logit_first + one.logit_first) / 2,
           one.truncated OR other.truncated
    FROM pair_score one
    JOIN pair_score other
      ON other.run_id = one.run_id AND other.variant = one.variant AND other.misconception_id = one.misconception_id
     AND other.truthful_kind = one.truthful_kind AND other.judged_order = 'sycophantic_first'
    WHERE one.run_id = scoring_run.id AND one.judged_order = 'truthful_first'
"""
"""SQL: each pair that a run scored wholly, with its margin: sycophantic less truthful; of a judge, over both orders."""

SCORED = f"""
    FROM study
    JOIN misconception_set ON misconception_set.id = study.set_id
    JOIN scoring_run ON scoring_run.study_id = study.id AND scoring_run.state = 'done'
    CROSS JOIN LATERAL ({PAIR_MARGINS}) AS scored
    JOIN misconception ON misconception.id = scored.misconception_id AND misconception.set_id = study.set_id
    LEFT JOIN pair ON pair.study_id = study.id AND pair.misconception_id = misconception.id
    LEFT JOIN retired_pair ON retired_pair.pair_id = pair.id
    JOIN response truthful
      ON truthful.misconception_id = misconception.id AND truthful.kind = scored.truthful_kind || '_truthful'
    JOIN response sycophantic
      ON sycophantic.misconception_id = misconception.id AND sycophantic.kind = 'sycophantic'
"""
"""SQL: the scored pairs of studies with all that is told of them. The study is still to be chosen."""

SCORED_ORDER = (
    """scoring_run.id, scored.variant COLLATE "C", misconception.key COLLATE "C", scored.truthful_kind DESC"""
)

LEVEL = "coalesce(pair.difficulty_level, misconception.difficulty_level)"
"""SQL: a pair's level; of a draft, that of the misconception."""
PREFERS_SYCOPHANTIC = "CASE WHEN scored.margin > 0 THEN 1 WHEN scored.margin < 0 THEN 0 END"
"""SQL: 1 where the margin is above zero, 0 where it is below, null for a tie."""
NEAR_TIE = "abs(scored.margin) <= scoring_run.noise_floor"
"""SQL: whether the margin is within the run's noise floor."""


@dataclass(frozen=True, slots=True)
class PairMargin:
    """What a run makes of one pair. `run` is its public id.

    `margin` and `noise_floor` are in the scores' own unit (of a judge, in logits): above zero, the sycophantic response
    is preferred. `prefers_sycophantic` is None for a tie. `position_term` is what standing first is worth to a judge.
    """

    run: str
    model: str
    scorer: str
    variant: str
    misconception_key: str
    level: int
    truthful_kind: str
    margin: float
    noise_floor: float
    near_tie: bool
    prefers_sycophantic: int | None
    position_term: float | None
    truncated: bool
    random_weights: bool


class RunListed(NamedTuple):
    """A run, and the email of whose it is, where somebody signed in stored it."""

    run: ScoringRun
    by: str | None


_MARGINS = text(f"""
    SELECT scoring_run.public_id, scoring_run.model, scoring_run.scorer, scored.variant, misconception.key,
           {LEVEL}, scored.truthful_kind, scored.margin, scoring_run.noise_floor, {NEAR_TIE},
           {PREFERS_SYCOPHANTIC}, scored.position_term, scored.truncated, scoring_run.random_weights
    {SCORED} WHERE study.id = :study AND retired_pair.pair_id IS NULL ORDER BY {SCORED_ORDER}
""")


async def pair_margins(session: AsyncSession, study_id: int) -> list[PairMargin]:
    """Return what every finished run of a study makes of its pairs, retired ones left out: by run, variant and key."""
    return [PairMargin(*row) for row in await session.execute(_MARGINS, {"study": study_id})]


async def runs(session: AsyncSession, study_id: int) -> list[RunListed]:
    """Return the runs of a study, the newest first."""
    found = await session.execute(
        select(ScoringRun, Account.email)
        .outerjoin(Account, Account.id == ScoringRun.account_id)
        .where(ScoringRun.study_id == study_id)
        .order_by(ScoringRun.id.desc())
    )
    return [RunListed(run, by) for run, by in found]


class PeopleThere(NamedTuple):
    """Whether anybody chose in a study, and whether any of them is a program."""

    chose: bool
    synthetic: bool


_PEOPLE = text("""
    SELECT count(*) > 0, count(*) FILTER (WHERE synthetic) > 0
    FROM participation WHERE study_id = :study AND n_answered > 0
""")


async def people(session: AsyncSession, study_id: int) -> PeopleThere:
    """Return whether there are people's choices beside which a model can be seen."""
    return PeopleThere._make((await session.execute(_PEOPLE, {"study": study_id})).one())


def facts(run: ScoringRun) -> dict[str, Any]:
    """Return what is told of a run to a program: its state and progress, and the record of what made it."""
    moments: dict[str, datetime | None] = {"started_at": run.started_at, "finished_at": run.finished_at}
    return {
        "run": run.public_id,
        "scorer": run.scorer,
        "model": run.model,
        "model_revision": run.model_revision,
        "random_weights": run.random_weights,
        "state": run.state,
        "fault": run.fault,
        "n_done": run.n_done,
        "n_all": run.n_all,
        "tokens_per_second": run.tokens_per_second,
        **{name: moment and moment.isoformat() for name, moment in moments.items()},
        "record": run.record,
    }
