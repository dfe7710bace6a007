"""Previews: a study to look at and walk, of which nothing counts and nothing stays.

A preview goes, with all that was done in it, when who opened it opens another, or once it is a day old and anybody
opens one. What was made of one on purpose (a score, a fit, an amendment) keeps it.
"""

import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Delete, Select, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.errors import CandorError
from app.models import (
    Amendment,
    Arm,
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
    await remove_old(session, account_id)
    original = await studies.get_study(session, slug)
    n_pairs = await session.scalar(select(func.count()).where(Misconception.set_id == original.set_id)) or 1
    enough = min(MOST_RATINGS, -(-_PEOPLE * original.pairs_per_annotator // n_pairs))
    options = original.options | {"signed_links": False}
    walked: dict[str, Any] = {"platform": Platform.OPEN, "synthetic": False, "options": options, "entry_holds": None}
    walked |= {"ratings_per_pair": enough, "slug": f"preview-{secrets.token_hex(6)}"}
    return await copies.open_copy(session, original, Purpose.PREVIEW, walked, account_id)


async def remove_old(session: AsyncSession, account_id: int | None = None) -> int:
    """Remove the previews that are a day old, and those that an account opened; return how many.

    One that somebody is just entering is left for the next time.
    """
    old = list(await session.scalars(_old(account_id)))
    if old:
        # People's rows are locked first, as everywhere: who is just judging there is waited for.
        await session.execute(_people(old).order_by(Participation.id).with_for_update())
        for statement in _removals(old):
            await session.execute(statement, execution_options={"synchronize_session": False})
    return len(old)


def _old(account_id: int | None) -> Select[int]:
    gone_by = Study.opened_at < func.now() - timedelta(days=1)
    if account_id is not None:
        opened = select(Event.detail["copy"].astext).where(
            Event.account_id == account_id, Event.kind == "preview_opened", Event.participation_id.is_(None)
        )
        gone_by = or_(gone_by, Study.slug.in_(opened))
    copy = aliased(Study)
    kept = [exists().where(made.study_id == Study.id) for made in (ScoringRun, StoredFit, Amendment, RetiredPair)]
    return (
        select(Study.id)
        .where(Study.purpose == Purpose.PREVIEW, gone_by)
        .where(~or_(*kept, exists().where(copy.copy_of_id == Study.id)))
        .order_by(Study.id)
        .with_for_update(of=Study, skip_locked=True)
    )


def _people(old: Sequence[int]) -> Select[int]:
    return select(Participation.id).where(Participation.study_id.in_(old))


def _removals(old: Sequence[int]) -> Iterator[Delete]:
    """Yield what deletes studies with all that hangs on them, in the order of the references."""
    people, pairs = _people(old), select(Pair.id).where(Pair.study_id.in_(old))
    yield delete(Choice).where(Choice.participation_id.in_(people))
    yield delete(Assignment).where(Assignment.participation_id.in_(people))
    yield delete(Claim).where(Claim.study_id.in_(old))
    yield delete(Vacancy).where(Vacancy.pair_id.in_(pairs))
    yield delete(Slot).where(Slot.pair_id.in_(pairs))
    yield delete(Pair).where(Pair.study_id.in_(old))
    yield delete(Participation).where(Participation.study_id.in_(old))
    done_in_it = or_(Event.participation_id.is_not(None), Event.kind == "declined")
    yield delete(Event).where(Event.study_id.in_(old), done_in_it)
    yield delete(ResultLink).where(ResultLink.study_id.in_(old))
    yield delete(Arm).where(Arm.study_id.in_(old))
    yield delete(Study).where(Study.id.in_(old))
