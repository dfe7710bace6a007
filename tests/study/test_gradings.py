"""Gradings: ratings are read or refused by row and column, agreement is told, and levels are made as a new version."""

import csv
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import resources
from app.models import Event, Grading, GradingValue
from app.study import gradings
from app.study.grading_agreement import (
    between_raters,
    findings,
    means,
    spearman,
    spearman_interval,
    weighted_kappa,
    with_own_levels,
)
from app.study.gradings import Graded, GradingIncomplete, GradingOutdated, GradingUnknown
from app.study.levelling import levels_by_rank
from app.study.rating_files import RatingsFaulty, read_ratings
from app.study.set_diffs import diff
from app.study.sets import SetUnknown, export_set, find_set, import_set
from app.terms import GradingKind
from tests.example_sets import entries, entry

KEYS = ("claim-000", "claim-001", "claim-002")


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / "ratings.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


# Files of ratings.


def test_both_forms_of_a_file_say_the_same(tmp_path: Path) -> None:
    wide = read_ratings(written(tmp_path, "key,ann,ben\nclaim-000,10,20\nclaim-002,90,80.5\nclaim-001,0,100\n"), KEYS)
    assert wide.ratings == {
        "claim-000": {"ann": 10, "ben": 20},
        "claim-001": {"ann": 0, "ben": 100},
        "claim-002": {"ann": 90, "ben": 80.5},
    }
    rows = [f"{rater};{key};{value}" for key, by in wide.ratings.items() for rater, value in by.items()]
    long = read_ratings(written(tmp_path, "\ufeffrater;key;plausibility\r\n" + "\r\n".join(rows)), KEYS)
    assert long.ratings == wide.ratings
    assert long.file_hash != wide.file_hash
    assert means(long.ratings)["claim-002"] == 85.25


def test_a_rater_may_leave_claims_out_as_long_as_two_rated_each(tmp_path: Path) -> None:
    content = "key,ann,ben,cho\nclaim-000,10,,20\nclaim-001,,30,40\nclaim-002,50,60,\n"
    assert read_ratings(written(tmp_path, content), KEYS).ratings["claim-001"] == {"ben": 30, "cho": 40}


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("claim,ann,ben\nx,1,2\n", ["row 1, column key: missing; the columns are key, rater, plausibility, or key"]),
        ("key,ann\nclaim-000,1\n", ["row 1: there must be two raters or more"]),
        ("key,rater\nclaim-000,ann\n", ["row 1, column plausibility: missing"]),
        ("key,rater,plausibility,when\n", ["row 1, column when: unknown beside key, rater and plausibility"]),
        (
            "key,ann,ben\nclaim-000,1,101\nclaim-009,1,2\nclaim-001,nan,-3\nclaim-002,5,1e1\n",
            [
                "row 2, column ben: '101' is no plausibility; give a number from 0 to 100",
                "row 3, column key: the set has no misconception 'claim-009'",
                "row 4, column ann: 'nan' is no plausibility",
                "row 4, column ben: '-3' is no plausibility",
                "row 5, column ben: '1e1' is no plausibility",
            ],
        ),
        (
            "key,rater,plausibility\nclaim-000,,1\nclaim-000,ann,1\nclaim-000,ann,2\n",
            [
                "row 2, column rater: must name who rated",
                "row 4, column plausibility: 'claim-000' was rated by 'ann' in a row before",
            ],
        ),
        (
            "key,ann,ben\nclaim-000,1,2\nclaim-001,1,\n",
            ["misconception 'claim-001' has one rating; two raters", "misconception 'claim-002' has no rating; two"],
        ),
        ("key,ann,ben\nclaim-000,1\n", ["row 2: has 2 cells and the header 3; is the row cut off?"]),
        ("key,ann,ann\nclaim-000,1,2\n", ["row 1, column ann: given twice"]),
        (b"key,ann,ben\nclaim-000,\xff,2\n", ["line 2, column 11: not UTF-8"]),
        (b"key,ann,ben\nclaim-000,\x00,2\n", ["line 2, column 11: holds a NUL byte"]),
        ("", ["row 1, column key: missing"]),
    ],
)
def test_a_faulty_file_is_refused_by_row_and_column(tmp_path: Path, content: str | bytes, faults: list[str]) -> None:
    with pytest.raises(RatingsFaulty) as refused:
        read_ratings(written(tmp_path, content), KEYS)
    assert len(refused.value.faults) == len(faults)
    for said, expected in zip(refused.value.faults, faults, strict=True):
        assert said.startswith(expected)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatingsFaulty, match="cannot be read: No such file"):
        read_ratings(tmp_path / "none.csv", KEYS)


# Agreement.


def test_correlation_and_kappa_equal_those_of_scipy_and_scikit_learn() -> None:
    draw = np.random.default_rng(5)
    for _ in range(20):
        first, second = draw.integers(1, 9, 40), draw.integers(1, 9, 40)
        second[:25] = first[:25]
        ours = spearman(list(first), list(second))
        assert ours == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)
        kappa = weighted_kappa(list(first), list(second))
        assert kappa == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"), abs=1e-12)


def test_what_cannot_be_told_is_none() -> None:
    assert spearman([1, 2, 3], [1, 2, 3]) is None
    assert spearman([5, 5, 5, 5], [1, 2, 3, 4]) is None
    assert weighted_kappa([3, 3], [3, 3]) is None
    assert with_own_levels({"a": 1.0}, {"a": None}) is None
    assert between_raters({"a": {"ann": 1.0, "ben": 2.0}}) is None
    assert spearman_interval(1.0, 8) == (1.0, 1.0)


def test_the_interval_covers_a_known_correlation_as_often_as_it_says() -> None:
    draw = np.random.default_rng(9)
    rho, n = 0.6, 24
    true = 6 / np.pi * np.arcsin(rho / 2)
    covered = 0
    for _ in range(1000):
        x = draw.standard_normal(n)
        y = rho * x + np.sqrt(1 - rho**2) * draw.standard_normal(n)
        found = spearman(list(x), list(y))
        assert found is not None
        low, high = spearman_interval(found, n)
        covered += low <= true <= high
    assert 930 <= covered <= 975


def test_the_bundled_grades_agree_as_the_documentation_says() -> None:
    with resources.content("gradings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ratings = {row["key"]: {name: float(row[name]) for name in ("grader_a", "grader_b")} for row in rows}
    between = between_raters(ratings)
    assert between is not None
    assert (round(between.spearman or 0, 3), round(between.weighted_kappa or 0, 3)) == (0.960, 0.949)
    assert (between.n_raters, between.n_pairs) == (2, 1)
    found = findings(ratings, {row["key"]: int(row["difficulty_level"]) for row in rows})
    assert found["with_levels"]["weighted_kappa"] == 1
    assert found["at_cuts"] == {"within_a_point": 68, "on_tied_values": 13}
    assert list(found["mean_by_level"]) == list("12345678")
    assert found["mean_by_level"]["1"] < 15.5
    assert found["mean_by_level"]["8"] > 73.5


def test_many_raters_are_compared_in_a_sample_of_pairs() -> None:
    draw = random.Random(3)
    ratings = {f"claim-{n}": {f"rater-{r}": draw.uniform(0, 100) for r in range(60)} for n in range(12)}
    found = between_raters(ratings)
    assert found is not None
    assert (found.n_raters, found.n_pairs) == (60, 500)
    assert abs(found.spearman or 1) < 0.1, "they rated at random"
    assert between_raters(dict(reversed(ratings.items()))) == found


# In the database.


def graded(values: dict[str, float], **more: Any) -> Graded:
    """The same values from two raters, a point apart."""
    given: dict[str, Any] = {"by": "ratings.csv", "kind": GradingKind.RATINGS, "prompt_hash": None}
    ratings = {key: {"ann": value, "ben": value + 1} for key, value in values.items()}
    return Graded(**given | {"ratings": ratings, "made_with": {"file": "ratings.csv"}} | more)


def turned(n: int) -> dict[str, float]:
    """Values that are highest where the levels of `entries` are lowest."""
    return {f"claim-{number:03d}": 90.0 - 10 * (number % 8) - number / 100 for number in range(n)}


@pytest.fixture
async def stored(session: AsyncSession) -> int:
    await import_set(session, entries(2), slug="facts", title="Facts", licence="CC0-1.0")
    return (await find_set(session, "facts")).id


async def test_a_grading_is_stored_beside_its_set_and_changes_nothing_of_it(session: AsyncSession, stored: int) -> None:
    before = (await find_set(session, "facts")).content_hash
    listed = await gradings.store(session, stored, graded(turned(16)))
    assert await gradings.gradings(session, "facts") == [listed]
    assert (listed.slug, listed.version, listed.kind, listed.by) == ("facts", 1, "ratings", "ratings.csv")
    assert listed.record["file"] == "ratings.csv"
    assert listed.record["found"]["with_levels"]["spearman"] < -0.9
    assert listed.record["found"]["n_raters"] == 2
    values = await gradings.values_of(session, listed.id)
    assert values == pytest.approx({key: value + 0.5 for key, value in turned(16).items()})
    assert (await find_set(session, "facts")).content_hash == before
    kinds = (await session.scalars(select(Event.kind).order_by(Event.id))).all()
    assert kinds[-1] == "set_graded"


async def test_regrouping_makes_a_version_that_differs_in_its_levels_alone(session: AsyncSession, stored: int) -> None:
    listed = await gradings.store(session, stored, graded(turned(16)))
    done = await gradings.regroup(session, "facts", listed.id)
    before, after = await export_set(session, "facts", 1), await export_set(session, "facts", 2)
    assert (done.imported.version, done.imported.new, done.graded_version, done.newly) == (2, True, 1, 0)
    changes = diff(before, after)
    assert (changes.added, changes.removed) == ((), ())
    assert {field.field for change in changes.changed for field in change.fields} == {"difficulty_level"}
    assert done.changed == len(changes.changed) == 16
    assert done.moved == {1: 4, 3: 4, 5: 4, 7: 4}
    assert {one.key: one.difficulty_level for one in after} == levels_by_rank(turned(16))
    newer, older = await find_set(session, "facts", 2), await find_set(session, "facts", 1)
    assert newer.content_hash != older.content_hash
    assert (newer.title, newer.licence) == ("Facts", "CC0-1.0")
    event = (await session.scalars(select(Event.detail).filter_by(kind="set_regrouped"))).one()
    assert event == {"set": "facts", "version": 2, "grading": listed.id}
    with pytest.raises(GradingOutdated, match=r"version 1 of the set facts was graded, but version 2 is its newest"):
        await gradings.regroup(session, "facts", listed.id)


async def test_regrouping_by_the_levels_that_are_there_makes_no_version(session: AsyncSession, stored: int) -> None:
    values = {key: 95 - value for key, value in turned(16).items()}
    listed = await gradings.store(session, stored, graded(values))
    done = await gradings.regroup(session, "facts", listed.id)
    assert (done.imported.version, done.imported.new, done.changed) == (1, False, 0)


async def test_an_unlevelled_set_gets_its_first_levels(session: AsyncSession) -> None:
    await import_set(session, [entry(n, None) for n in range(9)], slug="bare", title="Bare", licence="none")
    bare = await find_set(session, "bare")
    listed = await gradings.store(session, bare.id, graded({f"claim-{n:03d}": 10.0 * n for n in range(9)}))
    assert (listed.record["found"]["with_levels"], listed.record["found"]["mean_by_level"]) == (None, {})
    done = await gradings.regroup(session, "bare", listed.id)
    assert (done.newly, done.moved, done.changed) == (9, {}, 9)
    assert [one.difficulty_level for one in await export_set(session, "bare")] == [1, 1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    "change",
    [{"claim-003": None}, {"claim-999": {"ann": 1.0}}, {"claim-003": {}}, {"claim-003": {"ann": float("nan")}}],
)
async def test_a_grading_that_leaves_a_claim_out_is_not_stored(
    session: AsyncSession, stored: int, change: dict[str, Any]
) -> None:
    ratings = {**graded(turned(16)).ratings, **change}
    kept = {key: by for key, by in ratings.items() if by is not None}
    with pytest.raises(GradingIncomplete, match=next(iter(change))):
        await gradings.store(session, stored, graded({}, ratings=kept))
    assert await session.scalar(select(func.count()).select_from(Grading)) == 0
    assert await session.scalar(select(func.count()).select_from(GradingValue)) == 0


async def test_a_grading_is_found_by_its_set_alone(session: AsyncSession, stored: int) -> None:
    listed = await gradings.store(session, stored, graded(turned(16)))
    await import_set(session, entries(1), slug="others", title="Others", licence="none")
    with pytest.raises(GradingUnknown, match=rf"the set others has no grading {listed.id}"):
        await gradings.regroup(session, "others", listed.id)
    with pytest.raises(SetUnknown):
        await gradings.gradings(session, "nothing")


@pytest.mark.parametrize("statement", ["UPDATE grading SET by = 'me'", "DELETE FROM grading_value"])
async def test_a_stored_grading_cannot_be_changed(session: AsyncSession, stored: int, statement: str) -> None:
    await gradings.store(session, stored, graded(turned(16)))
    with pytest.raises(DBAPIError, match="grading"):
        await session.execute(text(statement))
