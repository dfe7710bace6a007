"""A study in which everything happened that a table tells apart, and readers of the three formats."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq

from app.exports.columns import Column, Kind, Table
from app.exports.copying import Tally, see_one_moment
from app.exports.files import Format, table_file
from app.study import amendments, participations, preregistrations, scoring_runs, studies
from app.study.score_imports import import_scores
from app.terms import Side
from tests.scored import VARIANTS, both_variants, judge_rows, pairs_of_study, reward_rows, run_record, score_file
from tests.studies import draft_study
from tests.study.people import People, people_with

ARMS = [
    {"truthful_kind": "helpful", "instructions": "neutral"},
    {"truthful_kind": "baseline", "instructions": "prefer_truth"},
]
QUESTION = {"key": "english", "question": "Is English your first language?", "answers": ["Yes", "No"]}
OPTIONS: dict[str, Any] = {
    "tie": True,
    "background": [QUESTION],
    "attention_checks": 0,
    "exclusions": {"looked_up": True},
}
ODD = [
    "=1+1",
    '+a "quoted", one',
    "two\r\nlines",
    "\tx",
    "é 𝄞 \u2028",
    r"back\slash \n",
    "",
    "@SUM(A1)",
    "{}",
    "\x01\x02",
]


@asynccontextmanager
async def filled_study(url: str, slug: str) -> AsyncIterator[People]:
    """Two arms; five people whole, one looked things up, one withdrew, one stopped; ties, a draw; a retired pair.

    Chance plans who judges what, so each oddity is put where it is seen: not on the retired pair, whose choices
    no table counts.
    """
    design: dict[str, Any] = {
        "arms": ARMS,
        "ratings_per_pair": 4,
        "pairs_per_annotator": 8,
        "options": OPTIONS,
        "platform": "prolific",
    }
    async with people_with(url, slug) as people:
        async with people.sessions.begin() as session:
            await draft_study(session, slug, **design)
            await preregistrations.preregister(session, slug)
            await studies.open_study(session, slug)
        names = ["whole", "looked-up", "withdrawn", "stopped", "also-whole", "thirdly", "fourthly", "fifthly"]
        who = {name: await people.enter(f"person-{name}") for name in names}
        for annotator in who.values():
            await people.to_judging(annotator)
        await people.enter("person-only-came")
        for name in names:
            for position in range(1, 4 if name == "stopped" else 9):
                await people.show(who[name])
                await people.choose(who[name], Side.LEFT if position % 3 else Side.RIGHT)
        await people.do(
            who["looked-up"], lambda session, at: participations.answer_looked_up(session, at, looked_up=True)
        )
        for name in ("whole", "looked-up"):
            await people.finish(who[name])
        await people.finish(who["withdrawn"], withdraw=True)
        await people.stop(who["stopped"])
        await _scores(people)
        await _oddities(people, who)
        yield people


async def _oddities(people: People, who: dict[str, str]) -> None:
    of_person = "participation_id = (SELECT id FROM participation WHERE public_id = :id)"
    for position, reason in enumerate(ODD[:8], 1):
        await people.rows(
            f"UPDATE choice SET reason = :reason WHERE {of_person} AND position = :position RETURNING 1",
            id=who["whole"], position=position, reason=reason,
        )  # fmt: skip
    await people.rows(
        f"UPDATE choice SET side_chosen = 'tie' WHERE {of_person} AND position = 2 RETURNING 1", id=who["whole"]
    )
    background = json.dumps({"english": "Yes", "odd": ODD})
    await people.rows(
        "UPDATE participation SET background = CAST(:said AS jsonb) WHERE public_id = :id RETURNING 1",
        id=who["whole"], said=background,
    )  # fmt: skip
    judged = await people.one(
        f"""
        SELECT misconception.key FROM assignment JOIN pair ON pair.id = pair_id
        JOIN misconception ON misconception.id = misconception_id WHERE {of_person} AND position = 1
        """,
        id=who["whole"],
    )
    async with people.sessions.begin() as session:
        await amendments.retire_pair(session, people.slug, judged, "-it is true after all")
    assert len(await people.rows(A_DRAW)) >= 2


# Five people of eight pairs each have 40 choices in 32 cells of a pair and an arm; without the retired pair (ten at the
# most) and the cell with the tie (five) some cell holds two of them. There one is for each kind and the rest are ties.
A_DRAW = """
    WITH kept AS (
        SELECT choice.participation_id, choice.position, side_truthful, assignment.pair_id, arm_id,
            row_number() OVER cell AS place,
            count(*) OVER whole_cell AS n, bool_or(side_chosen = 'tie') OVER whole_cell AS tie
        FROM choice JOIN assignment USING (participation_id, position) JOIN participation p ON p.id = participation_id
        WHERE choice.slot_id IS NOT NULL AND NOT withdrawn AND looked_up IS NOT TRUE AND stopped_at IS NULL
            AND assignment.pair_id NOT IN (SELECT pair_id FROM retired_pair)
        WINDOW cell AS (PARTITION BY assignment.pair_id, arm_id ORDER BY participation_id),
            whole_cell AS (PARTITION BY assignment.pair_id, arm_id)
    ), chosen AS (SELECT pair_id, arm_id FROM kept WHERE n > 1 AND NOT tie ORDER BY pair_id, arm_id LIMIT 1)
    UPDATE choice SET side_chosen = CASE place WHEN 1 THEN side_truthful
        WHEN 2 THEN CASE side_truthful WHEN 'left' THEN 'right' ELSE 'left' END ELSE 'tie' END
    FROM kept JOIN chosen USING (pair_id, arm_id)
    WHERE choice.participation_id = kept.participation_id AND choice.position = kept.position
    RETURNING 1
"""


async def _scores(people: People) -> None:
    """A reward model's run, one of a judge made at random, and one that is not done, which no table shows."""
    async with people.sessions.begin() as session:
        pairs = await pairs_of_study(session, people.slug)
        reward, judge = both_variants(), run_record("b" * 16, scorer="judge", model="=judge", random_weights=True)
        await import_scores(session, people.slug, score_file(reward, reward_rows(pairs, VARIANTS)))
        await import_scores(session, people.slug, score_file(judge, judge_rows(pairs, ["helpful"])))
        unfinished = await scoring_runs.begin(session, people.slug, run_record("c" * 16))
        await scoring_runs.store(session, unfinished.id, reward_rows(pairs))


async def exported(people: People, table: Table, known: Format = Format.CSV) -> bytes:
    tally = Tally()
    async with people.sessions.begin() as session:
        await see_one_moment(session)
        content = b"".join([chunk async for chunk in table_file(session, table, people.slug, known, tally)])
    assert tally.rows == len(READERS[known](content))
    return content


async def rows_of(people: People, table: Table) -> list[dict[str, Any]]:
    """The rows with values of their own types."""
    return from_jsonl(await exported(people, table, Format.JSONL))


def from_csv(content: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


def from_jsonl(content: bytes) -> list[dict[str, Any]]:
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line) for line in content.decode("utf-8").split("\n")[:-1]]


def from_parquet(content: bytes) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return read


READERS = {Format.CSV: from_csv, Format.JSONL: from_jsonl, Format.PARQUET: from_parquet}


def in_words(column: Column, value: Any) -> str:
    """What CSV says of a value that JSON gave."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value)
    said = str(value)
    return f"'{said}" if column.text and said[:1] in tuple("=+-@\t\r") else said


def plain(column: Column, value: Any) -> Any:
    """What JSON says of a value that Parquet gave."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if column.kind is Kind.OBJECT and value is not None:
        return json.loads(value)
    return value
