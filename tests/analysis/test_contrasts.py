"""Differences of rates: levels, arms, background groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from app.analysis.arrays import LengthsDiffer
from app.analysis.choices import Choices
from app.analysis.contrasts import compare_arms, compare_groups, group_rates, rate_difference
from app.analysis.intervals import newcombe_difference
from tests.analysis.examples import any_choices, choices_from_rows, choices_from_votes, simulated


def _with_arms(choices: Choices, arm: object) -> Choices:
    return Choices(
        choices.pair,
        choices.annotator,
        choices.level,
        choices.prefers_sycophantic,
        choices.truthful_left,
        arm=arm,  # type: ignore[arg-type]
    )


def test_people_who_answer_once_on_different_pairs_give_welchs_standard_error() -> None:
    """One choice a pair and person: the variance is Σ(y-r)²/n² of each set, with G/(G-1) of all clusters."""
    rng = np.random.default_rng(1)
    y = np.concatenate([rng.random(40) < 0.3, rng.random(60) < 0.6]).astype(float)
    choices = choices_from_rows([(i, i, 1, y[i], True) for i in range(100)])
    found = rate_difference(choices, np.arange(100) < 40, np.arange(100) >= 40)
    assert found is not None
    assert found.difference == pytest.approx(y[:40].mean() - y[40:].mean())
    variance = (y[:40].var() / 40 + y[40:].var() / 60) * 100 / 99
    assert found.se == pytest.approx(variance**0.5)
    assert found.df == 39
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.difference) / variance**0.5, 39))


def test_the_same_pairs_in_both_sets_cancel() -> None:
    """Every pair gets the same two answers in both arms: pairs vary, the difference does not."""
    rows = [(pair, person, 1, float(pair % 3 == 0), True) for pair in range(12) for person in range(4)]
    choices = choices_from_rows(rows)
    first = choices.annotator < 2
    found = rate_difference(choices, first, ~first)
    assert found is not None
    assert found.difference == 0
    assert found.se is None


@settings(max_examples=200)
@given(any_choices())
def test_a_difference_turns_with_its_order_and_its_interval_holds_it(choices: Choices) -> None:
    first = choices.annotator % 2 == 0
    one, other = rate_difference(choices, first, ~first), rate_difference(choices, ~first, first)
    if one is None or other is None:
        assert one is other is None
        return
    assert one.difference == -other.difference
    assert -1 <= one.interval.low <= one.difference + 1e-12
    assert one.difference - 1e-12 <= one.interval.high <= 1
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)
    assert one.p == other.p or one.p == pytest.approx(other.p)


def test_without_a_variance_the_interval_is_newcombes_with_effective_numbers() -> None:
    choices = choices_from_votes([(0, 4), (0, 4), (0, 4), (0, 4)], levels=[1, 1, 2, 2])
    found = rate_difference(choices, choices.level == 2, choices.level == 1)
    assert found is not None
    n, m = found.first.n_effective, found.second.n_effective
    assert (found.difference, found.p) == (0, None)
    assert found.interval == newcombe_difference(0, n, 0, m)


def test_an_empty_set_has_no_difference() -> None:
    choices = choices_from_votes([(1, 3)])
    assert rate_difference(choices, choices.level == 1, choices.level == 2) is None


def test_arms_are_compared_on_the_pairs_that_both_judged() -> None:
    rows = [(1, 1, 1, 1, True), (2, 1, 1, 0, True), (2, 2, 1, 1, True), (3, 2, 1, 0, True)]
    choices = _with_arms(choices_from_rows(rows), [0, 0, 1, 1])
    (found,) = compare_arms(choices, reference=0)
    assert (found.group, found.reference) == (1, 0)
    assert (found.difference.first.n_pairs, found.difference.first.rate, found.difference.second.rate) == (1, 1, 0)


def test_groups_are_adjusted_together_by_holm() -> None:
    choices = simulated(3, pairs_per_level=10)
    group = choices.annotator % 3
    found = compare_groups(choices, group, reference=0)
    p = [each.difference.p for each in found]
    assert [each.group for each in found] == [1, 2]
    assert None not in p
    ordered = sorted(value for value in p if value is not None)
    assert min(each.p_holm or 0 for each in found) == pytest.approx(min(1, 2 * ordered[0]))
    assert list(group_rates(choices, group)) == [0, 1, 2]


def test_a_planted_difference_of_arms_is_covered_and_a_null_is_rarely_rejected() -> None:
    rejected = []
    for seed in range(150):
        choices = simulated(seed, pairs_per_level=8)
        (found,) = compare_arms(_with_arms(choices, choices.annotator % 2), reference=0)
        rejected.append(found.difference.p is not None and found.difference.p < 0.05)
    assert np.mean(rejected) < 0.12


def test_no_arms_no_groups_no_comparison() -> None:
    choices = choices_from_votes([(1, 3)])
    assert compare_arms(choices, reference=0) == ()
    assert compare_groups(choices, [1, 1, 1], reference=0) == ()
    with pytest.raises(LengthsDiffer):
        group_rates(choices, [1, 2])
