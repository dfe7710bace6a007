"""Fits of the crossed random-effects model, stored beside a study: what they found is told by who made them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import StoredFit
from app.study.events import record as record_event


class FitListed(NamedTuple):
    """A stored fit; `record` is what was found, `data_version` that of the study's data which were read."""

    id: int
    arm: str
    data_version: str
    record: dict[str, Any]
    made_at: datetime


async def store(
    session: AsyncSession,
    study_id: int,
    arm: str,
    data_version: str,
    found: Mapping[str, Any],
    account_id: int | None = None,
) -> int:
    """Store a fit of one arm and return its number. Earlier ones stay and are shown no more.

    That it was stored is an event, so the version of the study's data changes: pages are made anew.
    """
    stored: int | None = await session.scalar(
        insert(StoredFit)
        .values(study_id=study_id, arm=arm, data_version=data_version, record=dict(found), account_id=account_id)
        .returning(StoredFit.id)
    )
    assert stored is not None
    await record_event(session, "model_fitted", study_id=study_id, account_id=account_id, arm=arm, fit=stored)
    return stored


async def newest(session: AsyncSession, study_id: int) -> list[FitListed]:
    """Return the newest fit of each arm that has one, arms by alphabet."""
    last = select(func.max(StoredFit.id)).where(StoredFit.study_id == study_id).group_by(StoredFit.arm)
    rows = await session.execute(
        select(StoredFit.id, StoredFit.arm, StoredFit.data_version, StoredFit.record, StoredFit.made_at)
        .where(StoredFit.id.in_(last))
        .order_by(StoredFit.arm)
    )
    return [FitListed(*row) for row in rows]
