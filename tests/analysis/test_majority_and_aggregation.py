"""Majorities by tie policy, and of j people: enumeration, identities, and the influences that intervals rest on."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.aggregation import aggregation_curve, condorcet, majority_of_j
from app.analysis.arrays import ValueOutOfRange
from app.analysis.choices import Choices
from app.analysis.clustering import Components
from app.analysis.intervals import wilson
from app.analysis.majority import majority_by_level, majority_of, majority_rates
from app.analysis.rates import preference_rates
from app.analysis.votes import Votes, votes_of
from tests.analysis.examples import any_choices, choices_from_rows, choices_from_votes, simulated, turned

votes_of_pairs = st.lists(
    st.integers(1, 7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=12
)


@given(votes_of_pairs)
def test_majorities_are_counted(votes: list[tuple[int, int]]) -> None:
    found = majority_rates(choices_from_votes(votes))
    assert found is not None
    won, tied = sum(2 * s > n for s, n in votes), sum(2 * s == n for s, n in votes)
    assert (found.n_pairs, found.n_ties) == (len(votes), tied)
    assert found.ties_as_not_sycophantic.rate == pytest.approx(won / len(votes))
    assert found.ties_half.rate == pytest.approx((won + tied / 2) / len(votes))
    if tied == len(votes):
        assert found.ties_excluded is None
    else:
        assert found.ties_excluded is not None
        assert found.ties_excluded.rate == pytest.approx(won / (len(votes) - tied))


@settings(max_examples=150)
@given(any_choices())
def test_majority_intervals_hold_their_share_and_mirror(choices: Choices) -> None:
    found, mirror = majority_rates(choices), majority_rates(turned(choices))
    if found is None or mirror is None:
        assert found is mirror is None
        return
    for share in (found.ties_excluded, found.ties_half, found.ties_as_not_sycophantic):
        assert share is None or 0 <= share.interval.low <= share.rate <= share.interval.high <= 1
    assert mirror.ties_half.rate == pytest.approx(1 - found.ties_half.rate)
    assert mirror.ties_half.interval.low == pytest.approx(1 - found.ties_half.interval.high, abs=1e-9)


def test_no_choices_have_no_majority() -> None:
    empty = choices_from_rows([])
    assert majority_rates(empty) is None
    assert majority_by_level(empty) == {}


def test_no_sycophantic_majority_falls_back_to_wilson_with_the_smaller_number_of_clusters() -> None:
    found = majority_rates(choices_from_votes([(1, 3)] * 7))
    assert found is not None
    assert found.ties_half.method == "wilson_effective_n"
    assert found.ties_half.interval == wilson(0, 3)


def test_pairs_that_tie_are_no_evidence_where_ties_are_left_out() -> None:
    """Of 33 pairs with two votes each, 31 tie: two pairs and the four people on them are all that the share is of."""
    rows = [(pair, 2 * pair + who, 1, float(pair >= 31 or who), True) for pair in range(33) for who in range(2)]
    found = majority_rates(choices_from_rows(rows))
    assert found is not None
    assert found.ties_excluded is not None
    assert found.ties_excluded.interval == wilson(2, 2)
    assert (found.ties_excluded.n_pairs, found.ties_excluded.n_annotators) == (2, 4)
    assert (found.ties_half.n_pairs, found.ties_half.n_annotators) == (33, 66)


def test_ties_left_out_count_the_pairs_with_a_majority_among_the_clusters() -> None:
    """Three pairs with a majority leave two degrees of freedom, however many pairs tie beside them."""
    few, many = (majority_rates(choices_from_votes([(4, 4), (4, 4), (0, 4)] + [(2, 4)] * n)) for n in (0, 30))
    assert few is not None
    assert many is not None
    assert few.ties_excluded is not None
    assert many.ties_excluded is not None
    assert many.ties_excluded.n_pairs == 3
    assert many.ties_excluded.interval.high - many.ties_excluded.interval.low >= (
        few.ties_excluded.interval.high - few.ties_excluded.interval.low
    )


def test_majority_of_a_pair_is_a_half_where_it_ties() -> None:
    votes = Votes(*np.array([[1, 2, 3], [1, 1, 1], [4, 3, 3], [2, 2, 1]]))
    assert majority_of(votes).tolist() == [0.5, 1, 0]


@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, n))))
def test_majority_of_j_is_the_mean_over_all_subsets(case: tuple[int, int, int]) -> None:
    s, n, j = case
    subsets = [2 * sum(subset) - j for subset in combinations([1] * s + [0] * (n - s), j)]
    found = majority_of_j([s], [n], j)
    assert found.strict[0] == pytest.approx(np.mean([lead > 0 for lead in subsets]))
    assert found.tie[0] == pytest.approx(np.mean([lead == 0 for lead in subsets]))


@given(st.integers(2, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, n // 2))))
def test_at_even_j_half_credit_equals_the_value_at_one_less(case: tuple[int, int, int]) -> None:
    s, n, half = case
    assert majority_of_j([s], [n], 2 * half).half[0] == pytest.approx(majority_of_j([s], [n], 2 * half - 1).half[0])


def test_condorcet_by_hand() -> None:
    """10 p³q² + 5 p⁴q + p⁵ at p = .4."""
    assert condorcet(0.4, 5) == pytest.approx(10 * 0.4**3 * 0.36 + 5 * 0.4**4 * 0.6 + 0.4**5)


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ValueOutOfRange, match="j is 4"):
        majority_of_j([1], [3], 4)
    with pytest.raises(ValueOutOfRange, match="k must be odd"):
        condorcet(0.4, 4)
    with pytest.raises(ValueOutOfRange, match="k is 0"):
        aggregation_curve(choices_from_votes([(1, 3)]), 0)


@settings(max_examples=50)
@given(votes_of_pairs, st.integers(1, 7))
def test_the_curve_is_over_the_same_pairs_at_every_j(votes: list[tuple[int, int]], k: int) -> None:
    curve = aggregation_curve(choices_from_votes(votes), k)
    used = [(s, n) for s, n in votes if n >= k]
    assert (curve.n_pairs, curve.n_left_out) == (len(used), len(votes) - len(used))
    assert list(curve.by_j) == (list(range(1, k + 1)) if used else [])
    for j, share in curve.by_j.items():
        half = np.mean([majority_of_j([s], [n], j).half[0] for s, n in used])
        assert share.rate == pytest.approx(half, abs=1e-12)
        assert curve.strict[j] + curve.tie[j] / 2 == pytest.approx(half, abs=1e-12)
        assert share.n_pairs == len(used)


def test_at_one_person_the_curve_is_the_macro_rate_with_its_interval() -> None:
    choices = simulated(8, pairs_per_level=6)
    first, rate = aggregation_curve(choices, 5).by_j[1], preference_rates(choices).overall
    assert rate is not None
    assert first.rate == pytest.approx(rate.rate)
    assert first.se == pytest.approx(rate.se)
    assert first.interval.low == pytest.approx(rate.interval.low)


def test_at_all_people_the_curve_is_the_majority_with_ties_half() -> None:
    choices = simulated(9, pairs_per_level=6, k=4)
    last, majority = aggregation_curve(choices, 4).by_j[4], majority_rates(choices)
    assert majority is not None
    assert last.rate == pytest.approx(majority.ties_half.rate)
    assert last.se == pytest.approx(majority.ties_half.se)


def test_levels_have_their_own_majorities() -> None:
    choices = choices_from_votes([(3, 3), (0, 3), (2, 3)], levels=[1, 1, 4])
    found = majority_by_level(choices)
    assert {level: each.ties_half.rate for level, each in found.items()} == {1: 0.5, 4: 1}
    assert votes_of(choices).share.tolist() == pytest.approx([1, 0, 2 / 3])


def test_people_widen_majority_intervals_where_a_few_of_them_judge_everything() -> None:
    """Three people judge all pairs, each with a strong leaning: pairs alone say too little about the next three."""
    rng = np.random.default_rng(4)
    leaning = [0.9, 0.2, 0.5]
    rows = [(pair, who, 1, float(rng.random() < leaning[who]), True) for pair in range(200) for who in range(3)]
    found = majority_rates(choices_from_rows(rows))
    assert found is not None
    by_pair = wilson(found.ties_half.rate * 200, 200)
    assert by_pair is not None
    assert found.ties_half.interval.high - found.ties_half.interval.low > 3 * (by_pair.high - by_pair.low)


def many_votes(seed: int) -> Choices:
    """25 pairs that 62 or 63 people judged 50 times each: few pairs stand so near one half that a vote turns them."""
    rng = np.random.default_rng(seed)
    pair = np.concatenate([rng.permutation(25) for _ in range(50)])
    annotator = np.arange(1250) // 20
    for start in range(0, 1250, 25):  # Who runs from one round into the next meets no pair twice.
        begun = start % 20
        held = pair[start - begun : start]
        later = pair[start : start + 25]
        pair[start : start + 25] = np.concatenate([later[~np.isin(later, held)], later[np.isin(later, held)]])
    logit = -0.7 + rng.normal(0, 0.9, 25)[pair] + rng.normal(0, 0.6, 63)[annotator]
    prefers = (rng.random(1250) < 1 / (1 + np.exp(-logit))).astype(float)
    return Choices(pair, annotator, np.ones(1250, np.int64), prefers, np.zeros(1250, np.bool_))


def test_with_many_votes_a_pair_the_error_is_that_of_drawing_pairs_again() -> None:
    """People add little to a majority of 50; how little must not hang on the one or two pairs that nearly tie."""
    ratios, widest = [], 0.0
    for seed in range(60):
        found = majority_rates(many_votes(seed))
        assert found is not None
        rate = found.ties_half
        if not 0.1 <= rate.rate <= 0.9:
            continue
        by_pairs = np.sqrt(rate.rate * (1 - rate.rate) / 25)  # What a bootstrap over pairs comes to, without ties.
        assert rate.se is not None
        ratios.append(rate.se / by_pairs)
        widest = max(widest, rate.interval.high - rate.interval.low)
    assert len(ratios) > 40
    assert min(ratios) > 0.8
    assert max(ratios) < 1.6
    assert 0.95 < np.median(ratios) < 1.2
    assert widest < 0.5


def test_what_one_vote_changes_is_averaged_over_the_other_votes_of_its_pair() -> None:
    """By hand: three people, of whose votes on four pairs 1, 1, 2 and 2 are sycophantic, first those of the first."""
    found = majority_rates(choices_from_votes([(1, 3), (1, 3), (2, 3), (2, 3)]))
    assert found is not None
    # A vote turns a majority of three where the other two differ: 2 q (1 - q) = 4/9, q being 1/3 or 2/3; 1/9 in a mean
    # of four. The mean vote is 1/2. The first person says yes four times, the second twice, the third never.
    by_person = np.array([4, 2, 0]) - 4 / 2
    expected = Components(
        by_pair=4 * (0.5 / 4) ** 2,
        by_annotator=float(by_person @ by_person) / 81,
        by_cell=12 * 0.25 / 81,
        n_pairs=4,
        n_annotators=3,
        n_cells=12,
    )
    assert found.ties_half.se == pytest.approx(np.sqrt(expected.variance() or 0))
