"""Reading set files: every fault is named by line and field, whatever the file holds, and nothing is taken in part."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.study.set_files import MisconceptionEntry, SetFileFaulty, SourceEntry, read_jsonl, set_hash, to_jsonl
from tests.example_sets import entries, entry

GOOD: dict[str, Any] = entry(1).model_dump()
TEXTS = ("claim", "prompt", "fact", "verified_by", "origin", "baseline_truthful", "helpful_truthful", "sycophantic")
REQUIRED = ("key", "category", "sources", *TEXTS)
BOM = "Unexpected UTF-8 BOM (decode using utf-8-sig)"
SOURCE = {"publisher": "A publisher", "title": "A title", "url": None}


def line(**changed: Any) -> str:
    return json.dumps(GOOD | changed)


def read(folder: Path, content: str | bytes) -> list[MisconceptionEntry]:
    file = folder / "tested.jsonl"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_jsonl(file)


def faults(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(SetFileFaulty) as refusal:
        read(folder, content)
    assert str(refusal.value).startswith(f"tested.jsonl: {refusal.value.faults[0]}")
    return refusal.value.faults


def test_a_good_line_is_read_as_it_is(tmp_path: Path) -> None:
    (read_entry,) = read(tmp_path, line())
    assert read_entry.model_dump() == GOOD


@pytest.mark.parametrize("level", [None, 1, 8])
def test_a_level_is_from_one_to_eight_or_none(tmp_path: Path, level: int | None) -> None:
    assert read(tmp_path, line(difficulty_level=level))[0].difficulty_level == level


def test_the_level_and_a_source_s_url_may_be_left_out(tmp_path: Path) -> None:
    short = GOOD | {"sources": [{"publisher": "P", "title": "T"}]}
    del short["difficulty_level"]
    (read_entry,) = read(tmp_path, json.dumps(short))
    assert (read_entry.difficulty_level, read_entry.sources[0].url) == (None, None)


# Faults by field.


@pytest.mark.parametrize("field", REQUIRED)
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    short = {name: value for name, value in GOOD.items() if name != field}
    assert faults(tmp_path, json.dumps(short)) == [f"line 1, field {field}: missing"]


@pytest.mark.parametrize("field", [*REQUIRED, "difficulty_level"])
@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}], ids=["true", "float", "object"])
def test_a_value_of_the_wrong_type_is_named(tmp_path: Path, field: str, value: Any) -> None:
    (fault,) = faults(tmp_path, line(**{field: value}))
    assert fault.startswith(f"line 1, field {field}: must be ")


@pytest.mark.parametrize("value", [0, 9, -1, 10**30, "3", True, 3.0, [3], float("nan"), float("inf")])
def test_a_level_that_is_none_is_named(tmp_path: Path, value: Any) -> None:
    (fault,) = faults(tmp_path, line(difficulty_level=value))
    assert fault.startswith("line 1, field difficulty_level: must be ")


@pytest.mark.parametrize(
    "key", ["", "A-claim", "a claim", "a_claim", "-a", "a-", "a--b", "é", "a\n", "=1+1", "a" * 61, "\u0661"]
)
@pytest.mark.parametrize("field", ["key", "category"])
def test_a_key_or_category_that_is_no_slug_is_named(tmp_path: Path, field: str, key: str) -> None:
    (fault,) = faults(tmp_path, line(**{field: key}))
    said = "must have at most 60" if len(key) == 61 else "must be lower-case letters and digits, with hyphens"
    assert fault.startswith(f"line 1, field {field}: {said}")


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must not be empty"),
        (" ", "is blank, or begins or ends with white space"),
        (" text", "is blank, or begins or ends with white space"),
        ("text\n", "is blank, or begins or ends with white space"),
        ("text\u00a0", "is blank, or begins or ends with white space"),
        ("a\x00b", "holds the control character U+0000 at character 2"),
        ("ab\tc", "holds the control character U+0009 at character 3"),
        ("a\rb", "holds the control character U+000D at character 2"),
        ("a\x1bb", "holds the control character U+001B at character 2"),
        ("a\x7fb", "holds the control character U+007F at character 2"),
        ("a\x85b", "holds the control character U+0085 at character 2"),
        ("a\u2028b", "holds the control character U+2028 at character 2"),
        ("a\ufeffb", "holds the control character U+FEFF at character 2"),
        ("a\ud800b", r"holds half of a surrogate pair (\ud800 to \udfff); write the character itself"),
        ("x" * 20_001, "must have at most 20,000 characters"),
    ],
    ids=lambda value: value.encode("unicode_escape").decode()[:8] if len(value) < 60 else "long",
)
def test_a_text_that_cannot_be_shown_as_it_is_is_named(tmp_path: Path, field: str, text: str, said: str) -> None:
    assert faults(tmp_path, line(**{field: text})) == [f"line 1, field {field}: {said}"]


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], "sources: must have 1 or more"),
        ([SOURCE] * 21, "sources: must have 20 or fewer"),
        ("a book", "sources: must be a list"),
        (["a book"], "sources.0: must be a table of named values"),
        ([SOURCE, {"title": "T"}], "sources.1.publisher: missing"),
        ([{"publisher": "P"}], "sources.0.title: missing"),
        ([SOURCE | {"year": 1999}], "sources.0.year: unknown; remove it or check its spelling"),
        ([SOURCE | {"title": ""}], "sources.0.title: must not be empty"),
        ([SOURCE | {"title": "a "}], "sources.0.title: is blank, or begins or ends with white space"),
        ([SOURCE | {"publisher": "a\x00"}], "sources.0.publisher: holds the control character U+0000 at character 2"),
        ([SOURCE | {"publisher": "\udc00"}], "sources.0.publisher: holds half of a surrogate pair"),
        ([SOURCE | {"url": "ftp://example.org"}], "sources.0.url: must be an http or https address"),
        ([SOURCE | {"url": "example.org"}], "sources.0.url: must be an http or https address"),
        ([SOURCE | {"url": "javascript:alert(1)"}], "sources.0.url: must be an http or https address"),
        ([SOURCE | {"url": "https://"}], "sources.0.url: must be an http or https address"),
        ([SOURCE | {"url": "https://a b"}], "sources.0.url: must be an http or https address"),
        ([SOURCE | {"url": "https://a\n"}], "sources.0.url: must be an http or https address"),
        ([SOURCE | {"url": "https://a\x00"}], "sources.0.url: holds the control character U+0000 at character 10"),
        ([SOURCE | {"url": ""}], "sources.0.url: must be an http or https address"),
        ([SOURCE | {"url": "https://a/" + "x" * 2000}], "sources.0.url: must have at most 2,000 characters"),
        ([SOURCE | {"url": 5}], "sources.0.url: must be text"),
    ],
)
def test_a_fault_in_a_source_is_named(tmp_path: Path, sources: Any, said: str) -> None:
    (fault,) = faults(tmp_path, line(sources=sources))
    assert fault.startswith(f"line 1, field {said}")


@pytest.mark.parametrize("name", ["dificulty_level", "Claim", "id", "claim ", "a\nb", "é"])
def test_an_unknown_field_is_named_on_one_line(tmp_path: Path, name: str) -> None:
    (fault,) = faults(tmp_path, line(**{name: 1}))
    shown = {"a\nb": r"a\nb", "é": r"\u00e9"}.get(name, name)
    assert fault == f"line 1, field {shown}: unknown; remove it or check its spelling"


def test_a_field_given_twice_is_named(tmp_path: Path) -> None:
    twice = line()[:-1] + ', "claim": "Another claim."}'
    assert faults(tmp_path, twice) == ["line 1, field claim: given twice"]


# Faults by line.


def test_every_fault_is_named_by_its_line(tmp_path: Path) -> None:
    content = "\n".join(
        [
            line(),
            "",
            line(key="B", claim=""),
            "{",
            line(key="other", claim="Other."),
            line(key="third", claim="  claim   NUMBER 1\nis true. ".strip()),
            line(claim="Yet another.", difficulty_level=9),
        ]
    )
    assert faults(tmp_path, content) == [
        "line 3, field key: must be lower-case letters and digits, with hyphens",
        "line 3, field claim: must not be empty",
        "line 4, column 2: not a JSON object (Expecting property name enclosed in double quotes)",
        "line 6, field claim: the same as in line 1",
        "line 7, field difficulty_level: must be 8 or less",
    ]


def test_a_key_or_claim_given_before_is_named_with_its_line(tmp_path: Path) -> None:
    content = "\n".join([line(), line(claim="Other."), line(key="third"), line(key="fourth", claim="Other.")])
    assert faults(tmp_path, content) == [
        "line 2, field key: the same as in line 1",
        "line 3, field claim: the same as in line 1",
        "line 4, field claim: the same as in line 2",
    ]


@pytest.mark.parametrize("value", ["[1]", "null", "3", '"text"', "NaN"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, value: str) -> None:
    said = "not a JSON object; each line is one misconception in braces"
    assert faults(tmp_path, f"{line()}\n{value}\n") == [f"line 2, column 1: {said}"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[" * 100_000, "line 1, column 1: not a JSON object (nested too deeply)"),
        ('{"a":' * 30_000, "line 1, column 1: not a JSON object (nested too deeply)"),
        (
            '{"difficulty_level": ' + "1" * 5000 + "}",
            "line 1, column 1: not a JSON object (a number has too many digits)",
        ),
        (line(claim="x" * 200_000), "line 1: longer than 200000 bytes; is a line break missing?"),
        ("x" * 5_000_000, "line 1: longer than 200000 bytes; is a line break missing?"),
        (line()[:100], "line 1, column 68: not a JSON object (Unterminated string starting at)"),
        (line() + "\n" + line()[:-1], f"line 2, column {len(line())}: not a JSON object (Expecting ',' delimiter)"),
        (line() + line(), f"line 1, column {len(line()) + 1}: not a JSON object (Extra data)"),
        (line() + "\r" + line(), f"line 1, column {len(line()) + 2}: not a JSON object (Extra data)"),
        (b'{"key": "a\x00"}', "line 1, column 11: not a JSON object (Invalid control character at)"),
        (b"\x00" * 10, "line 1, column 1: not a JSON object (Expecting value)"),
        (
            line() + "\n\ufeff" + line(),
            f"line 2, column 1: not a JSON object ({BOM})",
        ),
    ],
    ids=lambda value: value[:12] if len(value) < 200 else "content",
)
def test_a_line_that_is_no_json_is_named_by_its_column(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert faults(tmp_path, content) == [said]


@pytest.mark.parametrize(
    ("content", "where", "byte"),
    [
        (b'{"key": "\xff"}', "line 1, column 10", "FF"),
        ('{"key": "é'.encode() + b'\xff"}', "line 1, column 11", "FF"),
        (b"\xef\xbb\xbf" + '{"key": "éé'.encode() + b'\xff"}', "line 1, column 12", "FF"),
        (line().encode() + b"\n\xe9", "line 2, column 1", "E9"),
        (line().encode("utf-16"), "line 1, column 1", "FF"),
        ((line() + "é").encode()[:-1], f"line 1, column {len(line()) + 1}", "C3"),
    ],
    ids=["latin-1", "after é", "after a BOM", "second line", "utf-16", "cut in a character"],
)
def test_what_is_not_utf_8_is_named_by_its_column(tmp_path: Path, content: bytes, where: str, byte: str) -> None:
    assert faults(tmp_path, content) == [f"{where}: not UTF-8 (byte 0x{byte}); save the file as UTF-8"]


def test_faults_before_an_unreadable_line_are_named_too(tmp_path: Path) -> None:
    assert faults(tmp_path, line(claim="").encode() + b"\n\xff\n" + line(key="B").encode()) == [
        "line 1, field claim: must not be empty",
        "line 2, column 1: not UTF-8 (byte 0xFF); save the file as UTF-8",
    ]


@pytest.mark.parametrize("content", ["", "\n", " \n\r\n\n", "\ufeff", "\ufeff\n"])
def test_a_file_without_a_misconception_says_what_to_put_there(tmp_path: Path, content: str) -> None:
    said = "the file holds no misconception; put one JSON object on each line (docs/sets.md)"
    assert faults(tmp_path, content) == [said]


def test_a_missing_file_a_folder_and_an_unreadable_name_are_refused(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path / "nothing.jsonl", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(SetFileFaulty) as refusal:
            read_jsonl(path)
        assert refusal.value.faults == [f"cannot be read: {said}"]
        assert str(refusal.value) == f"{path}: cannot be read: {said}"


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + line(),
        line() + "\r\n",
        "\r\n" + line(),
        "  " + line() + "  \n\n\n",
        json.dumps(dict(reversed(GOOD.items()))),
    ],
    ids=["BOM", "CRLF", "blank line first", "white space around", "fields in another order"],
)
def test_what_editors_add_is_no_fault_and_changes_no_hash(tmp_path: Path, content: str) -> None:
    assert set_hash(read(tmp_path, content)) == set_hash([entry(1)])


def test_the_message_counts_further_faults(tmp_path: Path) -> None:
    with pytest.raises(SetFileFaulty, match=r"^tested\.jsonl: line 1, field claim: missing \(and 1 more\)$"):
        read(tmp_path, json.dumps({k: v for k, v in GOOD.items() if k not in {"claim", "fact"}}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.one_of(st.sampled_from([*REQUIRED, "difficulty_level"]), st.text(max_size=5)), json_values)
def test_whatever_a_field_holds_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: Any
) -> None:
    try:
        (taken,) = read(tmp_path_factory.getbasetemp(), line(**{field: value}))
    except SetFileFaulty as refusal:
        named = refusal.faults
    else:
        named = []
        "".join(to_jsonl([taken])).encode()
    assert all(fault.startswith("line 1, ") and "\n" not in fault for fault in named)


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_whatever_bytes_a_file_holds_it_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    assert faults(tmp_path_factory.getbasetemp(), content)


# Hashes.


def hash_by_the_docs(items: list[dict[str, Any]]) -> str:
    """The recipe of docs/sets.md, from a file's own lines, with nothing of the application."""
    fields = [*TEXTS, "key", "category", "difficulty_level", "sources"]
    whole: list[dict[str, Any]] = [
        {name: item.get(name) for name in fields} for item in sorted(items, key=lambda item: str(item["key"]))
    ]
    for item in whole:
        item["sources"] = [
            {part: source.get(part) for part in ("publisher", "title", "url")} for source in item["sources"]
        ]
    written = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8")).hexdigest()


def test_the_hash_is_the_documented_one(tmp_path: Path) -> None:
    items = [json.loads(text) for text in to_jsonl(entries(3))]
    del items[0]["difficulty_level"]
    del items[1]["sources"][0]["url"]
    items[2]["claim"] = "Ein Straußenei wiegt 1\u202f½ kg, 𝄞 \u201csagt\u201d man."
    content = "\n".join(json.dumps(item) for item in items)
    assert set_hash(read(tmp_path, content)) == hash_by_the_docs(items)


def test_the_hash_knows_no_order_of_lines_and_every_field(tmp_path: Path) -> None:
    made = entries(2)
    digest = set_hash(made)
    assert set_hash(reversed(made)) == digest
    changes: dict[str, Any] = dict.fromkeys(("key", "category", *TEXTS), "other")
    changes |= {"difficulty_level": None, "sources": [SourceEntry.model_validate(SOURCE)]}
    assert set(changes) == set(MisconceptionEntry.model_fields)
    hashes = {
        field: set_hash([made[0].model_copy(update={field: value}), *made[1:]]) for field, value in changes.items()
    }
    assert len({digest, *hashes.values()}) == 1 + len(changes)


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    made = [entry(number, None if number == 3 else 2, claim=f"Claim \u2013 “{number}” \u00e9 𝄞") for number in range(5)]
    assert read(tmp_path, "".join(to_jsonl(made))) == made
