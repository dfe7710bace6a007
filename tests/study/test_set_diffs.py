"""What changed between two sets, and a hash that another program can recompute."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.study.set_diffs import Change, FieldChange, SetDiff, diff
from app.study.set_files import read_jsonl, set_hash, to_jsonl
from app.study.sets import SetNamed
from tests.example_sets import STARTER, entries, entry


def test_what_was_added_removed_and_changed_is_named_by_key_and_field() -> None:
    before = [entry(1), entry(2), entry(3, 4)]
    after = [entry(4), entry(3, 5, fact="Other."), entry(1)]
    assert diff(before, after) == SetDiff(
        added=("claim-004",),
        removed=("claim-002",),
        changed=(
            Change(
                "claim-003",
                (FieldChange("fact", "Claim number 3 is not true.", "Other."), FieldChange("difficulty_level", 4, 5)),
            ),
        ),
        unchanged=1,
    )


def test_a_changed_source_is_a_changed_field() -> None:
    cited = [{"publisher": "P", "title": "T", "url": None}]
    (change,) = diff([entry(1)], [entry(1, sources=cited)]).changed
    assert [(field.field, field.after) for field in change.fields] == [("sources", cited)]


@given(st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_a_diff_accounts_for_every_key_and_turns_round(old: set[int], new: set[int], other: set[int]) -> None:
    before = [entry(number) for number in old]
    after = [entry(number, 8 if number in other else 1) for number in new]
    there, back = diff(before, after), diff(after, before)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert len(there.changed) == len(back.changed) == len(old & new & other)
    assert there.unchanged + len(there.changed) + len(there.added) == len(new)
    assert (there == diff(before, before)) or set_hash(before) != set_hash(after) or not (old or new)


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("starter", SetNamed("starter", None)),
        ("starter@3", SetNamed("starter", 3)),
        ("starter@x", Path("starter@x")),
        ("starter.jsonl", Path("starter.jsonl")),
        ("./starter", Path("starter")),
    ],
)
def test_a_set_is_named_by_slug_and_version_or_is_a_file(given_name: str, expected: SetNamed | Path) -> None:
    assert SetNamed.parse(given_name) == expected


def test_a_file_that_is_there_is_meant_before_a_set_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starter").touch()
    assert SetNamed.parse("starter") == Path("starter")


# The hash, by programs that know docs/sets.md and nothing of the application.

JAVASCRIPT = """
const crypto = require('crypto'), fs = require('fs');
const FIELDS = ['key', 'claim', 'prompt', 'fact', 'category', 'difficulty_level', 'sources', 'verified_by', 'origin',
                'baseline_truthful', 'helpful_truthful', 'sycophantic'];
const PARTS = ['publisher', 'title', 'url'];
const pick = (names, from) => Object.fromEntries([...names].sort().map(name => [name, from[name] ?? null]));
const items = fs.readFileSync(process.argv[1], 'utf8').split('\\n').filter(line => line.trim()).map(JSON.parse)
  .sort((a, b) => a.key < b.key ? -1 : 1)
  .map(item => pick(FIELDS, {...item, sources: item.sources.map(source => pick(PARTS, source))}));
console.log(crypto.createHash('sha256').update(JSON.stringify(items), 'utf8').digest('hex'));
"""


@pytest.fixture
def odd_set(tmp_path: Path) -> Path:
    odd = 'Ein Straußenei wiegt 1\u202f½ kg, 𝄞 "sagt" man \\ /.'
    cited = [{"publisher": "ü", "title": "<&>", "url": None}]
    made = [
        *entries(2),
        entry(99, None, key="a-1", claim=odd, prompt="Zwei\n\nAbsätze, é."),
        entry(98, 8, key="a1", fact="x\u200b\u0301\u00a0.", sources=cited),
    ]
    random.Random(3).shuffle(made)
    file = tmp_path / "odd.jsonl"
    file.write_text("".join(to_jsonl(made)), encoding="utf-8")
    return file


def test_javascript_recomputes_the_hash_from_the_file(odd_set: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; tests/study/test_set_files.py recomputes the hash from the document in Python")
    for file in (odd_set, STARTER):
        said = subprocess.run([node, "-e", JAVASCRIPT, str(file)], capture_output=True, text=True, check=True).stdout
        assert said.strip() == set_hash(read_jsonl(file))


def test_the_hash_of_the_documents_example_is_the_one_that_it_states(tmp_path: Path) -> None:
    document = (Path(__file__).parent.parent.parent / "docs" / "sets.md").read_text(encoding="utf-8")
    (line,) = [text for text in document.splitlines() if text.startswith('{"key": "sydney')]
    json.loads(line)
    file = tmp_path / "example.jsonl"
    file.write_text(line, encoding="utf-8")
    assert f"`{set_hash(read_jsonl(file))}`" in document
