"""The choices table as CSV: every column, every value, every promise of its form."""

import csv
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.exports.columns import TABLES, Column
from app.exports.csv_files import choices_csv, codebook_csv
from app.study import studies
from tests.studies import open_study

COLUMNS = [
    *("study", "set_slug", "set_version", "set_hash", "design_hash", "arm", "pair_id", "misconception_key", "category"),
    *("difficulty_level", "truthful_kind", "annotator", "position", "side_truthful", "side_chosen", "chosen_kind"),
    *("prefers_sycophantic", "words_truthful", "words_sycophantic", "confidence", "prior_belief", "reason"),
    *("decision_ms_browser", "decision_ms_server", "shown_at", "chosen_at", "checks_passed", "looked_up", "counted"),
    *("late", "repeat_of", "excluded", "exclusion_reason", "withdrawn", "synthetic"),
]

# Everybody's whole planned set as stored choices, without the way there: sides by the parity of the position.
JUDGE_ALL = """
    WITH person AS (
        INSERT INTO participation (study_id, arm_id, public_id, stage, n_planned, n_answered, synthetic, looked_up)
        SELECT study.id, arm.id, CASE arm.instructions WHEN 'neutral' THEN 'person-' ELSE 'truthful-' END || number,
               'debrief', :n, :n, study.synthetic, number % 2 = 0
        FROM study JOIN arm ON arm.study_id = study.id CROSS JOIN generate_series(1, :people) AS number
        WHERE study.slug = :slug
        RETURNING id, study_id, arm_id
    ), placed AS (
        INSERT INTO assignment (participation_id, position, pair_id, side_truthful, shown_at)
        SELECT person.id, row_number() OVER (PARTITION BY person.id ORDER BY pair.id), pair.id,
               CASE WHEN pair.id % 3 = 0 THEN 'left' ELSE 'right' END, '2026-02-03 04:05:06.7+01'
        FROM person JOIN pair ON pair.study_id = person.study_id
        RETURNING participation_id, position
    )
    SELECT count(*) FROM placed
"""
CHOOSE_ALL = """
    INSERT INTO choice (participation_id, position, side_chosen, decision_ms_browser, decision_ms_server, chosen_at,
                        counted, late, design_hash)
    SELECT participation_id, position, CASE WHEN position % 2 = 0 THEN 'left' ELSE 'right' END,
           CASE WHEN position % 2 = 0 THEN 1500 END, 2500, '2026-02-03 04:06:00+01', false, position = 1,
           study.design_hash
    FROM assignment JOIN participation ON participation.id = participation_id JOIN study ON study.id = study_id
    WHERE study.slug = :slug
"""


async def judge_all(session: AsyncSession, slug: str, people: int = 2, n: int = 16) -> None:
    await session.execute(text(JUDGE_ALL), {"slug": slug, "people": people, "n": n})
    await session.execute(text(CHOOSE_ALL), {"slug": slug})
    await session.execute(text("ANALYZE"))  # as autovacuum would have done meanwhile


async def gather(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def table(session: AsyncSession, slug: str) -> list[dict[str, str]]:
    whole = await gather(choices_csv(session, slug))
    return list(csv.DictReader(io.StringIO(whole.decode("utf-8"), newline="")))


async def test_an_empty_study_is_the_header_in_the_documented_order(session: AsyncSession) -> None:
    await open_study(session, "tested")
    assert await gather(choices_csv(session, "tested")) == (",".join(COLUMNS) + "\r\n").encode()


async def test_every_value_of_a_row(session: AsyncSession) -> None:
    study = await open_study(session, "tested")
    await judge_all(session, "tested")
    rows = await table(session, "tested")
    assert len(rows) == 32
    expected = await session.execute(
        text("""
            SELECT p.public_id, c.position, pair.id, m.key, m.category, pair.difficulty_level,
                   a.side_truthful, c.side_chosen
            FROM choice c JOIN assignment a USING (participation_id, position)
            JOIN participation p ON p.id = c.participation_id JOIN pair ON pair.id = a.pair_id
            JOIN misconception m ON m.id = pair.misconception_id ORDER BY p.id, c.position
        """)
    )
    for row, known in zip(rows, expected, strict=True):
        annotator, position, pair_id, key, category, level, truthful, chosen = known
        number = int(key.removeprefix("claim-"))
        assert row == {
            "study": "tested",
            "set_slug": "tested-set",
            "set_version": "1",
            "set_hash": study.misconception_set.content_hash,
            "design_hash": study.design_hash,
            "arm": "helpful/neutral",
            "pair_id": str(pair_id),
            "misconception_key": key,
            "category": category,
            "difficulty_level": str(1 + number % 8),
            "truthful_kind": "helpful",
            "annotator": annotator,
            "position": str(position),
            "side_truthful": truthful,
            "side_chosen": chosen,
            "chosen_kind": "truthful" if truthful == chosen else "sycophantic",
            "prefers_sycophantic": "0" if truthful == chosen else "1",
            "words_truthful": "8",
            "words_sycophantic": "8",
            "confidence": "",
            "prior_belief": "",
            "reason": "",
            "decision_ms_browser": "1500" if position % 2 == 0 else "",
            "decision_ms_server": "2500",
            "shown_at": "2026-02-03T03:05:06.700Z",
            "chosen_at": "2026-02-03T03:06:00.000Z",
            "checks_passed": "",
            "looked_up": "true" if annotator == "person-2" else "false",
            "counted": "false",
            "late": "true" if position == 1 else "false",
            "repeat_of": "",
            "excluded": "false",
            "exclusion_reason": "",
            "withdrawn": "false",
            "synthetic": "false",
        }
        assert level == 1 + number % 8
    assert {row["chosen_kind"] for row in rows} == {"truthful", "sycophantic"}


async def test_each_arm_shows_its_own_truthful_response(session: AsyncSession) -> None:
    arms = [
        {"truthful_kind": kind, "instructions": how}
        for kind, how in (("helpful", "neutral"), ("baseline", "prefer_truth"))
    ]
    await open_study(session, "tested", arms=arms)
    await judge_all(session, "tested", people=1)
    seen = {(row["arm"], row["truthful_kind"], row["words_truthful"]) for row in await table(session, "tested")}
    assert seen == {("helpful/neutral", "helpful", "8"), ("baseline/prefer_truth", "baseline", "4")}


async def test_a_withdrawn_row_says_only_that(session: AsyncSession) -> None:
    await open_study(session, "tested")
    await judge_all(session, "tested", people=1)
    await session.execute(
        text(
            "UPDATE choice SET withdrawn = true, side_chosen = NULL, "
            "decision_ms_browser = NULL, decision_ms_server = NULL"
        )
    )
    for row in await table(session, "tested"):
        assert row["withdrawn"] == "true"
        said = ("side_chosen", "chosen_kind", "prefers_sycophantic", "decision_ms_browser", "decision_ms_server")
        assert [row[name] for name in said] == [""] * 5


async def test_synthetic_studies_are_flagged_in_every_row(session: AsyncSession) -> None:
    await open_study(session, "tested", synthetic=True)
    await judge_all(session, "tested", people=1)
    assert {row["synthetic"] for row in await table(session, "tested")} == {"true"}


async def test_only_the_study_asked_for_is_exported(session: AsyncSession) -> None:
    await open_study(session, "tested")
    await open_study(session, "other")
    await judge_all(session, "other")
    assert await table(session, "tested") == []
    assert len(await table(session, "other")) == 32


async def test_a_slug_is_quoted_not_run(session: AsyncSession) -> None:
    assert await table(session, "x' OR 'a' = 'a") == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
async def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(session: AsyncSession, start: str) -> None:
    column = Column("reason", "text", "made up", "said", text=True)
    query = f"SELECT {column.expression} FROM (SELECT CAST(:said AS text) AS said) AS given"
    assert await session.scalar(text(query.replace(":space:", "[:space:]")), {"said": f"{start}1+1"}) == f"'{start}1+1"
    assert await session.scalar(text(query), {"said": f"1{start}"}) == f"1{start}"


async def test_lines_end_as_rfc_4180_says(session: AsyncSession) -> None:
    await open_study(session, "tested")
    await judge_all(session, "tested")
    whole = await gather(choices_csv(session, "tested"))
    assert whole.count(b"\r\n") == whole.count(b"\n") == 33
    assert whole.endswith(b"\r\n")


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def test_memory_does_not_grow_with_the_study(session: AsyncSession) -> None:
    await open_study(session, "tested", per_level=100, ratings_per_pair=1)
    await judge_all(session, "tested", people=125, n=800)
    rows, size, peak = 0, 0.0, 0.0
    before = resident_mib()
    async for chunk in choices_csv(session, "tested"):
        rows += chunk.count(b"\r\n")
        size += len(chunk) / 2**20
        peak = max(peak, resident_mib() - before)
    assert rows == 100_001
    assert size > 30
    assert peak < 8


async def test_the_codebook_describes_every_column_once() -> None:
    described = list(csv.DictReader(io.StringIO((await gather(codebook_csv())).decode(), newline="")))
    assert [row["column"] for row in described if row["table"] == "choices"] == COLUMNS
    assert len(described) == sum(len(columns) for columns in TABLES.values())
    assert all(row["type"] and row["meaning"] for row in described)


async def test_a_study_that_is_paused_still_exports(session: AsyncSession) -> None:
    await open_study(session, "tested")
    await studies.pause_study(session, "tested")
    await judge_all(session, "tested", people=1)
    assert len(await table(session, "tested")) == 16
