"""What may come between two pairs: the belief in the next claim, and attention checks."""

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.study import checks, participations
from app.study.debriefs import claim_at
from app.study.options import MOST_CERTAIN
from app.study.places import Place
from app.web.annotator.forms import whole_number
from app.web.annotator.pages import AttentionCheck, Belief, Question, Step
from app.web.annotator.step import Faulty, StepOfTheWay, error_of
from app.web.annotator.way import common


async def _show_belief(session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    return Belief(
        title=f"Before pair {place.next_position} of {place.n_planned}",
        **common(place, error_of(fault)),
        claim=await claim_at(session, place, place.next_position),
        position=place.next_position,
        n_pairs=place.n_planned,
    )


async def _take_belief(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    belief = whole_number(form.get("belief"))
    if belief is None or belief > MOST_CERTAIN or belief % 10:
        return "Choose how likely it is"
    return await participations.answer_belief(session, place, belief)


async def _show_check(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    check = checks.attention_check(place, place.step.number)
    return AttentionCheck(
        title="A short check",
        **common(place, error_of(fault)),
        paragraphs=check.paragraphs,
        question=Question(name="answer", legend=check.legend, answers=check.answers, error=error_of(fault)),
    )


async def _take_check(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answer = form.get("answer")
    if answer not in checks.attention_check(place, place.step.number).answers:
        return "Choose an answer"
    return await checks.answer_attention_check(session, place, str(answer))


BELIEF = StepOfTheWay(_show_belief, _take_belief)
CHECK = StepOfTheWay(_show_check, _take_check)
