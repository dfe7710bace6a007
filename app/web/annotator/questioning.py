"""Pages of questions: about the person, and about the instructions."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.markdown import markdown
from app.study import checks, participations
from app.study.options import PREFER_NOT_TO_SAY
from app.study.places import Place
from app.study.texts import instructions_of
from app.web.annotator.forms import one_of, whole_number
from app.web.annotator.pages import Question, Questions, Step
from app.web.annotator.step import Faulty, StepOfTheWay, error_of
from app.web.annotator.way import common


async def _show_background(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    questions = tuple(
        _asked(question.key, question.question, (*question.answers, PREFER_NOT_TO_SAY), fault)
        for question in place.study.options.background
    )
    return _questions(place, "About you", ("You can always choose not to say.",), questions, fault)


_CHOOSE = "Choose an answer: "


def _asked(name: str, legend: str, answers: tuple[str, ...], fault: Faulty | None) -> Question:
    given = (one_of(answers, fault.form.get(name)) if fault else None) or ""
    error = _CHOOSE + legend if fault and not given else ""
    return Question(name=name, legend=legend, answers=answers, given=given, error=error)


def _questions(
    place: Place, title: str, lead: tuple[str, ...], questions: tuple[Question, ...], fault: Faulty | None
) -> Questions:
    first_at_fault = next((question.name for question in questions if question.error), questions[0].name)
    return Questions(
        title=title,
        **common(place, error_of(fault)),
        lead=lead,
        questions=questions,
        error_field=f"{first_at_fault}-1",
    )


async def _take_background(session: AsyncSession, place: Place, form: FormData) -> Place | str:
    answers: dict[str, str] = {}
    for question in place.study.options.background:
        given = one_of((*question.answers, PREFER_NOT_TO_SAY), form.get(question.key))
        if given is None:
            return _CHOOSE + question.question
        answers[question.key] = given
    return await participations.answer_background(session, place, answers)


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
        given = one_of(question.answers, form.get(f"question-{number}"))
        if given is None:
            return _CHOOSE + question.question
        answers.append(given)
    return await participations.answer_comprehension(session, place, answers)


BACKGROUND = StepOfTheWay(_show_background, _take_background)
COMPREHENSION = StepOfTheWay(_show_comprehension, _take_comprehension)
