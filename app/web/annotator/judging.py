"""The judging page: show the pair to judge next, store the choice, go on.

Both requests first try one statement, which is all that judging needs; only where it finds the person elsewhere is
their place read and the rest done in a transaction.
"""

from collections.abc import Awaitable, Callable
from operator import attrgetter

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.routing import Route

from app.db import Database
from app.study import slots
from app.study.choices import (
    Judgement,
    ShownPair,
    Stored,
    is_next,
    log_early,
    log_unstored,
    show_pair,
    submit_choice,
    submit_late,
)
from app.study.known import KnownStudies
from app.study.participations import keep_holding
from app.study.places import Place, StudyFacts, next_step
from app.study.together import Together, alone
from app.study.tokens import PairAt, annotator_of
from app.web.annotator.forms import FaultyForm, read_form, read_judgement
from app.web.annotator.pages import Judge
from app.web.annotator.way import COOKIE, address_of, go_on, place_of
from app.web.frames import render_in_frame
from app.web.pages import render


def judge_page(study: StudyFacts, annotator: str, pair: ShownPair, fault: FaultyForm | None = None) -> Judge:
    """Return the page of a pair; after a fault, with what was given."""
    options = study.options
    return Judge(
        title=f"Pair {pair.position} of {pair.n_planned}",
        action=f"/s/{study.slug}/pairs/{pair.position}",
        token=study.pair_token(annotator, PairAt(pair.position, pair.pair_id)),
        contact=study.contact,
        stop=f"/s/{study.slug}/stop",
        error=fault.message if fault else "",
        error_field=fault.at if fault else "",
        purpose=study.purpose,
        question=study.question,
        prompt=pair.prompt,
        first=pair.first,
        second=pair.second,
        practice=False,
        position=pair.position,
        n_pairs=pair.n_planned,
        tie=options.tie,
        confidence=options.confidence,
        reason=options.reason,
        given=fault.given if fault else {},
    )


FILLED = ("token", "prompt", "first", "second")
SHARED = (
    "title",
    "action",
    "contact",
    "stop",
    "purpose",
    "question",
    "position",
    "n_pairs",
    "tie",
    "confidence",
    "reason",
)
"""What decides about the page of a pair but for its texts, where nothing was faulty."""
_shared = attrgetter(*SHARED)


def in_frame(page: Judge) -> Response:
    """Render the page of a pair, where nothing was faulty."""
    return render_in_frame(page, FILLED, _shared(page))


def _known(request: Request, slug: str) -> tuple[StudyFacts, str] | None:
    """Return the study and the annotator of a request, where this process knows the study and the cookie is ours."""
    known: KnownStudies = request.app.state.known_studies
    study = known.get(slug)
    annotator = study and annotator_of(study.key, request.cookies.get(COOKIE, ""))
    return (study, annotator) if study and annotator else None


async def show(request: Request) -> Response:
    """Show the pair to judge next; any other position leads there."""
    slug, position = request.path_params["slug"], request.path_params["position"]
    if (known := _known(request, slug)) and (number := _position(position)):
        together: Together = request.app.state.together
        pair = await show_pair(together, *known, number)
        if pair is not None:
            return in_frame(judge_page(*known, pair))
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        place = await place_of(request, session, slug, lock=True)
        request.app.state.known_studies.keep(place.study)
        if place.step.name != "pair" or position != str(place.step.number):
            return go_on(place)
        if place.held_until is None:
            return RedirectResponse(f"/s/{slug}", status_code=303)  # Where expired holds come back first.
        page = await _page_of(session, place)
        return go_on(place) if page is None else render(page)


def _position(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= 4 else None


async def _page_of(session: AsyncSession, place: Place, fault: FaultyForm | None = None) -> Judge | None:
    """Return the page of the pair that a person is at, holding their slots again where their hold had ended.

    None comes back where another tab has moved them on since their place was read.
    """
    if place.held_until is None:
        await keep_holding(session, place)
    pair = await show_pair(alone(session), place.study, place.annotator, place.next_position)
    return pair and judge_page(place.study, place.annotator, pair, fault)


async def choose(request: Request) -> Response:
    """Store the choice that the form's token allows, and go on. The token, not the address, says which pair it is."""
    slug = request.path_params["slug"]
    form = await read_form(request)
    token = str(form.get("token", ""))
    if known := _known(request, slug):
        study, annotator = known
        at = study.pair_of(annotator, token)
        judgement = read_judgement(form, study.options)
        if at and isinstance(judgement, Judgement):
            together: Together = request.app.state.together
            stored = await submit_choice(together, study, annotator, at, judgement)
            if stored is not None:
                return _go_on_after(study, stored)
    database: Database = request.app.state.database
    await _free_what_nobody_holds(database, request, slug)
    async with database.sessions.begin() as session:
        place = await place_of(request, session, slug, lock=True)
        return await _take(session, place, token, read_judgement(form, place.study.options))


async def _free_what_nobody_holds(database: Database, request: Request, slug: str) -> None:
    """Before a person's slots are taken back: those that expired holds keep, in a transaction of its own."""
    async with database.sessions.begin() as session:
        gone = (await place_of(request, session, slug)).held_until is None
    if gone:
        async with database.sessions.begin() as session:
            await slots.release_expired(session, slug)


def _go_on_after(study: StudyFacts, stored: Stored) -> RedirectResponse:
    return RedirectResponse(address_of(study.slug, next_step(stored, study.options)), status_code=303)


async def _take(session: AsyncSession, place: Place, token: str, judgement: Judgement | FaultyForm) -> Response:
    """Take a form that was not simply stored: late, early, faulty, sent before, or not this person's."""
    at = place.study.pair_of(place.annotator, token)
    if at is None or not await is_next(session, place, at):
        if isinstance(judgement, Judgement):
            await log_unstored(session, place, at, judgement.answer)
        return go_on(place)
    if isinstance(judgement, Judgement):
        stored = await submit_late(session, place, at, judgement)
        if stored is not None:
            return _go_on_after(place.study, stored)
        await log_early(session, place)
        judgement = FaultyForm.early(place.study.options, judgement)
    page = await _page_of(session, place, judgement)
    return go_on(place) if page is None else render(page, 422)


def _route(handler: Callable[[Request], Awaitable[Response]], method: str) -> Route:
    route = Route("/s/{slug}/pairs/{position}", handler, methods=[method])
    route.methods = {method}  # Without HEAD, which would show a pair to nobody.
    return route


ROUTES = [_route(show, "GET"), _route(choose, "POST")]
"""Plain routes, first in the application: finding them and filling their parameters costs more than the page else."""
