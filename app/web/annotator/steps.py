"""Every page of the way but the pairs: what each shows, and what its form does."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.study import checks, participations
from app.study.debriefs import SeenPair, claim_at, seen_pairs
from app.study.options import MOST_CERTAIN, PREFER_NOT_TO_SAY
from app.study.places import Place
from app.study.texts import instructions_of
from app.terms import Answer, Outcome, Platform, Side, Stage
from app.web.annotator.forms import NOTHING_CHOSEN, chosen_answer, whole_number
from app.web.annotator.pages import (
    AttentionCheck,
    Belief,
    Complete,
    Consent,
    Debrief,
    Debriefed,
    Instructions,
    Judge,
    LookedUp,
    Question,
    Questions,
    Source,
    Step,
)
from app.web.annotator.way import common
from app.web.markdown import markdown
from app.web.pages import Page

PROLIFIC_WAY_OUT = "https://app.prolific.com/submissions/complete?cc="


class Faulty(NamedTuple):
    """What is wrong with a form, and the form, so that what was given is shown again."""

    message: str
    form: FormData


Show = Callable[[AsyncSession, Place, Faulty | None], Awaitable[Page]]
Take = Callable[[AsyncSession, Place, FormData], Awaitable[Place | str]]


class StepOfTheWay(NamedTuple):
    """A page, and what its form does: it returns the place the person goes on to, or what is wrong with the form."""

    show: Show
    take: Take


def _error(fault: Faulty | None) -> str:
    return fault.message if fault else ""


async def _show_consent(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    study = place.study
    usual = study.pairs_per_annotator + study.options.swapped_repeats
    return Consent(
        title="Taking part",
        **common(place, _error(fault), stop=False),
        text=markdown(study.texts["consent"]),
        n_pairs=place.n_planned,
        shorter=place.n_planned < usual,
        expected_minutes=max(1, round(study.expected_minutes * place.n_planned / usual)),
        pay=study.pay,
    )


async def _take_consent(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    if form.get("consent") != "yes":
        return "Choose whether to take part"
    return await participations.consent(session, place)


async def _show_background(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    questions = tuple(
        _asked(question.key, question.question, (*question.answers, PREFER_NOT_TO_SAY), fault)
        for question in place.study.options.background
    )
    return _questions(place, "About you", ("You can always choose not to say.",), questions, fault)


_CHOOSE = "Choose an answer: "


def _asked(name: str, legend: str, answers: tuple[str, ...], fault: Faulty | None) -> Question:
    given = str(fault.form.get(name, "")) if fault else ""
    error = _CHOOSE + legend if fault and given not in answers else ""
    return Question(name=name, legend=legend, answers=answers, given=given, error=error)


def _questions(
    place: Place, title: str, lead: tuple[str, ...], questions: tuple[Question, ...], fault: Faulty | None
) -> Questions:
    first_at_fault = next((question.name for question in questions if question.error), questions[0].name)
    return Questions(
        title=title,
        **common(place, _error(fault)),
        lead=lead,
        questions=questions,
        error_field=f"{first_at_fault}-1",
    )


async def _take_background(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answers: dict[str, str] = {}
    for question in place.study.options.background:
        given = form.get(question.key)
        if given not in (*question.answers, PREFER_NOT_TO_SAY):
            return _CHOOSE + question.question
        answers[question.key] = str(given)
    return await participations.answer_background(session, place, answers)


async def _show_instructions(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    return Instructions(
        title="How it works",
        **common(place, _error(fault)),
        text=markdown(instructions_of(place.study.texts, place.instruction)),
        question=place.study.question,
        min_reading_seconds=place.study.options.min_reading_seconds,
    )


async def _take_instructions(session: AsyncSession, place: Place, _form: FormData) -> Place | str:
    return await participations.end_instructions(session, place)


_SECOND_ATTEMPT = "Not every answer was right. Read the instructions again below, then answer once more."


async def _show_comprehension(session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    attempts = await checks.comprehension_attempts(session, place)
    questions = tuple(
        _asked(f"question-{number}", question.question, question.answers, fault)
        for number, question in enumerate(place.study.options.comprehension, start=1)
    )
    lead = (_SECOND_ATTEMPT,) if attempts else ("Before you start, please show that the instructions were clear.",)
    title = "The questions once more" if attempts else "A few questions about the task"
    page = _questions(place, title, lead, questions, fault)
    told = markdown(instructions_of(place.study.texts, place.instruction))
    return replace(page, text=told, attempt=attempts + 1)


async def _take_comprehension(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    attempts = await checks.comprehension_attempts(session, place)
    if whole_number(form.get("attempt")) != attempts + 1:
        return place  # the same form, sent twice, is one attempt
    answers = []
    for number, question in enumerate(place.study.options.comprehension, start=1):
        given = form.get(f"question-{number}")
        if given not in question.answers:
            return _CHOOSE + question.question
        answers.append(str(given))
    return await participations.answer_comprehension(session, place, answers)


async def _show_practice(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    study = place.study
    pair = study.texts["practice"]
    return Judge(
        title="Practice pair",
        **common(place, _error(fault)),
        question=study.question,
        prompt=pair["prompt"],
        first=pair["first"],
        second=pair["second"],
        practice=True,
        position=0,
        n_pairs=place.n_planned,
        tie=study.options.tie,
        error_field="side-left",
    )


async def _take_practice(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    if chosen_answer(form, tie=place.study.options.tie) is None:
        return NOTHING_CHOSEN
    return await participations.start_judging(session, place)


async def _show_belief(session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    return Belief(
        title=f"Before pair {place.next_position} of {place.n_planned}",
        **common(place, _error(fault)),
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
        **common(place, _error(fault)),
        paragraphs=check.paragraphs,
        question=Question(name="answer", legend=check.legend, answers=check.answers, error=_error(fault)),
    )


async def _take_check(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answer = form.get("answer")
    if answer not in checks.attention_check(place, place.step.number).answers:
        return "Choose an answer"
    return await checks.answer_attention_check(session, place, str(answer))


async def _show_looked_up(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    return LookedUp(title="Did you look anything up?", **common(place, _error(fault)))


async def _take_looked_up(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answer = form.get("looked_up")
    if answer not in {"yes", "no"}:
        return "Choose yes or no"
    return await participations.answer_looked_up(session, place, looked_up=answer == "yes")


def _debriefed(pair: SeenPair) -> Debriefed:
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
        chose=_chose(pair),
    )


def _chose(pair: SeenPair) -> str:
    if pair.side_chosen is None:
        return ""
    if pair.side_chosen == Answer.TIE:
        return "neither"
    return "truthful" if Side(pair.side_chosen) == Side(pair.side_truthful) else "false"


async def show_debrief(session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    """Tell what was false, for every pair that the person saw."""
    return Debrief(
        title="What was behind it",
        **common(place, _error(fault), stop=False),
        text=markdown(place.study.texts["debrief"]),
        claims=tuple(_debriefed(pair) for pair in await seen_pairs(session, place)),
        stopped=place.ended_early,
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


STEPS: dict[str, StepOfTheWay] = {
    Stage.CONSENT: StepOfTheWay(_show_consent, _take_consent),
    Stage.BACKGROUND: StepOfTheWay(_show_background, _take_background),
    Stage.INSTRUCTIONS: StepOfTheWay(_show_instructions, _take_instructions),
    Stage.COMPREHENSION: StepOfTheWay(_show_comprehension, _take_comprehension),
    Stage.PRACTICE: StepOfTheWay(_show_practice, _take_practice),
    "belief": StepOfTheWay(_show_belief, _take_belief),
    "check": StepOfTheWay(_show_check, _take_check),
    Stage.LOOKED_UP: StepOfTheWay(_show_looked_up, _take_looked_up),
    Stage.DEBRIEF: StepOfTheWay(show_debrief, _take_debrief),
    Stage.COMPLETE: StepOfTheWay(_show_complete, _take_nothing),
}
"""Every step but the pair itself, by its name."""
