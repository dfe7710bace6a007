"""Opening studies on made-up sets, for tests of every layer."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import studies
from app.study.designs import check_design
from app.study.sets import find_set, import_set
from tests.example_sets import entries


async def draft_study(session: AsyncSession, slug: str, per_level: int = 2, levels: int = 8, **values: Any) -> Study:
    """Make a draft of a study on a made-up set of its own."""
    design: dict[str, Any] = {
        "slug": slug,
        "title": slug,
        "contact": "someone@example.org",
        "ratings_per_pair": 3,
        "pairs_per_annotator": 8,
        "seed": 7,
        "completion_code": "DONE-1234",
    }
    await import_set(session, entries(per_level, levels), slug=f"{slug}-set", title="made up", licence="none")
    return await studies.create_study(session, check_design(design | values), await find_set(session, f"{slug}-set"))


async def open_study(session: AsyncSession, slug: str, per_level: int = 2, levels: int = 8, **values: Any) -> Study:
    """Make a study on a made-up set of its own, and open it."""
    await draft_study(session, slug, per_level, levels, **values)
    return await studies.open_study(session, slug)
