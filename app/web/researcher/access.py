"""Which study a signed-in person may see."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import progress_queries
from app.web.signed_in import CurrentAccount


async def visible_study(session: AsyncSession, slug: str, account: CurrentAccount) -> Study:
    """Return a study that this account may see; any other is unknown to it.

    Raises
    ------
    StudyUnknown
        When there is none, or it is someone else's.
    """
    return (await progress_queries.study(session, slug, account.who)).study
