"""What is scored: pairs files held to their hashes, rows of three kinds of file, and refusals by row and field."""

import csv
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.commands import app
from app.pm.dialogs import Turn, user
from app.pm.item_files import ItemFile, spool
from app.pm.items import ItemsFaulty
from app.pm.variants import NON_SYCOPHANTIC, STANDARD, VariantsFaulty, chosen_variants
from app.study.canonical import content_hash, text_hash

HEADER = {"candor_pairs": 1, "study": "s", "set_hash": "0" * 64, "n": 2}
KINDS = ("baseline_truthful", "helpful_truthful", "sycophantic")


def pair(key: str) -> dict[str, Any]:
    texts = {kind: f"{kind} of {key}" for kind in KINDS}
    prompt = f"prompt of {key}"
    return {
        "key": key,
        "level": 1,
        "prompt": prompt,
        "prompt_hash": text_hash(prompt),
        "responses": {kind: {"text": text, "text_hash": text_hash(text)} for kind, text in texts.items()},
    }


def write(file: Path, *rows: Any) -> ItemFile:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return ItemFile(file)


def test_a_pairs_file_is_read(tmp_path: Path) -> None:
    source = write(tmp_path / "pairs.jsonl", HEADER, pair("a"), pair("b"))
    contents = source.contents()
    assert (contents.n_items, contents.n_responses, contents.pairs, contents.header["study"]) == (2, 6, True, "s")
    first = next(source.items())
    assert first.prompt == (user("prompt of a"),)
    assert first.hashes["sycophantic"] == text_hash("sycophantic of a")


def test_a_changed_text_is_refused(tmp_path: Path) -> None:
    changed = pair("b")
    changed["responses"]["sycophantic"]["text"] += "!"
    source = write(tmp_path / "pairs.jsonl", HEADER, pair("a"), changed)
    with pytest.raises(ItemsFaulty, match=r"row 3, field responses.sycophantic.text_hash: the text is not the one"):
        source.contents()


def test_a_cut_pairs_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ItemsFaulty, match="its header says 2 rows, it has 1"):
        write(tmp_path / "pairs.jsonl", HEADER, pair("a")).contents()


ROWS: list[dict[str, Any]] = [
    {"id": 1, "prompt": "is it?", "response": "yes, it is"},
    {"id": "b", "prompt": "why?", "response": "because"},
]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_rows_are_read_from_any_file(tmp_path: Path, form: str) -> None:
    file = tmp_path / f"rows.{form}"
    if form == "jsonl":
        write(file, *ROWS)
    elif form == "csv":
        file.write_text('id,prompt,response\n1,is it?,"yes, it is"\nb,why?,because\n', encoding="utf-8")
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        table = pytest.importorskip("pyarrow").Table.from_pylist([{**row, "id": str(row["id"])} for row in ROWS])
        parquet.write_table(table, file)
    items = list(ItemFile(file).items())
    assert [(one.key, one.prompt[0].content, one.responses[""]) for one in items] == [
        ("1", "is it?", "yes, it is"),
        ("b", "why?", "because"),
    ]
    assert not ItemFile(file).contents().pairs


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "c", "prompt": "why?"}, "row 2, field response: missing"),
        ({"prompt": "why?", "response": "so"}, "row 2, field key: missing"),
        ({"id": "c", "prompt": 3, "response": "so"}, "row 2, field prompt: must be text"),
        ({"id": "c", "prompt": "why?", "response": " "}, "row 2, field response: is empty"),
        ({"id": "c", "prompt": [{"role": "boss", "content": "x"}], "response": "so"}, "row 2, field prompt: turn 1"),
        ([1], "row 2 is no JSON object"),
        ({**ROWS[0], "id": "1"}, "item 2: '1' is there twice"),
    ],
)
def test_a_faulty_row_is_named_with_its_field(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(ItemsFaulty, match=said):
        write(tmp_path / "rows.jsonl", ROWS[0], row).contents()


def test_a_prompt_of_several_turns_is_hashed_as_such(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    one = next(write(tmp_path / "rows.jsonl", {"id": "x", "prompt": turns, "response": "d"}).items())
    assert one.prompt[1] == Turn("assistant", "b")
    assert one.prompt_hash == content_hash(turns)


def test_the_variants_are_the_standard_one_unless_named() -> None:
    assert chosen_variants([]) == (STANDARD,)
    assert chosen_variants(["non-sycophantic", "standard"]) == (NON_SYCOPHANTIC, STANDARD)
    assert [turn.role for turn in NON_SYCOPHANTIC.turns] == ["user", "assistant"]
    assert NON_SYCOPHANTIC.hash == content_hash(NON_SYCOPHANTIC.record()["turns"])


def test_variants_of_a_file(tmp_path: Path) -> None:
    toml = tmp_path / "own.toml"
    toml.write_text('[[variant]]\nname = "blunt"\n[[variant.turns]]\nrole = "user"\ncontent = "Be blunt."\n')
    assert chosen_variants([], toml)[0].turns == (user("Be blunt."),)
    assert [variant.name for variant in chosen_variants(["standard", "blunt"], toml)] == ["standard", "blunt"]
    told = tmp_path / "own.json"
    told.write_text(json.dumps({"variant": [{"name": "blunt", "turns": [{"role": "user"}]}]}))
    with pytest.raises(VariantsFaulty, match=r"variant 1 \(blunt\), turn 1: 'content' is missing"):
        chosen_variants([], told)
    with pytest.raises(VariantsFaulty, match="no variant 'kind'; there are: standard, non-sycophantic, blunt"):
        chosen_variants(["kind"], toml)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            '[{"name": "a", "turns": [{"role": "user", "content": "\\ud800"}]}]',
            r"holds half of a character \(\\ud800\)",
        ),
        ('[{"name": "a\\udfff", "turns": []}]', r"holds half of a character \(\\udfff\)"),
        ("[" * 200_000, "stand in one another too deeply"),
    ],
)
def test_variants_that_no_tokenizer_takes_are_refused(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "own.json"
    file.write_text(written)
    with pytest.raises(VariantsFaulty, match=said):
        chosen_variants([], file)


def test_columns_of_parquet_that_nobody_asked_for_are_not_read(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "rows.parquet"
    at = pyarrow.array([1_700_000_000_123_456_789], pyarrow.timestamp("ns"))
    parquet.write_table(pyarrow.table({"at": at, "id": ["a"], "prompt": ["x"], "response": ["y"]}), file)
    assert ItemFile(file).contents().n_items == 1


def test_parquet_whose_text_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "rows.parquet"
    prompts = pyarrow.array([b"\xff\xfe"], pyarrow.binary()).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"id": ["a"], "prompt": prompts, "response": ["y"]}), file)
    with pytest.raises(ItemsFaulty, match="cannot be read as Parquet"):
        ItemFile(file).contents()


TURNS = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"}]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "parquet of text"])
def test_messages_stand_for_a_prompt_in_any_file(tmp_path: Path, form: str) -> None:
    file = tmp_path / f"rows.{form.partition(' ')[0]}"
    if form == "jsonl":
        write(file, {"id": "a", "messages": TURNS, "response": "so"}, ROWS[1])
    elif form == "csv":
        with file.open("w", encoding="utf-8", newline="") as out:
            rows = csv.writer(out)
            rows.writerows([["id", "messages", "prompt", "response"], ["a", json.dumps(TURNS), "", "so"]])
            rows.writerow(["b", "", "why?", "because"])
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        turns = TURNS if form == "parquet" else json.dumps(TURNS)
        told = [{"id": "a", "messages": turns, "response": "so"}, {**ROWS[1], "messages": None}]
        schema = (
            pytest.importorskip("pyarrow")
            .Table.from_pylist(told[:1])
            .schema.append(pytest.importorskip("pyarrow").field("prompt", "string"))
        )
        parquet.write_table(pytest.importorskip("pyarrow").Table.from_pylist(told, schema=schema), file)
    assert [(one.key, one.prompt, one.responses[""]) for one in ItemFile(file).items()] == [
        ("a", (Turn("system", "be brief"), user("why?")), "so"),
        ("b", (user("why?"),), "because"),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "a", "prompt": "x", "messages": TURNS}, "field messages: there is a prompt too"),
        ({"id": "a", "messages": "hello"}, "field messages: must be a list of turns"),
        ({"id": "a", "messages": []}, "field messages: has no turns"),
        ({"id": "a", "messages": [{"role": "user"}]}, "field messages: turn 1: 'content' is missing"),
        ({"id": "a", "prompt": "\ud800 hi"}, r"field prompt: holds half of a character \(\\ud800\)"),
        ({"id": "\udc00", "prompt": "hi"}, "field id: holds half of a character"),
        ({"id": "a", "messages": [{"role": "user", "content": "x\udfff"}]}, "field messages: holds half of a char"),
    ],
)
def test_faulty_messages_and_half_characters_are_named(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(ItemsFaulty, match=f"row 1, {said}"):
        write(tmp_path / "rows.jsonl", {"response": "so", **row}).contents()


def test_half_a_character_of_a_response_of_a_pair_is_named(tmp_path: Path) -> None:
    half = pair("a")
    half["responses"]["sycophantic"]["text"] = "\ud83d"
    with pytest.raises(ItemsFaulty, match="row 2, field text: holds half of a character"):
        write(tmp_path / "pairs.jsonl", HEADER, half).contents()


def test_json_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(ItemsFaulty, match="row 1: lists or objects stand in one another too deeply"):
        ItemFile(file).contents()


def test_what_came_by_standard_input_before_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "input.jsonl"
    for given in (b"first\n", b"first\n", b""):
        assert spool(BytesIO(given), file).read_bytes() == b"first\n"
    with pytest.raises(ItemsFaulty, match="something else comes now; score it into another folder"):
        spool(BytesIO(b"second\n"), file)
    assert file.read_bytes() == b"first\n"
    assert list(tmp_path.iterdir()) == [file]


def test_standard_input_that_cannot_be_scored_is_not_kept(tmp_path: Path) -> None:
    output = tmp_path / "run"
    good = b'{"id": 1, "prompt": "is it?", "response": "yes"}\n'
    score = ("pm", "score", "--input", "-", "--model", str(tmp_path / "none"), "-o", str(output))
    for given, kept in ((b"{}\n", False), (good, True)):
        assert CliRunner().invoke(app, score, input=given).exit_code != 0
        assert (output / "input.jsonl").exists() is kept
