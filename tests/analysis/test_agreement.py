"""Agreement: other definitions of the same numbers, edges, and the bootstrap over pairs."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.agreement import (
    agreement,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    rating_counts,
    raw_agreement,
)
from app.analysis.arrays import ValueOutOfRange
from app.analysis.resampling import Bootstrap
from app.analysis.votes import Votes, votes_of
from tests.analysis.examples import any_choices, choices_from_rows, simulated

tables = st.integers(2, 4).flatmap(
    lambda q: st.lists(st.lists(st.integers(0, 4), min_size=q, max_size=q), min_size=1, max_size=10)
)


def _units(table: list[list[int]]) -> list[list[int]]:
    return [[value for value, count in enumerate(row) for _ in range(count)] for row in table]


@given(tables)
def test_raw_agreement_is_the_mean_share_of_agreeing_pairs_of_ratings(table: list[list[int]]) -> None:
    shares = [np.mean([a == b for a, b in combinations(unit, 2)]) for unit in _units(table) if len(unit) > 1]
    assert raw_agreement(table) == (pytest.approx(np.mean(shares)) if shares else None)


@given(tables)
def test_nominal_alpha_is_one_less_observed_over_expected_disagreement(table: list[list[int]]) -> None:
    units = [unit for unit in _units(table) if len(unit) > 1]
    ratings = [value for unit in units for value in unit]
    disagree = sum(
        sum(a != b for i, a in enumerate(unit) for k, b in enumerate(unit) if i != k) / (len(unit) - 1)
        for unit in units
    )
    expected = sum(a != b for i, a in enumerate(ratings) for k, b in enumerate(ratings) if i != k)
    if expected == 0:
        assert krippendorff_alpha(table) is None
    else:
        assert krippendorff_alpha(table) == pytest.approx(1 - (len(ratings) - 1) * disagree / expected)


@given(tables, st.randoms(use_true_random=False))
def test_order_of_units_and_of_nominal_categories_does_not_matter(table: list[list[int]], random: Any) -> None:
    columns = list(range(len(table[0])))
    random.shuffle(columns)
    shuffled = [[row[column] for column in columns] for row in table]
    random.shuffle(shuffled)
    for statistic in (krippendorff_alpha, gwet_ac1, raw_agreement):
        one, two = statistic(table), statistic(shuffled)
        assert (one is None) == (two is None)
        if one is not None:
            assert one <= 1 + 1e-12
            assert two == pytest.approx(one, abs=1e-12)


def test_ac1_with_gaps_by_hand() -> None:
    """Votes 3/0, 1/2, 0/1: p_a = (1 + 1/3)/2 = 2/3; π = (1 + 1/3 + 0)/3 = 4/9; p_e = 2·4/9·5/9 = 40/81; 14/41."""
    assert gwet_ac1([[3, 0], [1, 2], [0, 1]]) == pytest.approx(14 / 41)


def test_two_raters_have_cohens_expected_agreement_under_equal_margins() -> None:
    """20 both yes, 5 + 5 split, 20 both no: p_o .8, p_e .5."""
    assert fleiss_kappa([[2, 0]] * 20 + [[1, 1]] * 10 + [[0, 2]] * 20) == pytest.approx(0.6)


def test_all_votes_the_same_have_no_alpha_and_full_ac1() -> None:
    table = [[5, 0]] * 4
    assert krippendorff_alpha(table) is fleiss_kappa(table) is None
    assert gwet_ac1(table) == raw_agreement(table) == 1


def test_single_votes_have_no_agreement() -> None:
    for statistic in (krippendorff_alpha, gwet_ac1, raw_agreement):
        assert statistic([[1, 0], [0, 1]]) is None
        assert statistic(np.zeros((0, 2))) is None


def test_one_category_has_no_ac1() -> None:
    assert gwet_ac1([[3], [2]]) is None


def test_faulty_tables_are_refused() -> None:
    with pytest.raises(ValueOutOfRange, match="whole numbers"):
        gwet_ac1([[0.5, 1]])
    with pytest.raises(ValueOutOfRange, match="same number of ratings"):
        fleiss_kappa([[2, 1], [1, 1]])
    with pytest.raises(ValueOutOfRange, match="value for each category"):
        krippendorff_alpha([[2, 1]], metric="interval")
    with pytest.raises(ValueOutOfRange, match="a row for each coder"):
        rating_counts([1, 2])


def test_ratings_are_counted_by_unit() -> None:
    counts, values = rating_counts([[1, 3, np.nan], [1, 2, np.nan]])
    assert values.tolist() == [1, 2, 3]
    assert counts.tolist() == [[2, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert rating_counts([[np.nan]])[0].shape == (1, 0)


def _how(seed: int = 1, n_resamples: int = 400) -> Bootstrap:
    return Bootstrap(np.random.default_rng(seed), n_resamples)


def test_bootstrap_is_over_pairs() -> None:
    votes = votes_of(simulated(3, pairs_per_level=10))
    found = agreement(votes, _how(n_resamples=4000))
    table = np.column_stack([votes.sycophantic, votes.n - votes.sycophantic])
    rng = np.random.default_rng(9)
    draws = [krippendorff_alpha(table[rng.integers(0, len(table), len(table))]) for _ in range(600)]
    assert found.alpha is not None
    assert found.ac1 is not None
    assert found.raw is not None
    assert found.alpha.estimate == pytest.approx(krippendorff_alpha(table))
    assert found.ac1.estimate == pytest.approx(gwet_ac1(table))
    assert found.raw.estimate == pytest.approx(raw_agreement(table))
    assert found.alpha.se == pytest.approx(np.std([d for d in draws if d is not None], ddof=1), rel=0.1)
    assert found.alpha.interval is not None
    assert found.alpha.interval.low < found.alpha.estimate < found.alpha.interval.high


@given(any_choices())
def test_agreement_of_any_votes_is_defined_or_none(choices: Any) -> None:
    votes = votes_of(choices)
    found = agreement(votes, _how(n_resamples=20))
    for each in (found.alpha, found.ac1, found.raw):
        if each is not None:
            assert np.isfinite(each.estimate)
            assert (each.se is None) == (each.interval is None)
        if each is not None and each.interval is not None:
            assert each.interval.low < each.interval.high + 1e-12 <= 1 + 2e-12
    assert found.n_pairs == int((votes.n > 1).sum())


def test_no_votes_have_no_agreement() -> None:
    found = agreement(votes_of(choices_from_rows([])), _how())
    assert (found.alpha, found.ac1, found.raw, found.n_pairs) == (None, None, None, 0)


@pytest.mark.parametrize("pairs", [[[3, 5], [3, 5]], [[5, 5], [5, 5], [5, 5]], [[2, 5]]])
def test_pairs_that_are_alike_have_no_interval(pairs: list[list[int]]) -> None:
    """Drawn again they are the same again: that is no sign that other pairs would be."""
    sycophantic, n = np.array(pairs).T
    found = agreement(Votes(np.arange(len(n)), np.ones(len(n), np.int64), n, sycophantic), _how())
    for each in (found.alpha, found.ac1, found.raw):
        assert each is None or (each.se, each.interval) == (None, None)
    assert found.raw is not None
    assert found.raw.estimate == pytest.approx(0.4 if 5 not in sycophantic else 1)


def test_undefined_resamples_are_counted() -> None:
    """Alpha is not defined where only pairs with equal votes are drawn."""
    votes = Votes(*np.array([[1, 2], [1, 1], [2, 2], [0, 1]]))
    found = agreement(votes, _how(n_resamples=1000))
    assert found.alpha is not None
    assert 150 < found.alpha.n_undefined < 350
