"""Scoring runs: begun once, told of, stored against the study's texts, taken for whole only when they are."""

import hashlib
import json
import math
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import PairScore, ResponseScore, ScoringRun
from app.study import amendments, copies, scoring_queries, scoring_runs, studies
from app.study.designs import check_design
from app.study.score_rows import RowUnfit
from app.study.scoring_gaps import ScoresIncomplete
from app.study.scoring_pairs import pair_lines
from app.study.scoring_queries import PairMargin, pair_margins
from app.study.scoring_records import RecordFaulty, checked_record
from app.study.scoring_runs import RunElsewhere, RunStoredAlready
from app.study.sets import find_set, import_set
from app.study.studies import SetUnlevelled, StudyScored, create_study
from tests.example_sets import entry
from tests.scored import both_variants, judge_rows, pairs_of_study, reward_rows, run_record
from tests.studies import draft_study, open_study


async def stored(session: AsyncSession, slug: str, record: dict[str, Any], rows: list[dict[str, Any]]) -> ScoringRun:
    run = await scoring_runs.begin(session, slug, record)
    await scoring_runs.store(session, run.id, rows)
    await scoring_runs.finish(session, run.id, record)
    return run


# The pairs file.


async def test_the_pairs_file_has_every_pair_that_is_not_retired_with_hashes_of_its_very_texts(
    session: AsyncSession,
) -> None:
    study = await open_study(session, "filed")
    await amendments.retire_pair(session, "filed", "claim-003", "it is true")
    await session.refresh(study, ["design_hash"])
    head, *pairs = await pairs_of_study(session, "filed")
    assert head["n"] == len(pairs) == 15
    assert [pair["key"] for pair in pairs] == [f"claim-{n:03d}" for n in range(16) if n != 3]
    assert (head["candor_pairs"], head["study"], head["set_slug"], head["set_version"]) == (1, "filed", "filed-set", 1)
    assert head["set_hash"] == study.misconception_set.content_hash
    assert head["design_hash"] == study.design_hash
    made = entry(5, 6)
    assert pairs[4]["level"] == 6
    assert pairs[4]["prompt"] == made.prompt
    assert pairs[4]["prompt_hash"] == hashlib.sha256(made.prompt.encode()).hexdigest()
    assert pairs[4]["responses"]["helpful_truthful"] == {
        "text": made.helpful_truthful,
        "text_hash": hashlib.sha256(made.helpful_truthful.encode()).hexdigest(),
    }


async def test_a_draft_s_pairs_are_those_that_it_would_open_with_and_have_levels(session: AsyncSession) -> None:
    await draft_study(session, "early")
    head, *pairs = await pairs_of_study(session, "early")
    assert (head["design_hash"], head["n"], len(pairs)) == (None, 16, 16)
    run = await stored(session, "early", run_record(), reward_rows([head, *pairs]))
    assert len(await pair_margins(session, run.study_id)) == 32

    await import_set(session, [entry(1), entry(2, None)], slug="rough", title="rough", licence="none")
    design = {"slug": "rough", "title": "rough", "contact": "a@example.org", "pairs_per_annotator": 1}
    await create_study(session, check_design(design), await find_set(session, "rough"))
    with pytest.raises(SetUnlevelled, match="'claim-002'"):
        await anext(pair_lines(session, "rough"))


async def test_a_draft_that_was_scored_keeps_its_set_and_all_else_of_it_can_be_changed(session: AsyncSession) -> None:
    await draft_study(session, "kept")
    draft = await studies.get_study(session, "kept")
    await import_set(session, [entry(n) for n in range(9)], slug="other", title="other", licence="none")
    design, used, chosen = (
        copies.design_of(draft),
        await find_set(session, "kept-set"),
        await find_set(session, "other"),
    )
    await studies.change_draft(session, "kept", check_design(design), chosen)
    await studies.change_draft(session, "kept", check_design(design), used)
    run = await stored(session, "kept", run_record(), reward_rows(await pairs_of_study(session, "kept")))
    with pytest.raises(StudyScored, match="keeps its set 'kept-set', version 1; clone it and give the clone"):
        await studies.change_draft(session, "kept", check_design(design), chosen)
    changed = await studies.change_draft(session, "kept", check_design(design | {"title": "Renamed"}), used)
    assert (changed.title, len(await pair_margins(session, run.study_id))) == ("Renamed", 32)


# Margins.


async def test_margins_of_a_reward_model_are_what_its_scores_say(session: AsyncSession) -> None:
    study = await open_study(session, "rewarded")
    pairs = await pairs_of_study(session, "rewarded")
    await stored(session, "rewarded", run_record(random_weights=True), reward_rows(pairs))
    levels = {pair["key"]: pair["level"] for pair in pairs[1:]}
    margins = await pair_margins(session, study.id)
    assert margins == [
        PairMargin(
            run="a" * 16,
            model="made-up/reward-model",
            scorer="reward",
            variant="standard",
            misconception_key=key,
            level=level,
            truthful_kind=kind,
            margin=(margin := (level - 4) / 8 - truthful),
            noise_floor=0.125,
            near_tie=abs(margin) <= 0.125,
            prefers_sycophantic=None if margin == 0 else int(margin > 0),
            position_term=None,
            truncated=level == 8,
            random_weights=True,
        )
        for key, level in sorted(levels.items())
        for kind, truthful in (("helpful", 0.25), ("baseline", 0.0))
    ]
    assert {one.prefers_sycophantic for one in margins} == {0, 1, None}


async def test_a_judge_s_margin_is_over_both_orders_and_its_position_term_beside_it(session: AsyncSession) -> None:
    study = await open_study(session, "judged")
    pairs = await pairs_of_study(session, "judged")
    await stored(session, "judged", run_record(scorer="judge", noise_floor=0.0625), judge_rows(pairs, ["helpful"]))
    margins = await pair_margins(session, study.id)
    assert [(one.misconception_key, one.margin) for one in margins] == [
        (pair["key"], (pair["level"] - 4.5) / 8) for pair in pairs[1:]
    ]
    assert {one.position_term for one in margins} == {1.5}
    assert {one.truthful_kind for one in margins} == {"helpful"}
    assert {one.level for one in margins if one.near_tie} == {4, 5}
    assert {one.level for one in margins if one.prefers_sycophantic} == {5, 6, 7, 8}


async def test_retired_pairs_and_unfinished_runs_are_in_no_margin(session: AsyncSession) -> None:
    study = await open_study(session, "partly")
    pairs = await pairs_of_study(session, "partly")
    unfinished = await scoring_runs.begin(session, "partly", run_record("b" * 16))
    await scoring_runs.store(session, unfinished.id, reward_rows(pairs))
    assert await pair_margins(session, study.id) == []
    await scoring_runs.finish(session, unfinished.id, run_record("b" * 16))
    await amendments.retire_pair(session, "partly", "claim-003", "it is true")
    margins = await pair_margins(session, study.id)
    assert len(margins) == 30
    assert "claim-003" not in {one.misconception_key for one in margins}
    await stored(session, "partly", run_record("c" * 16), reward_rows(pairs))
    assert len(await pair_margins(session, study.id)) == 60, "a score of a retired pair is taken, and left out"


# Runs.


async def test_a_run_is_told_of_while_it_runs_and_goes_on_where_it_was(session: AsyncSession) -> None:
    study = await open_study(session, "cut-off")
    pairs = await pairs_of_study(session, "cut-off")
    rows = reward_rows(pairs)
    run = await scoring_runs.begin(session, "cut-off", run_record(finished_at=None))
    assert (run.state, run.n_all, run.n_done, run.finished_at) == ("running", 16, 0, None)
    await scoring_runs.told(session, run.id, 20, 48, 1234.5)
    await scoring_runs.store(session, run.id, rows[:20])
    await scoring_runs.fail(session, run.id, "out of memory")
    assert (run.state, run.fault, run.n_done, run.tokens_per_second) == ("failed", "out of memory", 20, 1234.5)
    again = await scoring_runs.begin(session, "cut-off", run_record(finished_at=None))
    assert (again.id, again.state, again.fault, again.n_done) == (run.id, "running", None, 20)
    assert await scoring_runs.store(session, run.id, rows) == 48, "what is there already is no fault"
    await scoring_runs.finish(session, run.id, run_record(tokens=7))
    assert (run.state, run.n_done, run.record["tokens"]) == ("done", 48, 7)
    assert run.finished_at is not None
    assert run.finished_at.isoformat() == "2026-11-20T10:00:02.500000+00:00"
    assert len(await pair_margins(session, study.id)) == 32
    told = await session.scalars(text("SELECT kind FROM event WHERE study_id = :id ORDER BY id"), {"id": study.id})
    assert list(told)[-2:] == ["scoring_failed", "scores_stored"]


async def test_a_run_that_is_done_is_not_begun_again_and_the_database_keeps_it(session: AsyncSession) -> None:
    await open_study(session, "kept")
    run = await stored(session, "kept", run_record(), reward_rows(await pairs_of_study(session, "kept")))
    for act in (
        scoring_runs.begin(session, "kept", run_record()),
        scoring_runs.finish(session, run.id, run_record()),
        scoring_runs.fail(session, run.id, "no"),
        scoring_runs.store(session, run.id, []),
    ):
        with pytest.raises(
            RunStoredAlready, match=f"{'a' * 16} is stored already, in study 'kept'; nothing was changed"
        ):
            await act
    for statement in (
        "UPDATE scoring_run SET model = 'another'",
        "DELETE FROM scoring_run",
        "UPDATE response_score SET score = 1",
        "DELETE FROM response_score",
        "TRUNCATE pair_score",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with session.begin_nested():
                await session.execute(text(statement))


async def test_a_run_without_all_scores_is_not_taken_for_whole(session: AsyncSession) -> None:
    await open_study(session, "holey")
    pairs = await pairs_of_study(session, "holey")
    rows = [
        row
        for row in reward_rows(pairs, ("standard", "non-sycophantic"))
        if not (row["variant"] == "non-sycophantic" and row["kind"] == "sycophantic" and row["key"] > "claim-012")
    ]
    run = await scoring_runs.begin(session, "holey", both_variants())
    await scoring_runs.store(session, run.id, rows)
    said = "variant 'non-sycophantic' is not whole; of the study's 16 pairs it lacks sycophantic of 3 "
    with pytest.raises(ScoresIncomplete, match=said + r"\(the first is 'claim-013'\)"):
        await scoring_runs.finish(session, run.id, both_variants())
    for key in ("claim-013", "claim-014", "claim-015"):
        await amendments.retire_pair(session, "holey", key, "it is true")
    await scoring_runs.finish(session, run.id, both_variants())
    assert run.state == "done"


async def test_one_truthful_kind_is_enough_and_a_judge_needs_both_orders(session: AsyncSession) -> None:
    await open_study(session, "one-kind")
    pairs = await pairs_of_study(session, "one-kind")
    helpful = [row for row in reward_rows(pairs) if row["kind"] != "baseline_truthful"]
    await stored(session, "one-kind", run_record(), helpful)
    one_order = [row for row in judge_rows(pairs) if row["order"] == "truthful_first"]
    judge = run_record("b" * 16, scorer="judge")
    with pytest.raises(
        ScoresIncomplete, match=r"it lacks baseline sycophantic_first of 16 .*; helpful sycophantic_first"
    ):
        await stored(session, "one-kind", judge, one_order)
    await stored(session, "one-kind", judge, judge_rows(pairs, ["baseline"]))


ROWS: list[tuple[dict[str, Any], str]] = [
    ({"key": "claim-999"}, "field key: the study has no pair 'claim-999'"),
    ({"variant": "odd"}, "field variant: the run record names no variant 'odd'"),
    ({"kind": "friendly"}, "field kind: "),
    ({"prompt_hash": "0" * 64}, "field prompt_hash: 'claim-000' has another text"),
    ({"text_hash": "0" * 64}, "field text_hash: 'claim-000' has another text"),
    ({"text_hash": "X"}, "field text_hash: must be lower-case hexadecimal"),
    ({"score": math.nan}, "field score: must be a finite number"),
    ({"score": math.inf}, "field score: must be a finite number"),
    ({"score": "1.0"}, "field score: "),
    ({"n_tokens": -1}, "field n_tokens: "),
    ({"truncated": None}, "field truncated: "),
]


@pytest.mark.parametrize(("changed", "said"), ROWS)
async def test_a_row_that_does_not_fit_the_study_is_refused(
    session: AsyncSession, changed: dict[str, Any], said: str
) -> None:
    await open_study(session, "fitted", per_level=1)
    first, *rest = reward_rows(await pairs_of_study(session, "fitted"))
    run = await scoring_runs.begin(session, "fitted", run_record())
    with pytest.raises(RowUnfit) as refused:
        await scoring_runs.store(session, run.id, [first | changed, *rest])
    assert str(refused.value).startswith(said)
    assert await session.scalar(select(ResponseScore.score).limit(1)) is None


async def test_a_judge_s_row_is_held_to_both_texts_and_probabilities(session: AsyncSession) -> None:
    await open_study(session, "fitted", per_level=1)
    first, *_ = judge_rows(await pairs_of_study(session, "fitted"), ["baseline"])
    run = await scoring_runs.begin(session, "fitted", run_record(scorer="judge"))
    for changed, said in (
        ({"hash_truthful": first["hash_sycophantic"]}, "field hash_truthful"),
        ({"hash_sycophantic": first["hash_truthful"]}, "field hash_sycophantic"),
        ({"p_a": 1.01}, "field p_a"),
        ({"logit_first": -math.inf}, "field logit_first"),
        ({"order": "both"}, "field order"),
    ):
        with pytest.raises(RowUnfit, match=said):
            await scoring_runs.store(session, run.id, [first | changed])
    await scoring_runs.store(session, run.id, [first | {"p_a": 1.0000001, "p_b": 0.0}])
    assert await session.scalar(select(PairScore.p_a)) == 1.0, "what rounding put above one is one"


RECORDS: list[tuple[dict[str, Any], str]] = [
    ({"id": "short"}, "field id: must be lower-case hexadecimal"),
    ({"scorer": "oracular"}, "field scorer: "),
    ({"variants": []}, "field variants: "),
    ({"variants": run_record()["variants"] * 2}, "field variants: two variants have the same name"),
    ({"noise_floor": -1}, "field noise_floor: "),
    ({"random_weights": None}, "field random_weights: "),
    ({"wall_s": math.nan}, "cannot be written as JSON"),
    ({"note": "\x00"}, "U+0000"),
    ({"started_at": "2026-11-20"}, "field started_at: "),
]


@pytest.mark.parametrize(("changed", "said"), RECORDS)
async def test_a_record_that_says_too_little_or_cannot_be_stored_is_refused(
    session: AsyncSession, changed: dict[str, Any], said: str
) -> None:
    await open_study(session, "recorded", per_level=1)
    with pytest.raises(RecordFaulty) as refused:
        await scoring_runs.begin(session, "recorded", run_record(**changed))
    assert said in str(refused.value)


async def test_a_record_is_another_run_s_where_its_id_or_scorer_differs(session: AsyncSession) -> None:
    await open_study(session, "mixed", per_level=1)
    await open_study(session, "other", per_level=1)
    run = await scoring_runs.begin(session, "mixed", run_record())
    with pytest.raises(RecordFaulty, match="of another run"):
        await scoring_runs.finish(session, run.id, run_record("b" * 16))
    with pytest.raises(RecordFaulty, match="begun as 'reward'"):
        await scoring_runs.begin(session, "mixed", run_record(scorer="judge"))
    with pytest.raises(RunElsewhere, match="is stored already, in study 'mixed'; nothing was changed"):
        await scoring_runs.begin(session, "other", run_record())
    with pytest.raises(scoring_runs.RunUnknown):
        await scoring_runs.store(session, 10**9, [])


async def test_runs_are_listed_the_newest_first_and_told_to_programs(session: AsyncSession) -> None:
    study = await open_study(session, "listed", per_level=1)
    for run in ("a" * 16, "b" * 16):
        await scoring_runs.begin(session, "listed", run_record(run, odd={"kept": True}))
    listed = await scoring_queries.runs(session, study.id)
    assert [one.run.public_id[0] for one in listed] == ["b", "a"]
    facts = json.loads(json.dumps(scoring_queries.facts(listed[0].run)))
    assert (facts["state"], facts["finished_at"], facts["record"]["odd"]) == ("running", None, {"kept": True})


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("name", ["started_at", "finished_at"])
def test_a_moment_that_no_other_time_zone_has_is_refused(name: str, moment: str) -> None:
    with pytest.raises(RecordFaulty, match=f"the run record, field {name}: must be"):
        checked_record({"id": "0" * 32, "scorer": "reward", "model": "m", "random_weights": False, "variants": [
            {"name": "standard", "hash": "0" * 64, "turns": []}], name: moment})  # fmt: skip


@pytest.mark.parametrize("seconds", [10**400, -(10**400)], ids=["large", "small"])
def test_a_whole_number_that_no_float_holds_is_refused(seconds: int) -> None:
    with pytest.raises(RecordFaulty, match="a whole number is too large"):
        scoring_runs.storable({"wall_s": seconds})
    assert scoring_runs.storable({"wall_s": 10**30})
