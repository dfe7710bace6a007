"""What version of a study's data there is: a hash that changes whenever anything in its tables does.

It is told from the study's own row, its last event and a few sums over its people, never from its choices: each choice
raises its person's count of answers in the same statement, so the hash costs the same however many choices there are.
"""

from importlib.metadata import version
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study.canonical import content_hash

_STUDY = text("""
    SELECT study.id, study.state, study.design_hash,
           (SELECT max(event.id) FROM event WHERE event.study_id = study.id) AS last_event, people.*
    FROM study
    CROSS JOIN LATERAL (
        SELECT count(*) AS n, max(id) AS newest, sum(n_planned) AS n_planned, sum(n_answered) AS n_answered,
               sum(n_believed) AS n_believed, sum(n_checked) AS n_checked, sum(checks_failed) AS checks_failed,
               count(consented_at) AS consented, count(stopped_at) AS stopped, count(finished_at) AS finished,
               count(withdrawn_at) AS withdrawn, count(looked_up) AS looked_up,
               sum(hashtext(stage)::bigint) AS stages, sum(hashtext(coalesce(outcome, ''))::bigint) AS outcomes
        FROM participation WHERE participation.study_id = study.id
    ) AS people
    WHERE study.id = :study
""")


async def of_study(session: AsyncSession, study_id: int) -> str:
    """Return the version of all that a study's tables are made of, payments left out."""
    row: Any = (await session.execute(_STUDY, {"study": study_id})).one()
    return content_hash([version("candor"), *(str(value) for value in row)])
