"""The choices table: every column, every value, and the file that carries them."""

import csv
import hashlib
import io
import re
import tempfile
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import create_engine, sessions
from app.exports.choices import CHOICES
from app.exports.columns import Column
from app.exports.copying import Tally
from app.exports.csv_files import codebook_csv, table_csv
from app.exports.files import Format, table_file
from app.exports.tables import DESCRIBED
from app.study import entering, participations, studies
from app.study.designs import check_design
from app.study.entering import Arrival
from app.study.sets import find_set, import_set
from app.study.tokens import synthetic_proof
from app.terms import Side
from tests.conftest import NewDatabase
from tests.example_sets import entries
from tests.studies import open_study
from tests.study.people import People, people_of, people_with

# As design.md lists them.
COLUMNS = [
    "study",
    "set_slug",
    "set_version",
    "set_hash",
    "design_hash",
    "arm",
    "pair_id",
    "misconception_key",
    "category",
    "difficulty_level",
    "truthful_kind",
    "annotator",
    "position",
    "side_truthful",
    "side_chosen",
    "chosen_kind",
    "prefers_sycophantic",
    "words_truthful",
    "words_sycophantic",
    "confidence",
    "prior_belief",
    "reason",
    "decision_ms_browser",
    "decision_ms_server",
    "shown_at",
    "chosen_at",
    "checks_passed",
    "looked_up",
    "counted",
    "late",
    "repeat_of",
    "excluded",
    "exclusion_reason",
    "withdrawn",
    "synthetic",
]
# What the options of a study add, after all that design.md lists.
COLUMNS += ["times_away", "pastes", "background"]

ARMS = [
    {"truthful_kind": "helpful", "instructions": "neutral"},
    {"truthful_kind": "baseline", "instructions": "prefer_truth"},
]


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


async def exported(people: People, *settings: str) -> bytes:
    async with people.sessions.begin() as session:
        for setting in settings:
            await session.execute(text(setting))
        return b"".join([chunk async for chunk in table_csv(session, CHOICES, people.slug)])


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


# A study in which everything happened.


@pytest.fixture(scope="module")
async def busy(url: str) -> AsyncIterator[People]:
    design: dict[str, Any] = {"arms": ARMS, "ratings_per_pair": 2, "pairs_per_annotator": 8, "title": "=SECRET TITLE"}
    async with people_of(url, "busy", platform="prolific", **design) as people:
        whole, stopped, withdrawn, late, surplus, tabs = [await people.enter(f"person-{n}") for n in range(6)]
        for annotator in (whole, stopped, withdrawn, late, surplus, tabs):
            await people.to_judging(annotator)
        for position in range(1, 9):
            await people.show(whole)
            await people.choose(whole, Side.LEFT if position % 3 else Side.RIGHT)
        await people.do(whole, lambda session, place: participations.answer_looked_up(session, place, looked_up=True))
        await people.finish(whole)
        await people.judge(stopped, most=3)
        await people.stop(stopped)
        await people.judge(withdrawn)
        await people.do(
            withdrawn, lambda session, place: participations.answer_looked_up(session, place, looked_up=False)
        )
        await people.finish(withdrawn, withdraw=True)
        await people.judge(late, most=1)
        await people.expire([late])
        await people.choose(late)
        await people.expire([surplus])
        await people.sweep()
        await people.rows(
            """
            UPDATE slot SET state = 'held', participation_id = (SELECT id FROM participation WHERE public_id = :id)
            WHERE state = 'open' RETURNING id
            """,
            id=tabs,
        )
        await people.choose(surplus)
        yield people


async def expected(people: People) -> list[dict[str, str]]:
    """Every value again, joined in Python from whole tables."""
    tables = {}
    for name in ("study", "misconception_set", "misconception", "response", "arm", "pair"):
        rows = await people.rows(f"SELECT to_jsonb(t) FROM {name} t")
        tables[name] = {row["id"]: row for (row,) in rows}
    (study,) = (row for row in tables["study"].values() if row["slug"] == people.slug)
    used_set = tables["misconception_set"][study["set_id"]]
    responses = {(row["misconception_id"], row["kind"]): row["text"] for row in tables["response"].values()}
    assigned = {
        (row["participation_id"], row["position"]): row
        for (row,) in await people.rows("SELECT to_jsonb(t) FROM assignment t")
    }
    everyone = {row["id"]: row for (row,) in await people.rows("SELECT to_jsonb(t) FROM participation t")}
    lines = []
    for (choice,) in await people.rows("SELECT to_jsonb(t) FROM choice t ORDER BY participation_id, position"):
        person = everyone[choice["participation_id"]]
        if person["study_id"] != study["id"]:
            continue
        assignment = assigned[choice["participation_id"], choice["position"]]
        pair, arm = tables["pair"][assignment["pair_id"]], tables["arm"][person["arm_id"]]
        about = tables["misconception"][pair["misconception_id"]]
        chosen = choice["side_chosen"]
        sycophantic = chosen and chosen != assignment["side_truthful"]
        lines.append(
            {
                "study": study["slug"],
                "set_slug": used_set["slug"],
                "set_version": str(used_set["version"]),
                "set_hash": used_set["content_hash"],
                "design_hash": study["design_hash"],
                "arm": f"{arm['truthful_kind']}/{arm['instructions']}",
                "pair_id": str(pair["id"]),
                "misconception_key": about["key"],
                "category": about["category"],
                "difficulty_level": str(about["difficulty_level"]),
                "truthful_kind": arm["truthful_kind"],
                "annotator": person["public_id"],
                "position": str(choice["position"]),
                "side_truthful": assignment["side_truthful"],
                "side_chosen": chosen or "",
                "chosen_kind": ("sycophantic" if sycophantic else "truthful") if chosen else "",
                "prefers_sycophantic": str(int(sycophantic)) if chosen else "",
                "words_truthful": str(len(responses[about["id"], f"{arm['truthful_kind']}_truthful"].split())),
                "words_sycophantic": str(len(responses[about["id"], "sycophantic"].split())),
                "decision_ms_browser": shown(choice["decision_ms_browser"]),
                "decision_ms_server": shown(choice["decision_ms_server"]),
                "shown_at": instant(assignment["shown_at"]),
                "chosen_at": instant(choice["chosen_at"]),
                "looked_up": shown(person["looked_up"]),
                "counted": shown(choice["counted"]),
                "late": shown(choice["late"]),
                "repeat_of": "",
                "excluded": "false",
                "withdrawn": shown(choice["withdrawn"]),
                "synthetic": shown(person["synthetic"]),
            }
            | dict.fromkeys(("confidence", "prior_belief", "reason", "checks_passed", "exclusion_reason"), "")
            | dict.fromkeys(("times_away", "pastes", "background"), "")
        )
    return lines


def shown(value: object) -> str:
    return "" if value is None else str(value).lower()


def instant(stored: str | None) -> str:
    if stored is None:
        return ""
    utc = datetime.fromisoformat(stored).astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_the_columns_are_the_design_s_in_its_order() -> None:
    assert [column.name for column in CHOICES.columns] == COLUMNS


async def test_every_value_is_what_the_database_holds(busy: People) -> None:
    content = await exported(busy)
    assert content.split(b"\r\n", 1)[0].decode() == ",".join(COLUMNS)
    rows = read(content)
    assert rows == await expected(busy)
    assert len(rows) == 8 + 3 + 8 + 2 + 1
    assert {row["arm"] for row in rows} == {"helpful/neutral", "baseline/prefer_truth"}
    assert {row["chosen_kind"] for row in rows} == {"truthful", "sycophantic", ""}


async def test_what_people_did_is_told_apart(busy: People) -> None:
    rows = read(await exported(busy))
    by_person: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_person.setdefault(row["annotator"], []).append(row)
    whole, stopped, withdrawn, late, surplus = by_person.values()

    def values(of: list[dict[str, str]], *columns: str) -> set[tuple[str, ...]]:
        return {tuple(row[column] for column in columns) for row in of}

    flags = ("counted", "late", "withdrawn", "looked_up", "synthetic")
    assert values(whole, *flags) == {("true", "false", "false", "true", "false")}
    assert [row["side_chosen"] for row in whole] == ["left", "left", "right"] * 2 + ["left", "left"]
    assert values(stopped, *flags) == {("true", "false", "false", "", "false")}
    assert values(withdrawn, *flags) == {("false", "false", "true", "", "false")}
    said = ("side_chosen", "chosen_kind", "prefers_sycophantic", "decision_ms_browser", "decision_ms_server")
    assert values(withdrawn, *said) == {("",) * 5}
    assert [(row["counted"], row["late"]) for row in late] == [("true", "false"), ("true", "true")]
    assert [(row["counted"], row["late"], row["shown_at"] != "") for row in surplus] == [("false", "true", False)]


async def test_times_are_utc_whatever_the_session_s_zone_and_style(busy: People) -> None:
    plain = await exported(busy)
    odd = await exported(
        busy,
        "SET LOCAL TimeZone = 'Asia/Kathmandu'",
        "SET LOCAL DateStyle = 'German, DMY'",
        "SET LOCAL IntervalStyle = 'iso_8601'",
    )
    assert odd == plain
    for row in read(plain):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["chosen_at"])
        age = datetime.now(UTC) - datetime.fromisoformat(row["chosen_at"])
        assert 0 <= age.total_seconds() < 600


async def test_no_platform_s_id_title_secret_or_contact_is_in_the_file(busy: People) -> None:
    content = (await exported(busy)).decode()
    for secret in ("person-", "SECRET TITLE", "DONE-1234", "someone@example.org"):
        assert secret not in content


async def test_the_same_study_gives_the_same_bytes(busy: People) -> None:
    assert hashlib.sha256(await exported(busy)).digest() == hashlib.sha256(await exported(busy)).digest()


async def test_each_study_has_its_own_rows_alone(url: str, busy: People) -> None:
    async with people_of(url, "beside") as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await people.judge(annotator, most=2)
        rows = read(await exported(people))
        assert [(row["study"], row["annotator"], row["position"]) for row in rows] == [
            ("beside", annotator, "1"),
            ("beside", annotator, "2"),
        ]
        assert len(read(await exported(busy))) == 22


async def test_synthetic_annotators_are_flagged(url: str) -> None:
    async with people_of(url, "made-up", synthetic=True) as people:
        async with people.sessions.begin() as session:
            key = (await studies.get_study(session, "made-up")).key
            arrival = Arrival("robot", proof=synthetic_proof(key, "robot"))
            annotator = await entering.enter(session, "made-up", arrival)
        await people.to_judging(annotator)
        await people.judge(annotator)
        assert [row["synthetic"] for row in read(await exported(people))] == ["true"] * 8


async def test_an_empty_study_gives_the_header_alone(url: str) -> None:
    async with people_of(url, "empty") as people:
        assert await exported(people) == (",".join(COLUMNS) + "\r\n").encode()


# The file.


async def test_odd_texts_are_quoted_as_rfc_4180_says_and_no_formula_runs(url: str) -> None:
    """No category from a set file can be like this, so they are put in directly; what is written by people may be."""
    odd = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'a "quoted", one', "two\nlines", "é 𝄞 \u2028", r"back\slash"]
    odd += ["a=1", "", "NULL", r"\.", "'=1", "=cmd|' /C calc'!A0"]
    made = entries(2)
    async with people_with(url, "odd") as people:
        async with people.sessions.begin() as session:
            await import_set(session, made, slug="odd-set", title="odd", licence="none")
            for item, category in zip(made, odd, strict=True):
                changed = text("UPDATE misconception SET category = :category WHERE key = :key AND set_id = :set")
                of_set = (await find_set(session, "odd-set")).id
                await session.execute(changed, {"category": category, "key": item.key, "set": of_set})
            design = {"slug": "odd", "title": "odd", "contact": "x", "pairs_per_annotator": 16}
            await studies.create_study(session, check_design(design), await find_set(session, "odd-set"))
            await studies.open_study(session, "odd")
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await people.judge(annotator)
        content = await exported(people)
    rows = {row["misconception_key"]: row["category"] for row in read(content)}
    made_safe = [f"'{value}" if value[:1] in set("=+-@\t\r") and value else value for value in odd]
    assert [rows[item.key] for item in made] == made_safe
    fields = [field for record in records(content) for field in record]
    assert [field for field in fields if '"' in field[1:-1].replace('""', "")] == []
    for field in fields:
        if set(field) & set(',"\r\n'):
            assert field.startswith('"') and field.endswith('"')  # noqa: PT018 - of one field
    assert content.endswith(b"\r\n")


def records(content: bytes) -> list[list[str]]:
    """A reader of RFC 4180's grammar alone: records end with CR LF, fields are bare or quoted."""
    field = r'"(?:[^"]|"")*"|[^",\r\n]*'
    record = re.compile(rf"((?:{field})(?:,(?:{field}))*)\r\n")
    read_to, found = 0, []
    decoded = content.decode("utf-8")
    while read_to < len(decoded):
        match = record.match(decoded, read_to)
        assert match, decoded[read_to : read_to + 80]
        found.append(re.findall(rf"(?:^|,)({field})", match[1]))
        read_to = match.end()
    assert {len(fields) for fields in found} == {len(COLUMNS)}
    return found


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("1-1=0", "1-1=0"),
        ("text", "text"),
        ("", ""),
        ("a\n=1", "a\n=1"),
        (None, None),
    ],
)
async def test_free_text_gets_an_apostrophe_where_a_spreadsheet_would_run_it(
    session: AsyncSession, value: str | None, safe: str | None
) -> None:
    column = Column("reason", "text", "in their words", "given.value", text=True)
    query = text(f"SELECT {column.in_csv} FROM (SELECT CAST(:value AS text)) AS given (value)")
    assert await session.scalar(query, {"value": value}) == safe


def test_every_column_that_is_free_text_is_made_safe() -> None:
    """Slugs, hashes, numbers, times and fixed words need no apostrophe; anything that a person wrote does."""
    written = {column.name for column in CHOICES.columns if column.text}
    assert written == {"category", "reason", "background"}


# Cost.

N_PEOPLE, N_PAIRS = 500, 200


@pytest.fixture(scope="module")
async def large(url: str) -> AsyncIterator[AsyncSession]:
    """A study with 100,000 choices, made up in the database."""
    engine = create_engine(url)
    async with sessions(engine)() as session:
        study = await open_study(session, "large", per_level=25, ratings_per_pair=1)
        for statement in _MADE_UP:
            await session.execute(text(statement), {"study": study.id, "people": N_PEOPLE})
        await session.commit()
        await session.execute(text("ANALYZE"))
        await session.commit()
        yield session
    await engine.dispose()


_MADE_UP = (
    """
    INSERT INTO participation (study_id, arm_id, public_id, synthetic)
    SELECT :study, arm.id, 'made-up-' || number, true
    FROM arm, generate_series(1, :people) AS number WHERE arm.study_id = :study
    """,
    """
    INSERT INTO assignment (participation_id, position, pair_id, side_truthful, shown_at)
    SELECT p.id, row_number() OVER (PARTITION BY p.id ORDER BY pair.id), pair.id, 'left', now()
    FROM participation p JOIN pair ON pair.study_id = p.study_id WHERE p.study_id = :study
    """,
    """
    INSERT INTO choice (participation_id, position, side_chosen, counted, late, design_hash)
    SELECT participation_id, position, 'right', false, false, repeat('0', 64)
    FROM assignment JOIN participation p ON p.id = participation_id WHERE p.study_id = :study
    """,
)


@pytest.mark.parametrize(
    ("known", "largest"), [(Format.CSV, 70_000), (Format.JSONL, 70_000), (Format.PARQUET, 500_000)]
)
async def test_a_hundred_thousand_choices_stream_in_constant_memory(
    large: AsyncSession, known: Format, largest: int
) -> None:
    tally = Tally()
    sizes: list[int] = []
    tracemalloc.start()
    try:
        sizes += [len(chunk) async for chunk in table_file(large, CHOICES, "large", known, tally)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await large.rollback()
    assert tally.rows == N_PEOPLE * N_PAIRS
    assert len(sizes) > (10 if known is Format.PARQUET else 100)
    assert max(sizes) < largest
    assert peak < (12_000_000 if known is Format.PARQUET else 5_000_000), "pyarrow's modules are some of it"


async def test_an_export_is_one_statement_however_many_choices_there_are(large: AsyncSession, busy: People) -> None:
    async def statements(session: AsyncSession, slug: str) -> int:
        await session.execute(text("SELECT 1"))  # What begins the transaction is not counted.
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert driver is not None
        with tempfile.TemporaryFile() as trace:
            driver.pgconn.trace(trace.fileno())
            async for _ in table_csv(session, CHOICES, slug):
                pass
            driver.pgconn.untrace()
            trace.seek(0)
            sent = trace.read().decode(errors="replace")
        return len(re.findall(r"\tF\t\d+\t(?:Query|Parse)\t", sent))

    async with busy.sessions() as session:
        assert await statements(session, "busy") == 1
    assert await statements(large, "large") == 1
    await large.rollback()


# The codebook.


async def test_the_codebook_describes_exactly_the_columns_of_every_table() -> None:
    content = b"".join([chunk async for chunk in codebook_csv()])
    rows = read(content)
    assert list(rows[0]) == ["table", "column", "type", "meaning"]
    assert [(row["table"], row["column"]) for row in rows] == [
        (table.name, column.name) for table in DESCRIBED for column in table.columns
    ]
    assert [row["column"] for row in rows if row["table"] == "choices"] == COLUMNS
    assert all(row["type"] and row["meaning"] for row in rows)
    assert b"\n" not in content.replace(b"\r\n", b"")
