"""The page of preference models: what it says of runs, who may see it, and the taking of score files."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ScoringRun, Study
from app.results.model_rates import rates_of_run
from app.study import scoring_runs
from app.study.score_imports import import_scores
from app.terms import RunState
from app.web.addresses import SCORE_FILES
from app.web.pages import render
from app.web.researcher.scoring_figures import HEIGHT, TOP, figures
from app.web.researcher.scoring_record import record_facts
from app.web.researcher.scoring_told import underway
from tests.scored import judge_rows, pairs_of_study, reward_rows, run_record, score_file
from tests.studies import draft_study, open_study
from tests.walker import Walker
from tests.web.desk import sign_in
from tests.web.models_samples import NOW, PEOPLE, margin, margins, page, run, whole


def words(content: str) -> str:
    return " ".join(unescape(content).split())


# What is said of the numbers.


def test_rates_are_wilson_s_over_pairs_and_ties_are_told_both_ways() -> None:
    signs = [0.5, 0.3, -0.4, -0.05, 0.05, 0.0]
    found = [
        margin(number, "standard", "helpful", level=1, margin=size, near_tie=abs(size) <= 0.1,
               prefers_sycophantic=int(size > 0) if size else None)
        for number, size in enumerate(signs)
    ]  # fmt: skip
    (one,) = rates_of_run(found)
    assert (one.overall.share.n_sycophantic, one.overall.share.n, one.overall.n_ties) == (3, 5, 1)
    assert (one.overall.beyond_noise.n_sycophantic, one.overall.beyond_noise.n, one.overall.n_near_ties) == (2, 3, 3)
    interval = one.overall.share.interval
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2307, 0.8824), "Wilson's for 3 of 5"
    (figure,) = figures("a model", [one], [])
    assert figure.finding == (
        "a model prefers the sycophantic response to the helpful truthful response in 3 of 5 pairs "
        "(95 % interval 23 % to 88 %)"
    )
    assert figure.notes[0] == (
        "standard: 3 of 6 margins are near ties, within the noise floor. As they fall the rate is 60 %; "
        "without them it is 67 % of 3 pairs."
    )
    assert figure.groups[0].rows[-1].beyond == "66.7 (3)"
    assert "Nobody has judged these pairs yet" in figure.said


def test_a_model_that_only_ties_has_no_rate() -> None:
    found = [margin(n, "standard", "helpful", margin=0.0, prefers_sycophantic=None, near_tie=True) for n in range(8)]
    (figure,) = figures("a model", rates_of_run(found), [])
    assert figure.finding == "a model ties on every one of 8 pairs against the helpful truthful response"
    assert figure.series == ()
    assert "without them it is nothing" in figure.notes[0]


def test_variants_and_people_stand_in_the_figure_of_their_truthful_kind() -> None:
    helpful, baseline = figures("a model", rates_of_run(margins()), PEOPLE)
    assert [(one.name, one.shape) for one in helpful.series] == [
        ("standard", "diamond"), ("non-sycophantic", "triangle"), ("people", "people"),
    ]  # fmt: skip
    assert [one.name for one in baseline.series] == ["standard", "non-sycophantic"]
    assert [group.name for group in helpful.groups] == ["Model, standard", "Model, non-sycophantic", "People"]
    for figure in (helpful, baseline):
        heights = sorted(one.label_y for one in figure.series)
        assert all(TOP <= height <= TOP + HEIGHT for height in heights)
        assert all(after - before >= 26 for before, after in pairwise(heights))
        assert {point.level for one in figure.series for point in one.points} == set(range(1, 9))


def test_how_far_a_run_is_is_said_in_words() -> None:
    running = run(state=RunState.RUNNING, n_done=6, finished_at=None, tokens_per_second=1234.5)
    assert underway(running, NOW).said == "6 of 24 scored, 1,234 tokens a second, about 30 minutes left."
    started = run(state=RunState.RUNNING, n_done=0, finished_at=None)
    assert underway(started, NOW).said == "0 of 24 scored."
    silent = underway(running, NOW + timedelta(minutes=10)).said
    assert silent.startswith("6 of 24 scored, and no word for 10 minutes: it may have been cut off.")
    failed = underway(run(state=RunState.FAILED, n_done=6, finished_at=None, fault="no memory"), NOW)
    assert (failed.fault, failed.said) == ("no memory", "6 of 24 scored; the same command goes on from there.")


def test_the_record_is_told_whole_and_what_it_adds_too() -> None:
    record = run_record(random_weights=True, something_new={"a": 1.5, "b": None}, plan={str(n): n for n in range(90)})
    facts = {fact.name: fact.lines for fact in record_facts(run(record=record))}
    assert facts["Weights"] == ("Random: made for a test, it has learnt nothing",)
    assert facts["Something new"] == ("a: 1.5", "b: not known")
    assert facts["Share of the machine’s ceiling"] == ("not measured",)
    assert facts["Wall time"] == ("2.5 s",)
    assert facts["Plan"][-1] == "and 50 more lines, in the score file"
    assert len(facts) == len(record)


def test_random_weights_and_synthetic_people_are_labelled_wherever_they_show() -> None:
    made = run(record=run_record(random_weights=True))
    content = render(page([made], whole(record=run_record(random_weights=True)), synthetic=True)).body
    said = words(bytes(content).decode())
    assert "<strong>Random weights.</strong> made-up/reward-model was made at random, for a test." in said
    assert '<span class="badge">Random weights</span>' in said
    assert "made-up/reward-model (random weights) prefers the sycophantic response" in said
    assert "<strong>Synthetic data.</strong> The choices in this study were made by a program" in said
    assert said.count("chart__stamp") == 1, "on the figure in which people are, not on the model alone"
    plain = words(bytes(render(page([run()], whole())).body).decode())
    assert "chart__stamp" not in plain
    assert "andom weights" not in plain


# Over HTTP.


@pytest.fixture
async def scored(client: httpx.AsyncClient, database: AsyncSession) -> AsyncIterator[list[dict[str, Any]]]:
    """A study of ada's that one person has judged, and its pairs."""
    await open_study(database, "scored", per_level=1)
    await database.commit()
    walker = await Walker(client, "scored").to_judging("pid=somebody")
    await walker.judge_all()
    client.cookies.clear()
    ada = await sign_in(client, database, "ada@example.org")
    await database.execute(update(Study).values(owner_id=ada))
    await database.commit()
    yield await pairs_of_study(database, "scored")
    await database.rollback()


async def send(client: httpx.AsyncClient, lines: list[bytes], slug: str = "scored", **fields: str) -> httpx.Response:
    form = (await client.get("/studies/scored/models/import")).text
    token = form.split('name="form_token" value="')[1].split('"')[0]
    return await client.post(
        f"{SCORE_FILES}?study={slug}",
        data={"form_token": token} | fields,
        files={"file": ("scores.jsonl", b"".join(lines))},
    )


async def n_runs(database: AsyncSession) -> int:
    n = await database.scalar(select(func.count()).select_from(ScoringRun))
    await database.rollback()
    return n or 0


async def test_a_study_without_runs_says_how_to_get_one(
    client: httpx.AsyncClient, scored: list[dict[str, Any]]
) -> None:
    assert "/studies/scored/models" in (await client.get("/studies/scored")).text
    said = words((await client.get("/studies/scored/models")).text)
    assert "candor pm score --study scored" in said
    assert "candor pm pairs --study scored" in said


async def test_a_score_file_is_taken_and_shown_beside_the_people(
    client: httpx.AsyncClient, database: AsyncSession, scored: list[dict[str, Any]]
) -> None:
    file = score_file(run_record(), reward_rows(scored))
    taken = await send(client, file)
    assert taken.status_code == 303
    assert taken.headers["location"] == f"/studies/scored/models?run={'a' * 16}&done=imported"
    shown = await client.get(taken.headers["location"])
    said = words(shown.text)
    assert "The score file was stored as a run." in said
    # Of levels 1 to 8 the margins against the helpful response are above zero from 7 on, and nought at 6.
    assert "prefers the sycophantic response to the helpful truthful response in 2 of 7 pairs" in said
    assert "The people’s rates are means over pairs" in said
    assert 'class="chart__people"' in shown.text
    assert "http-equiv" not in shown.text
    by = await database.scalar(text("SELECT account_id FROM scoring_run"))
    assert by == await database.scalar(text("SELECT id FROM account WHERE email = 'ada@example.org'"))
    await database.rollback()
    again = await send(client, file)
    assert again.headers["location"].endswith("done=already")
    assert "Nothing was changed" in (await client.get(again.headers["location"])).text
    assert await n_runs(database) == 1
    assert (await client.get("/studies/scored/models?run=nothing")).status_code == 404


async def test_a_faulty_file_is_refused_with_its_faults_by_line_and_nothing_is_stored(
    client: httpx.AsyncClient, database: AsyncSession, scored: list[dict[str, Any]]
) -> None:
    rows = reward_rows(scored)
    rows[0]["text_hash"] = rows[1]["text_hash"] = "0" * 64
    rows[2]["key"] = "<script>"
    refused = await send(client, score_file(run_record(), rows))
    assert refused.status_code == 422
    said = words(refused.text)
    assert "The score file, line 2, field text_hash: 'claim-000' has another text" in said
    assert "<li>line 3, field text_hash: 'claim-000' has another text in this study" in said
    assert "<script>" not in refused.text
    for lines, reason in (
        ([], "Choose a score file; this one is empty"),
        (score_file(run_record(), reward_rows(scored)[:-1]), "it lacks sycophantic of 1"),
        (score_file(run_record(), reward_rows(scored))[:-1], "no end line: the file was cut off"),
    ):
        answer = await send(client, lines)
        assert (answer.status_code, reason in words(answer.text)) == (422, True), reason
    assert await n_runs(database) == 0


async def test_the_form_s_token_and_the_right_to_see_the_study_are_asked_for(
    client: httpx.AsyncClient, database: AsyncSession, scored: list[dict[str, Any]]
) -> None:
    file = score_file(run_record(), reward_rows(scored))
    assert (await send(client, file, form_token="wrong")).status_code == 403
    elsewhere = {"origin": "https://elsewhere.example"}
    assert (
        await client.post(f"{SCORE_FILES}?study=scored", files={"file": b"x"}, headers=elsewhere)
    ).status_code == 403
    assert (await send(client, file, slug="nothing")).status_code == 404
    huge = {"content-length": str(2 * 50 * 2**20 + 1)}
    assert (await client.post(f"{SCORE_FILES}?study=scored", headers=huge)).status_code == 413
    await sign_in(client, database, "eve@example.org")
    for answer in (
        await client.get("/studies/scored/models"),
        await client.get("/studies/scored/models/import"),
        await client.post(f"{SCORE_FILES}?study=scored", files={"file": ("a", b"".join(file))}),
    ):
        assert answer.status_code == 404
    client.cookies.clear()
    assert (await client.get("/studies/scored/models")).status_code in {303, 401}
    assert await n_runs(database) == 0


async def test_a_run_under_way_is_told_of_and_the_page_is_fetched_again(
    client: httpx.AsyncClient, database: AsyncSession, scored: list[dict[str, Any]]
) -> None:
    begun = await scoring_runs.begin(database, "scored", run_record(scorer="judge"))
    await scoring_runs.told(database, begun.id, 4, 32, 99.0)
    await scoring_runs.store(database, begun.id, judge_rows(scored))
    await database.commit()
    shown = await client.get("/studies/scored/models")
    assert "4 of 32 scored, 99 tokens a second" in words(shown.text)
    assert '<noscript> <meta http-equiv="refresh" content="15"> </noscript>' in words(shown.text)
    assert 'data-refresh="15"' in shown.text
    assert "prefers the sycophantic" not in shown.text, "nothing is said of a run that is not whole"
    await scoring_runs.finish(database, begun.id, run_record(scorer="judge"))
    await database.commit()
    done = words((await client.get("/studies/scored/models")).text)
    assert "standing first is worth +1.50 logits to this judge" in done
    assert "data-refresh" not in done


async def test_a_draft_is_shown_too(client: httpx.AsyncClient, database: AsyncSession) -> None:
    ada = await sign_in(client, database, "ada@example.org")
    await draft_study(database, "early", per_level=1)
    await database.execute(update(Study).values(owner_id=ada))
    pairs = json.loads(json.dumps(await pairs_of_study(database, "early")))
    await import_scores(database, "early", score_file(run_record(), reward_rows(pairs)))
    await database.commit()
    assert "Nobody has judged these pairs yet" in words((await client.get("/studies/early/models")).text)


async def test_programs_read_the_runs_with_their_records(
    client: httpx.AsyncClient, database: AsyncSession, scored: list[dict[str, Any]]
) -> None:
    await import_scores(database, "scored", score_file(run_record(odd=[1.5]), reward_rows(scored)))
    await database.commit()
    answer = await client.get("/api/studies/scored/scoring-runs")
    (one,) = answer.json()["scoring_runs"]
    assert (one["run"], one["state"], one["noise_floor"], one["record"]["odd"]) == ("a" * 16, "done", 0.125, [1.5])
    same = {"If-None-Match": answer.headers["etag"]}
    assert (await client.get("/api/studies/scored/scoring-runs", headers=same)).status_code == 304
    await sign_in(client, database, "eve@example.org")
    assert (await client.get("/api/studies/scored/scoring-runs")).status_code == 404
