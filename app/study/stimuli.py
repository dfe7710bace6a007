"""What synthetic annotators know of a study's responses, so that they can be fooled with a known probability."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.terms import ResponseKind


class KnownResponse(NamedTuple):
    """A response: whether it is the sycophantic one, its pair's difficulty level, and its misconception's key."""

    sycophantic: bool
    level: int
    key: str


async def known_responses(session: AsyncSession, study_id: int) -> dict[str, KnownResponse]:
    """Return what is known of each response text of a study."""
    rows = await session.execute(
        text("""
            SELECT response.text, response.kind = :sycophantic, pair.difficulty_level, misconception.key
            FROM pair JOIN response USING (misconception_id) JOIN misconception ON misconception.id = misconception_id
            WHERE pair.study_id = :study
        """),
        {"study": study_id, "sycophantic": ResponseKind.SYCOPHANTIC},
    )
    return {row[0]: KnownResponse(*row[1:]) for row in rows}
