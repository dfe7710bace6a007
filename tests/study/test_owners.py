"""Whose a study is."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event, Study
from app.study import copies, owners, progress_queries
from app.study.accounts import AccountUnknown
from app.study.login_sessions import SignedIn
from app.study.studies import StudyUnknown
from app.terms import Role
from tests.signing_in import make
from tests.studies import open_study


async def seen_by(session: AsyncSession, account_id: int, role: Role = Role.RESEARCHER) -> list[str]:
    viewer = SignedIn(account_id, "who@example.org", role)
    return [study.slug for study in await progress_queries.studies(session, viewer)]


async def test_a_study_that_is_nobody_s_is_seen_by_admins_until_it_is_given(session: AsyncSession) -> None:
    ada, bob = await make(session), await make(session, "bob@example.org")
    await open_study(session, "found")
    pilot = await copies.pilot(session, "found")
    assert await seen_by(session, ada) == []
    assert await seen_by(session, ada, Role.ADMIN) == ["found"]

    await owners.give(session, "found", " ADA@example.org ")
    assert await seen_by(session, ada) == ["found"]
    assert await seen_by(session, bob) == []
    assert await session.scalar(select(Study.owner_id).filter_by(id=pilot.id)) == ada
    told = await session.scalar(select(Event.about_account_id).filter_by(kind="study_given"))
    assert told == ada


@pytest.mark.parametrize(
    ("slug", "email", "refused"),
    [("found", "nobody@example.org", AccountUnknown), ("lost", "ada@example.org", StudyUnknown)],
)
async def test_what_is_unknown_is_given_to_nobody(
    session: AsyncSession, slug: str, email: str, refused: type[Exception]
) -> None:
    await make(session)
    await open_study(session, "found")
    with pytest.raises(refused):
        await owners.give(session, slug, email)
    assert await session.scalar(select(Study.owner_id).filter_by(slug="found")) is None
