"""Whose a study is: its researcher sees it, admins see every one, and nobody else knows that it exists."""

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import accounts, events, studies
from app.study.accounts import AccountUnknown


async def account_of(session: AsyncSession, email: str) -> int:
    """Return the id of the account that a study is to belong to.

    Raises
    ------
    AccountUnknown
        When there is none with this email.
    """
    found = await accounts.id_of(session, email)
    if found is None:
        raise AccountUnknown(email)
    return found


async def give(session: AsyncSession, slug: str, email: str) -> Study:
    """Make a study somebody's, with its pilots and previews.

    Raises
    ------
    StudyUnknown, AccountUnknown
        When there is no such study or account.
    """
    study = await studies.get_study(session, slug, lock=True)
    owner_id = await account_of(session, email)
    its_own = or_(Study.id == study.id, Study.copy_of_id == study.id)
    await session.execute(update(Study).where(its_own).values(owner_id=owner_id))
    await events.record(session, "study_given", study_id=study.id, about_account_id=owner_id)
    return study
