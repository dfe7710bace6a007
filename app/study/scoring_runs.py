"""Storing scoring runs: begun, told of while they run, stored row by row, and then whole or failed.

A run is known by its public id, so that one that was cut off goes on where it was, and none is stored twice.
"""

import json
import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import ScoringRun, Study
from app.study import events
from app.study.score_rows import Fitting, table_of
from app.study.scoring_gaps import refuse_incomplete
from app.study.scoring_pairs import n_pairs, pair_hashes, scored_study
from app.study.scoring_records import RecordFaulty, RunRecord, checked_record
from app.terms import RunState, Scorer

BATCH = 1_000
_LONGEST_FAULT = 2_000


class RunUnknown(CandorError):
    """There is no such scoring run."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"there is no scoring run {run_id}")


class RunStoredAlready(CandorError):
    """The run is there and done. Nothing was changed."""

    def __init__(self, public_id: str, slug: str) -> None:
        self.run, self.study = public_id, slug
        super().__init__(f"the scoring run {public_id} is stored already, in study {slug!r}; nothing was changed")


class RunElsewhere(CandorError):
    """The run is another study's, so this one cannot have it."""

    def __init__(self, public_id: str, slug: str) -> None:
        super().__init__(f"the scoring run {public_id} is stored already, in study {slug!r}; nothing was changed")


async def begin(
    session: AsyncSession, study_slug: str, record: Mapping[str, Any], account_id: int | None = None
) -> ScoringRun:
    """Return a run that is to be stored: a new one, or one of the same id that is not done yet.

    Raises
    ------
    RecordFaulty
        When the record lacks something.
    RunStoredAlready
        When the run is done.
    RunElsewhere
        When it belongs to another study.
    """
    study = await scored_study(session, study_slug)
    checked = checked_record(storable(record))
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('run:' || :id))"), {"id": checked.id})
    run = await session.scalar(
        select(ScoringRun).filter_by(public_id=checked.id).execution_options(populate_existing=True)
    )
    if run is None:
        run = ScoringRun(study_id=study.id, public_id=checked.id, account_id=account_id)
        run.n_all = await n_pairs(session, study)
        session.add(run)
    elif run.study_id != study.id:
        raise RunElsewhere(checked.id, await _slug(session, run))
    elif run.state == RunState.DONE:
        raise RunStoredAlready(checked.id, await _slug(session, run))
    elif run.scorer != checked.scorer:
        raise RecordFaulty(f"the run record, field scorer: the run {checked.id} was begun as {run.scorer!r}")
    _take(run, checked, record)
    run.state, run.fault = RunState.RUNNING, None
    run.told_at = func.now()
    await session.flush()
    await session.refresh(run)
    return run


async def told(
    session: AsyncSession, run_id: int, n_done: int, n_all: int, tokens_per_second: float | None = None
) -> None:
    """Say how far a run is: `n_done` of `n_all` items, and how many tokens a second it computes."""
    await session.execute(
        update(ScoringRun)
        .where(ScoringRun.id == run_id, ScoringRun.state == RunState.RUNNING)
        .values(n_done=n_done, n_all=n_all, tokens_per_second=tokens_per_second, told_at=func.now())
    )


async def store(session: AsyncSession, run_id: int, rows: Iterable[Mapping[str, Any]]) -> int:
    """Store rows of a score file in a run; one that is there already stays as it is. Return how many were given.

    Raises
    ------
    RowUnfit
        When a row does not fit the study's texts.
    """
    run = await _unfinished(session, run_id)
    study = await _study(session, run)
    fitting = Fitting(RunRecord.model_validate(run.record), await pair_hashes(session, study))
    rest, n = fitting.fit_all(rows), 0
    while batch := list(islice(rest, BATCH)):
        n += await insert_rows(session, run, batch)
    return n


async def insert_rows(session: AsyncSession, run: ScoringRun, values: list[dict[str, Any]]) -> int:
    """Store rows that were fitted; return how many were given."""
    statement = insert(table_of(Scorer(run.scorer))).on_conflict_do_nothing()
    await session.execute(statement, [{"run_id": run.id} | row for row in values])
    return len(values)


async def finish(session: AsyncSession, run_id: int, record: Mapping[str, Any], kind: str = "scores_stored") -> None:
    """Take a run for whole, with its final record. It never changes after. `kind` is what the event is called.

    Raises
    ------
    ScoresIncomplete
        When scores are missing.
    RecordFaulty
        When the record lacks something, or is another run's.
    """
    run = await _unfinished(session, run_id)
    checked = checked_record(storable(record))
    if (checked.id, checked.scorer) != (run.public_id, run.scorer):
        raise RecordFaulty(f"the run record, field id: it is of another run than {run.public_id}")
    study = await _study(session, run)
    await refuse_incomplete(session, run, study, [variant.name for variant in checked.variants])
    _take(run, checked, record)
    run.state = RunState.DONE
    run.n_done = run.n_all
    run.finished_at = checked.finished_at or func.now()
    run.told_at = func.now()
    await session.flush()
    await session.refresh(run)
    await events.record(
        session, kind, study_id=run.study_id, account_id=run.account_id, run=run.public_id, model=run.model
    )


async def fail(session: AsyncSession, run_id: int, why: str) -> None:
    """Say that a run ended before it was whole, and why. What it stored is kept, so that it can go on."""
    run = await _unfinished(session, run_id)
    run.state, run.fault = RunState.FAILED, why.replace("\x00", "")[:_LONGEST_FAULT]
    run.told_at = func.now()
    await session.flush()
    await session.refresh(run)
    await events.record(session, "scoring_failed", study_id=run.study_id, run=run.public_id, model=run.model)


def storable(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record that Postgres can hold.

    Raises
    ------
    RecordFaulty
        When it holds a number that is not finite or beyond what a float holds, half a character, or U+0000.
    """
    try:
        written = json.dumps(record, allow_nan=False, ensure_ascii=False)
        written.encode()
        json.loads(written, parse_int=_within)
    except (ValueError, TypeError) as error:
        raise RecordFaulty(f"the run record cannot be written as JSON: {error}") from None
    if "\\u0000" in written:
        raise RecordFaulty("the run record holds the character U+0000, which cannot be stored")
    return dict(record)


def _within(digits: str) -> float:
    """Refuse a whole number that no float holds: pages divide and round what a record says."""
    if math.isinf(float(digits)):
        raise ValueError("a whole number is too large")
    return float(digits)


def _take(run: ScoringRun, checked: RunRecord, record: Mapping[str, Any]) -> None:
    run.scorer, run.model, run.model_revision = checked.scorer.value, checked.model, checked.model_revision
    run.random_weights, run.noise_floor = checked.random_weights, checked.noise_floor
    run.record = dict(record)
    if checked.started_at is not None:
        run.started_at = checked.started_at


async def _unfinished(session: AsyncSession, run_id: int) -> ScoringRun:
    run = await session.scalar(
        select(ScoringRun).filter_by(id=run_id).with_for_update().execution_options(populate_existing=True)
    )
    if run is None:
        raise RunUnknown(run_id)
    if run.state == RunState.DONE:
        raise RunStoredAlready(run.public_id, await _slug(session, run))
    return run


async def _study(session: AsyncSession, run: ScoringRun) -> Study:
    return await scored_study(session, await _slug(session, run))


async def _slug(session: AsyncSession, run: ScoringRun) -> str:
    return str(await session.scalar(select(Study.slug).filter_by(id=run.study_id)))
