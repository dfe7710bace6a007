"""Links that show a study's results to who has them, and nothing else. Stored as hashes; a study has one at a time."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, ResultLink, Study
from app.study.canonical import text_hash
from app.study.events import record
from app.study.login_sessions import new_token


class LinkListed(NamedTuple):
    """The link that a study has. What it is cannot be shown again. `made_by` is empty for a command."""

    made_at: datetime
    made_by: str | None


async def make(session: AsyncSession, study_id: int, by: int | None = None) -> str:
    """Return the token of a new link, to be sent as `/r/{token}`: the only time that it can be seen.

    A link that there was is revoked. The study is locked, so of two that are made at once one revokes the other.
    """
    await session.execute(select(Study.id).where(Study.id == study_id).with_for_update(key_share=True))
    await revoke(session, study_id, by)
    token = new_token()
    await session.execute(insert(ResultLink).values(study_id=study_id, token_hash=text_hash(token), account_id=by))
    await record(session, "result_link_made", study_id=study_id, account_id=by)
    return token


async def revoke(session: AsyncSession, study_id: int, by: int | None = None) -> bool:
    """Make the study's link worthless at once; return whether there was one."""
    return await _revoke(session, ResultLink.study_id == study_id, by)


async def revoke_all_of(session: AsyncSession, account_id: int, by: int | None = None) -> bool:
    """Make every link that an account made worthless at once; return whether there was one."""
    return await _revoke(session, ResultLink.account_id == account_id, by)


async def _revoke(session: AsyncSession, which: ColumnElement[bool], by: int | None) -> bool:
    revoked = await session.scalars(
        update(ResultLink)
        .where(which, ResultLink.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ResultLink.study_id)
    )
    studies = sorted(revoked)
    for study_id in studies:
        await record(session, "result_link_revoked", study_id=study_id, account_id=by)
    return bool(studies)


async def current(session: AsyncSession, study_id: int) -> LinkListed | None:
    """Return the link that a study has, if it has one."""
    found = await session.execute(
        select(ResultLink.made_at, Account.email)
        .outerjoin(Account, Account.id == ResultLink.account_id)
        .where(ResultLink.study_id == study_id, ResultLink.revoked_at.is_(None))
    )
    row = found.one_or_none()
    return None if row is None else LinkListed(row.made_at, row.email)


async def shown_by(session: AsyncSession, token: str) -> Study | None:
    """Return the study whose results a token shows; None where it was revoked, or never given out."""
    return (
        await session.execute(
            select(Study)
            .join(ResultLink, ResultLink.study_id == Study.id)
            .where(ResultLink.token_hash == text_hash(token), ResultLink.revoked_at.is_(None))
        )
    ).scalar_one_or_none()
