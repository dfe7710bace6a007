"""The progress page: what it says of the numbers, who may see it, and that it stands without its script."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import event, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import accounts
from app.study.forecasts import forecast
from app.study.progress import Hour, Progress
from app.terms import Role, StudyState
from app.web.pages import render
from app.web.researcher.progress_overview import overview
from app.web.researcher.progress_pages import Overview
from app.web.researcher.progress_words import percent, time_span
from tests.studies import draft_study, open_study
from tests.web.desk import sign_in
from tests.web.progress_samples import EMPTY, LONG, NOW, PAGE, READ, study


def shown(read: Progress = READ, state: str = StudyState.LIVE, k: int = 5) -> Overview:
    return overview(study(state, k), read)


def test_slots_are_summed_over_levels_and_ratings() -> None:
    page = shown()
    assert page.n_slots == 5 * sum(cell.n_pairs for cell in READ.coverage)
    assert page.n_filled == sum(cell.n_pairs * cell.ratings for cell in READ.coverage)
    assert page.n_open + page.n_held + page.n_filled == page.n_slots
    assert page.held_said == "3 people before consent, 7 after it"


def test_each_level_s_pairs_are_shared_out_over_the_columns() -> None:
    for read, k, columns in ((READ, 5, "0 1 2 3 4 5"), (LONG, 40, "0 1–5 6–10 11–15 16–20 21–25 26–30 31–35 36–39 40")):
        for arm in shown(read, k=k).coverage:
            assert " ".join(arm.columns) == columns
            for row in arm.rows:
                assert sum(cell.n_pairs for cell in row.cells) == row.n_pairs
                assert sum(cell.share for cell in row.cells) == pytest.approx(1)


@pytest.mark.parametrize("k", [1, 2, 3, 10, 11, 12, 99, 1000])
def test_every_number_of_ratings_has_one_column(k: int) -> None:
    every = [EMPTY.coverage[0]._replace(ratings=ratings, n_pairs=1) for ratings in range(k + 1)]
    (arm,) = shown(EMPTY._replace(coverage=every), k=k).coverage
    assert len(arm.columns) <= 11
    assert sum(cell.n_pairs for cell in arm.rows[0].cells) == k + 1


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ((0, 0), "No rating is in yet"),
        ((5, 5), "Every pair has all its 5 ratings"),
        ((3, 3), "60 % of the ratings are in, evenly over the levels"),
        ((4, 2), "60 % of the ratings are in; level 2 is furthest behind, at 40 %"),
    ],
)
def test_the_finding_names_the_level_that_is_behind(ratings: tuple[int, int], said: str) -> None:
    cells = [cell._replace(ratings=n) for cell, n in zip(EMPTY.coverage[:2], ratings, strict=True)]
    assert shown(EMPTY._replace(coverage=cells)).coverage[0].finding == said


def test_levels_that_are_equally_behind_are_all_named() -> None:
    cells = [cell._replace(ratings=n) for cell, n in zip(EMPTY.coverage[:4], (1, 4, 1, 1), strict=True)]
    said = shown(EMPTY._replace(coverage=cells)).coverage[0].finding
    assert said == "35 % of the ratings are in; levels 1, 3 and 4 are furthest behind, at 20 %"


def test_everybody_is_in_one_row_of_the_people() -> None:
    people = shown().people
    assert people is not None
    rows = (*people.on_their_way, *people.gone_quiet, *people.ended)
    assert sum(row.n for row in rows) == people.n == sum(group.n for group in READ.groups) + 4
    assert people.finding == "52 of 85 people who came finished (61 %); 10 are on the way now"
    ended = {row.name: row.n for row in people.ended}
    assert ended["Stopped before the first judgement"] == 2
    assert ended["Stopped while judging"] == 3
    assert ended["Declined on the consent page"] == 4


def test_judgements_add_up() -> None:
    facts = {fact.name: fact.value for fact in shown().judgements}
    parts = [name for name in facts if name.startswith(("Fill", "Swapped", "Surplus", "Withdrawn"))]
    assert len(parts) == 4
    assert facts["Left response chosen"] == "50.9 ± 3.4 %"
    assert facts["Truthful response shown left"] == "50.4 %"
    assert "a sample" not in " ".join(fact.of for fact in shown().judgements)
    assert "a sample" in shown(LONG, k=40).sample_said


def test_arrivals_are_by_the_hour_and_in_a_long_study_by_the_day() -> None:
    hourly, daily = shown().arrivals, shown(LONG, k=40).arrivals
    assert hourly is not None
    assert daily is not None
    assert (hourly.unit, len(hourly.bars), daily.unit, len(daily.bars)) == ("hour", 20, "day", 60)
    assert sum(bar.n for bar in hourly.bars) == sum(hour.n for hour in READ.hours)
    assert hourly.newest[0].at == "21 Nov 2026, 14:00 UTC"
    assert all(bar.n <= hourly.top for bar in hourly.bars)
    assert 1 <= len([bar for bar in daily.bars if bar.label]) <= 6


def test_an_hour_without_people_has_a_bar_of_nothing() -> None:
    came = shown(READ._replace(hours=[READ.hours[0], READ.hours[3]])).arrivals
    assert came is not None
    assert [bar.n > 0 for bar in came.bars] == [True, False, False, True]
    assert len(came.newest) == 2


def hours(n: int, people: int, judged: int) -> list[Hour]:
    return [Hour(NOW - timedelta(hours=h), people, judged) for h in range(n, 0, -1)]


def test_the_end_is_that_of_the_recent_rate() -> None:
    expected = forecast(hours(48, 2, 40), missing=960, counting=0.5, now=NOW)
    assert expected is not None
    assert expected.middle == timedelta(hours=48)
    assert (expected.n_recent, expected.per_day) == (48, 480)
    assert expected.shortest < expected.middle < expected.longest
    young = forecast(hours(2, 10, 100), missing=100, counting=1, now=NOW)
    assert young is not None
    assert young.middle == timedelta(hours=1)


@pytest.mark.parametrize(
    ("came", "missing"), [([], 10), (hours(24, 2, 40), 0), (hours(3, 3, 40), 10), (hours(24, 2, 0), 10)]
)
def test_nothing_is_said_of_the_end_on_too_little(came: list[Hour], missing: int) -> None:
    assert forecast(came, missing, 1.0, NOW) is None


def test_slow_days_look_back_a_week() -> None:
    expected = forecast([Hour(NOW - timedelta(days=d), 3, 30) for d in range(20, 1, -1)], 90, 1.0, NOW)
    assert expected is not None
    assert (expected.window, expected.n_recent) == (timedelta(days=7), 18)


def test_a_study_that_is_full_or_takes_nobody_has_no_estimate() -> None:
    full = [cell._replace(ratings=5) for cell in EMPTY.coverage]
    assert shown(EMPTY._replace(coverage=full)).ending.value == "Full"
    assert "paused" in shown(state=StudyState.PAUSED).ending.said
    assert shown(EMPTY).ending.value == "Too early to say"
    assert shown().ending.value.startswith("In about ")


@pytest.mark.parametrize(
    ("part", "whole", "said"), [(0, 5, "0"), (1, 1000, "<1"), (999, 1000, "99"), (5, 5, "100"), (1, 3, "33")]
)
def test_a_percentage_is_neither_0_nor_100_by_rounding(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_time_spans_are_as_rough_as_they_are_known() -> None:
    spans = [time_span(timedelta(hours=hours)) for hours in (0.2, 1, 5, 47, 49, 24 * 59, 24 * 90)]
    assert spans == ["12 minutes", "60 minutes", "5 hours", "47 hours", "2 days", "59 days", "13 weeks"]


def test_the_page_stands_without_its_script() -> None:
    html = bytes(render(PAGE).body).decode()
    assert html.count('aria-live="polite"') == 1
    assert "As of" in re.findall(r'aria-live="polite">(.*?)</span>', html, re.DOTALL)[0]
    assert '<span id="by-itself" hidden>' in html
    assert '<a href="/studies/reading/progress">Reload</a>' in html
    assert "<noscript" not in html


def test_made_up_data_are_stamped_in_every_figure() -> None:
    for synthetic in (False, True):
        html = bytes(render(replace(PAGE, synthetic=synthetic)).body).decode()
        assert html.count("chart__stamp") == (html.count("<svg") if synthetic else 0)


async def test_the_page_is_for_those_who_may_see_the_study(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await open_study(database, "hers")
    await draft_study(database, "draft")
    hers = await accounts.create(database, "bob@example.org", Role.RESEARCHER, None)
    await database.execute(update(Study).filter_by(slug="hers").values(owner_id=hers))
    await database.commit()
    anonymous = await client.get("/studies/hers/progress")
    assert (anonymous.status_code, anonymous.headers["location"]) == (303, "/login?next=/studies/hers/progress")
    await sign_in(client, database, "ada@example.org")
    for slug in ("hers", "none"):
        assert (await client.get(f"/studies/{slug}/progress")).status_code == 404
    assert "once it is open" in unescape((await client.get("/studies/draft/progress")).text)
    await sign_in(client, database, "root@example.org", Role.ADMIN)
    seen = await client.get("/studies/hers/progress")
    assert seen.status_code == 200
    assert "No rating is in yet" in seen.text
    assert 'href="/studies/hers/progress"' in (await client.get("/studies/hers")).text


async def test_the_page_takes_few_statements(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await open_study(database, "some")
    await sign_in(client, database, "ada@example.org")
    engine = client._transport.app.state.database.sessions.kw["bind"]  # type: ignore[attr-defined]
    sent: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    assert (await client.get("/studies/some/progress")).status_code == 200
    assert len(sent) == 10
