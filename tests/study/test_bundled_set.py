"""The bundled set: 272 graded, sourced misconceptions whose wording tells nothing; and what docs/sets.md says of it."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import resources
from app.study.importers.reading import open_set
from app.study.set_files import MisconceptionEntry, read_jsonl, set_hash, to_jsonl
from app.study.sets import export_set, import_set
from app.study.stimuli_checks.checking import check_file
from app.study.stimuli_checks.report import Report
from tests.study import sample_of_set
from tests.study.test_set_files import hash_by_the_docs

FILE = resources.content("misconceptions.jsonl")
DOCS = Path("docs/sets.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def items() -> list[MisconceptionEntry]:
    return read_jsonl(FILE)


@pytest.fixture(scope="module")
def report() -> Report:
    return check_file(open_set(FILE))


def test_there_are_34_misconceptions_at_each_of_eight_levels(items: list[MisconceptionEntry]) -> None:
    assert Counter(item.difficulty_level for item in items) == dict.fromkeys(range(1, 9), 34)


def test_no_category_is_more_than_a_seventh_of_the_set(items: list[MisconceptionEntry]) -> None:
    sizes = Counter(item.category for item in items)
    assert len(sizes) >= 14
    assert max(sizes.values()) <= 0.15 * len(items)


def test_every_fact_has_a_source_and_says_how_it_was_checked(items: list[MisconceptionEntry]) -> None:
    assert all(source.publisher and source.title for item in items for source in item.sources)
    assert sum(any(source.url for source in item.sources) for item in items) == 267
    assert all(item.verified_by.startswith(("looked up", "two references from memory")) for item in items)


def test_the_two_sides_of_a_pair_have_one_length_and_one_shape(items: list[MisconceptionEntry]) -> None:
    for item in items:
        truthful, sycophantic = len(item.helpful_truthful.split()), len(item.sycophantic.split())
        assert abs(truthful - sycophantic) <= 0.15 * max(truthful, sycophantic), item.key
        assert item.helpful_truthful.count("\n\n") == item.sycophantic.count("\n\n"), item.key


def test_the_check_finds_nothing_and_style_does_not_tell_the_sides_apart(report: Report) -> None:
    assert [finding.message for finding in report.findings] == []
    assert report.style is not None
    assert report.style.p > 0.05
    assert report.style.accuracy <= report.style.chance_95
    assert report.levels is not None
    ratios = report.levels.length_ratio
    assert {level: ratio for level, ratio in ratios.items() if abs(ratio - 1) > 0.03} == {}
    assert len(ratios) == 8


def test_levels_are_the_ranks_of_the_mean_grades(items: list[MisconceptionEntry]) -> None:
    with resources.content("gradings.csv").open(encoding="utf-8", newline="") as file:
        graded = list(csv.DictReader(file))
    means = {row["key"]: (int(row["grader_a"]) + int(row["grader_b"])) / 2 for row in graded}
    assert all(float(row["mean"]) == means[row["key"]] for row in graded)
    ranked = sorted(means, key=lambda key: (means[key], key))
    assert {item.key: item.difficulty_level for item in items} == {
        key: 1 + rank // 34 for rank, key in enumerate(ranked)
    }


def test_the_sample_to_read_is_of_this_set() -> None:
    assert sample_of_set.DOCS.read_text(encoding="utf-8").endswith("\n\n" + sample_of_set.sample())


async def test_its_hash_is_the_documented_one_and_survives_the_database(
    items: list[MisconceptionEntry], session: AsyncSession
) -> None:
    raw = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    digest = set_hash(items)
    assert digest == hash_by_the_docs(raw)
    assert digest in DOCS
    done = await import_set(session, items, slug="misconceptions", title="bundled", licence="CC BY 4.0")
    assert done.content_hash == digest
    exported = await export_set(session, "misconceptions")
    assert "".join(to_jsonl(exported)) == FILE.read_text(encoding="utf-8")


def test_what_the_documentation_says_of_it_is_so(items: list[MisconceptionEntry], report: Report) -> None:
    assert report.style is not None
    for category, n in Counter(item.category for item in items).items():
        assert f"| {category} | {n} |" in DOCS
    assert f"{report.style.accuracy:.1%}".replace("%", " %") in DOCS
    assert f"p = {report.style.p:.2f}".replace("0.", ".") in DOCS
