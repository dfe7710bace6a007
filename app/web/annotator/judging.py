"""The judging page: show the pair to judge next, store the choice, go on."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.study.choices import ShownPair, show_pair, submit_choice
from app.study.participations import keep_holding
from app.study.places import Place
from app.terms import Side, Stage
from app.web.annotator.pages import Judge
from app.web.annotator.way import address, go_on, place_of
from app.web.deps import HotTransaction
from app.web.pages import render

router = APIRouter()

NOTHING_CHOSEN = "Choose the response you prefer"


def chosen_side(value: object) -> Side | None:
    """Read the form's `side`."""
    return Side(value) if isinstance(value, str) and value in tuple(Side) else None


def whole_number(value: object) -> int | None:
    """Read a number of milliseconds that a script may have filled in."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) <= 12 else None


def judge_page(place: Place, pair: ShownPair, error: str = "") -> Judge:
    """Return the page of a pair."""
    return Judge(
        title=f"Pair {pair.position} of {place.n_planned}",
        action=address(place),
        token=place.pair_token(pair.position),
        contact=place.contact,
        stop=f"/s/{place.slug}/stop",
        error=error,
        question=place.question,
        prompt=pair.prompt,
        first=pair.first,
        second=pair.second,
        practice=False,
        position=pair.position,
        n_pairs=place.n_planned,
    )


@router.get("/s/{slug}/pairs/{position}")
async def show(slug: str, position: str, request: Request, session: HotTransaction) -> Response:
    """Show the pair to judge next; any other position leads there."""
    place = await place_of(request, session, slug)
    if place.stage != Stage.JUDGING or position != str(place.next_position):
        return go_on(place)
    if place.held_until is None:
        await keep_holding(session, place)
    return render(judge_page(place, await show_pair(session, place)))


@router.post("/s/{slug}/pairs/{position}")
async def choose(slug: str, position: str, request: Request, session: HotTransaction) -> Response:  # noqa: ARG001
    """Store the choice that the form's token allows, and go on. The token, not the address, says which pair it is."""
    form = await request.form()
    place = await place_of(request, session, slug, lock=True)
    token, side = str(form.get("token", "")), chosen_side(form.get("side"))
    if side is None:
        if place.stage != Stage.JUDGING or place.position_of(token) != place.next_position:
            return go_on(place)
        return render(judge_page(place, await show_pair(session, place), NOTHING_CHOSEN), 422)
    stored = await submit_choice(session, place, token, side, whole_number(form.get("decision_ms")))
    return go_on(place.after_choice() if stored else place)
