"""The addresses of the annotator's way."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.study import participations
from app.study.places import HOLDING, Place
from app.study.tokens import same
from app.terms import Outcome, Stage
from app.web.annotator import entry
from app.web.annotator.ending import show_debrief
from app.web.annotator.forms import read_form
from app.web.annotator.pages import Stop
from app.web.annotator.step import Faulty
from app.web.annotator.steps import STEPS
from app.web.annotator.way import COOKIE, address, form_token, go_on, place_of
from app.web.deps import WriteSession
from app.web.pages import Notice, render

router = APIRouter()
router.include_router(entry.router)


@router.get("/s/{slug}/declined")
async def declined(slug: str) -> Response:  # noqa: ARG001 - the path is the study's
    """Say that declining was respected."""
    said = "You decided not to take part. We kept no trace of who you are."
    return render(Notice(title="Thank you", paragraphs=(said, "You can close this page.")))


@router.get("/s/{slug}/stop")
async def ask_to_stop(slug: str, request: Request, session: WriteSession) -> Response:
    """Ask once before stopping."""
    place = await place_of(request, session, slug)
    if place.stage not in (*HOLDING, Stage.LOOKED_UP):
        return go_on(place)
    return render(
        Stop(
            title="Stop here?",
            action=f"/s/{slug}/stop",
            token=place.token("stop"),
            contact=place.study.contact,
            purpose=place.study.purpose,
            back=address(place),
            all_judged=place.stage == Stage.LOOKED_UP,
        )
    )


@router.post("/s/{slug}/stop")
async def stop(slug: str, request: Request, session: WriteSession) -> Response:
    """Stop: free what is held, and debrief."""
    form = await read_form(request)
    place = await place_of(request, session, slug, lock=True)
    if place.stage in (*HOLDING, Stage.LOOKED_UP) and same(str(form.get("token", "")), place.token("stop")):
        place = await participations.stop(session, place)
    return go_on(place)


@router.get("/s/{slug}/{page}")
@router.get("/s/{slug}/{page}/{number}")
async def show(slug: str, page: str, request: Request, session: WriteSession) -> Response:
    """Show the page that the person is at; any other address of the way leads there."""
    place = await place_of(request, session, slug)
    if page == "debrief" and place.stage == Stage.COMPLETE and place.outcome != Outcome.SCREENED_OUT:
        return render(await show_debrief(session, place, None))
    if request.url.path != address(place) or place.step.name not in STEPS:
        return go_on(place)
    if place.stage in HOLDING and place.held_until is None:
        return RedirectResponse(f"/s/{slug}", status_code=303)  # Where expired holds come back first.
    place = await participations.keep_holding(session, place)
    if request.url.path != address(place):
        return go_on(place)
    return render(await STEPS[place.step.name].show(session, place, None))


@router.post("/s/{slug}/{page}")
@router.post("/s/{slug}/{page}/{number}")
async def take(slug: str, page: str, request: Request, session: WriteSession) -> Response:  # noqa: ARG001
    """Take the form of the page that the person is at; a form of any other page leads back there, storing nothing."""
    form = await read_form(request)
    place = await place_of(request, session, slug, lock=True)
    if place.step.name not in STEPS or not same(str(form.get("token", "")), form_token(place)):
        return go_on(place)
    if place.stage == Stage.CONSENT and form.get("consent") == "no":
        return await _decline(session, place)
    step = STEPS[place.step.name]
    taken = await step.take(session, place, form)
    if isinstance(taken, str):
        place = await participations.keep_holding(session, place)
        return render(await step.show(session, place, Faulty(taken, form)), 422)
    return go_on(taken)


async def _decline(session: WriteSession, place: Place) -> Response:
    await participations.decline(session, place)
    response = RedirectResponse(f"/s/{place.study.slug}/declined", status_code=303)
    response.delete_cookie(COOKIE, path=f"/s/{place.study.slug}")
    return response
