"""Entry: a person's link becomes a place in the study, held before consent, and a URL without their ids."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.db import Sessions
from app.study import slots
from app.study.entering import Arrival, enter
from app.study.participations import keep_holding
from app.study.places import find_place
from app.web.annotator.way import COOKIE, give_pass, go_on, place_of
from app.web.deps import WriteSession, app_sessions
from app.web.errors import NotInStudy

router = APIRouter()

_PREVIEWERS = ("bot", "crawler", "spider", "preview", "facebookexternalhit", "whatsapp", "slack", "embedly", "skype")


def _holds_nothing(request: Request) -> bool:
    """Say whether nobody is reading: a prefetch, or a program that makes a preview of a link."""
    purpose = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    agent = request.headers.get("user-agent", "").lower()
    return "prefetch" in purpose or any(name in agent for name in _PREVIEWERS)


async def _arrival(
    pid: Annotated[str, Query(max_length=200)] = "",
    prolific_pid: Annotated[str, Query(alias="PROLIFIC_PID", max_length=200)] = "",
    prolific_study: Annotated[str, Query(alias="STUDY_ID", max_length=200)] = "",
    prolific_session: Annotated[str, Query(alias="SESSION_ID", max_length=200)] = "",
    synthetic: Annotated[str, Query(max_length=64)] = "",
    signature: Annotated[str, Query(alias="sig", max_length=64)] = "",
) -> Arrival:
    return Arrival(prolific_pid or pid, prolific_study or None, prolific_session or None, synthetic, signature)


async def _sweep(slug: str, request: Request, sessions: Annotated[Sessions, Depends(app_sessions)]) -> None:
    """Give back expired holds in a transaction of its own, so that the claim which follows sees them."""
    if not _holds_nothing(request):
        async with sessions.begin() as session:
            await slots.release_expired(session, slug)


@router.head("/s/{slug}")
async def peek(slug: str) -> Response:  # noqa: ARG001 - the path is the study's
    """Answer a HEAD request without holding anything."""
    return Response(status_code=204)


@router.get("/s/{slug}", dependencies=[Depends(_sweep)])
async def arrive(
    slug: str, request: Request, session: WriteSession, arrival: Annotated[Arrival, Depends(_arrival)]
) -> Response:
    """Give the person their place, or take them to where they were."""
    if _holds_nothing(request):
        return Response(status_code=204)
    if not arrival.person and COOKIE in request.cookies:
        try:
            return go_on(await keep_holding(session, await place_of(request, session, slug)))
        except NotInStudy:
            pass
    annotator = await enter(session, slug, arrival)
    place = await find_place(session, slug, annotator)
    assert place is not None
    response: RedirectResponse = go_on(await keep_holding(session, place))
    give_pass(response, place, secure=request.url.scheme == "https")
    return response
