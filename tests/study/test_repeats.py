"""Swapped repeats: which pairs come again, with their sides swapped; they never fill a slot, whatever happens."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.study.assignment import choose_repeats
from app.study.debriefs import seen_pairs
from tests.conftest import NewDatabase
from tests.study.people import People, people_of
from tests.study.steps import exported, say_looked_up, walk

seeds = st.integers(0, 2**32)
THREE: dict[str, Any] = {"pairs_per_annotator": 8, "options": {"swapped_repeats": 3}}


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


# Which pairs.


@given(st.integers(0, 100), st.integers(0, 60), seeds)
def test_repeats_are_different_pairs_of_the_first_half_and_far_from_themselves(n: int, wanted: int, seed: int) -> None:
    chosen = choose_repeats(n, wanted, Random(seed))
    assert len(chosen) == len(set(chosen)) == min(wanted, (n + 1) // 2)
    for number, position in enumerate(chosen, start=1):
        assert 1 <= position <= (n + 1) // 2
        between = n + number - position - 1
        assert between >= n // 2, "at least half of the pairs"


@given(st.integers(0, 100), st.integers(0, 60), seeds)
def test_repeats_depend_on_the_seed_alone(n: int, wanted: int, seed: int) -> None:
    assert choose_repeats(n, wanted, Random(seed)) == choose_repeats(n, wanted, Random(seed))


def test_every_pair_of_the_first_half_may_come_again_and_in_any_order() -> None:
    drawn = {tuple(choose_repeats(7, 2, Random(seed))) for seed in range(300)}
    assert drawn == {(one, other) for one in range(1, 5) for other in range(1, 5) if one != other}


# In a study.


async def planned(people: People, annotator: str) -> list[tuple[Any, ...]]:
    return await people.rows(
        """
        SELECT position, pair_id, side_truthful, repeat_of, slot_id IS NOT NULL FROM assignment
        JOIN participation p ON p.id = participation_id WHERE public_id = :id ORDER BY position
        """,
        id=annotator,
    )


def assert_repeats_mirror(rows: list[tuple[Any, ...]], n: int) -> None:
    """Hold every repeat against the pair that it repeats."""
    first = {position: (pair_id, side) for position, pair_id, side, repeat_of, _ in rows if repeat_of is None}
    assert sorted(first) == list(range(1, n + 1))
    repeats = [row for row in rows if row[3] is not None]
    assert [position for position, *_ in repeats] == list(range(n + 1, n + 1 + len(repeats)))
    for _, pair_id, side, repeat_of, holds in repeats:
        assert pair_id == first[repeat_of][0]
        assert {side, first[repeat_of][1]} == {"left", "right"}
        assert not holds


async def test_repeats_come_after_all_pairs_with_their_sides_swapped_and_hold_no_slot(url: str) -> None:
    async with people_of(url, "mirrored", **THREE) as people:
        for name in ("one", "two", "three"):
            annotator = await people.enter(name)
            rows = await planned(people, annotator)
            assert len(rows) == (await people.place(annotator)).n_planned == 11
            assert_repeats_mirror(rows, 8)
        assert await people.n_slots("held") == 24


async def test_a_repeat_shows_the_same_texts_on_the_other_side(url: str) -> None:
    async with people_of(url, "shown-again", **THREE) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        seen = {}
        for position in range(1, 12):
            pair = await people.show(annotator)
            assert pair is not None
            seen[position] = pair
            await people.choose(annotator)
        for position, _, _, repeat_of, _ in (await planned(people, annotator))[8:]:
            once, again = seen[repeat_of], seen[position]
            assert (again.prompt, again.first, again.second) == (once.prompt, once.second, once.first)


async def test_a_repeat_is_stored_and_exported_but_never_counts_and_never_fills_a_slot(url: str) -> None:
    async with people_of(url, "exported", **THREE) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await walk(people, annotator)
        rows = await exported(people, annotator)
        assert [int(row["position"]) for row in rows] == list(range(1, 12))
        assert [row["counted"] for row in rows] == ["true"] * 8 + ["false"] * 3
        assert {row["late"] for row in rows} == {"false"}
        repeat_of = {str(row[0]): str(row[3] or "") for row in await planned(people, annotator)}
        assert {row["position"]: row["repeat_of"] for row in rows} == repeat_of
        by_position = {row["position"]: row for row in rows}
        for row in rows[8:]:
            first = by_position[row["repeat_of"]]
            assert row["misconception_key"] == first["misconception_key"]
            assert {row["chosen_kind"], first["chosen_kind"]} == {"truthful", "sycophantic"}, "left both times"
        assert await people.n_slots("filled") == 8
        await people.assert_sound(3)


async def test_a_late_repeat_takes_no_slot_though_its_pair_has_open_ones(url: str) -> None:
    async with people_of(url, "late-repeat", **THREE) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await walk(people, annotator, most=8)
        await people.show(annotator)
        await people.expire([annotator])
        await people.sweep()
        assert await people.choose(annotator)
        await walk(people, annotator)
        assert await people.n_slots("filled") == 8
        assert [row["late"] for row in (await exported(people, annotator))[8:]] == ["true", "false", "false"]
        await people.assert_sound(3)


async def test_the_debrief_explains_each_claim_once(url: str) -> None:
    async with people_of(url, "explained", **THREE) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await walk(people, annotator)
        explained = await people.do(annotator, seen_pairs)
        assert len({pair.claim for pair in explained}) == len(explained) == 8


async def test_withdrawing_empties_repeats_too(url: str) -> None:
    async with people_of(url, "withdrawn-repeats", **THREE) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await walk(people, annotator)
        await say_looked_up(people, annotator)
        await people.finish(annotator, withdraw=True)
        rows = await exported(people, annotator)
        assert len(rows) == 11
        assert {(row["withdrawn"], row["side_chosen"]) for row in rows} == {("true", "")}
        await people.assert_sound(3)


async def test_a_shorter_set_repeats_pairs_of_its_own_first_half(url: str) -> None:
    design = THREE | {"per_level": 1, "ratings_per_pair": 1}
    async with people_of(url, "short-repeats", **design) as people:
        first = await people.enter("first")
        await people.to_judging(first)
        await walk(people, first, most=5)
        await people.stop(first)
        second = await people.enter("second")
        rows = await planned(people, second)
        assert [row[3] for row in rows[:3]] == [None] * 3
        assert sorted(row[3] for row in rows[3:]) == [1, 2], "of three pairs, the first two"
        assert_repeats_mirror(rows, 3)


async def test_where_a_pair_is_replaced_its_repeat_follows_it_to_the_other_pair(url: str) -> None:
    """Who comes back too late gets other pairs; a repeat that stayed behind would repeat what they never saw."""
    design: dict[str, Any] = {"ratings_per_pair": 1, "options": {"swapped_repeats": 4}}
    async with people_of(url, "followed", **design) as people:
        holder, away = [await people.enter(name) for name in ("holder", "away")]
        await people.to_judging(away)
        before = await planned(people, away)
        await people.expire([away])
        await people.enter("quick")
        await people.stop(holder)
        await people.show(away)
        after = await planned(people, away)
        assert {row[1] for row in before}.isdisjoint(row[1] for row in after)
        assert [row[3] for row in after] == [row[3] for row in before]
        assert_repeats_mirror(after, 8)
        await walk(people, away)
        await people.assert_sound(1)
        assert [row["counted"] for row in await exported(people, away)] == ["true"] * 8 + ["false"] * 4
