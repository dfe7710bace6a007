"""The primary slope, the isotonic fit and Cochran-Armitage, against second implementations and planted trends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from app.analysis.arrays import LengthsDiffer, ValueOutOfRange
from app.analysis.choices import Choices
from app.analysis.clustering import two_way
from app.analysis.trend import cochran_armitage, isotonic, isotonic_by_level, preference_slope
from tests.analysis.examples import any_choices, choices_from_rows, choices_from_votes, reordered, simulated, turned


@settings(max_examples=300)
@given(any_choices())
def test_slope_is_least_squares_on_pair_rates_with_choice_level_influences(choices: Choices) -> None:
    found = preference_slope(choices)
    used = choices.decided & (choices.level > 0)
    pair, level, y = choices.pair[used], choices.level[used], choices.prefers_sycophantic[used]
    if len(np.unique(level)) < 2:
        assert found is None
        return
    assert found is not None
    pairs = np.unique(pair)
    x = np.array([level[pair == p][0] for p in pairs], dtype=np.float64)
    share = np.array([y[pair == p].mean() for p in pairs])
    line = stats.linregress(x, share)
    assert found.slope == pytest.approx(line.slope, abs=1e-9)
    assert found.intercept == pytest.approx(line.intercept, abs=1e-9)
    n = np.array([(pair == p).sum() for p in pair])
    weight = (level - x.mean()) / ((x - x.mean()) ** 2).sum() / n
    parts = two_way(weight * (y - line.intercept - line.slope * level), pair, choices.annotator[used])
    variance = parts.variance(n_parameters=2)
    assert (found.se is None) == (variance is None)
    if variance is not None and found.se is not None and found.interval is not None:
        assert found.se == pytest.approx(variance**0.5, rel=1e-6)
        df = min(found.n_pairs, found.n_annotators) - 1
        assert (found.df, found.n_pairs) == (df, len(pairs))
        assert found.p == pytest.approx(2 * stats.t.sf(abs(line.slope) / found.se, df), abs=1e-6)
        assert found.interval.high - found.slope == pytest.approx(stats.t.ppf(0.975, df) * found.se, rel=1e-6)


@settings(max_examples=100)
@given(any_choices())
def test_order_does_not_matter_and_exchanging_the_responses_turns_the_slope(choices: Choices) -> None:
    found = preference_slope(choices)
    shuffled = preference_slope(reordered(choices, np.random.default_rng(2).permutation(len(choices))))
    mirror = preference_slope(turned(choices))
    if found is None or shuffled is None or mirror is None:
        assert found is shuffled is mirror is None
        return
    assert shuffled.slope == pytest.approx(found.slope, abs=1e-12)
    assert mirror.slope == pytest.approx(-found.slope, abs=1e-9)
    assert (mirror.se or 0) == pytest.approx(found.se or 0, rel=1e-6)


def test_edges_give_a_slope_without_an_interval_or_no_slope() -> None:
    assert preference_slope(choices_from_rows([])) is None
    assert preference_slope(choices_from_votes([(1, 2), (2, 2)])) is None
    flat = preference_slope(choices_from_votes([(0, 3)] * 4, levels=[1, 2, 3, 4]))
    assert flat is not None
    assert (flat.slope, flat.se, flat.interval, flat.t, flat.p) == (0, None, None, None, None)
    alone = preference_slope(choices_from_rows([(pair, 1, pair + 1, pair % 2, True) for pair in range(6)]))
    assert alone is not None
    assert (alone.df, alone.interval) == (0, None)


def test_a_planted_trend_is_found_and_its_absence_is_not() -> None:
    rising = preference_slope(simulated(1, pairs_per_level=60, logits=(-2, 0.5)))
    flat = [preference_slope(simulated(seed, pairs_per_level=12, logits=(-1, -1))) for seed in range(200)]
    assert rising is not None
    assert rising.p is not None
    assert rising.p < 1e-4
    assert 0.01 <= np.mean([slope is not None and slope.p is not None and slope.p < 0.05 for slope in flat]) <= 0.1


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), min_size=1, max_size=10))
def test_isotonic_fit_is_sklearns(levels: list[tuple[float, int]]) -> None:
    rates, weights = np.transpose(levels)
    theirs = IsotonicRegression().fit_transform(np.arange(len(rates)), rates, sample_weight=weights)
    assert isotonic(rates, weights) == pytest.approx(theirs, abs=1e-9)


def test_isotonic_by_hand() -> None:
    """.2 and .1 with 1 and 3 pairs pool to (.2 + .3)/4 = .125."""
    assert isotonic([0.2, 0.1, 0.4], [1, 3, 2]) == pytest.approx([0.125, 0.125, 0.4])
    assert isotonic([], []).size == 0


def test_isotonic_by_level_weighs_levels_by_pairs_and_passes_over_the_ungraded() -> None:
    choices = choices_from_votes([(1, 5), (0, 5), (1, 5), (0, 5), (2, 5), (4, 4)], levels=[1, 2, 2, 2, 5, 0])
    assert isotonic_by_level(choices) == pytest.approx({1: 0.1, 2: 0.1, 5: 0.4})
    assert isotonic_by_level(choices_from_rows([])) == {}


def test_faulty_weights_are_refused() -> None:
    with pytest.raises(ValueOutOfRange, match="above 0"):
        isotonic([0.1, 0.2], [1, 0])
    with pytest.raises(LengthsDiffer):
        isotonic([0.1, 0.2], [1])


@given(st.lists(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=8))
def test_cochran_armitage_is_the_correlation_of_answers_with_scores(groups: list[tuple[int, int]]) -> None:
    x, n = np.transpose(groups)
    found = cochran_armitage(x, n, np.arange(len(groups)))
    score = np.repeat(np.arange(len(groups)), n)
    answers = np.concatenate([[1.0] * yes + [0.0] * (size - yes) for yes, size in groups])
    if answers.min() == answers.max():
        assert found is None
        return
    r = np.corrcoef(score, answers)[0, 1]
    assert found is not None
    assert found.z == pytest.approx(r * len(answers) ** 0.5, abs=1e-9)
    assert found.mantel == pytest.approx(r**2 * (len(answers) - 1), abs=1e-9)


def test_cochran_armitage_has_no_answer_without_groups_or_spread() -> None:
    assert cochran_armitage([], [], []) is None
    assert cochran_armitage([1, 1], [2, 2], [3, 3]) is None
    with pytest.raises(ValueOutOfRange):
        cochran_armitage([3], [2], [1])
