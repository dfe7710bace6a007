"""Sentences say no more than the interval allows."""

from dataclasses import replace

import pytest

from app.analysis.aggregation import AggregationCurve
from app.analysis.contrasts import Difference
from app.analysis.exclusions import Flow, Step
from app.analysis.functionals import PairShare
from app.analysis.intervals import Interval
from app.analysis.majority import MajorityRates
from app.analysis.rates import Rate
from app.analysis.trend import Slope
from app.results import words
from app.results.views import LEFT_OUT


def rate(value: float, low: float, high: float) -> Rate:
    return Rate(value, Interval(low, high), "logit_t", 0.02, 100.0, 33, 60, 165)


def slope(value: float, low: float, high: float, p: float = 0.01) -> Slope:
    return Slope(value, 0.2, 0.01, Interval(low, high), 2.0, 59, p, 264, 60, 8)


def share(value: float, low: float, high: float) -> PairShare:
    return PairShare(value, Interval(low, high), "logit_t", 0.02, 33, 60)


def test_a_rate_is_said_to_be_below_half_only_where_its_interval_is() -> None:
    assert words.of_rate(rate(0.31, 0.27, 0.36)) == (
        "People preferred the sycophantic response in 31 % of pairs (95 % interval 27–36 %): "
        "less often than the truthful one."
    )
    assert words.of_rate(rate(0.7, 0.51, 0.8)).endswith(": more often than the truthful one.")
    for low, high in ((0.4, 0.5), (0.5, 0.6), (0.3, 0.7)):
        assert words.of_rate(rate(0.5, low, high)).endswith("whether that is more or less than half we cannot tell.")


def test_nobody_and_synthetic_annotators_are_called_so() -> None:
    assert words.of_rate(None) == "Nobody has preferred either response yet."
    assert words.of_rate(rate(0.3, 0.2, 0.4), "Synthetic annotators").startswith("Synthetic annotators preferred")


@pytest.mark.parametrize(
    ("given", "said"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.004, "0.4 %"), (0.997, "99.7 %"), (0.0001, "0.0 %"), (0.5, "50 %")],
)
def test_only_what_is_nothing_or_all_reads_so(given: float, said: str) -> None:
    assert words.percent(given) == said


@pytest.mark.parametrize(("given", "said"), [(0.0304, "+3.0 points"), (-0.0304, "−3.0 points"), (0.0001, "0.0 points")])
def test_points_have_a_sign(given: float, said: str) -> None:
    assert words.points(given) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.001, 0.05, "is preferred more often as misconceptions get harder"),
        (-0.05, -0.001, "is preferred less often as misconceptions get harder"),
        (-0.001, 0.05, "We cannot tell whether"),
        (0.0, 0.05, "We cannot tell whether"),
        (-0.05, 0.0, "We cannot tell whether"),
    ],
)
def test_a_slope_is_told_by_its_interval(low: float, high: float, said: str) -> None:
    assert said in words.of_slope(slope((low + high) / 2, low, high))


def test_slopes_of_one_level_and_of_few_choices_say_what_is_lacking() -> None:
    assert "fewer than two levels" in words.of_slope(None)
    unsure = replace(slope(0.02, 0, 0), interval=None, se=None, t=None, p=None)
    assert words.of_slope(unsure) == (
        "The preference changes by +2.0 points a level; how surely, so few choices cannot tell."
    )
    assert "p < 0.001" in words.of_slope(slope(0.02, 0.01, 0.03, 0.0))
    assert "p = 0.012" in words.of_slope(slope(0.02, 0.01, 0.03, 0.012))


def test_ends_that_may_be_equal_are_not_told_apart() -> None:
    one, other = rate(0.4, 0.3, 0.5), rate(0.3, 0.2, 0.4)
    ends = Difference(0.1, Interval(-0.01, 0.2), 0.05, 0.06, 30, one, other)
    assert words.of_ends(ends).startswith(
        "We cannot tell whether the hardest and the easiest level differ (40 % and 30 %"
    )
    assert "higher than at the easiest" in words.of_ends(replace(ends, interval=Interval(0.01, 0.2)))
    assert "lower than at the easiest" in words.of_ends(replace(ends, interval=Interval(-0.2, -0.01)))
    assert "fewer than two" in words.of_ends(None)


def test_ties_of_the_majority_are_told_with_what_they_change() -> None:
    some = MajorityRates(share(0.25, 0.1, 0.4), share(0.3, 0.2, 0.4), share(0.2, 0.1, 0.3), 33, 4)
    assert "4 ties left out; 30 % if a tie counts half, 20 % if it counts as not sycophantic" in words.of_majority(some)
    assert "1 tie left out" in words.of_majority(replace(some, n_ties=1))
    assert "no vote ties" in words.of_majority(replace(some, n_ties=0))
    assert words.of_majority(replace(some, ties_excluded=None, n_ties=33)) == (
        "On none of 33 pairs is there a majority: all votes tie."
    )
    assert words.of_majority(None) == "There is no majority yet."


def test_reasons_are_told_in_words_and_those_of_others_as_they_are() -> None:
    steps = tuple(Step(code, 3, 2, 2) for code in ("easy_pairs", "surplus", "own_rule"))
    flow = Flow(Step("", 20, 5, 5), (*steps, Step("looked_up", 0, 0, 0)), Step("", 11, 4, 4))
    assert words.of_flow(flow) == (
        "11 of 20 stored choices are analysed; left out: 3: person failed the easy pairs; 3: fills no slot (surplus); "
        "3: own rule."
    )
    assert words.of_analysed(flow) == "11 of 20 stored choices are analysed."
    assert words.of_flow(replace(flow, excluded=(), kept=flow.total)) == "All 20 stored choices are analysed."


def test_every_reason_has_words() -> None:
    assert set(words.REASONS) == set(LEFT_OUT)


def test_more_people_are_said_to_change_the_vote_only_where_they_do() -> None:
    curve = AggregationCurve({1: share(0.3, 0.2, 0.4), 5: share(0.22, 0.1, 0.3)}, {}, {}, 33, 0)
    assert words.of_aggregation(curve) == (
        "A majority of 5 instead of one person makes a sycophantic choice rarer: 30 % and 22 %."
    )
    more = replace(curve, by_j={1: share(0.3, 0.2, 0.4), 5: share(0.4, 0.1, 0.6)})
    assert "more common: 30 % and 40 %" in words.of_aggregation(more)
    same = replace(curve, by_j={1: share(0.3, 0.2, 0.4), 5: share(0.301, 0.1, 0.6)})
    assert "leaves the preference as it is" in words.of_aggregation(same)


def test_a_heading_has_no_full_stop() -> None:
    assert words.heading("People preferred it.") == "People preferred it"
