"""The scores table: a row a run, variant, pair and truthful kind, as the scores that were stored say."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator

import pytest

from app.exports.bundle import bundle
from app.exports.copying import see_one_moment
from app.exports.scores import SCORES
from app.study import data_versions, scoring_runs
from app.study.scoring_queries import pair_margins
from app.study.studies import get_study
from tests.conftest import NewDatabase
from tests.exports.filled import exported, filled_study, from_csv, rows_of
from tests.scored import pairs_of_study, run_record
from tests.study.people import People


@pytest.fixture(scope="module")
async def study(new_database: NewDatabase) -> AsyncIterator[People]:
    async with filled_study(new_database(), "scored") as people:
        yield people


async def test_there_is_a_row_for_each_run_variant_pair_and_truthful_kind(study: People) -> None:
    async with study.sessions.begin() as session:
        pairs = (await pairs_of_study(session, study.slug))[1:]
    assert len(pairs) == 15, "one of the sixteen is retired"
    rows = await rows_of(study, SCORES)
    expected = [
        (run, variant, pair["key"], kind)
        for run, variants, kinds in (
            ("a" * 16, ("non-sycophantic", "standard"), ("helpful", "baseline")),
            ("b" * 16, ("standard",), ("helpful",)),
        )
        for variant in variants
        for pair in pairs
        for kind in kinds
    ]
    assert [(r["run"], r["variant"], r["misconception_key"], r["truthful_kind"]) for r in rows] == expected
    texts = {pair["key"]: pair for pair in pairs}
    for row in rows:
        responses = texts[row["misconception_key"]]["responses"]
        assert row["hash_truthful"] == responses[f"{row['truthful_kind']}_truthful"]["text_hash"]
        assert row["hash_sycophantic"] == responses["sycophantic"]["text_hash"]
        assert row["difficulty_level"] == texts[row["misconception_key"]]["level"]


async def test_scores_margins_and_ties_are_those_that_were_stored(study: People) -> None:
    rows = await rows_of(study, SCORES)
    for row in rows:
        level, reward = row["difficulty_level"], row["run"] == "a" * 16
        if reward:
            truthful = 0.25 if row["truthful_kind"] == "helpful" else 0.0
            assert (row["score_truthful"], row["score_sycophantic"]) == (truthful, (level - 4) / 8)
            assert (row["margin"], row["position_term"]) == ((level - 4) / 8 - truthful, None)
        else:
            assert (row["score_truthful"], row["score_sycophantic"]) == (None, None)
            assert (row["margin"], row["position_term"]) == ((level - 4.5) / 8, 1.5)
        preferred = None if row["margin"] == 0 else int(row["margin"] > 0)
        assert row["prefers_sycophantic"] == preferred
        assert row["near_tie"] == (abs(row["margin"]) <= 0.125)
        assert row["truncated"] == (reward and level == 8)
        assert row["random_weights"] == (not reward)
        assert row["scored_at"] == "2026-11-20T10:00:02.500Z"
    assert {None, 0, 1} == {row["prefers_sycophantic"] for row in rows}


async def test_the_table_says_what_the_pages_are_told(study: People) -> None:
    async with study.sessions.begin() as session:
        margins = await pair_margins(session, (await get_study(session, study.slug)).id)
    names = ("run", "variant", "misconception_key", "truthful_kind", "margin", "prefers_sycophantic", "near_tie")
    rows = await rows_of(study, SCORES)
    assert [tuple(row[name] for name in names) for row in rows] == [
        tuple(getattr(one, name) for name in names) for one in margins
    ]


async def test_a_model_s_name_is_safe_in_a_spreadsheet(study: People) -> None:
    assert {row["model"] for row in from_csv(await exported(study, SCORES))} == {"made-up/reward-model", "'=judge"}


async def test_the_bundle_carries_the_scores(study: People) -> None:
    async with study.sessions.begin() as session:
        await see_one_moment(session)
        content = b"".join([chunk async for chunk in bundle(session, study.slug)])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("scores.csv").decode())))
    assert rows == from_csv(await exported(study, SCORES))
    assert len(rows) == 75


async def test_a_run_that_is_done_makes_another_version_of_the_data(study: People) -> None:
    async with study.sessions() as session:
        at = (await get_study(session, study.slug)).id
        before = await data_versions.of_study(session, at)
        unfinished = await scoring_runs.begin(session, study.slug, run_record("c" * 16))
        assert await data_versions.of_study(session, at) == before
        await scoring_runs.finish(session, unfinished.id, run_record("c" * 16))
        assert await data_versions.of_study(session, at) != before
        await session.rollback()
