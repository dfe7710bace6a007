"""The researchers' pages: their studies, and how far each is."""

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.study import progress_queries
from app.web.deps import AppSettings, ReadSession
from app.web.pages import render
from app.web.researcher import (
    acting,
    configuring,
    exports,
    planning,
    preregistration,
    progress,
    results,
    scoring,
    sharing,
)
from app.web.researcher.around import around
from app.web.researcher.contexts import studies_page, study_page
from app.web.researcher.recruiting import Site
from app.web.signed_in import Researcher

router = APIRouter()
router.include_router(exports.router)
router.include_router(planning.router)  # Before the studies: pages beside them.
router.include_router(configuring.router)
router.include_router(acting.router)
router.include_router(preregistration.router)
router.include_router(progress.router)
router.include_router(scoring.router)
router.include_router(results.router)
router.include_router(sharing.router)


@router.get("/studies")
async def show_studies(account: Researcher, session: ReadSession) -> Response:
    """List the studies that this account may see."""
    return render(studies_page(account, await progress_queries.studies(session, account.who)))


@router.get("/studies/{slug}")
async def show_study(
    request: Request, slug: str, account: Researcher, session: ReadSession, settings: AppSettings, done: str = ""
) -> Response:
    """Show one study: its design, its progress, its people, its exports."""
    seen = await progress_queries.study(session, slug, account.who)
    arms = await progress_queries.arms(session, seen.study.id)
    levels = await progress_queries.levels(session, seen.study.id)
    stages = await progress_queries.stages(session, seen.study.id)
    address = (settings.public_url or str(request.base_url)).rstrip("/")
    site = Site(address, has_webhook=bool(settings.prolific_webhook_secret.get_secret_value()))
    block = await preregistration.preregistration_block(session, seen.study)
    preregistered = block is not None and not block.make
    beside = await around(session, seen.study, preregistered=preregistered, done=done)
    page = study_page(account, seen, arms, levels, stages, site)
    return render(replace(page, preregistration=block, **beside))
