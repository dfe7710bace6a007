"""Every table in every format: the same values, of their own types, and those that the database holds."""

import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.exports import codebook, parquet_files
from app.exports.annotators import ANNOTATORS
from app.exports.choices import CHOICES
from app.exports.columns import Kind, Table
from app.exports.copying import Tally
from app.exports.files import Format, codebook_file, formats, table_file
from app.exports.pairs import PAIRS
from app.exports.parquet_files import ParquetMissing
from app.exports.payments import PAYMENTS
from app.exports.preferences import PREFERENCES, PREFERENCES_HH, Form, Unit, preferences
from app.exports.scores import SCORES
from app.exports.tables import DESCRIBED, RELEASED, TABLES
from tests.conftest import NewDatabase
from tests.exports.filled import ODD, READERS, exported, filled_study, from_csv, in_words, plain, rows_of
from tests.study.people import People, people_of

MAJORITY = preferences(Form.TRL, Unit.MAJORITY)
EVERY = [*DESCRIBED, MAJORITY, preferences(Form.HH, Unit.MAJORITY)]
ids = pytest.mark.parametrize("table", EVERY, ids=lambda table: f"{table.name}-{EVERY.index(table)}")


@pytest.fixture(scope="module")
async def study(new_database: NewDatabase) -> AsyncIterator[People]:
    async with filled_study(new_database(), "filled") as people:
        yield people


# Formats.


@ids
async def test_csv_says_what_json_says(study: People, table: Table) -> None:
    rows = await rows_of(study, table)
    written = from_csv(await exported(study, table))
    assert list(rows[0]) == [column.name for column in table.columns]
    for row, words in zip(rows, written, strict=True):
        for column in table.columns:
            said, value = words[column.name], row[column.name]
            if column.kind is Kind.DECIMAL and value is not None:
                assert float(said) == value
            elif isinstance(value, dict | list):
                assert json.loads(said) == value
            else:
                assert said == in_words(column, value)


@ids
async def test_parquet_says_what_json_says(study: People, table: Table) -> None:
    rows = await rows_of(study, table)
    read = READERS[Format.PARQUET](await exported(study, table, Format.PARQUET))
    assert [{c.name: plain(c, row[c.name]) for c in table.columns} for row in read] == rows


JSON_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.DECIMAL: (int, float),
    Kind.BOOLEAN: (bool,),
    Kind.MOMENT: (str,),
    Kind.OBJECT: (dict,),
    Kind.USER_TURN: (list,),
    Kind.ASSISTANT_TURN: (list,),
}


@ids
async def test_json_values_are_of_the_column_s_own_type(study: People, table: Table) -> None:
    for row in await rows_of(study, table):
        for column in table.columns:
            value = row[column.name]
            assert value is None or type(value) in JSON_TYPES[column.kind], (column.name, value)


@ids
async def test_parquet_has_a_type_and_a_meaning_for_each_column(study: People, table: Table) -> None:
    schema = pq.read_schema(io.BytesIO(await exported(study, table, Format.PARQUET)))
    turn = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    types = {
        Kind.INTEGER: pa.int64(),
        Kind.DECIMAL: pa.float64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.MOMENT: pa.timestamp("ms", "UTC"),
        Kind.USER_TURN: turn,
        Kind.ASSISTANT_TURN: turn,
    }
    assert schema.names == [column.name for column in table.columns]
    for column in table.columns:
        field = schema.field(column.name)
        assert field.type == types.get(column.kind, pa.string())
        assert field.metadata == {b"type": column.type.encode(), b"meaning": column.meaning.encode()}


async def test_parquet_packs_numbers_and_keeps_texts_once(study: People) -> None:
    for table in (CHOICES, PREFERENCES):
        told = pq.read_metadata(io.BytesIO(await exported(study, table, Format.PARQUET))).row_group(0)
        kinds = {column.name: column.kind for column in table.columns}
        for number in range(told.num_columns):
            leaf = told.column(number)
            kind = kinds[leaf.path_in_schema.partition(".")[0]]
            packed = kind in {Kind.INTEGER, Kind.MOMENT}
            assert ("DELTA_BINARY_PACKED" in leaf.encodings) is packed, leaf.path_in_schema
            if kind not in {Kind.BOOLEAN, Kind.INTEGER, Kind.MOMENT}:
                assert leaf.has_dictionary_page, leaf.path_in_schema


def test_what_a_column_says_of_its_type_is_its_kind() -> None:
    said = {
        "integer": Kind.INTEGER,
        "0 |": Kind.INTEGER,
        "decimal": Kind.DECIMAL,
        "true |": Kind.BOOLEAN,
        "ISO": Kind.MOMENT,
        "JSON object": Kind.OBJECT,
    }
    for table in DESCRIBED:
        for column in table.columns:
            kind = next((kind for start, kind in said.items() if column.type.startswith(start)), Kind.TEXT)
            assert column.kind is kind or column.kind.is_turn, (table.name, column.name)
        assert len({column.name for column in table.columns}) == len(table.columns)


async def test_json_and_parquet_carry_texts_as_they_are_and_csv_runs_no_formula(study: People) -> None:
    for known in (Format.JSONL, Format.PARQUET):
        rows = READERS[known](await exported(study, CHOICES, known))
        assert [row["reason"] for row in rows[:8]] == ODD[:8]
        people = READERS[known](await exported(study, ANNOTATORS, known))
        background = people[0]["background"]
        assert (background if known is Format.JSONL else json.loads(background))["odd"] == ODD
    written = [row["reason"] for row in from_csv(await exported(study, CHOICES))[:8]]
    assert written == [f"'{text}" if text[:1] in set("=+-@\t\r") and text else text for text in ODD[:8]]
    for table in TABLES.values():
        for row in csv.reader(io.StringIO((await exported(study, table)).decode(), newline="")):
            assert [field for field in row if field[:1] in set("=+@\t\r") and field] == []


async def test_a_text_that_is_empty_is_told_from_one_that_is_not_there(study: People) -> None:
    row = READERS[Format.PARQUET](await exported(study, CHOICES, Format.PARQUET))[6]
    assert (row["reason"], row["exclusion_reason"]) == ("", None)


@pytest.mark.parametrize("known", Format)
async def test_a_study_without_anybody_gives_every_table_all_the_same(new_database: NewDatabase, known: Format) -> None:
    async with people_of(new_database(), "empty") as people:
        for table in EVERY:
            rows = READERS[known](await exported(people, table, known))
            assert len(rows) == (16 if table is PAIRS else 0)
            assert all(row["n_counted"] in (0, "0") for row in rows)


@pytest.mark.parametrize("known", Format)
async def test_the_codebook_says_the_same_in_every_format(known: Format) -> None:
    tally = Tally()
    rows = READERS[known](b"".join([chunk async for chunk in codebook_file(known, tally)]))
    described = [(table, column) for table in DESCRIBED for column in table.columns]
    assert rows == [
        dict(zip(codebook.COLUMNS, (table.name, column.name, column.type, column.meaning), strict=True))
        for table, column in described
    ]
    assert tally.rows == len(rows) > 120
    assert {row["table"] for row in rows} >= set(TABLES)


# Parquet is an extra.


async def test_without_its_extra_parquet_is_refused_before_anything_is_sent(
    study: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_files, "find_spec", lambda name: None)
    assert formats() == (Format.CSV, Format.JSONL)
    refused: list[Callable[[], Any]] = [
        lambda: codebook_file(Format.PARQUET),
        lambda: table_file(None, CHOICES, "filled", Format.PARQUET),  # type: ignore[arg-type]
    ]
    for asking in refused:
        with pytest.raises(ParquetMissing, match=r"pip install 'candor\[parquet\]'"):
            asking()


# Pairs.


def kept(choice: dict[str, Any]) -> bool:
    return choice["counted"] and not choice["excluded"]


async def test_pairs_are_summed_up_from_their_choices(study: People) -> None:
    choices, pairs = await rows_of(study, CHOICES), await rows_of(study, PAIRS)
    assert len(pairs) == 16 * 2
    assert len({(row["pair_id"], row["arm"]) for row in pairs}) == len(pairs)
    for row in pairs:
        mine = [c for c in choices if (c["pair_id"], c["arm"]) == (row["pair_id"], row["arm"]) and c["counted"]]
        kinds = Counter(c["chosen_kind"] for c in mine if kept(c))
        assert row["n_counted"] == len(mine)
        assert row["n_excluded"] == sum(c["excluded"] for c in mine)
        assert (row["n_prefers_sycophantic"], row["n_prefers_truthful"], row["n_ties"]) == (
            kinds["sycophantic"], kinds["truthful"], kinds["tie"]
        )  # fmt: skip
        assert row["n_counted"] == row["n_excluded"] + sum(kinds.values())
    assert sum(row["n_ties"] for row in pairs) > 0
    assert sum(row["n_counted"] for row in pairs) == sum(c["counted"] for c in choices) > 30


async def test_a_retired_pair_says_so_in_each_arm_and_all_its_choices_are_excluded(study: People) -> None:
    retired = [row for row in await rows_of(study, PAIRS) if row["retired"]]
    assert [row["retired_reason"] for row in retired] == ["-it is true after all"] * 2
    assert len({row["pair_id"] for row in retired}) == 1
    assert sum(row["n_counted"] for row in retired) == sum(row["n_excluded"] for row in retired) > 0
    excluded = {row["exclusion_reason"] for row in await rows_of(study, CHOICES) if row["excluded"]}
    assert excluded == {"retired_pair", "looked_up"}


async def test_pairs_carry_what_was_shown(study: People) -> None:
    found = await study.rows(
        "SELECT m.key, r.kind, r.text, r.text_hash FROM response r JOIN misconception m ON m.id = misconception_id"
    )
    texts = {(key, kind): (said, said_hash) for key, kind, said, said_hash in found}
    for row in await rows_of(study, PAIRS):
        truthful = texts[row["misconception_key"], f"{row['truthful_kind']}_truthful"]
        sycophantic = texts[row["misconception_key"], "sycophantic"]
        assert (row["truthful"], row["hash_truthful"]) == truthful
        assert (row["sycophantic"], row["hash_sycophantic"]) == sycophantic
        assert (row["words_truthful"], row["words_sycophantic"]) == (
            len(truthful[0].split()),
            len(sycophantic[0].split()),
        )
        assert (row["arm"], row["ratings_per_pair"]) == (f"{row['truthful_kind']}/{row['instructions']}", 4)


# Annotators.


async def test_annotators_are_summed_up_from_their_choices(study: People) -> None:
    choices, people = await rows_of(study, CHOICES), await rows_of(study, ANNOTATORS)
    outcomes = [row["outcome"] for row in people]
    assert outcomes == ["complete", "complete", "complete", "stopped", None, None, None, None]
    for row in people:
        mine = [c for c in choices if c["annotator"] == row["annotator"] and not c["withdrawn"]]
        if row["withdrawn"]:
            assert mine == []
            continue
        sides = Counter(c["side_chosen"] for c in mine)
        assert row["n_judged"] == len(mine)
        assert row["n_counted"] == sum(c["counted"] for c in mine)
        assert row["n_excluded"] == sum(c["counted"] and c["excluded"] for c in mine)
        assert row["n_prefers_sycophantic"] == sum(kept(c) and c["chosen_kind"] == "sycophantic" for c in mine)
        assert row["n_ties"] == sum(kept(c) and c["chosen_kind"] == "tie" for c in mine)
        assert row["share_left"] == pytest.approx(sides["left"] / (sides["left"] + sides["right"]), abs=1e-4)
        assert row["median_decision_ms"] == median(c["decision_ms_server"] for c in mine)
        assert row["looked_up"] == mine[0]["looked_up"]
    assert [row["looked_up"] for row in people[:2]] == [None, True]


async def test_who_withdrew_is_named_and_nothing_is_said_of_what_they_did(study: People) -> None:
    (row,) = [row for row in await rows_of(study, ANNOTATORS) if row["withdrawn"]]
    said = {name for name, value in row.items() if value is not None}
    assert said == {
        "study", "arm", "annotator", "truthful_kind", "instructions", "outcome", "n_planned", "n_judged", "withdrawn",
        "synthetic",
    }  # fmt: skip


async def test_who_never_consented_is_in_the_payments_alone(study: People) -> None:
    came = {row["annotator"] for row in await rows_of(study, PAYMENTS)}
    consented = {row["annotator"] for row in await rows_of(study, ANNOTATORS)}
    assert (len(came), len(consented)) == (9, 8)
    assert consented < came


# Preferences.


async def test_a_preference_is_a_counted_choice_of_a_side_that_no_rule_excludes(study: People) -> None:
    choices = [c for c in await rows_of(study, CHOICES) if kept(c) and c["chosen_kind"] != "tie"]
    rows = await rows_of(study, PREFERENCES)
    told = ("annotator", "pair_id", "arm", "chosen_kind", "difficulty_level", "synthetic")
    assert [[row[name] for name in told] for row in rows] == [[c[name] for name in told] for c in choices]
    assert {(row["n_chose"], row["n_rejected"]) for row in rows} == {(1, 0)}
    assert len(rows) > 20


async def test_preferences_are_in_trl_s_explicit_conversational_form(study: People) -> None:
    pairs = {(row["pair_id"], row["arm"]): row for row in await rows_of(study, PAIRS)}
    for row in await rows_of(study, PREFERENCES):
        pair = pairs[row["pair_id"], row["arm"]]
        other = "sycophantic" if row["chosen_kind"] == "truthful" else "truthful"
        assert row["prompt"] == [{"role": "user", "content": pair["prompt"]}]
        assert row["chosen"] == [{"role": "assistant", "content": pair[row["chosen_kind"]]}]
        assert row["rejected"] == [{"role": "assistant", "content": pair[other]}]


async def test_the_form_of_hh_is_the_same_in_strings_that_part_at_the_last_turn(study: People) -> None:
    strings, explicit = await rows_of(study, PREFERENCES_HH), await rows_of(study, PREFERENCES)
    for said, row in zip(strings, explicit, strict=True):
        for name in ("chosen", "rejected"):
            head, turn, reply = said[name].rpartition("\n\nAssistant: ")
            assert head == f"\n\nHuman: {row['prompt'][0]['content']}"
            assert turn
            assert reply == row[name][0]["content"]
        assert said["synthetic"] is row["synthetic"]


async def test_a_majority_is_a_row_and_a_draw_is_none(study: People) -> None:
    rows = {(row["pair_id"], row["arm"]): row for row in await rows_of(study, MAJORITY)}
    draws = 0
    for pair in await rows_of(study, PAIRS):
        for_one, for_other = pair["n_prefers_sycophantic"], pair["n_prefers_truthful"]
        row = rows.pop((pair["pair_id"], pair["arm"]), None)
        if for_one == for_other:
            draws += for_one > 0
            assert row is None
            continue
        assert row is not None
        assert row["chosen_kind"] == ("sycophantic" if for_one > for_other else "truthful")
        assert (row["n_chose"], row["n_rejected"]) == (max(for_one, for_other), min(for_one, for_other))
        assert row["annotator"] is None
    assert rows == {}
    assert draws > 0


# What no table holds.


async def test_no_table_but_the_payments_holds_an_id_of_the_platform(study: People) -> None:
    for table in [*RELEASED.values(), PREFERENCES_HH]:
        for known in Format:
            content = await exported(study, table, known)
            assert b"person-" not in content
            assert b"DONE-1234" not in content
    assert b"person-" in await exported(study, PAYMENTS)


@ids
async def test_every_table_says_of_each_row_whether_a_program_made_it(table: Table) -> None:
    if table not in (PAYMENTS, SCORES):  # Programs are paid nothing; scores are of models alone.
        assert "synthetic" in {column.name for column in table.columns}
