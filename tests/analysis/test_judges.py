"""Preference models against people and each other; classification, calibration and the human ceiling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, cohen_kappa_score, log_loss, roc_auc_score

from app.analysis.arrays import ValueOutOfRange
from app.analysis.calibration import calibration
from app.analysis.ceiling import human_ceiling
from app.analysis.choices import Choices
from app.analysis.classification import accuracy, auc, cohen_kappa
from app.analysis.intervals import wilson
from app.analysis.judges import (
    Judge,
    fooled_by_level,
    human_minus_judge,
    human_minus_judge_by_level,
    judge_minus_judge,
    judge_rate,
    judge_rate_by_level,
    likeness,
    on_same_pairs,
)
from app.analysis.paired import TwoByTwo
from app.analysis.rates import preference_rates
from app.analysis.resampling import Bootstrap
from app.analysis.votes import votes_of
from tests.analysis.examples import any_choices, choices_from_rows, choices_from_votes, simulated

scored = st.lists(st.tuples(st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0]), st.booleans()), max_size=40)


def _judge(pair: object, margin: object, level: object = None) -> Judge:
    pairs = np.asarray(pair)
    return Judge(pairs, np.ones(len(pairs)) if level is None else level, margin)  # type: ignore[arg-type]


def _how(seed: int = 1, n: int = 500) -> Bootstrap:
    return Bootstrap(np.random.default_rng(seed), n)


@given(scored)
def test_accuracy_and_auc_are_sklearns(rows: list[tuple[float, bool]]) -> None:
    margin, outcome = (np.array(each) for each in zip(*rows, strict=True)) if rows else (np.empty(0), np.empty(0, bool))
    right, area = accuracy(margin, outcome), auc(margin, outcome)
    clear = margin != 0
    if not rows:
        assert right is None
        assert area is None
        return
    assert right is not None
    agreed = accuracy_score(outcome[clear], margin[clear] > 0, normalize=False) if clear.any() else 0
    assert right.accuracy == pytest.approx((agreed + (~clear).sum() / 2) / len(rows))
    assert right.accuracy in right.interval
    if outcome.all() or not outcome.any():
        assert area is None
        return
    assert area is not None
    assert area.auc == pytest.approx(roc_auc_score(outcome, margin))
    if area.interval is not None:
        assert 0 <= area.interval.low <= area.auc <= area.interval.high <= 1


def test_delong_by_hand() -> None:
    """Yes 1, 3; no 0, 2: placements of yes ½, 1; of no 1, ½. AUC ¾, variance (1/8)/2 + (1/8)/2 = 1/8."""
    area = auc([1, 3, 0, 2], [True, True, False, False])
    assert area is not None
    assert area.auc == 0.75
    assert area.se == pytest.approx(0.125**0.5)


def test_a_perfect_judge_has_an_area_without_interval() -> None:
    area = auc([1, 2, -1, -2], [1, 1, 0, 0])
    assert area is not None
    assert (area.auc, area.se, area.interval) == (1, None, None)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_kappa_is_sklearns(rows: list[tuple[bool, bool]]) -> None:
    cells = [rows.count(each) for each in ((True, True), (True, False), (False, True), (False, False))]
    found = cohen_kappa(TwoByTwo(cells[0], cells[1], cells[2], cells[3], 0))
    first, second = zip(*rows, strict=True)
    if len(set(first) | set(second)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(cohen_kappa_score(first, second))


def test_no_pairs_have_no_kappa() -> None:
    assert cohen_kappa(TwoByTwo(0, 0, 0, 0, 5)) is None


def test_calibration_is_sklearns() -> None:
    rng = np.random.default_rng(4)
    margin = rng.normal(0, 2, 400)
    outcome = rng.random(400) < 1 / (1 + np.exp(0.3 - 0.6 * margin))
    found = calibration(margin, outcome.astype(float))
    chance = 1 / (1 + np.exp(-margin))
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(margin[:, None], outcome)
    assert found is not None
    assert found.brier == pytest.approx(brier_score_loss(outcome, chance))
    assert found.log_loss == pytest.approx(log_loss(outcome, chance))
    assert found.intercept == pytest.approx(theirs.intercept_[0], abs=1e-5)
    assert found.slope == pytest.approx(theirs.coef_[0, 0], abs=1e-5)
    assert found.slope_interval is not None
    assert found.intercept_interval is not None
    assert 0.6 in found.slope_interval
    assert -0.3 in found.intercept_interval
    assert sum(each.n_pairs for each in found.bins) == 400


def test_calibration_intervals_are_sandwiches_with_pairs_less_two_degrees_of_freedom() -> None:
    rng = np.random.default_rng(8)
    margin, share = rng.normal(size=12), rng.integers(0, 6, 12) / 5
    found = calibration(margin, share)
    assert found is not None
    assert found.slope is not None
    assert found.slope_interval is not None
    x = np.column_stack([np.ones(12), margin])
    p = 1 / (1 + np.exp(-x @ [found.intercept, found.slope]))
    bread = np.linalg.inv((x.T * p * (1 - p)) @ x)
    sandwich = bread @ ((x.T * (share - p) ** 2) @ x) @ bread * 12 / 10
    half = stats.t.ppf(0.975, 10) * sandwich[1, 1] ** 0.5
    assert found.slope_interval.high - found.slope == pytest.approx(half)


def test_calibration_of_a_calibrated_judge_against_shares() -> None:
    rng = np.random.default_rng(6)
    margin = rng.normal(0, 1.5, 3000)
    found = calibration(margin, rng.binomial(5, 1 / (1 + np.exp(-margin))) / 5)
    assert found is not None
    assert found.intercept == pytest.approx(0, abs=0.06)
    assert found.slope == pytest.approx(1, abs=0.06)
    assert found.ece < 0.02


def test_calibration_has_no_line_where_the_margin_separates_or_is_constant() -> None:
    for margin, share in (([1, 2, -1], [1, 1, 0]), ([1, 1, 1], [1, 0, 1]), ([800, -800], [0.5, 0.5])):
        found = calibration(margin, share)
        assert found is not None
        assert found.n_pairs == len(margin)
        assert np.isfinite([found.brier, found.log_loss, found.ece]).all()
    constant = calibration([1, 1, 1], [1, 0, 1])
    assert constant is not None
    assert (constant.intercept, constant.slope, constant.slope_interval) == (None, None, None)
    assert calibration([], []) is None
    with pytest.raises(ValueOutOfRange, match="n_bins"):
        calibration([1], [1], n_bins=0)


# The human ceiling.


@settings(max_examples=150)
@given(any_choices(), st.integers(0, 2**20))
def test_ceiling_is_each_choice_against_the_majority_of_the_others(choices: Choices, seed: int) -> None:
    answers = np.random.default_rng(seed).integers(0, 2, 6).astype(float)
    found = human_ceiling(choices, answers[choices.pair])
    people: dict[int, list[bool]] = {}
    judged: dict[int, list[bool]] = {}
    ties = 0
    decided = choices.where(choices.decided)
    for index in range(len(decided)):
        others = (decided.pair == decided.pair[index]) & (np.arange(len(decided)) != index)
        lead = (2 * decided.prefers_sycophantic[others] - 1).sum()
        if lead == 0:
            ties += 1
            continue
        pair = int(decided.pair[index])
        people.setdefault(pair, []).append((decided.prefers_sycophantic[index] == 1) == (lead > 0))
        judged.setdefault(pair, []).append((answers[pair] == 1) == (lead > 0))
    if not people:
        assert found is None
        return
    assert found is not None
    assert found.judge is not None
    assert found.n_rest_ties == ties
    assert found.human.rate == pytest.approx(np.mean([np.mean(own) for own in people.values()]))
    assert found.judge.rate == pytest.approx(np.mean([np.mean(own) for own in judged.values()]))


def test_a_judge_that_never_decides_has_no_place_beside_the_ceiling() -> None:
    found = human_ceiling(choices_from_votes([(3, 3)]), np.full(3, 0.5))
    assert found is not None
    assert found.judge is None
    assert human_ceiling(choices_from_rows([])) is None


# People and judges on the same pairs.


def test_judge_rate_is_wilsons_and_equal_scores_count_one_half() -> None:
    found = judge_rate(_judge([1, 2, 3, 4], [0.5, -1, 0, 2]))
    assert found is not None
    assert (found.rate, found.n_ties, found.interval) == (0.625, 1, wilson(2.5, 4))
    assert judge_rate(_judge([], [])) is None
    by_level = judge_rate_by_level(_judge([1, 2, 3], [1, -1, 1], [1, 1, 0]))
    assert {level: each.rate for level, each in by_level.items()} == {1: 0.5}


def test_only_pairs_that_both_have_are_compared_in_the_same_order() -> None:
    votes = votes_of(choices_from_rows([(7, 1, 1, 1, True), (3, 1, 1, 0, True), (9, 1, 1, 1, True)]))
    same = on_same_pairs(votes, _judge([9, 5, 3], [0.9, 0.5, 0.3]))
    assert same.votes.pair.tolist() == same.judge.pair.tolist() == [3, 9]
    assert same.judge.margin.tolist() == [0.3, 0.9]


def test_faulty_judges_are_refused() -> None:
    with pytest.raises(ValueOutOfRange, match="scored twice"):
        _judge([1, 1], [0, 1])
    with pytest.raises(ValueOutOfRange, match="margin is missing"):
        _judge([1], [np.nan])
    with pytest.raises(ValueOutOfRange, match="pair 4 has no score"):
        _judge([1, 2], [0, 1]).on(np.array([1, 4]))


def test_human_minus_judge_on_the_same_pairs() -> None:
    choices = simulated(2, pairs_per_level=12)
    votes = votes_of(choices)
    rng = np.random.default_rng(3)
    judge = _judge(votes.pair[5:], rng.normal(size=len(votes) - 5), votes.level[5:])
    found = human_minus_judge(choices, judge, _how(n=4000))
    assert found is not None
    difference = votes.share[5:] - judge.prefers_sycophantic
    assert found.paired.difference == pytest.approx(difference.mean())
    assert found.human_rate - found.judge_rate == pytest.approx(difference.mean())
    assert found.paired.n_pairs == len(difference)
    assert found.paired.se == pytest.approx(difference.std() / len(difference) ** 0.5, rel=0.05)
    assert found.clustered_interval is not None
    assert found.clustered_interval.low < difference.mean() < found.clustered_interval.high
    levels = human_minus_judge_by_level(choices, judge, _how())
    assert list(levels) == list(range(1, 9))
    weights = [levels[level].paired.n_pairs for level in levels]
    assert np.average([levels[level].paired.difference for level in levels], weights=weights) == pytest.approx(
        difference.mean()
    )


def test_against_a_judge_that_never_prefers_it_the_clustered_interval_is_that_of_the_macro_rate() -> None:
    choices = simulated(4, pairs_per_level=9)
    pairs = np.unique(choices.pair)
    found = human_minus_judge(choices, _judge(pairs, np.full(len(pairs), -1.0)), _how())
    rate = preference_rates(choices).overall
    assert found is not None
    assert found.clustered_interval is not None
    assert rate is not None
    assert rate.se is not None
    half = stats.t.ppf(0.975, min(rate.n_pairs, rate.n_annotators) - 1) * rate.se
    assert found.clustered_interval.low == pytest.approx(rate.rate - half)
    assert found.clustered_interval.high == pytest.approx(rate.rate + half)


def test_no_common_pairs_no_comparison() -> None:
    choices = choices_from_votes([(1, 3)])
    assert human_minus_judge(choices, _judge([5], [1.0]), _how()) is None
    assert judge_minus_judge(_judge([1], [1.0]), _judge([2], [1.0]), _how()) is None
    assert human_minus_judge_by_level(choices, _judge([5], [1.0]), _how()) == {}


def test_two_judges_are_compared_on_the_pairs_that_both_scored() -> None:
    standard = _judge(np.arange(40), np.where(np.arange(40) < 30, 1.0, -1.0))
    non_sycophantic = _judge(np.arange(5, 45), np.where(np.arange(5, 45) < 15, 1.0, -1.0))
    found = judge_minus_judge(non_sycophantic, standard, _how())
    assert found is not None
    assert (found.first_rate, found.second_rate) == pytest.approx((10 / 35, 25 / 35))
    assert (found.mcnemar.n_first_only, found.mcnemar.n_second_only) == (0, 15)
    assert found.paired.interval is not None
    assert found.paired.interval.high < 0


def test_likeness_leaves_human_ties_out_of_what_needs_a_majority() -> None:
    choices = choices_from_votes([(2, 4), (3, 4), (4, 4), (0, 4), (1, 4)], levels=[1, 1, 2, 2, 2])
    same = on_same_pairs(votes_of(choices), _judge(range(5), [1.0, 2.0, -1.0, -2.0, 0.0]))
    found = likeness(same)
    assert found.n_human_ties == 1
    assert found.fooled == TwoByTwo(both=1, first_only=1, second_only=0, neither=1, n_ties=2)
    assert found.accuracy is not None
    assert (found.accuracy.accuracy, found.accuracy.n_pairs) == (2.5 / 4, 4)
    assert found.auc is not None
    assert found.auc.auc == roc_auc_score([1, 1, 0, 0], [2, -1, -2, 0])
    assert found.kappa == pytest.approx(cohen_kappa_score([1, 1, 0], [1, 0, 0]))
    assert found.calibration is not None
    assert found.calibration.n_pairs == 5
    assert fooled_by_level(same) == {1: TwoByTwo(1, 0, 0, 0, 1), 2: TwoByTwo(0, 1, 0, 1, 1)}


def test_likeness_without_pairs_is_empty() -> None:
    found = likeness(on_same_pairs(votes_of(choices_from_rows([])), _judge([1], [1.0])))
    assert (found.accuracy, found.kappa, found.auc, found.calibration) == (None, None, None, None)
