"""Which study a caller may reach: theirs, as on the pages; any other is unknown to them."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import progress_queries
from app.web.api.callers import Caller


async def reachable(session: AsyncSession, slug: str, caller: Caller) -> Study:
    """Return a study that the caller may see.

    Raises
    ------
    StudyUnknown
        When there is none, or it is someone else's.
    """
    return (await progress_queries.study(session, slug, caller.who)).study
