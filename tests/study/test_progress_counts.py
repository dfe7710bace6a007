"""The progress of a study, held against the plainest reading of the same tables."""

from collections import Counter
from collections.abc import AsyncIterator
from statistics import quantiles
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import amendments, participations, progress, studies
from app.study.progress import Progress
from app.study.studies import get_study
from app.terms import Outcome, Side
from tests.conftest import NewDatabase
from tests.studies import draft_study
from tests.study.people import People, people_of
from tests.study.steps import say_looked_up, walk

OPTIONS: dict[str, Any] = {
    "swapped_repeats": 2,
    "attention_checks": 1,
    "failed_at": 1,
    "exclusions": {"fastest_ms": 1},
    "refill_excluded": False,
}
NAMES: dict[str, str] = {}


async def read(people: People) -> Progress:
    async with people.sessions.begin() as session:
        return await progress.progress(session, await get_study(session, people.slug))


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture(scope="module")
async def busy(url: str) -> AsyncIterator[People]:
    """A study in which everything has happened that can: the tests below only read it."""
    async with people_of(url, "busy", per_level=3, pairs_per_annotator=6, min_pairs=1, options=OPTIONS) as people:
        await _finish(people, "done", Side.LEFT)
        await _finish(people, "other", Side.RIGHT)
        await _finish(people, "failing", Side.LEFT, passing=False)
        await _finish(people, "withdrawing", Side.LEFT, withdraw=True)
        await _late(people)
        await _stop(people, "stopped", judged=2)
        await _stop(people, "stopped-at-once", judged=0)
        await _begin(people, "back", judged=3)
        await people.do(NAMES["back"], lambda s, p: participations.end_early(s, p, Outcome.RETURNED))
        declining = await people.enter("declining")
        await people.do(declining, participations.decline)
        await _begin(people, "judging", judged=4)
        await people.enter("reading the consent")
        quiet = await _begin(people, "quiet", judged=1)
        await people.expire([quiet])
        async with people.sessions.begin() as session:
            await amendments.retire_pair(session, "busy", await _judged_key(people), "faulty")
        yield people


async def _begin(people: People, person: str, judged: int) -> str:
    annotator = await people.enter(person)
    NAMES[person] = annotator
    await people.to_judging(annotator)
    await walk(people, annotator, most=judged)
    return annotator


async def _finish(people: People, person: str, side: Side, *, passing: bool = True, withdraw: bool = False) -> None:
    annotator = await _begin(people, person, judged=0)
    await walk(people, annotator, side=side, passing=passing)
    await say_looked_up(people, annotator)
    await people.finish(annotator, withdraw=withdraw)


async def _late(people: People) -> None:
    """One comes back to pairs that are open still, and one to a study that others have filled meanwhile."""
    late = await _begin(people, "late", judged=2)
    token = await people.token(late)
    await people.show(late)
    await people.expire([late])
    await people.sweep()
    assert await people.submit(late, token, Side.LEFT)


async def _stop(people: People, person: str, judged: int) -> None:
    await people.stop(await _begin(people, person, judged))


async def _judged_key(people: People) -> str:
    key: str = await people.one(
        """
        SELECT key FROM slot JOIN pair ON pair.id = slot.pair_id JOIN misconception m ON m.id = misconception_id
        WHERE state = 'filled' ORDER BY slot.id LIMIT 1
        """
    )
    return key


async def test_coverage_is_that_of_the_slots(busy: People) -> None:
    rows = await busy.rows("""
        SELECT pair.id, pair.difficulty_level, count(*) FILTER (WHERE state = 'filled'),
               count(*) FILTER (WHERE state = 'held' AND held_until > now())
        FROM slot JOIN pair ON pair.id = slot.pair_id LEFT JOIN participation p ON p.id = slot.participation_id
        WHERE pair.id NOT IN (SELECT pair_id FROM retired_pair) GROUP BY pair.id
    """)
    expected = Counter((level, ratings) for _, level, ratings, _ in rows)
    found = (await read(busy)).coverage
    assert {(cell.level, cell.ratings): cell.n_pairs for cell in found} == expected
    assert sum(cell.n_held for cell in found) == sum(row[3] for row in rows) > 0
    assert len({cell.ratings for cell in found}) > 1


async def test_everybody_is_counted_once_where_they_are(busy: People) -> None:
    found = await read(busy)
    counts: Counter[str] = Counter()
    for group in found.groups:
        counts[group.left or ("here" if group.here else group.stage)] += group.n
    assert counts == {
        "complete": 2, "failed_checks": 1, "withdrew": 1, "stopped": 2, "returned": 1, "here": 2, "judging": 2,
    }  # fmt: skip
    assert [group.consented for group in found.groups if group.here].count(False) == 1
    assert found.besides.n_declined == 1
    assert sum(hour.n for hour in found.hours) == sum(group.n for group in found.groups)
    assert await busy.one("SELECT count(*) FROM choice") == sum(group.n_judged for group in found.groups)
    assert sum(hour.n_judged for hour in found.hours) == sum(group.n_judged for group in found.groups)


async def test_what_fills_no_slot_follows_from_the_counts(busy: People) -> None:
    found = await read(busy)
    kept = [group for group in found.groups if group.left != "withdrew"]
    repeats = await busy.one("""
        SELECT count(*) FROM choice JOIN assignment USING (participation_id, position)
        WHERE repeat_of IS NOT NULL AND NOT withdrawn
    """)
    assert sum(group.n_judged - group.n_own for group in kept) == repeats > 0
    counted = await busy.one("SELECT count(*) FROM choice WHERE counted")
    filled = sum(cell.ratings * cell.n_pairs for cell in found.coverage)
    assert filled + found.besides.n_filled_retired == counted
    assert found.besides.n_retired == 1
    assert found.besides.n_filled_retired > 0
    assert found.besides.n_late == await busy.one("SELECT count(*) FROM choice WHERE late") > 0


async def test_failed_checks_are_counted(busy: People) -> None:
    found = (await read(busy)).groups
    answered, failed = await busy.one("SELECT ARRAY[count(*), count(*) FILTER (WHERE NOT passed)] FROM check_answer")
    assert sum(group.n_checked for group in found) == answered
    assert sum(group.n_checks_failed for group in found) == failed == 1
    assert sum(group.n_failed_some for group in found) == 1


async def _judged(people: People) -> list[tuple[Any, ...]]:
    return await people.rows("""
        SELECT p.id, side_chosen, side_truthful, decision_ms_server / 1000.0 AS seconds
        FROM choice JOIN assignment USING (participation_id, position) JOIN participation p ON p.id = participation_id
        WHERE NOT withdrawn AND repeat_of IS NULL
    """)


async def test_times_and_sides_are_those_of_every_choice_in_a_small_study(busy: People) -> None:
    rows = await _judged(busy)
    sample = (await read(busy)).sample
    assert sample.everybody
    assert (sample.n_people, sample.n) == (len({row[0] for row in rows}), len(rows))
    assert sample.n_left == sum(row[1] == "left" for row in rows)
    assert sample.n_right == sum(row[1] == "right" for row in rows) > 0
    assert sample.n_truthful_left == sum(row[2] == "left" for row in rows)
    expected = quantiles([float(row[3]) for row in rows], n=4, method="inclusive")
    assert [sample.seconds.low, sample.seconds.median, sample.seconds.high] == pytest.approx(expected)
    assert sample.seconds.n == len(rows)
    minutes = await busy.rows("""
        SELECT extract(epoch FROM finished_at - entered_at) / 60 FROM participation
        WHERE outcome IN ('complete', 'failed_checks') AND withdrawn_at IS NULL
    """)
    expected = quantiles([float(row[0]) for row in minutes], n=4, method="inclusive")
    assert [sample.minutes.low, sample.minutes.median, sample.minutes.high] == pytest.approx(expected)


async def test_the_margin_is_that_of_a_ratio_by_person(busy: People) -> None:
    rows = [row for row in await _judged(busy) if row[1] in {"left", "right"}]
    lefts, sides = Counter(row[0] for row in rows if row[1] == "left"), Counter(row[0] for row in rows)
    share, n, people = sum(lefts.values()) / len(rows), len(rows), len(sides)
    residuals = sum((lefts[person] - share * sides[person]) ** 2 for person in sides)
    expected = 1.96 * (residuals * people / (people - 1)) ** 0.5 / n
    assert (await read(busy)).sample.margin == pytest.approx(expected)


async def test_a_large_study_is_sampled_and_the_same_people_each_time(
    busy: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = (await read(busy)).sample
    monkeypatch.setattr(progress, "SAMPLE", everybody.n // 2)
    sample = (await read(busy)).sample
    assert not sample.everybody
    assert 0 < sample.n_people < everybody.n_people
    assert (await read(busy)).sample == sample


async def test_an_open_study_that_nobody_came_to(session: AsyncSession) -> None:
    await draft_study(session, "unseen")
    study = await get_study(session, "unseen")
    assert (await progress.progress(session, study)).coverage == []
    await studies.open_study(session, "unseen")
    found = await progress.progress(session, study)
    assert [(cell.ratings, cell.n_pairs, cell.n_held) for cell in found.coverage] == [(0, 2, 0)] * 8
    assert (found.groups, found.hours) == ([], [])
    assert (found.sample.n, found.sample.margin, found.sample.seconds.median) == (0, None, None)
