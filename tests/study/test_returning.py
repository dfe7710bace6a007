"""Who comes back after their hold had ended: the same pairs as far as they are open, else others, else surplus.

Sixteen pairs with one rating each, and three people: `holder` holds eight, `away` the other eight; `away` judges two,
is shown a third and goes. `quick` takes what `away` held. Then the holder stops, and eight other pairs are open.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from app.study import participations
from app.study.assignment import Candidate, Planned, plan
from app.study.debriefs import seen_pairs
from app.study.places import Place
from app.terms import Side, Stage
from tests.conftest import NewDatabase
from tests.study.people import People, at_once, people_of
from tests.study.steps import exported, say_looked_up, walk

ONE_EACH: dict[str, Any] = {"ratings_per_pair": 1, "pairs_per_annotator": 8}


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


@asynccontextmanager
async def gone(url: str, slug: str, connections: int = 2, **design: Any) -> AsyncIterator[tuple[People, str, str, str]]:
    """The study where `quick` has taken what `away` held, and the holder is there still."""
    async with people_of(url, slug, connections, **ONE_EACH | design) as people:
        holder, away = [await people.enter(name) for name in ("holder", "away")]
        await people.to_judging(away)
        await walk(people, away, most=2)
        await people.show(away)
        await people.expire([away])
        quick = await people.enter("quick")
        await people.to_judging(quick)
        assert (await people.place(quick)).n_planned == 6
        yield people, holder, away, quick


async def pairs(people: People, annotator: str) -> list[tuple[int, str, bool]]:
    """A person's pairs in order: pair, side, and whether a slot is held or filled for it."""
    rows = await people.rows(
        """
        SELECT pair_id, side_truthful, slot_id IS NOT NULL FROM assignment
        JOIN participation p ON p.id = participation_id WHERE public_id = :id AND repeat_of IS NULL ORDER BY position
        """,
        id=annotator,
    )
    return [(pair_id, side, holds) for pair_id, side, holds in rows]


async def returned(people: People) -> list[Any]:
    logged = "SELECT detail FROM event JOIN study ON study.id = study_id WHERE slug = :slug AND kind = 'returned'"
    return [detail for (detail,) in await people.rows(logged, slug=people.slug)]


async def test_pairs_that_are_gone_are_replaced_by_open_ones_but_for_the_one_that_was_seen(url: str) -> None:
    async with gone(url, "replaced") as (people, holder, away, _):
        before = await pairs(people, away)
        await people.stop(holder)
        await people.show(away)
        assert await returned(people) == [{"retaken": 0, "replaced": 5, "missing": 1}]
        after = await pairs(people, away)
        assert after[:2] == before[:2], "what was judged"
        assert after[2] == (before[2][0], before[2][1], False), "what was seen, and has no slot any more"
        assert {pair for pair, *_ in after[3:]}.isdisjoint(pair for pair, *_ in before)
        assert [holds for *_, holds in after] == [True, True, False, True, True, True, True, True]
        assert len({pair for pair, *_ in after}) == 8, "each pair once"
        await people.assert_sound(1)
        await walk(people, away)
        rows = await exported(people, away)
        assert [row["counted"] for row in rows] == ["true", "true", "false", *["true"] * 5]
        await people.assert_sound(1)


async def test_a_form_that_is_still_open_does_not_judge_the_pair_that_took_its_place(url: str) -> None:
    """A crash may lose that a pair was shown; it is then replaced, though its form is open in a browser."""
    async with gone(url, "old-form") as (people, holder, away, _):
        old_form = await people.token(away)
        lost = "UPDATE assignment SET shown_at = NULL FROM participation p WHERE p.id = participation_id"
        await people.rows(f"{lost} AND public_id = :id AND position = 3 RETURNING position", id=away)
        await people.stop(holder)
        await people.show(away)
        assert await returned(people) == [{"retaken": 0, "replaced": 6, "missing": 0}]
        assert not await people.submit(away, old_form, Side.LEFT)
        assert (await people.place(away)).n_answered == 2
        assert await people.submit(away, await people.token(away), Side.LEFT)
        assert [row["position"] for row in await exported(people, away)] == ["1", "2", "3"]
        await people.assert_sound(1)


async def test_what_is_open_again_stays_as_it_was_planned(url: str) -> None:
    async with gone(url, "partly") as (people, holder, away, quick):
        before = await pairs(people, away)
        await walk(people, quick, most=3)
        await people.stop(quick)
        taken = {pair for pair, _, holds in await pairs(people, quick) if holds}
        await people.stop(holder)
        await people.show(away)
        seen_is_gone = before[2][0] in taken
        assert await returned(people) == [{"retaken": 3, "replaced": 3 - seen_is_gone, "missing": int(seen_is_gone)}]
        after = await pairs(people, away)
        for number, (pair, side, _) in enumerate(before):
            if pair not in taken:
                assert after[number] == (pair, side, True)
        await walk(people, away)
        await people.assert_sound(1)


async def test_the_sides_are_balanced_together_with_what_was_given_before(url: str) -> None:
    for number in range(4):
        async with gone(url, f"balanced-{number}") as (people, holder, away, _):
            await people.stop(holder)
            await people.show(away)
            sides = Counter(side for _, side, _ in await pairs(people, away))
            assert sides == {"left": 4, "right": 4}, "the holder's eight slots allow it"


async def test_the_claim_is_recorded_with_what_was_given_before_and_replays(url: str) -> None:
    async with gone(url, "replayed") as (people, holder, away, _):
        kept = [(pair, side) for pair, side, _ in await pairs(people, away)][:3]
        await people.stop(holder)
        await people.show(away)
        claims = await people.rows(
            """
            SELECT draw, asked, planned FROM claim JOIN participation p ON p.id = claim.participation_id
            WHERE p.public_id = :id ORDER BY claim.id
            """,
            id=away,
        )
        assert len(claims) == 2
        draw, asked, planned = claims[1]
        who = (await people.place(away)).participation_id
        assert re.fullmatch(rf"7/{who}/returned at [0-9T:.+-]+/0", draw)
        assert [(pair, side) for pair, _, side in asked["so_far"]] == kept
        again = plan(
            [Candidate(*row) for row in asked["candidates"]],
            asked["n"],
            Random(draw),
            [Planned(*row) for row in asked["so_far"]],
        )
        assert again == [Planned(**pair) for pair in planned]
        assert [(pair.pair_id, pair.side_truthful) for pair in again] == [
            (pair, side) for pair, side, _ in (await pairs(people, away))[3:]
        ]


async def test_where_nothing_is_open_all_is_judged_as_surplus(url: str) -> None:
    async with gone(url, "surplus") as (people, _, away, quick):
        before = [pair for pair, *_ in await pairs(people, away)]
        await people.show(away)
        assert await returned(people) == [{"retaken": 0, "replaced": 0, "missing": 6}]
        assert [pair for pair, *_ in await pairs(people, away)] == before
        await walk(people, away)
        await walk(people, quick)
        rows = await exported(people, away)
        assert [row["counted"] for row in rows] == ["true"] * 2 + ["false"] * 6
        assert {row["side_chosen"] for row in rows} == {"left"}, "stored all the same"
        await people.assert_sound(1)


async def test_fewer_open_pairs_than_are_gone_replace_the_next_ones(url: str) -> None:
    async with gone(url, "some") as (people, holder, away, _):
        before = await pairs(people, away)
        await people.to_judging(holder)
        await walk(people, holder, most=6)
        await people.stop(holder)
        await people.show(away)
        assert await returned(people) == [{"retaken": 0, "replaced": 2, "missing": 4}]
        after = await pairs(people, away)
        assert [pair == had for (pair, *_), (had, *_) in zip(after, before, strict=True)] == [
            *(True, True, True, False, False, True, True, True)
        ]
        await walk(people, away)
        await people.assert_sound(1)


async def test_of_many_tabs_that_come_back_one_takes_other_pairs(url: str) -> None:
    async with gone(url, "tabs", connections=8) as (people, holder, away, _):
        await people.stop(holder)
        seen = await people.place(away)
        assert seen.held_until is None

        async def keep() -> None:
            async with people.sessions.begin() as session:
                await participations.keep_holding(session, seen)

        await at_once(*(keep() for _ in range(8)))
        assert await returned(people) == [{"retaken": 0, "replaced": 5, "missing": 1}]
        assert await people.n_slots("held") == 6 + 5
        await people.assert_sound(1)


async def test_who_stopped_in_one_tab_holds_nothing_again_by_another(url: str) -> None:
    async with gone(url, "stopped-meanwhile") as (people, holder, away, _):
        await people.stop(holder)
        seen = await people.place(away)
        assert (seen.stage, seen.held_until) == (Stage.JUDGING, None)
        await people.stop(away)
        held = await people.n_slots("held")
        async with people.sessions.begin() as session:
            now = await participations.keep_holding(session, seen)
        assert now.stage == Stage.DEBRIEF
        assert await people.n_slots("held") == held
        assert await returned(people) == []
        await people.assert_sound(1)


async def test_two_who_come_back_at_once_for_the_same_pairs_hold_each_once(url: str) -> None:
    design: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 1, "pairs_per_annotator": 8, "connections": 8}
    async with people_of(url, "rivals", **design) as people:
        rivals = []
        for name in ("one", "two"):
            rivals.append(await people.enter(name))
            await people.to_judging(rivals[-1])
            await people.expire(rivals)
            await people.sweep()
        assert await people.n_slots("open") == 8
        await at_once(*(people.do(rival, participations.keep_holding) for rival in rivals for _ in range(3)))
        assert await people.n_slots("held") == 8
        await people.assert_sound(1)
        await at_once(*(walk(people, rival) for rival in rivals))
        assert await people.n_slots("filled") == 8
        await people.assert_sound(1)


async def test_who_comes_back_at_the_consent_page_gets_other_pairs_too(url: str) -> None:
    async with people_of(url, "before-consent", **ONE_EACH) as people:
        holder, away = [await people.enter(name) for name in ("holder", "away")]
        await people.expire([away])
        await people.enter("quick")
        await people.stop(holder)
        await people.do(away, participations.consent)
        assert (await people.place(away)).n_planned == 8
        assert await people.n_slots("held") == 16
        await people.assert_sound(1)


# Where beliefs are asked, the claim is read before the pair.


async def test_a_pair_whose_claim_was_read_is_not_replaced(url: str) -> None:
    """Else a belief about one claim, sent from a page that was open still, would be stored with another."""
    async with people_of(url, "claim-read", **ONE_EACH, options={"prior_belief": True}) as people:
        holder, away = [await people.enter(name) for name in ("holder", "away")]
        await people.to_judging(away)
        await walk(people, away, until="belief 3")
        before = [pair for pair, *_ in await pairs(people, away)]
        await people.expire([away])
        await people.enter("quick")
        await people.stop(holder)
        await people.do(away, participations.keep_holding)
        after = [pair for pair, *_ in await pairs(people, away)]
        assert after[:3] == before[:3]
        assert set(after[3:]).isdisjoint(before)
        await walk(people, away)
        assert {row["prior_belief"] for row in await exported(people, away)} == {"70"}
        await people.assert_sound(1)


async def test_who_stops_at_a_claim_has_it_explained(url: str) -> None:
    async with people_of(url, "claim-explained", **ONE_EACH, options={"prior_belief": True}) as people:
        annotator = await people.enter("someone")
        await people.do(annotator, participations.consent)
        await people.stop(annotator)
        assert await people.do(annotator, seen_pairs) == [], "before the first claim there is nothing to explain"
        annotator = await people.enter("another")
        await people.to_judging(annotator)
        await walk(people, annotator, until="belief 3")
        await people.stop(annotator)
        explained = await people.do(annotator, seen_pairs)
        assert [pair.side_chosen for pair in explained] == ["left", "left", None]


async def test_beliefs_are_asked_before_each_pair_and_the_first_answer_stands(url: str) -> None:
    async with people_of(url, "beliefs", **ONE_EACH, options={"prior_belief": True}) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        assert await people.show_at(annotator, 1) is None
        assert await people.choose(annotator) is False
        await people.do(annotator, lambda session, place: participations.answer_belief(session, place, 30))
        place: Place = await people.place(annotator)
        assert place.step == ("pair", 1)
        await walk(people, annotator)
        await say_looked_up(people, annotator)
        assert (await people.place(annotator)).stage == Stage.DEBRIEF
        assert [row["prior_belief"] for row in await exported(people, annotator)] == ["30", *["70"] * 7]
