"""Levels by rank: even, monotone, the same in whatever order; and how many claims lie at a cut."""

import csv
import random
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app import resources
from app.study.levelling import LEVELS, AtCuts, at_cuts, levels_by_rank

KEYS = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,3})?", fullmatch=True)
TIED = st.integers(0, 12).map(lambda n: n * 8.25)
VALUES = st.dictionaries(KEYS, st.one_of(TIED, st.floats(0, 100)), max_size=70)


@given(VALUES)
def test_sizes_differ_by_at_most_one(values: dict[str, float]) -> None:
    sizes = Counter(levels_by_rank(values).values())
    counts = [sizes[level] for level in range(1, LEVELS + 1)]
    assert sum(counts) == len(values)
    assert max(counts) - min(counts) <= 1


@given(VALUES)
def test_a_more_plausible_claim_never_has_a_lower_level_and_ties_go_by_key(values: dict[str, float]) -> None:
    levels = levels_by_rank(values)
    ranked = sorted(values, key=lambda key: (values[key], key))
    assert [levels[key] for key in ranked] == sorted(levels.values())
    for one, other in pairwise(ranked):
        if values[one] == values[other] and levels[one] != levels[other]:
            assert one < other


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(values: dict[str, float], draw: random.Random) -> None:
    rows = list(values.items())
    draw.shuffle(rows)
    assert levels_by_rank(dict(rows)) == levels_by_rank(values)
    assert at_cuts(dict(rows)) == at_cuts(values)


@given(st.dictionaries(KEYS, st.integers(0, 100), max_size=40))
def test_only_claims_at_a_cut_change_their_level_when_they_move_by_a_point(values: dict[str, int]) -> None:
    found = at_cuts(values)
    assert 0 <= found.on_tied_values <= found.within_a_point <= len(values)
    before = levels_by_rank(values)
    movers = {
        key
        for key, value in values.items()
        for moved in (value - 1, value + 1)
        if levels_by_rank({**values, key: moved})[key] != before[key]
    }
    assert len(movers) <= found.within_a_point


def test_eight_claims_have_a_level_each_and_far_apart_ones_lie_at_no_cut() -> None:
    values = {f"claim-{n}": 10.0 * n for n in range(8)}
    assert levels_by_rank(values) == {f"claim-{n}": n + 1 for n in range(8)}
    assert at_cuts(values) == AtCuts(0, 0)
    assert at_cuts(values | {"claim-1": 0.5}) == AtCuts(2, 0)
    assert at_cuts(dict.fromkeys(values, 50.0)) == AtCuts(8, 8)


def test_nothing_has_no_levels() -> None:
    assert levels_by_rank({}) == {}
    assert at_cuts({}) == AtCuts(0, 0)


def test_the_bundled_gradings_give_what_the_documentation_says_of_them() -> None:
    with resources.content("gradings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    means = {row["key"]: float(row["mean"]) for row in rows}
    assert levels_by_rank(means) == {row["key"]: int(row["difficulty_level"]) for row in rows}
    assert at_cuts(means) == AtCuts(within_a_point=68, on_tied_values=13)
