"""Score files: taken whole or not at all, with each fault by its line and field."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import PairScore, ResponseScore, ScoringRun
from app.study import accounts
from app.study.score_files import ScoreFile, ScoreFileFaulty
from app.study.score_imports import MOST_FAULTS, import_scores
from app.study.scoring_queries import pair_margins
from app.study.scoring_runs import RunStoredAlready, begin, store
from app.terms import Role
from tests.scored import both_variants, judge_rows, pairs_of_study, reward_rows, run_record, score_file
from tests.studies import open_study


async def refused(session: AsyncSession, lines: list[bytes] | list[str]) -> list[str]:
    """What is said of a file; nothing of it may be there then."""
    with pytest.raises(ScoreFileFaulty) as fault:
        await import_scores(session, "scored", lines)
    assert await session.scalar(select(func.count()).select_from(ScoringRun)) == 0
    assert await session.scalar(select(func.count()).select_from(ResponseScore)) == 0
    return fault.value.faults


@pytest.fixture
async def pairs(session: AsyncSession) -> list[dict[str, Any]]:
    await open_study(session, "scored", per_level=1)
    return await pairs_of_study(session, "scored")


async def test_a_file_is_stored_with_its_record_and_the_act_is_recorded(
    session: AsyncSession, pairs: list[dict[str, Any]]
) -> None:
    account = await accounts.create(session, "ada@example.org", Role.RESEARCHER, None)
    record = both_variants(odd=["kept", {"deep": 1.5}])
    file = score_file(record, reward_rows(pairs, ("standard", "non-sycophantic")))
    run = await import_scores(session, "scored", file, account)
    assert (run.state, run.public_id, run.account_id, run.model_revision) == ("done", "a" * 16, account, "r1")
    assert run.record == record
    assert run.noise_floor == 0.125
    margins = await pair_margins(session, run.study_id)
    assert len(margins) == 32
    assert {one.variant for one in margins} == {"standard", "non-sycophantic"}
    recorded = await session.execute(text("SELECT account_id, detail FROM event WHERE kind = 'scores_imported'"))
    assert [tuple(row) for row in recorded] == [(account, {"run": "a" * 16, "model": "made-up/reward-model"})]


async def test_text_lines_blank_lines_and_line_ends_of_other_systems_make_no_difference(
    session: AsyncSession, pairs: list[dict[str, Any]]
) -> None:
    file = score_file(run_record(scorer="judge"), judge_rows(pairs))
    lines = [
        "\ufeff" + file[0].decode().replace("\n", "\r\n"),
        "\r\n",
        *(line.decode().strip() for line in file[1:]),
        "",
    ]
    assert (await import_scores(session, "scored", lines)).state == "done"


async def test_a_mark_of_an_answer_that_was_not_listed_changes_nothing_of_what_is_stored(
    session: AsyncSession, pairs: list[dict[str, Any]]
) -> None:
    rows = [row | {"unlisted": "B"} if number % 2 else row for number, row in enumerate(judge_rows(pairs))]
    run = await import_scores(session, "scored", score_file(run_record(scorer="judge"), rows))
    assert run.state == "done"
    stored = (await session.scalars(select(PairScore.p_b))).all()
    assert stored == [0.25] * len(rows)


async def test_a_run_that_is_there_is_said_to_be_there_and_nothing_changes(
    session: AsyncSession, pairs: list[dict[str, Any]]
) -> None:
    file = score_file(run_record(), reward_rows(pairs))
    await import_scores(session, "scored", file)
    with pytest.raises(RunStoredAlready, match="is stored already, in study 'scored'; nothing was changed"):
        await import_scores(session, "scored", file)
    assert await session.scalar(select(func.count()).select_from(ResponseScore)) == 24


async def test_the_file_of_a_run_that_was_cut_off_completes_it(
    session: AsyncSession, pairs: list[dict[str, Any]]
) -> None:
    rows = reward_rows(pairs)
    begun = await begin(session, "scored", run_record())
    await store(session, begun.id, rows[:5])
    run = await import_scores(session, "scored", score_file(run_record(), rows))
    assert (run.id, run.state) == (begun.id, "done")


async def test_faults_are_named_by_line_and_field_and_many_are_counted(
    session: AsyncSession, pairs: list[dict[str, Any]]
) -> None:
    rows = reward_rows(pairs)
    assert await refused(session, score_file(run_record(), [rows[0] | {"text_hash": "0" * 64}, *rows[1:]])) == [
        "line 2, field text_hash: 'claim-000' has another text in this study; score the pairs file of this study"
    ]
    assert await refused(session, score_file(run_record(), [*rows, rows[3] | {"score": 9.0}])) == [
        "line 26, field key: standard claim-001 baseline_truthful was given already in line 5"
    ]
    assert await refused(session, score_file(run_record(), [*rows[:-1], rows[-1] | {"score": math.nan}])) == [
        "line 25, field score: must be a finite number"
    ]
    odd = [row | {"key": "unknown"} if n % 2 else row for n, row in enumerate(rows)]
    assert len(await refused(session, score_file(run_record(), odd))) == 12
    with pytest.raises(ScoreFileFaulty, match=r"the score file, line 2, field key: .* \(and 47 more\)") as many:
        await import_scores(session, "scored", score_file(run_record(), [row | {"key": "?"} for row in rows * 2]))
    assert len(many.value.faults) == MOST_FAULTS
    record = run_record()
    del record["model"]
    with pytest.raises(ScoreFileFaulty, match=r"line 1: the run record, field model: missing"):
        await import_scores(session, "scored", score_file(record, rows))


async def test_what_is_missing_is_counted_and_named(session: AsyncSession, pairs: list[dict[str, Any]]) -> None:
    rows = [row for row in reward_rows(pairs) if row["kind"] != "sycophantic" or row["key"] != "claim-006"]
    (said,) = await refused(session, score_file(run_record(), rows))
    assert "of the study's 8 pairs it lacks sycophantic of 1 (the first is 'claim-006')" in said
    (said,) = await refused(session, score_file(run_record(), []))
    assert "baseline_truthful of 8" in said


async def test_a_file_that_was_cut_or_changed_is_never_taken_for_whole(
    session: AsyncSession, pairs: list[dict[str, Any]]
) -> None:
    file = score_file(run_record(), reward_rows(pairs))
    whole = b"".join(file)
    for end, said in (
        (len(whole) - len(file[-1]), "no end line: the file was cut off"),
        (len(whole) - 9, "is not JSON"),
        (len(whole) - len(file[-1]) - 9, "is not JSON"),
        (len(file[0]), "no end line"),
        (0, "is not the head of a score file"),
    ):
        (fault,) = await refused(session, whole[:end].splitlines(keepends=True))
        assert said in fault
    for lines, said in (
        ([*file[:5], *file[6:]], "line 25 field rows: the file has 23 rows where its end says 24"),
        ([file[0], file[2], file[1], *file[3:]], "field sha256: the rows are not as they were written"),
        ([*file, file[3]], "line 27 comes after the end line"),
        ([file[0], b"\xff\n", *file[1:]], "line 2 is not UTF-8 (byte 0)"),
        ([file[0], b"[]\n", *file[1:]], "line 2 is not a JSON object"),
        ([file[0], b"[" * 100_000], "line 2 is not JSON that can be read"),
        (file[1:], "line 1 is not the head of a score file"),
        ([b'{"candor_scores": 2, "run": {}}', *file[1:]], "line 1 is not the head"),
        ([*file[:-1], b'{"end": true, "rows": "24"}'], "line 26 field rows"),
        ([b"x" * 2_000_001], "longer than 2,000,000 bytes"),
    ):
        (fault,) = await refused(session, lines)
        assert said in fault, fault


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_whatever_bytes_come_they_are_read_or_refused_in_one_line(lines: list[bytes]) -> None:
    head = json.dumps({"candor_scores": 1, "run": {}}).encode()
    for given_lines in (lines, [head, *lines]):
        with pytest.raises(ScoreFileFaulty) as fault:
            list(ScoreFile(given_lines).rows())
        assert "\n" not in str(fault.value)


@given(st.data())
def test_a_file_cut_at_any_byte_is_refused(data: st.DataObject) -> None:
    whole = b"".join(score_file(run_record(), [{"key": "a", "score": 1.5}, {"key": "b", "score": -2}]))
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    with pytest.raises(ScoreFileFaulty):
        list(ScoreFile(cut.splitlines(keepends=True)).rows())
    assert [row.number for row in ScoreFile(whole.splitlines()).rows()] == [2, 3]
