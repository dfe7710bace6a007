"""Every page of the way but the pairs: what each shows, and what its form does."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.study import participations
from app.study.debriefs import SeenPair, seen_pairs
from app.study.places import Place
from app.study.texts import instructions_of, paragraphs
from app.terms import Platform, Side, Stage
from app.web.annotator.judging import NOTHING_CHOSEN, chosen_side
from app.web.annotator.pages import (
    Complete,
    Consent,
    Debrief,
    Debriefed,
    Instructions,
    Judge,
    LookedUp,
    Source,
    Step,
)
from app.web.annotator.way import address
from app.web.pages import Page

PROLIFIC_WAY_OUT = "https://app.prolific.com/submissions/complete?cc="

Show = Callable[[AsyncSession, Place, str], Awaitable[Page]]
Take = Callable[[AsyncSession, Place, FormData], Awaitable[Place | str]]


class StepOfTheWay(NamedTuple):
    """A page, and what its form does: it returns the place the person goes on to, or what is wrong with the form."""

    show: Show
    take: Take


def _common(place: Place, error: str = "", *, stop: bool = True) -> dict[str, str]:
    return {
        "action": address(place),
        "token": place.token(),
        "contact": place.contact,
        "stop": f"/s/{place.slug}/stop" if stop else "",
        "error": error,
    }


async def _show_consent(_session: AsyncSession, place: Place, error: str) -> Step:
    usual = max(place.pairs_per_annotator, 1)
    return Consent(
        title="Taking part",
        **_common(place, error, stop=False),
        paragraphs=paragraphs(place.texts["consent"]),
        n_pairs=place.n_planned,
        shorter=place.n_planned < place.pairs_per_annotator,
        expected_minutes=max(1, round(place.expected_minutes * place.n_planned / usual)),
        pay=place.pay,
    )


async def _take_consent(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    if form.get("consent") != "yes":
        return "Choose whether to take part"
    await participations.consent(session, place)
    return place.at(Stage.INSTRUCTIONS)


async def _show_instructions(_session: AsyncSession, place: Place, error: str) -> Step:
    return Instructions(
        title="How it works",
        **_common(place, error),
        paragraphs=paragraphs(instructions_of(place.texts, place.instruction)),
        question=place.question,
    )


async def _take_instructions(session: AsyncSession, place: Place, _form: FormData) -> Place | str:
    await participations.start_practice(session, place)
    return place.at(Stage.PRACTICE)


async def _show_practice(_session: AsyncSession, place: Place, error: str) -> Step:
    pair = place.texts["practice"]
    return Judge(
        title="Practice pair",
        **_common(place, error),
        question=place.question,
        prompt=pair["prompt"],
        first=pair["first"],
        second=pair["second"],
        practice=True,
        position=0,
        n_pairs=place.n_planned,
    )


async def _take_practice(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    if chosen_side(form.get("side")) is None:
        return NOTHING_CHOSEN
    await participations.start_judging(session, place)
    return place.at(Stage.JUDGING)


async def _show_looked_up(_session: AsyncSession, place: Place, error: str) -> Step:
    return LookedUp(title="Did you look anything up?", **_common(place, error))


async def _take_looked_up(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answer = form.get("looked_up")
    if answer not in {"yes", "no"}:
        return "Choose yes or no"
    await participations.answer_looked_up(session, place, looked_up=answer == "yes")
    return place.at(Stage.DEBRIEF)


def _debriefed(pair: SeenPair) -> Debriefed:
    if pair.side_chosen is None:
        chose = ""
    else:
        chose = "truthful" if Side(pair.side_chosen) == Side(pair.side_truthful) else "false"
    return Debriefed(
        claim=pair.claim,
        fact=pair.fact,
        sources=tuple(
            Source(publisher=source["publisher"], title=source["title"], url=source["url"] or "")
            for source in pair.sources
        ),
        prompt=pair.prompt,
        truthful_response=pair.truthful,
        false_response=pair.sycophantic,
        chose=chose,
    )


async def show_debrief(session: AsyncSession, place: Place, error: str) -> Step:
    """Tell what was false, for every pair that the person saw."""
    return Debrief(
        title="What was behind it",
        **_common(place, error, stop=False),
        paragraphs=paragraphs(place.texts["debrief"]),
        claims=tuple(_debriefed(pair) for pair in await seen_pairs(session, place)),
        stopped=place.stopped_at is not None,
        decided=place.stage == Stage.COMPLETE,
        back=f"/s/{place.slug}/complete",
    )


async def _take_debrief(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answer = form.get("data")
    if answer not in {"keep", "withdraw"}:
        return "Choose what happens to your answers"
    await participations.finish(session, place, withdraw=answer == "withdraw")
    return place.at(Stage.COMPLETE)


async def _show_complete(_session: AsyncSession, place: Place, _error: str) -> Page:
    stopped = place.stopped_at is not None
    code = "" if stopped else place.completion_code
    return Complete(
        title="You have stopped" if stopped else "Thank you",
        contact=place.contact,
        code=code,
        way_out=PROLIFIC_WAY_OUT + code if code and place.platform == Platform.PROLIFIC else "",
        stopped=stopped,
        withdrawn=place.withdrawn_at is not None,
        debrief=f"/s/{place.slug}/debrief",
    )


async def _take_nothing(_session: AsyncSession, place: Place, _form: FormData) -> Place | str:
    return place


STEPS: dict[str, StepOfTheWay] = {
    Stage.CONSENT: StepOfTheWay(_show_consent, _take_consent),
    Stage.INSTRUCTIONS: StepOfTheWay(_show_instructions, _take_instructions),
    Stage.PRACTICE: StepOfTheWay(_show_practice, _take_practice),
    Stage.LOOKED_UP: StepOfTheWay(_show_looked_up, _take_looked_up),
    Stage.DEBRIEF: StepOfTheWay(show_debrief, _take_debrief),
    Stage.COMPLETE: StepOfTheWay(_show_complete, _take_nothing),
}
