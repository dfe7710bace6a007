"""The append-only record of what happened."""

from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event


async def record(
    session: AsyncSession,
    kind: str,
    *,
    study_id: int | None = None,
    participation_id: int | None = None,
    account_id: int | None = None,
    **detail: Any,
) -> None:
    """Write one event. The detail never holds a platform's ids, an address or a secret."""
    await session.execute(
        insert(Event).values(
            kind=kind, study_id=study_id, participation_id=participation_id, account_id=account_id, detail=detail
        )
    )
