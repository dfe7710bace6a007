"""The payments table: who is due what, by the platform's ids; and that those ids are in no other table."""

import csv
import io
import re
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli import export
from app.exports.choices import CHOICES
from app.exports.columns import Table
from app.exports.copying import Chunks
from app.exports.csv_files import codebook_csv, table_csv
from app.exports.payments import PAYMENTS
from app.exports.tables import TABLES
from app.study import entering, participations, platforms, studies
from app.study.entering import Arrival
from app.study.platforms import Report
from app.study.tokens import synthetic_proof
from app.terms import Outcome, Platform, SubmissionStatus
from tests.conftest import NewDatabase
from tests.study.people import People, people_of

COLUMNS = [
    "study",
    "platform",
    "platform_person",
    "platform_study",
    "platform_session",
    "annotator",
    "outcome",
    "completion_code",
    "n_judged",
    "n_planned",
    "checks_failed",
    "entered_at",
    "consented_at",
    "finished_at",
    "minutes",
    "platform_status",
    "withdrawn",
]
CODES: dict[str, Any] = {
    "completion_code": "DONE-1234",
    "failed_checks_code": "-FAIL-1234",
    "screened_out_code": "OUT-1234",
}


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


async def exported(people: People, table: Table = PAYMENTS) -> bytes:
    async with people.sessions.begin() as session:
        return b"".join([chunk async for chunk in table_csv(session, table, people.slug)])


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


async def arrive(people: People, name: str) -> str:
    async with people.sessions.begin() as session:
        arrival = Arrival(f"person-{name}", "prolific-study", f"session-{name}")
        return await entering.enter(session, people.slug, arrival)


@pytest.fixture(scope="module")
async def busy(url: str) -> AsyncIterator[People]:
    """A study in which people ended in every way, one each, in this order."""
    async with people_of(url, "busy", platform="prolific", ratings_per_pair=12, **CODES) as people:
        names = ["complete", "failed", "screened", "stopped", "returned", "withdrawn", "judging", "arrived"]
        who = {name: await arrive(people, name) for name in names}
        for name in ("complete", "failed", "stopped", "returned", "withdrawn", "judging"):
            await people.to_judging(who[name])
        for name in ("complete", "failed", "withdrawn"):
            await people.judge(who[name])
        await people.finish(who["complete"])
        await people.finish(who["failed"])
        # How a way ends is for other tests; here it only has to be told.
        ended = "UPDATE participation SET outcome = :outcome, checks_failed = :n WHERE public_id = :id RETURNING 1"
        await people.rows(ended, outcome=Outcome.FAILED_CHECKS, n=2, id=who["failed"])
        await people.do(who["screened"], participations._screen_out)
        await people.judge(who["stopped"], most=3)
        await people.stop(who["stopped"])
        await people.finish(who["stopped"])
        await people.judge(who["judging"], most=1)
        await people.finish(who["withdrawn"], withdraw=True)
        async with people.sessions.begin() as session:
            told = Report(Platform.PROLIFIC, "session-returned", SubmissionStatus.RETURNED, datetime.now(UTC))
            await platforms.note_status(session, told)
        yield people


async def test_the_columns_are_those_agreed_on(busy: People) -> None:
    assert [column.name for column in PAYMENTS.columns] == COLUMNS
    assert (await exported(busy)).split(b"\r\n", 1)[0].decode() == ",".join(COLUMNS)


async def test_everybody_who_came_is_there_with_what_they_are_due(busy: People) -> None:
    rows = read(await exported(busy))
    told = (
        "platform_person",
        "outcome",
        "completion_code",
        "n_judged",
        "checks_failed",
        "platform_status",
        "withdrawn",
    )
    assert [tuple(row[column] for column in told) for row in rows] == [
        ("person-complete", "complete", "DONE-1234", "8", "0", "", "false"),
        ("person-failed", "failed_checks", "'-FAIL-1234", "8", "2", "", "false"),
        ("person-screened", "screened_out", "OUT-1234", "0", "0", "", "false"),
        ("person-stopped", "stopped", "", "3", "0", "", "false"),
        ("person-returned", "returned", "", "0", "0", "returned", "false"),
        ("person-withdrawn", "complete", "DONE-1234", "8", "0", "", "true"),
        ("person-judging", "", "", "1", "0", "", "false"),
        ("person-arrived", "", "", "0", "0", "", "false"),
    ]
    assert {(row["study"], row["platform"], row["platform_study"]) for row in rows} == {
        ("busy", "prolific", "prolific-study")
    }
    assert [row["platform_session"] for row in rows] == [
        row["platform_person"].replace("person", "session") for row in rows
    ]
    assert {row["n_planned"] for row in rows} == {"8"}
    assert [row["annotator"] for row in rows] == await busy.everyone()


async def test_times_are_utc_and_minutes_run_from_coming_to_finishing(url: str) -> None:
    async with people_of(url, "timed", platform="prolific") as people:
        annotator = await arrive(people, "slow")
        await people.to_judging(annotator)
        await people.judge(annotator)
        await people.finish(annotator)
        await arrive(people, "new")
        await people.rows(
            """
            UPDATE participation SET entered_at = finished_at - interval '12 minutes 33 seconds'
            WHERE public_id = :id RETURNING 1
            """,
            id=annotator,
        )
        finished, new = read(await exported(people))
    assert finished["minutes"] == "12.6"
    assert (new["minutes"], new["finished_at"], new["consented_at"]) == ("", "", "")
    for column in ("consented_at", "finished_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", finished[column])


ODD = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'a "quoted", one', "two\r\nlines", "é 𝄞"]


async def test_ids_from_outside_run_no_formula_and_break_no_row(url: str) -> None:
    async with people_of(url, "odd", platform="prolific", ratings_per_pair=12) as people:
        for value in ODD:
            async with people.sessions.begin() as session:
                await entering.enter(session, "odd", Arrival(value, value, value))
        rows = read(await exported(people))
    made_safe = [f"'{value}" if value[0] in "=+-@\t\r" else value for value in ODD]
    for column in ("platform_person", "platform_study", "platform_session"):
        assert [row[column] for row in rows] == made_safe


async def test_every_id_and_code_is_marked_as_text_from_outside() -> None:
    assert {column.name for column in PAYMENTS.columns if column.text} == {
        "platform_person",
        "platform_study",
        "platform_session",
        "completion_code",
    }


async def test_a_generic_platform_s_ids_and_an_open_study_s_lack_of_them(url: str) -> None:
    async with people_of(url, "generic", platform="generic") as people:
        await people.enter("their-own-id")
        (row,) = read(await exported(people))
        assert (row["platform"], row["platform_person"], row["platform_session"]) == ("generic", "their-own-id", "")
    async with people_of(url, "open", platform="open") as people:
        await people.enter("")
        (row,) = read(await exported(people))
        assert (row["platform"], row["platform_person"], row["outcome"]) == ("open", "", "")


async def test_programs_are_paid_nothing(url: str) -> None:
    async with people_of(url, "made-up", synthetic=True) as people:
        async with people.sessions.begin() as session:
            key = (await studies.get_study(session, "made-up")).key
            await entering.enter(session, "made-up", Arrival("robot", proof=synthetic_proof(key, "robot")))
        assert read(await exported(people)) == []


async def test_the_platform_s_ids_are_in_no_other_table(busy: People) -> None:
    others = [await exported(busy, table) for table in TABLES.values() if table is not PAYMENTS]
    others.append(b"".join([chunk async for chunk in codebook_csv()]))
    assert len(others) == len(TABLES)
    for content in others:
        for secret in (b"person-", b"session-", b"prolific-study", b"DONE-1234", b"OUT-1234"):
            assert secret not in content
    assert not [c.name for c in CHOICES.columns if "platform" in c.sql or "identity" in c.sql]


async def test_the_codebook_marks_what_is_personal() -> None:
    rows = read(b"".join([chunk async for chunk in codebook_csv()]))
    assert [(row["table"], row["column"]) for row in rows if "PERSONAL" in row["meaning"]] == [
        ("payments", "platform_person"),
        ("payments", "platform_session"),
    ]
    assert [row["column"] for row in rows if row["table"] == "payments"] == COLUMNS


def csv_of(table: Table, session: AsyncSession) -> Chunks:
    return table_csv(session, table, "busy")


async def test_the_command_s_export_is_recorded_too_and_without_an_account(
    busy: People, url: str, tmp_path: Path
) -> None:
    for table in (PAYMENTS, CHOICES):
        path = tmp_path / f"{table.name}.csv"
        await export.export_from(url, "busy", partial(csv_of, table), path, audited=table is PAYMENTS)
    assert (tmp_path / "payments.csv").read_bytes() == await exported(busy)
    recorded = await busy.rows("SELECT account_id, detail FROM event WHERE kind = 'payments_exported'")
    assert recorded == [(None, {})]


async def test_many_people_stream_in_constant_memory(url: str) -> None:
    async with people_of(url, "many", platform="prolific") as people:
        await people.rows(
            """
            INSERT INTO participation (study_id, arm_id, public_id, synthetic)
            SELECT study.id, arm.id, 'made-up-' || number, false
            FROM study JOIN arm ON arm.study_id = study.id, generate_series(1, 20000) AS number
            WHERE slug = 'many' RETURNING 1
            """
        )
        await people.rows(
            """
            INSERT INTO platform_identity (participation_id, platform, platform_person, platform_session)
            SELECT p.id, 'prolific', repeat('p', 24), repeat('s', 24)
            FROM participation p JOIN study ON study.id = study_id WHERE slug = 'many' RETURNING 1
            """
        )
        async with people.sessions.begin() as session:
            await session.execute(text("SELECT 1"))
            n_rows = 0
            tracemalloc.start()
            try:
                async for chunk in table_csv(session, PAYMENTS, "many"):
                    n_rows += chunk.count(b"\r\n")
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert n_rows == 20_001
    assert peak < 5_000_000
