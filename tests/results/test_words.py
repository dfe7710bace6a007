"""Sentences say no more than the interval allows."""

from dataclasses import replace

import numpy as np
import pytest

from app.analysis.aggregation import AggregationCurve
from app.analysis.contrasts import Difference
from app.analysis.exclusions import Flow, Results, Sensitivity, Step
from app.analysis.functionals import PairShare
from app.analysis.intervals import Interval
from app.analysis.judges import HumanMinusJudge
from app.analysis.majority import MajorityRates
from app.analysis.paired import PairedDifference, mcnemar
from app.analysis.rates import Rate, Rates
from app.analysis.resampling import Resampled
from app.analysis.response_times import AtThreshold
from app.analysis.trend import Slope
from app.results import exclusion_words, judge_words, phrases, words
from app.results.finding.find import find
from app.results.finding.views import LEFT_OUT
from app.results.findings import ArmContrast
from app.results.judged import AgainstPeople, JudgeName
from app.results.observed import CODES
from tests.results.planted import changed, planted


def rate(value: float, low: float, high: float) -> Rate:
    return Rate(value, Interval(low, high), "logit_t", 0.02, 100.0, 33, 60, 165)


def slope(value: float, low: float, high: float, p: float = 0.01) -> Slope:
    return Slope(value, 0.2, 0.01, Interval(low, high), 2.0, 59, p, 264, 60, 8)


def share(value: float, low: float, high: float) -> PairShare:
    return PairShare(value, Interval(low, high), "logit_t", 0.02, 33, 60)


def test_a_rate_is_said_to_be_below_half_only_where_its_interval_is() -> None:
    assert words.of_rate(rate(0.31, 0.27, 0.36)) == (
        "People preferred the sycophantic response in 31 % of choices, averaged over pairs (95 % interval 27–36 %): "
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
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.004, "0.4 %"),
        (0.997, "99.7 %"),
        (0.0004, "< 0.1 %"),
        (0.9996, "> 99.9 %"),
        (0.5, "50 %"),
    ],
)
def test_only_what_is_nothing_or_all_reads_so(given: float, said: str) -> None:
    assert phrases.percent(given) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.27, 0.36, "27–36 %"),
        (0.0, 1.0, "0–100 %"),
        (0.0004, 0.05, "< 0.1 to 5 %"),
        (0.95, 0.9996, "95 to > 99.9 %"),
        (1e-9, 1 - 1e-9, "< 0.1 to > 99.9 %"),
    ],
)
def test_an_interval_that_all_but_ends_at_nothing_or_all_says_so(low: float, high: float, said: str) -> None:
    assert phrases.interval_words(Interval(low, high)) == f"95 % interval {said}"


@pytest.mark.parametrize(("given", "said"), [(0.0304, "+3.0 points"), (-0.0304, "−3.0 points"), (0.0001, "0.0 points")])
def test_points_have_a_sign(given: float, said: str) -> None:
    assert phrases.points(given) == said


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
    for few in (replace(unsure, n_pairs=2), replace(unsure, n_annotators=1)):
        assert words.of_slope(few) == (
            "The preference changes by +2.0 points a level; how surely, so few choices cannot tell."
        )
    assert "p < 0.001" in words.of_slope(slope(0.02, 0.01, 0.03, 0.0))
    assert "p = 0.012" in words.of_slope(slope(0.02, 0.01, 0.03, 0.012))


def test_a_slope_without_residuals_is_not_put_down_to_few_choices() -> None:
    whole = planted(per_level=4)
    nobody = find(changed(whole, prefers_sycophantic=np.zeros(len(whole.stored))))
    assert words.of_slope(nobody.arms[0].slope) == (
        "The preference changes by 0.0 points a level; how surely cannot be told, as no pair and no person departs "
        "from that line."
    )


def test_arms_differ_clearly_only_where_the_adjusted_p_says_so_too() -> None:
    one, other = rate(0.4, 0.3, 0.5), rate(0.3, 0.2, 0.4)
    apart = Difference(0.1, Interval(0.01, 0.2), 0.05, 0.03, 30, one, other)
    contrast = ArmContrast("helpful/prefer_truth", "helpful/neutral", apart, 0.04)
    told = "helpful/prefer_truth: +10.0 points, 95 % interval +1.0 to +20.0"
    assert words.of_arms((contrast,)) == f"{told}."
    for p in (0.06, None):
        assert words.of_arms((replace(contrast, p_holm=p),)) == f"{told}, no clear difference."
    within = replace(contrast, difference=replace(apart, interval=Interval(-0.01, 0.2)))
    assert words.of_arms((within,)).endswith("no clear difference.")


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
    assert exclusion_words.of_flow(flow) == (
        "11 of 20 stored choices are analysed; left out: 3: person failed the easy pairs; 3: fills no slot (surplus); "
        "3: own rule."
    )
    assert exclusion_words.of_analysed(flow) == "11 of 20 stored choices are analysed."
    assert exclusion_words.of_flow(replace(flow, excluded=(), kept=flow.total)) == "All 20 stored choices are analysed."


def test_where_every_choice_is_left_out_it_is_said_why() -> None:
    whole = planted(per_level=4)
    n = len(whole.stored)
    gone = find(changed(whole, reason=np.full(n, CODES["fastest_ms"])))
    said = (
        "No choice can be analysed yet.",
        f"0 of {n} stored choices are analysed; left out: {n}: faster than the fastest plausible time.",
    )
    assert words.of_arm(gone.arms[0]) == words.answer(gone) == said
    tied = find(changed(whole, prefers_sycophantic=np.full(n, np.nan)))
    assert words.of_arm(tied.arms[0]) == words.answer(tied) == ("Nobody has preferred either response yet.",)


def test_every_reason_has_words() -> None:
    assert set(exclusion_words.REASONS) == set(LEFT_OUT)


@pytest.mark.parametrize(
    ("many", "said"),
    [
        (share(0.12, 0.06, 0.19), "A majority of 5 is less often sycophantic than one person: 12 %"),
        (share(0.52, 0.45, 0.6), "A majority of 5 is more often sycophantic than one person: 52 %"),
        (share(0.22, 0.1, 0.31), "A majority of 5 is not clearly more or less often sycophantic than one person: 22 %"),
        (
            share(0.22, 0.16, 0.29),
            "A majority of 5 is not clearly more or less often sycophantic than one person: 22 %",
        ),
    ],
)
def test_more_people_are_said_to_change_the_vote_only_where_they_clearly_do(many: PairShare, said: str) -> None:
    curve = AggregationCurve({1: share(0.3, 0.2, 0.4), 5: many}, {}, {}, 33, 0)
    told = words.of_aggregation(curve)
    assert told.startswith(said)
    assert told.endswith("and 30 % (95 % interval 20–40 %).")


def results_at(rate_: Rate | None, n: int = 100) -> Results:
    return Results(n, Rates(rate_, {}, rate_, {}, 0), None)


def test_thresholds_at_which_nothing_is_left_are_no_rate_that_did_not_move() -> None:
    found, none = (AtThreshold(None, 0, results_at(each)) for each in (rate(0.3, 0.2, 0.4), None))
    other = replace(found, results=results_at(rate(0.35, 0.2, 0.4)))
    assert exclusion_words.of_response_times((found, none, none)) == (
        "Every choice is faster than every threshold: without fast choices nothing is left."
    )
    assert exclusion_words.of_response_times((found, other, none)) == (
        "At 1 of 3 thresholds of the time to decide nothing is left."
    )
    assert "does not move the rate: 30 % at every threshold" in exclusion_words.of_response_times((found, found))
    assert "is 30 to 35 %" in exclusion_words.of_response_times((found, other))


def test_where_nobody_looked_anything_up_nothing_is_compared() -> None:
    with_them, without = results_at(rate(0.3, 0.2, 0.4), 100), results_at(rate(0.25, 0.2, 0.4), 90)
    assert (
        exclusion_words.of_looked_up(Sensitivity(with_them, with_them))
        == "Nobody said that they had looked something up."
    )
    assert exclusion_words.of_looked_up(Sensitivity(with_them, without)) == (
        "With those who looked something up the preference is 30 %, without 25 %."
    )
    assert exclusion_words.of_looked_up(None) == "Nobody was asked whether they looked things up."


def drawn_again(estimate: float, interval: Interval | None) -> Resampled:
    return Resampled(estimate, None if interval is None else 0.1, interval, 2000, 0)


def test_agreement_without_spread_is_not_held_against_chance() -> None:
    alpha, raw = drawn_again(-0.11, Interval(-0.11, 0.3)), drawn_again(0.4, Interval(0.3, 0.5))
    assert words.of_agreement(alpha, raw) == (
        "Two people agree on 40 % of pairs (95 % interval 30–50 %); Krippendorff's alpha is −0.11: whether that is "
        "more than chance we cannot tell."
    )
    unsure = "Two people agree on 40 % of pairs (how surely cannot be told); Krippendorff's alpha is −0.11."
    assert words.of_agreement(drawn_again(-0.11, None), drawn_again(0.4, None)) == unsure
    assert words.of_agreement(drawn_again(-0.11, Interval(-0.2, -0.1)), drawn_again(0.4, None)) == unsure
    assert words.of_agreement(drawn_again(-0.11, None), raw).endswith("Krippendorff's alpha is −0.11.")
    assert words.of_agreement(None, drawn_again(1, None)) == (
        "Two people agree on 100 % of pairs (how surely cannot be told); Krippendorff's alpha is not defined, as all "
        "choices are the same."
    )


def against(drawn: Interval | None, clustered: Interval | None) -> AgainstPeople:
    paired = PairedDifference(0.1, drawn, 0.03, 0.01, 33)
    overall = HumanMinusJudge(0.4, 0.3, paired, clustered, mcnemar(5, 3))
    return AgainstPeople(JudgeName("r1", "pm", "reward", "standard", "helpful", False), 33, overall, {}, None, None)


def test_people_and_a_pm_are_told_apart_only_where_both_intervals_leave_out_0() -> None:
    narrow, wide, wider = Interval(0.02, 0.18), Interval(0.01, 0.19), Interval(-0.05, 0.25)
    assert judge_words.of_judge(against(narrow, wide)) == (
        "People prefer the sycophantic response more often than pm (standard, helpful) "
        "(40 % against 30 % of 33 pairs; +10.0 points, 95 % interval +1.0 to +19.0)."
    )
    for drawn, clustered in ((narrow, wider), (wider, narrow)):
        told = judge_words.of_judge(against(drawn, clustered))
        assert told.startswith("We cannot tell whether people or pm (standard, helpful) prefer")
        assert "95 % interval −5.0 to +25.0" in told
    below = Interval(-0.2, -0.1), Interval(-0.3, -0.05)
    assert judge_words.of_judge(against(*below)).startswith("People prefer the sycophantic response less often")


def test_a_wider_interval_that_leaves_out_0_does_not_outvote_one_that_holds_it() -> None:
    told = judge_words.of_judge(against(Interval(-0.01, 0.15), Interval(0.01, 0.3)))
    assert told.startswith("We cannot tell whether")
    assert "95 % interval −1.0 to +15.0" in told


def test_people_and_a_pm_without_one_of_the_intervals_are_not_told_apart() -> None:
    for drawn, clustered in ((None, Interval(0.01, 0.2)), (Interval(0.01, 0.2), None)):
        assert judge_words.of_judge(against(drawn, clustered)) == (
            "People and pm (standard, helpful): 40 % against 30 % of 33 pairs; how surely they differ cannot be told."
        )


def test_a_heading_has_no_full_stop() -> None:
    assert phrases.heading("People preferred it.") == "People preferred it"
