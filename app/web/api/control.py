"""What can be done with a study: move it through its states, amend it, copy it. Each act is recorded."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import amendments, copies, studies
from app.study.designs import LONGEST_SLUG, MOST_RATINGS
from app.web.addresses import API
from app.web.api.access import reachable
from app.web.api.callers import Controller
from app.web.api.documents import StudyDocument, study_document
from app.web.deps import WriteSession

router = APIRouter(prefix="/studies/{slug}")


class Asked(BaseModel):
    """The body of a request: what it knows, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Raise(Asked):
    """How many ratings each pair is to get: more than now."""

    ratings: Annotated[int, Field(ge=1, le=MOST_RATINGS)]


class Retire(Asked):
    """Which pair is faulty, by the key of its misconception, and why."""

    key: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class Clone(Asked):
    """What the copy is to be called."""

    slug: Annotated[str, Field(min_length=1, max_length=LONGEST_SLUG)]


async def _now(session: AsyncSession, slug: str) -> StudyDocument:
    await session.flush()
    session.expire_all()
    return await study_document(session, slug)


@router.post("/open")
async def open_study(slug: str, caller: Controller, session: WriteSession) -> StudyDocument:
    """Freeze a draft's design and take people, or let a paused study go on."""
    await reachable(session, slug, caller)
    await studies.open_study(session, slug, account_id=caller.who.account_id)
    return await _now(session, slug)


@router.post("/pause")
async def pause_study(slug: str, caller: Controller, session: WriteSession) -> StudyDocument:
    """Take no newcomers for now; people who began may finish."""
    await reachable(session, slug, caller)
    await studies.pause_study(session, slug, account_id=caller.who.account_id)
    return await _now(session, slug)


@router.post("/close")
async def close_study(slug: str, caller: Controller, session: WriteSession) -> StudyDocument:
    """Take no newcomers ever again; people who began may finish. It cannot be undone."""
    await reachable(session, slug, caller)
    await studies.close_study(session, slug, account_id=caller.who.account_id)
    return await _now(session, slug)


@router.post("/raise")
async def raise_ratings(slug: str, asked: Raise, caller: Controller, session: WriteSession) -> StudyDocument:
    """Amend a live study: ask for more ratings of every pair. It cannot be undone."""
    await reachable(session, slug, caller)
    await amendments.raise_ratings(session, slug, asked.ratings, caller.who.account_id)
    return await _now(session, slug)


@router.post("/retire")
async def retire_pair(slug: str, asked: Retire, caller: Controller, session: WriteSession) -> StudyDocument:
    """Amend a live study: offer a faulty pair to nobody any more. It cannot be undone."""
    await reachable(session, slug, caller)
    await amendments.retire_pair(session, slug, asked.key, asked.reason, caller.who.account_id)
    return await _now(session, slug)


@router.post("/clone", status_code=201)
async def clone_study(
    slug: str, asked: Clone, caller: Controller, session: WriteSession, response: Response
) -> StudyDocument:
    """Make a draft of the caller's own with the design of a study, but with codes and a seed of its own."""
    await reachable(session, slug, caller)
    made = await copies.clone(session, slug, asked.slug, caller.who.account_id)
    response.headers["Location"] = f"{API}/studies/{made.slug}"
    return await _now(session, made.slug)
