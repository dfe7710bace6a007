"""After the last pair: the question about looking things up, the debrief, and the way out."""

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.markdown import markdown
from app.study import participations
from app.study.debriefs import SeenPair, has_answered, seen_pairs
from app.study.places import Place
from app.terms import Answer, Outcome, Platform, Side, Stage
from app.web.annotator.pages import Complete, Debrief, Debriefed, LookedUp, Source, Step
from app.web.annotator.step import Faulty, StepOfTheWay, error_of
from app.web.annotator.way import common
from app.web.pages import Page

PROLIFIC_WAY_OUT = "https://app.prolific.com/submissions/complete?cc="


async def _show_looked_up(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    return LookedUp(title="Did you look anything up?", **common(place, error_of(fault)))


async def _take_looked_up(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answer = form.get("looked_up")
    if answer not in {"yes", "no"}:
        return "Choose yes or no"
    return await participations.answer_looked_up(session, place, looked_up=answer == "yes")


def _debriefed(pair: SeenPair, *, erased: bool) -> Debriefed:
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
        chose="erased" if erased else _chose(pair),
    )


def _chose(pair: SeenPair) -> str:
    if pair.side_chosen is None:
        return ""
    if pair.side_chosen == Answer.TIE:
        return "neither"
    return "truthful" if Side(pair.side_chosen) == Side(pair.side_truthful) else "false"


async def show_debrief(session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    """Tell what was false, for every pair that the person saw."""
    erased = place.withdrawn_at is not None
    claims = tuple(_debriefed(pair, erased=erased) for pair in await seen_pairs(session, place))
    return Debrief(
        title="What was behind it",
        **common(place, error_of(fault), stop=False),
        text=markdown(place.study.texts["debrief"]),
        claims=claims,
        answered=bool(claims) or await has_answered(session, place),
        stopped=place.ended_early and place.n_answered < place.n_planned,
        decided=place.stage == Stage.COMPLETE,
        back=f"/s/{place.study.slug}/complete",
    )


async def _take_debrief(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answer = form.get("data")
    if answer not in {"keep", "withdraw"}:
        return "Choose what happens to your answers"
    return await participations.finish(session, place, withdraw=answer == "withdraw")


_KEPT = "Your answers have been kept."
_SAID: dict[str | None, tuple[str, tuple[str, ...]]] = {
    Outcome.COMPLETE: ("Thank you", (_KEPT,)),
    Outcome.FAILED_CHECKS: (
        "Thank you",
        (_KEPT, "Some of the checks that somebody is reading were not answered as they asked."),
    ),
    Outcome.SCREENED_OUT: (
        "This study is not for you",
        ("Your answers show that you cannot take part in this study. You have judged nothing, so nothing is lost.",),
    ),
    Outcome.STOPPED: ("You have stopped", ("You stopped early. What you answered until then has been kept.",)),
    Outcome.RETURNED: (
        "Your place was returned",
        ("The site that sent you says that you gave your place back. What you answered until then has been kept.",),
    ),
}
_WITHDRAWN = ("Your answers have been withdrawn. They are left out of the study.",)


def _code(place: Place) -> str:
    study = place.study
    codes = {
        Outcome.COMPLETE: study.completion_code,
        Outcome.FAILED_CHECKS: study.failed_checks_code,
        Outcome.SCREENED_OUT: study.screened_out_code,
    }
    return codes.get(Outcome(place.outcome), "") if place.outcome else ""


async def _show_complete(_session: AsyncSession, place: Place, _fault: Faulty | None) -> Page:
    title, said = _SAID[place.outcome]
    code = _code(place)
    return Complete(
        title=title,
        contact=place.study.contact,
        purpose=place.study.purpose,
        code=code,
        way_out=PROLIFIC_WAY_OUT + code if code and place.study.platform == Platform.PROLIFIC else "",
        said=_WITHDRAWN if place.withdrawn_at is not None else said,
        debrief="" if place.outcome == Outcome.SCREENED_OUT else f"/s/{place.study.slug}/debrief",
    )


async def _take_nothing(_session: AsyncSession, place: Place, _form: FormData) -> Place | str:
    return place


LOOKED_UP = StepOfTheWay(_show_looked_up, _take_looked_up)
DEBRIEF = StepOfTheWay(show_debrief, _take_debrief)
COMPLETE = StepOfTheWay(_show_complete, _take_nothing)
