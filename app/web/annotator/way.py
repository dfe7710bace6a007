"""Where on the way a person is: the cookie that finds their place, and the address of each step."""

from typing import TypedDict

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.study.places import Place, Step, find_place
from app.study.tokens import annotator_of, pass_for, person_in
from app.terms import Stage
from app.web.errors import NotInStudy

COOKIE = "candor_annotator"
_PASS_DAYS = 60


async def place_of(request: Request, session: AsyncSession, slug: str, *, lock: bool = False) -> Place:
    """Return the place that a browser's cookie stands for.

    Raises
    ------
    NotInStudy
        When there is no cookie, or not one of ours.
    """
    cookie = request.cookies.get(COOKIE, "")
    place = await find_place(session, slug, person_in(cookie), lock=lock)
    if place is None or annotator_of(place.study.key, cookie) is None:
        raise NotInStudy(slug)
    return place


def give_pass(response: Response, place: Place, *, secure: bool) -> None:
    """Set the cookie by which this browser finds its place again. Scripts and other sites cannot read it."""
    response.set_cookie(
        COOKIE,
        pass_for(place.study.key, place.annotator),
        max_age=_PASS_DAYS * 86400,
        path=f"/s/{place.study.slug}",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


_NUMBERED = {"pair": "pairs", "belief": "beliefs", "check": "checks"}


def address_of(slug: str, step: Step) -> str:
    """Return the address of a step."""
    page = f"{_NUMBERED[step.name]}/{step.number}" if step.number else step.name.replace("_", "-")
    return f"/s/{slug}/{page}"


def address(place: Place) -> str:
    """Return the address of the page that a person is at."""
    return address_of(place.study.slug, place.step)


def go_on(place: Place) -> RedirectResponse:
    """Send a browser to where the person is."""
    return RedirectResponse(address(place), status_code=303)


def form_token(place: Place) -> str:
    """Return the token of the form that a person is at. A consent is to as many pairs as its page states."""
    if place.stage == Stage.CONSENT:
        return place.token(f"{Stage.CONSENT} to {place.n_planned}")
    return place.token()


class Common(TypedDict):
    """What the context of every step has."""

    action: str
    token: str
    contact: str
    stop: str
    error: str
    purpose: str


def common(place: Place, error: str = "", *, stop: bool = True) -> Common:
    """Return what the context of every step has."""
    return {
        "action": address(place),
        "token": form_token(place),
        "contact": place.study.contact,
        "stop": f"/s/{place.study.slug}/stop" if stop else "",
        "error": error,
        "purpose": place.study.purpose,
    }
