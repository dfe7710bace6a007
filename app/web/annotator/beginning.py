"""The way to the first pair: consent, the instructions, the practice pair."""

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.markdown import markdown
from app.study import participations
from app.study.places import Place
from app.study.texts import instructions_of
from app.web.annotator.forms import NOTHING_CHOSEN, chosen_answer
from app.web.annotator.pages import Consent, Instructions, Judge, Step
from app.web.annotator.step import Faulty, StepOfTheWay, error_of
from app.web.annotator.way import common


async def _show_consent(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    study = place.study
    usual = study.pairs_per_annotator + study.options.swapped_repeats
    return Consent(
        title="Taking part",
        **common(place, error_of(fault), stop=False),
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


async def _show_instructions(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    return Instructions(
        title="How it works",
        **common(place, error_of(fault)),
        text=markdown(instructions_of(place.study.texts, place.instruction)),
        question=place.study.question,
        min_reading_seconds=place.study.options.min_reading_seconds,
    )


async def _take_instructions(session: AsyncSession, place: Place, _form: FormData) -> Place | str:
    return await participations.end_instructions(session, place)


async def _show_practice(_session: AsyncSession, place: Place, fault: Faulty | None) -> Step:
    study = place.study
    pair = study.texts["practice"]
    return Judge(
        title="Practice pair",
        **common(place, error_of(fault)),
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


CONSENT = StepOfTheWay(_show_consent, _take_consent)
INSTRUCTIONS = StepOfTheWay(_show_instructions, _take_instructions)
PRACTICE = StepOfTheWay(_show_practice, _take_practice)
