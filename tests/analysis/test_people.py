"""Repeats, what people said of themselves, who is left out, and how fast they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from app.analysis.arrays import ColumnMissing, LengthsDiffer, ValueOutOfRange
from app.analysis.choices import Choices
from app.analysis.clustering import two_way
from app.analysis.consistency import consistency
from app.analysis.curves import curve
from app.analysis.exclusions import exclusion_flow, looked_up_in_and_out, results_of, with_and_without
from app.analysis.response_times import Threshold, by_threshold, too_fast
from tests.analysis.examples import any_choices, choices_from_rows, choices_from_votes, simulated

TIE = float("nan")


def test_repeats_are_told_apart_by_response_and_by_side() -> None:
    found = consistency(
        first=[1, 0, 1, 0, TIE, 1],
        repeat=[1, 0, 0, 1, 1, 0],
        truthful_left=[True, True, True, True, True, False],
        pair=[1, 2, 3, 4, 5, 6],
        annotator=[1, 1, 2, 2, 3, 3],
    )
    assert found is not None
    assert found.same_response.rate == pytest.approx(2 / 5)
    # Right then right (sycophantic was right first); left then left twice: truthful, then sycophantic, on the left.
    assert (found.n_right_twice, found.n_left_twice) == (1, 2)
    assert (found.n_to_truthful, found.n_to_sycophantic, found.n_ties) == (2, 1, 1)


def test_full_consistency_has_an_interval_below_one() -> None:
    found = consistency([1, 0, 1], [1, 0, 1], [True, False, True], [1, 2, 3], [1, 2, 3])
    assert found is not None
    assert (found.same_response.rate, found.same_response.method) == (1, "wilson_effective_n")
    assert found.same_response.interval.low < 1


def test_no_repeats_no_consistency() -> None:
    assert consistency([], [], [], [], []) is None
    assert consistency([TIE], [1], [True], [1], [1]) is None
    with pytest.raises(LengthsDiffer):
        consistency([1], [1, 0], [True], [1], [1])


# Curves.


def test_points_are_the_micro_rates_of_each_answer() -> None:
    choices = choices_from_votes([(1, 4), (3, 4), (2, 4)])
    answers = np.array([1, 2, 3, np.nan] * 3)
    found = curve(choices, answers)
    assert [(point.low, point.high) for point in found.points] == [(1, 1), (2, 2), (3, 3)]
    assert [point.rate.rate for point in found.points] == pytest.approx([1, 2 / 3, 1 / 3])
    assert found.n_unanswered == 3


def test_bins_hold_their_lower_edge_and_the_last_its_upper() -> None:
    choices = choices_from_votes([(2, 5)])
    found = curve(choices, [0, 49, 50, 99, 100], edges=[0, 50, 100])
    assert [(point.low, point.high, point.rate.n_choices) for point in found.points] == [(0, 50, 2), (50, 100, 3)]
    for edges in ([0, 50], [5], [1, 1]):
        with pytest.raises(ValueOutOfRange):
            curve(choices, [0, 49, 50, 99, 100], edges=edges)


@settings(max_examples=100)
@given(any_choices(), st.integers(0, 2**20))
def test_curve_slope_is_least_squares_over_choices(choices: Choices, seed: int) -> None:
    answers = np.random.default_rng(seed).integers(1, 4, len(choices)).astype(float)
    found = curve(choices, answers)
    used = choices.decided
    if len(np.unique(answers[used])) < 2:
        assert found.slope is None
        return
    x, y = answers[used], choices.prefers_sycophantic[used]
    line = stats.linregress(x, y)
    assert found.slope == pytest.approx(line.slope, abs=1e-9)
    influence = (x - x.mean()) * (y - line.intercept - line.slope * x) / ((x - x.mean()) ** 2).sum()
    variance = two_way(influence, choices.pair[used], choices.annotator[used]).variance()
    assert (found.slope_interval is None) == (variance is None) == (found.p is None)


def test_nobody_answered() -> None:
    found = curve(choices_from_votes([(1, 2)]), [np.nan, np.nan])
    assert (found.points, found.slope, found.n_unanswered) == ((), None, 2)


# Exclusions.


def test_the_flow_counts_every_choice_once() -> None:
    flow = exclusion_flow(
        pair=[1, 2, 1, 2, 3],
        annotator=["a", "a", "b", "c", "c"],
        reason=["", "fast", "", "check", "fast"],
        order=["check", "late"],
    )
    assert [(step.reason, step.n_choices, step.n_annotators, step.n_pairs) for step in flow.excluded] == [
        ("check", 1, 1, 1),
        ("late", 0, 0, 0),
        ("fast", 2, 2, 2),
    ]
    assert (flow.total.n_choices, flow.total.n_annotators, flow.total.n_pairs) == (5, 3, 3)
    assert (flow.kept.n_choices, flow.kept.n_annotators, flow.kept.n_pairs) == (2, 2, 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["", "a", "b", "c"]))))
def test_the_flow_adds_up(rows: list[tuple[int, int, str]]) -> None:
    pair, annotator, reason = zip(*rows, strict=True) if rows else ((), (), ())
    flow = exclusion_flow(pair, annotator, reason, order=["b"])
    assert flow.kept.n_choices + sum(step.n_choices for step in flow.excluded) == flow.total.n_choices == len(rows)


def test_leaving_nobody_out_changes_nothing() -> None:
    choices = simulated(1, pairs_per_level=3)
    found = with_and_without(choices, np.zeros(len(choices), dtype=bool))
    assert found.with_them == found.without == results_of(choices)
    with pytest.raises(LengthsDiffer):
        with_and_without(choices, [True])


def test_leaving_everybody_out_leaves_no_rate() -> None:
    choices = choices_from_votes([(1, 3)])
    assert with_and_without(choices, [True] * 3).without.rates.overall is None


def test_looked_up_in_and_out() -> None:
    plain = choices_from_votes([(1, 4)])
    choices = Choices(
        plain.pair,
        plain.annotator,
        plain.level,
        plain.prefers_sycophantic,
        plain.truthful_left,
        looked_up=np.array([0, 1, np.nan, 0]),
    )
    found = looked_up_in_and_out(choices)
    assert (found.with_them.n_choices, found.without.n_choices) == (4, 3)
    with pytest.raises(ColumnMissing):
        looked_up_in_and_out(plain)


# Response times.


def _timed(decision_ms: list[float], words: float = 100) -> Choices:
    plain = choices_from_rows([(index, index, 1, index % 2, True) for index in range(len(decision_ms))])
    return Choices(
        plain.pair,
        plain.annotator,
        plain.level,
        plain.prefers_sycophantic,
        plain.truthful_left,
        words_truthful=np.full(len(plain), words),
        words_sycophantic=np.full(len(plain), words),
        decision_ms=np.array(decision_ms),
    )


def test_too_fast_is_below_the_floor_or_the_time_to_read() -> None:
    """200 words at 1,000 a minute take 12,000 ms."""
    choices = _timed([11_999, 12_000, np.nan, 0])
    assert too_fast(choices, Threshold(3_000, 1_000)).tolist() == [True, False, False, True]
    assert too_fast(choices, Threshold(12_500, 1_000)).tolist() == [True, True, False, True]
    assert too_fast(choices, Threshold(0, np.inf)).tolist() == [False] * 4


@given(st.floats(0, 1e5), st.floats(1, 1e4), st.floats(0.1, 10))
def test_a_scaled_threshold_asks_for_that_much_longer(floor: float, pace: float, factor: float) -> None:
    one, other = Threshold(floor, pace), Threshold(floor, pace).scaled(factor)
    least = [max(each.floor_ms, 60_000 * 200 / each.words_per_minute) for each in (one, other)]
    assert least[1] == pytest.approx(factor * least[0])


def test_results_without_a_threshold_as_declared_and_at_two_others() -> None:
    choices = simulated(5, pairs_per_level=4)
    found = by_threshold(choices, Threshold(5_000, 1_000))
    assert [each.threshold for each in found] == [
        None,
        Threshold(5_000, 1_000),
        Threshold(2_500, 2_000),
        Threshold(10_000, 500),
    ]
    assert found[0].results == results_of(choices)
    assert [each.n_too_fast for each in found] == sorted([each.n_too_fast for each in found[:1]]) + [
        int(too_fast(choices, each.threshold).sum()) for each in found if each.threshold
    ]
    assert found[2].n_too_fast < found[1].n_too_fast < found[3].n_too_fast


def test_thresholds_that_cannot_be_are_refused() -> None:
    for floor, pace in ((-1, 100), (np.nan, 100), (1, 0)):
        with pytest.raises(ValueOutOfRange):
            Threshold(floor, pace)
