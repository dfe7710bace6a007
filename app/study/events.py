"""The append-only record of what happened."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def record(
    session: AsyncSession,
    kind: str,
    *,
    study_id: int | None = None,
    participation_id: int | None = None,
    account_id: int | None = None,
    about_account_id: int | None = None,
    **detail: Any,
) -> None:
    """Write one event. The detail never holds a platform's ids, an address or a secret.

    `account_id` is who acts, None for a command; `about_account_id` is the account that is acted on.
    """
    await session.execute(
        _RECORD,
        {"kind": kind, "study": study_id, "participation": participation_id, "account": account_id}
        | {"about": about_account_id, "detail": json.dumps(detail, default=str)},
    )


_RECORD = text("""
    INSERT INTO event (kind, study_id, participation_id, account_id, about_account_id, detail)
    VALUES (:kind, CAST(:study AS bigint), CAST(:participation AS bigint), CAST(:account AS bigint),
            CAST(:about AS bigint), CAST(:detail AS jsonb))
""")
