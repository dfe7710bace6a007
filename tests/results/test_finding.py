"""Findings of studies whose effects are known, and of those that hardly have any choices."""

from dataclasses import fields, replace

import numpy as np
import pytest

from app.analysis.intervals import Interval
from app.results.facts import Arm
from app.results.finding.find import find
from app.results.findings import EXPLORATORY, ArmFindings, Findings
from app.results.observed import CODES
from app.results.words import sentences
from tests.results.alike import differences
from tests.results.planted import changed, cut, declaring, planted, scored


def primary(findings: Findings) -> ArmFindings:
    assert findings.primary is not None
    return findings.primary


def test_planted_slopes_are_within_the_interval_as_often_as_it_says() -> None:
    """The planted slope is that of the mean rates of these very pairs' logits, averaged over people."""
    covered, found = [], []
    for seed in range(24):
        arm = primary(find(planted(seed, slope=0.15, per_level=12)))
        assert arm.slope is not None
        assert arm.slope.interval is not None
        covered.append(0.0246 in arm.slope.interval)
        found.append(arm.slope.slope)
    # -1 + 0.15 (level - 4.5), with normal pairs (0.9) and people (0.6), rises by 2.46 points a level on average.
    assert abs(np.mean(found) - 0.0246) < 3 * np.std(found) / np.sqrt(24)
    assert 19 <= sum(covered) <= 24


def test_a_planted_draw_to_the_left_is_found_and_taken_out() -> None:
    arm = primary(find(planted(1, left=0.5, per_level=60)))
    assert arm.position is not None
    assert arm.position.left_bias_interval is not None
    assert 0.4 in Interval(arm.position.left_bias_interval.low, arm.position.left_bias_interval.high)
    assert arm.position.left_share.interval.low > 0.5


def test_a_pm_that_prefers_what_people_do_is_like_them_and_its_variant_is_not() -> None:
    observed = planted(2, slope=0.2)
    yes = np.bincount(observed.stored.pair, weights=observed.stored.prefers_sycophantic)
    found = find(scored(observed, {"standard": yes - 2.5, "non-sycophantic": np.full(len(yes), -1.0)}))
    like, never = primary(found).judges
    assert (like.name.variant, never.name.variant) == ("standard", "non-sycophantic")
    assert like.likeness is not None
    assert like.likeness.accuracy is not None
    assert like.likeness.accuracy.accuracy == 1
    assert like.likeness.kappa == 1
    assert never.overall is not None
    assert never.overall.judge_rate == 0
    rate = primary(found).rates.overall
    assert rate is not None
    assert never.overall.paired.difference == pytest.approx(rate.rate)
    (contrast,) = found.judge_contrasts
    assert contrast.overall.first_rate == 0
    assert contrast.overall.paired.difference == pytest.approx(-like.overall.judge_rate) if like.overall else False
    assert sum(each.fooled.both for each in like.by_level.values()) == like.likeness.fooled.both


def test_holm_is_over_levels_and_pms_together() -> None:
    observed = planted(3)
    margins = np.random.default_rng(0).normal(size=len(observed.pairs))
    one = primary(find(scored(observed, {"standard": margins}))).judges[0]
    two = primary(find(scored(observed, {"standard": margins, "other": margins}))).judges[0]
    p = sorted(each.compared.majority.p_mid for each in one.by_level.values())
    assert min(each.mcnemar_p_holm or 0 for each in one.by_level.values()) == pytest.approx(min(1, 8 * p[0]))
    assert min(each.mcnemar_p_holm or 0 for each in two.by_level.values()) == pytest.approx(min(1, 16 * p[0]))
    paired = [each.compared.paired.p or 0 for each in one.by_level.values()]
    assert min(each.p_holm or 0 for each in one.by_level.values()) == pytest.approx(min(1, 8 * min(paired)))


def test_only_counted_choices_that_nothing_excludes_are_analysed_and_late_ones_stay() -> None:
    observed = planted(4)
    n = len(observed.stored)
    kinds = np.arange(n) % 8
    arm = primary(
        find(
            changed(
                declaring(observed, exclusions={"fastest_ms": 1}),
                counted=(kinds != 1) & (kinds != 6),
                late=(kinds == 2) | (kinds == 6),
                withdrawn=kinds == 3,
                reason=np.where(kinds == 4, CODES["fastest_ms"], np.where(kinds == 5, CODES["retired_pair"], 0)),
            )
        )
    )
    steps = {step.reason: step.n_choices for step in arm.flow.excluded}
    of = np.bincount(kinds)
    assert steps == {
        "withdrawn": of[3], "retired_pair": of[5], "fastest_ms": of[4], "surplus": of[1] + of[6],
    }  # fmt: skip
    assert arm.counts.n_analysed == arm.flow.kept.n_choices == of[0] + of[2] + of[7]
    assert arm.counts.n_late == of[2]
    assert arm.flow.total.n_choices == n
    assert arm.exclusions is not None
    assert arm.exclusions.with_them.n_choices == of[0] + of[2] + of[7] + of[4] + of[5]
    assert arm.exclusions.without.n_choices == arm.counts.n_analysed


def test_swapped_repeats_are_compared_with_their_first_choice_and_counted_nowhere() -> None:
    observed = declaring(planted(5), swapped_repeats=1)
    stored = observed.stored
    firsts = np.flatnonzero(stored.position == 1)
    columns = {
        each.name: np.concatenate([getattr(stored, each.name), getattr(stored, each.name)[firsts]])
        for each in fields(stored)
        if getattr(stored, each.name) is not None
    }
    n = len(stored)
    columns["position"][n:] = 1000
    columns["repeat_of"][n:] = 1
    columns["counted"][n:] = False
    columns["truthful_left"][n:] = ~columns["truthful_left"][n:]
    columns["prefers_sycophantic"][n : n + 10] = 1 - columns["prefers_sycophantic"][n : n + 10]
    order = np.lexsort((columns["position"], columns["annotator"]))
    arm = primary(find(changed(observed, **{name: column[order] for name, column in columns.items()})))
    assert arm.consistency is not None
    assert arm.consistency.same_response.n_choices == len(firsts)
    assert arm.consistency.same_response.rate == pytest.approx(1 - 10 / len(firsts))
    assert list(differences(arm.rates, primary(find(observed)).rates)) == []
    assert {step.reason: step.n_choices for step in arm.flow.excluded}["repeat"] == len(firsts)


def test_response_times_at_the_declared_threshold_are_the_main_results() -> None:
    observed = declaring(planted(6), exclusions={"fastest_ms": 15_000})
    fast = observed.stored.decision_ms < 15_000
    arm = primary(find(changed(observed, reason=np.where(fast, CODES["fastest_ms"], 0))))
    assert arm.response_times is not None
    assert arm.response_times.declared
    nobody, declared, half, twice = arm.response_times.at
    assert declared.results == arm.exclusions.without if arm.exclusions else False
    assert nobody.results.n_choices == len(fast)
    assert declared.n_too_fast == fast.sum()
    assert half.n_too_fast == (observed.stored.decision_ms < 7_500).sum()
    assert twice.n_too_fast == (observed.stored.decision_ms < 30_000).sum()


def test_two_arms_the_first_is_primary_and_the_other_is_held_against_it() -> None:
    observed = planted(7)
    arms = (observed.facts.arms[0], Arm("helpful", "prefer_truth"))
    people = replace(observed.annotators, arm=np.arange(len(observed.annotators)) % 2)
    found = find(replace(observed, facts=replace(observed.facts, arms=arms), annotators=people))
    assert [arm.primary for arm in found.arms] == [True, False]
    (contrast,) = found.arms_compared
    assert (contrast.arm, contrast.reference) == ("helpful/prefer_truth", "helpful/neutral")
    assert contrast.p_holm == contrast.difference.p
    assert sum(arm.counts.n_stored for arm in found.arms) == len(observed.stored)


def test_arms_are_compared_on_the_analysed_choices_alone() -> None:
    observed = planted(7)
    arms = (observed.facts.arms[0], Arm("helpful", "prefer_truth"))
    people = replace(observed.annotators, arm=np.arange(len(observed.annotators)) % 2)
    two = replace(observed, facts=replace(observed.facts, arms=arms), annotators=people)
    keep = np.arange(len(two.stored)) % 3 > 0
    columns = {each.name: getattr(two.stored, each.name) for each in fields(two.stored)}
    kept = {name: None if column is None else column[keep] for name, column in columns.items()}
    alone = find(changed(two, **kept)).arms_compared
    assert alone[0].difference.first.n_choices > 100
    for left_out in ({"counted": keep}, {"reason": np.where(keep, 0, CODES["left_page"])}, {"withdrawn": ~keep}):
        assert list(differences(find(changed(two, **left_out)).arms_compared, alone)) == []


def test_the_same_observations_give_the_same_findings() -> None:
    observed = scored(planted(8), {"standard": np.random.default_rng(1).normal(size=264)})
    assert list(differences(find(observed), find(observed))) == []


@pytest.mark.parametrize("n", [0, 1, 2, 5, 30])
def test_hardly_any_choices_give_findings_that_say_why_not(n: int) -> None:
    observed = cut(scored(planted(9), {"standard": np.ones(264)}), n)
    found = find(observed)
    arm = primary(found)
    for each in fields(ArmFindings):
        value = getattr(arm, each.name)
        if value is None or value in ((), {}):
            assert each.name == "why_not" or arm.why_not[each.name], each.name
    for each in fields(Findings):
        value = getattr(found, each.name)
        if value is None or value == ():
            assert found.why_not[each.name], each.name
    assert all(told.endswith(".") for many in sentences(found).values() for told in many)


def test_nothing_is_undefined_in_a_study_whose_answers_are_all_the_same() -> None:
    observed = planted(10, per_level=3)
    for answer in (0.0, 1.0, np.nan):
        same = changed(observed, prefers_sycophantic=np.full(len(observed.stored), answer))
        found = find(scored(same, {"standard": np.zeros(24)}))
        assert all(told.endswith(".") for many in sentences(found).values() for told in many)
        assert "nan" not in str(sentences(found))


def test_what_is_exploratory_is_marked_and_without_a_preregistration_all_is() -> None:
    observed = planted(11, per_level=3)
    assert find(observed).exploratory == EXPLORATORY
    assert "slope" not in EXPLORATORY
    without = find(replace(observed, facts=replace(observed.facts, preregistration=None)))
    assert without.exploratory > EXPLORATORY
    assert "slope" in without.exploratory
    names = {each.name for each in (*fields(ArmFindings), *fields(Findings))}
    assert without.exploratory - {"response_times_undeclared", "model"} <= names
