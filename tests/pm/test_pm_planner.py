"""The planner: every sequence once, within the budget, the same whatever the order; shared prefixes really shared."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.pm.packing import pack
from app.pm.planning import LEAST_SHARED, Apart, Plan, plan
from app.pm.scorer import Tokens

_tails = st.lists(st.integers(0, 3), min_size=1, max_size=30)
_heads = st.sampled_from([[], [7] * 12, [7] * 12 + [9] * 10, list(range(20, 60))])
SEQUENCES = st.lists(st.builds(lambda head, tail: head + tail, _heads, _tails), min_size=1, max_size=30)
BUDGETS = st.integers(1, 200)


def arrays(sequences: list[list[int]]) -> list[Tokens]:
    return [np.array(ids, dtype=np.int32) for ids in sequences]


def costs(made: Plan, number: int, *, packed: bool) -> int:
    batch = made.batch(number)
    if packed:
        return len(pack(batch).ids)
    return len(batch.sequences) * max(map(len, batch.sequences))


@given(SEQUENCES, BUDGETS, st.booleans())
def test_each_distinct_sequence_is_computed_once_and_every_place_finds_its_own(
    sequences: list[list[int]], budget: int, packed: bool
) -> None:
    given_ids = arrays(sequences)
    made = plan(given_ids, budget, packed=packed)
    members = [member for number in range(len(made.batches)) for member in made.members(number)]
    assert sorted(members) == list(range(len(made.unique)))
    assert len(made.unique) == len({tuple(ids) for ids in sequences})
    for ids, place in zip(given_ids, made.place, strict=True):
        assert np.array_equal(made.unique[place], ids)


@given(SEQUENCES, BUDGETS, st.booleans())
def test_a_batch_is_within_the_budget_or_one_sequence(sequences: list[list[int]], budget: int, packed: bool) -> None:
    made = plan(arrays(sequences), budget, packed=packed)
    computed = [costs(made, number, packed=packed) for number in range(len(made.batches))]
    for number, cost in enumerate(computed):
        assert cost <= budget or len(made.members(number)) == 1
    assert sum(computed) == made.computed_tokens
    assert made.unique_tokens <= made.computed_tokens


@given(SEQUENCES, BUDGETS, st.booleans(), st.integers(0, 99))
def test_the_order_of_what_is_given_changes_no_batch(
    sequences: list[list[int]], budget: int, packed: bool, seed: int
) -> None:
    shuffled = list(sequences)
    Random(seed).shuffle(shuffled)
    one, other = plan(arrays(sequences), budget, packed=packed), plan(arrays(shuffled), budget, packed=packed)
    assert one.batches == other.batches
    assert all(np.array_equal(a, b) for a, b in zip(one.unique, other.unique, strict=True))


@given(SEQUENCES, BUDGETS)
def test_what_a_group_shares_is_shared_and_leaves_each_a_token(sequences: list[list[int]], budget: int) -> None:
    made = plan(arrays(sequences), budget, packed=True)
    for number in range(len(made.batches)):
        batch = made.batch(number)
        for group in batch.groups:
            heads = {tuple(batch.sequences[member][: group.length]) for member in group.members}
            assert len(heads) == 1
            assert group.length == 0 or group.length >= LEAST_SHARED
            assert all(len(batch.sequences[member]) > group.length for member in group.members)


@given(SEQUENCES)
def test_sharing_never_costs_and_a_packed_row_holds_every_sequence(sequences: list[list[int]]) -> None:
    made = plan(arrays(sequences), 10**6, packed=True)
    assert made.unique_tokens <= sum(map(len, made.unique))
    batch = made.batch(0)
    row = pack(batch)
    keys = iter(np.split(row.keys, row.key_bounds[1:-1]))
    read = {segment.stop - 1: np.concatenate([row.ids[next(keys)]]) for segment in row.segments}
    for member, ids in enumerate(batch.sequences):
        assert np.array_equal(read[int(row.last[member])], ids)
        assert row.positions[row.last[member]] == len(ids) - 1


def test_many_responses_to_one_prompt_compute_the_prompt_once_a_batch() -> None:
    prompt = list(range(100, 400))
    sequences = arrays([[*prompt, *Random(n).choices(range(50), k=20)] for n in range(64)])
    made = plan(sequences, 1000, packed=True)
    # A batch of 1,000 has room for the prompt of 300 and 35 responses of 20.
    assert made.unique_tokens == 300 + 64 * 20
    assert [len(made.members(n)) for n in range(len(made.batches))] == [35, 29]
    assert made.computed_tokens == 2 * 300 + 64 * 20


def test_two_prompts_under_one_variant_are_two_groups() -> None:
    variant = [5] * 20
    sequences = arrays([[*variant, *([prompt] * 40), *([70 + r] * 10)] for prompt in (8, 9) for r in range(3)])
    made = plan(sequences, 10**6, packed=True)
    assert sorted((group.shared, len(group.members)) for group in made.batches[0]) == [(60, 3), (60, 3)]


def test_a_sequence_that_begins_another_keeps_a_token_of_its_own() -> None:
    short = list(range(40))
    made = plan(arrays([short, [*short, 50, 51], [*short, 60]]), 10**6, packed=True)
    assert [(group.shared, len(group.members)) for group in made.batches[0]] == [(39, 3)]
    assert made.unique_tokens == 39 + 1 + 3 + 2


APARTS = st.builds(
    Apart,
    st.lists(st.integers(1, 45), unique=True, max_size=2).map(lambda edges: tuple(sorted(edges))),
    st.none() | st.integers(1, 45),
)


@given(SEQUENCES, BUDGETS, st.booleans(), APARTS)
def test_lengths_kept_apart_are_in_no_batch_together(
    sequences: list[list[int]], budget: int, packed: bool, apart: Apart
) -> None:
    made = plan(arrays(sequences), budget, packed=packed, apart=apart)
    members = [member for number in range(len(made.batches)) for member in made.members(number)]
    assert sorted(members) == list(range(len(made.unique)))
    computed = 0
    for number in range(len(made.batches)):
        batch = made.batch(number)
        lengths = [len(ids) for ids in batch.sequences]
        assert not any(min(lengths) <= edge < max(lengths) for edge in apart.edges)
        over = [apart.window is not None and length > apart.window for length in lengths]
        assert len(set(over)) == 1
        assert (number in made.unpacked) == (packed and over[0]) == (not batch.groups)
        cost = costs(made, number, packed=packed and not over[0])
        assert cost <= budget or len(lengths) == 1
        computed += cost
    assert computed == made.computed_tokens


def test_a_prefix_is_not_shared_across_an_edge() -> None:
    head = list(range(40))
    sequences = arrays([[*head, *([50 + n] * n)] for n in (3, 4, 9, 10)])
    made = plan(sequences, 10**6, packed=True, apart=Apart(edges=(44,)))
    assert [[(group.shared, len(group.members)) for group in batch] for batch in made.batches] == [[(40, 2)], [(40, 2)]]
    assert [sorted(len(made.unique[m]) for m in made.members(n)) for n in range(2)] == [[49, 50], [43, 44]]


def test_beyond_the_window_a_batch_is_planned_as_padded() -> None:
    prompt = list(range(100, 540))
    sequences = arrays([[*prompt, *Random(n).choices(range(50), k=4)] for n in range(10)])
    made = plan(sequences, 1000, packed=True, apart=Apart(window=150))
    assert [len(made.members(n)) for n in range(len(made.batches))] == [2] * 5
    assert made.computed_tokens == 10 * 444
