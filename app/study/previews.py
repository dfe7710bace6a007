"""Previews: a study to look at and walk, of which nothing counts and nothing stays.

A preview goes, with all that was done in it, when who opened it opens another, or once it is a day old and anybody
opens one. What was made of one on purpose (a score, a fit, an amendment) keeps it.
"""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.errors import CandorError
from app.models import (
    Amendment,
    Arm,
    ArmVacancy,
    Assignment,
    Choice,
    Claim,
    Event,
    Misconception,
    Pair,
    Participation,
    ResultLink,
    RetiredPair,
    ScoringRun,
    Slot,
    StoredFit,
    Study,
    Vacancy,
)
from app.study import copies, studies
from app.study.designs import MOST_RATINGS
from app.terms import Platform, Purpose

_PEOPLE = 50


class PreviewKeepsNothing(CandorError):
    """Data were asked for of a preview."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"study {slug!r} is a preview: nothing in it counts, so nothing of it is exported; "
            "start a pilot to rehearse with data"
        )


def refuse_preview(study: Study) -> None:
    """Refuse to give out the data of a preview.

    Raises
    ------
    PreviewKeepsNothing
    """
    if study.purpose == Purpose.PREVIEW:
        raise PreviewKeepsNothing(study.slug)


async def preview(session: AsyncSession, slug: str, account_id: int | None = None) -> Study:
    """Open a preview: anybody who has its address walks the study as an annotator would, and counts nothing.

    It has places for fifty walks, however large the set is. Those that this account opened before are removed.
    """
    await copies.refuse_copy(session, await studies.get_study(session, slug))
    await remove_old(session, account_id)
    original = await studies.get_study(session, slug, lock=True)  # As it is, and whose it is: it may be just changing.
    n_pairs = await session.scalar(select(func.count()).where(Misconception.set_id == original.set_id)) or 1
    enough = min(MOST_RATINGS, -(-_PEOPLE * original.pairs_per_annotator // n_pairs))
    options = original.options | {"signed_links": False}
    walked: dict[str, Any] = {"platform": Platform.OPEN, "synthetic": False, "options": options, "entry_holds": None}
    walked |= {"ratings_per_pair": enough, "slug": f"preview-{secrets.token_hex(6)}"}
    return await copies.open_copy(session, original, Purpose.PREVIEW, walked, account_id)


async def remove_old(session: AsyncSession, account_id: int | None = None) -> int:
    """Remove the previews that are a day old, and those that an account opened; return how many.

    One in which somebody is just doing something is left for the next time: so nobody waits for anybody.
    """
    old = list(await session.scalars(_old(account_id)))
    return sum([await _remove(session, study_id) for study_id in old])


def _old(account_id: int | None) -> Select[int]:
    gone_by = Study.opened_at < func.now() - timedelta(days=1)
    if account_id is not None:
        opened = select(Event.detail["copy"].astext).where(
            Event.account_id == account_id, Event.kind == "preview_opened", Event.participation_id.is_(None)
        )
        gone_by = or_(gone_by, Study.slug.in_(opened))
    return select(Study.id).where(Study.purpose == Purpose.PREVIEW, gone_by, ~_kept()).order_by(Study.id)


def _kept() -> ColumnElement[bool]:
    """Whether something was made of a study that is to stay."""
    copy = aliased(Study)
    made = (ScoringRun, StoredFit, Amendment, RetiredPair)
    return or_(
        exists().where(copy.copy_of_id == Study.id), *(exists().where(table.study_id == Study.id) for table in made)
    )


async def _remove(session: AsyncSession, study_id: int) -> bool:
    """Remove a preview, unless somebody is in it just now; then let go of it again."""
    async with session.begin_nested() as attempt:
        if not await _have(session, study_id):
            await attempt.rollback()
            return False
        for statement in _removals(study_id):
            await session.execute(statement, execution_options={"synchronize_session": False})
    return True


async def _have(session: AsyncSession, study_id: int) -> bool:
    """Lock all of a study: its people first, as everywhere, and then the study itself, so that nobody else can come.

    Say whether that could be done without waiting, and nobody came, and nothing was made of it, before the lock held.
    """
    people = select(Participation.id).filter_by(study_id=study_id)
    locked = await session.scalars(people.order_by(Participation.id).with_for_update(skip_locked=True))
    n_locked = len(locked.all())
    study = select(Study.id).filter_by(id=study_id)
    if await session.scalar(study.with_for_update(skip_locked=True)) is None:
        return False
    n_people = select(func.count()).select_from(people.subquery()).scalar_subquery()
    return await session.scalar(study.where(n_people == n_locked, ~_kept())) is not None


def _removals(study_id: int) -> Iterator[Delete]:
    """Yield what deletes a study with all that hangs on it, in the order of the references."""
    people, pairs, arms = [select(table.id).filter_by(study_id=study_id) for table in (Participation, Pair, Arm)]
    yield delete(Choice).where(Choice.participation_id.in_(people))
    yield delete(Assignment).where(Assignment.participation_id.in_(people))
    yield delete(Claim).filter_by(study_id=study_id)
    yield delete(Vacancy).where(Vacancy.pair_id.in_(pairs))
    yield delete(ArmVacancy).where(ArmVacancy.arm_id.in_(arms))
    yield delete(Slot).where(Slot.pair_id.in_(pairs))
    yield delete(Pair).filter_by(study_id=study_id)
    yield delete(Participation).filter_by(study_id=study_id)
    done_in_it = or_(Event.participation_id.is_not(None), Event.kind == "declined")
    yield delete(Event).where(Event.study_id == study_id, done_in_it)
    yield delete(ResultLink).filter_by(study_id=study_id)
    yield delete(Arm).filter_by(study_id=study_id)
    yield delete(Study).filter_by(id=study_id)
