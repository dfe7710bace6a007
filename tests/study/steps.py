"""What people do between the pairs of a study with options: say what they believe, and answer checks."""

import csv
import io

from app.exports.csv_files import table_csv
from app.exports.tables import TABLES
from app.study import checks, participations
from app.terms import Side
from tests.study.people import People


async def walk(
    people: People, annotator: str, *, side: Side = Side.LEFT, passing: bool = True, until: str = "", most: int = 1000
) -> None:
    """Answer whatever comes, up to a step, or so many pairs at most."""
    while (step := (await people.place(annotator)).step).name in {"pair", "belief", "check"}:
        if str(step) == until or (step.name == "pair" and step.number > most):
            return
        if step.name == "belief":
            await people.do(annotator, lambda session, place: participations.answer_belief(session, place, 70))
        elif step.name == "check":
            await answer_check(people, annotator, passing=passing)
        else:
            assert await people.show(annotator)
            assert await people.choose(annotator, side)


async def answer_check(people: People, annotator: str, *, passing: bool) -> None:
    """Do what the attention check asks for, or anything else."""
    place = await people.place(annotator)
    check = checks.attention_check(place, place.step.number)
    wrong = next(answer for answer in check.answers if answer != check.asked_for)
    answer = check.asked_for if passing else wrong
    await people.do(annotator, lambda session, place: checks.answer_attention_check(session, place, answer))


async def say_looked_up(people: People, annotator: str, *, looked_up: bool = False) -> None:
    """Answer the question after the last pair."""
    await people.do(
        annotator, lambda session, place: participations.answer_looked_up(session, place, looked_up=looked_up)
    )


async def exported(people: People, annotator: str) -> list[dict[str, str]]:
    """A person's rows of the choices table, as a researcher gets them."""
    async with people.sessions.begin() as session:
        content = b"".join([chunk async for chunk in table_csv(session, TABLES["choices"], people.slug)])
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    return [row for row in rows if row["annotator"] == annotator]
