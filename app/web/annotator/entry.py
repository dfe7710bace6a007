"""Entry: a person's link becomes a place in the study, held before consent, and a URL without their ids."""

import re
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
from app.web.pages import Link, Notice, render

router = APIRouter()

# Cubot makes phones.
_PREVIEWERS = re.compile("(?<!cu)bot|crawler|spider|preview|facebookexternalhit|whatsapp|slack|embedly|skype")
_SOMEBODY = "here"


def _is_prefetch(request: Request) -> bool:
    return "prefetch" in request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")


def _may_be_preview(request: Request) -> bool:
    """Say whether a program may be making a preview of the link, and nobody has said that they are there."""
    agent = request.headers.get("user-agent", "").lower()
    return _PREVIEWERS.search(agent) is not None and _SOMEBODY not in request.query_params


def _holds_nothing(request: Request) -> bool:
    return _is_prefetch(request) or _may_be_preview(request)


def _ask_whether_somebody_is_there(request: Request) -> Response:
    """Return a page that a preview shows, and by which a person goes on whose browser was taken for such a program."""
    again = f"{request.url.path}?{request.url.query}&{_SOMEBODY}=1"
    said = "This link leads to a study in which people compare two responses."
    return render(Notice(title="A study", paragraphs=(said,), links=(Link(text="Go on to the study", href=again),)))


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
    if _is_prefetch(request):
        return Response(status_code=204)
    if _may_be_preview(request):
        return _ask_whether_somebody_is_there(request)
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
