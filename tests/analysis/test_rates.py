"""Preference rates: a second implementation, the fallback's edges, and properties for any choices."""

from math import isfinite
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from app.analysis.choices import Choices
from app.analysis.clustering import anova_icc
from app.analysis.intervals import wilson
from app.analysis.margins import Coded, Margins, margins_of
from app.analysis.rates import Icc, Rate, Weighting, clustered_rate, preference_rates, rates_by_arm, rates_of
from tests.analysis.examples import any_choices, choices_from_rows, choices_from_votes, reordered, simulated, turned

EMPTY = choices_from_rows([])


def _second_implementation(choices: Choices, weighting: Weighting) -> tuple[float, float | None]:
    """Rate and standard error by loops over choices."""
    kept = [i for i in range(len(choices)) if not np.isnan(choices.prefers_sycophantic[i])]
    sizes = {p: sum(choices.pair[j] == p for j in kept) for p in {int(choices.pair[i]) for i in kept}}
    weight = {
        i: 1 / (len(sizes) * sizes[int(choices.pair[i])]) if weighting == "pairs" else 1 / len(kept) for i in kept
    }
    rate = sum(weight[i] * choices.prefers_sycophantic[i] for i in kept)

    def clustered(key: list[object]) -> tuple[float, int]:
        sums: dict[object, float] = {}
        for i, own in zip(kept, key, strict=True):
            sums[own] = sums.get(own, 0) + weight[i] * (choices.prefers_sycophantic[i] - rate)
        return sum(value**2 for value in sums.values()), len(sums)

    pairs, people = [int(choices.pair[i]) for i in kept], [int(choices.annotator[i]) for i in kept]
    parts = [clustered(list(key)) for key in (pairs, people, kept)]
    if min(n for _, n in parts[:2]) < 2:
        return rate, None
    pair, person, cell = (square * n / (n - 1) for square, n in parts)
    variance = pair + person - cell
    variance = variance if variance >= max(pair, person) / 2 * (1 - 1e-9) else max(pair, person)
    return rate, variance**0.5 if variance > 1e-24 else None


@settings(max_examples=300)
@given(any_choices(), st.sampled_from(["pairs", "choices"]))
def test_rate_and_standard_error_are_those_of_loops_over_choices(choices: Choices, weighting: Weighting) -> None:
    found = clustered_rate(margins_of(choices), weighting)
    if found is None:
        assert not choices.decided.any()
        return
    rate, se = _second_implementation(choices, weighting)
    assert found.rate == pytest.approx(rate, abs=1e-12)
    assert (found.se is None) == (se is None)
    assert (found.se or 0) == pytest.approx(se or 0, rel=1e-9)
    if found.method == "logit_t":
        df = min(found.n_pairs, found.n_annotators) - 1
        half = stats.t.ppf(0.975, df) * (se or 0) / (rate * (1 - rate))
        ends = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + np.array([-half, half]))))
        assert [found.interval.low, found.interval.high] == pytest.approx(ends, abs=1e-9)
    else:
        assert found.interval == wilson(found.rate * found.n_effective, found.n_effective)


def _all_rates(choices: Choices) -> list[Rate | None]:
    rates = preference_rates(choices)
    return [rates.overall, rates.overall_micro, *rates.by_level.values(), *rates.by_level_micro.values()]


@settings(max_examples=200)
@given(any_choices())
def test_every_number_is_finite_and_every_interval_holds_its_rate(choices: Choices) -> None:
    for rate in _all_rates(choices):
        if rate is not None:
            assert 0 <= rate.interval.low <= rate.rate <= rate.interval.high <= 1
            assert rate.interval.low < rate.interval.high
            assert isfinite(rate.n_effective)
            assert 1 - 1e-12 <= rate.n_effective <= rate.n_choices + 1e-9


@settings(max_examples=150)
@given(any_choices(), st.randoms(use_true_random=False))
def test_order_and_names_of_pairs_and_people_do_not_matter(choices: Choices, random: object) -> None:
    order = np.random.default_rng(1).permutation(len(choices))
    shuffled = reordered(choices, order)
    renamed = Choices(
        1000 - 7 * shuffled.pair,
        5 * shuffled.annotator - 3,
        shuffled.level,
        shuffled.prefers_sycophantic,
        shuffled.truthful_left,
    )
    assert _as_figures(_all_rates(choices)) == _nearly(_as_figures(_all_rates(renamed)))


@settings(max_examples=150)
@given(any_choices())
def test_exchanging_the_responses_mirrors_every_rate_and_interval(choices: Choices) -> None:
    for rate, mirror in zip(_all_rates(choices), _all_rates(turned(choices)), strict=True):
        if rate is None or mirror is None:
            assert rate is mirror
            continue
        assert mirror.rate == pytest.approx(1 - rate.rate, abs=1e-12)
        assert mirror.method == rate.method
        assert mirror.interval.low == pytest.approx(1 - rate.interval.high, abs=1e-9)
        assert mirror.interval.high == pytest.approx(1 - rate.interval.low, abs=1e-9)


def _as_figures(rates: list[Rate | None]) -> list[list[float] | None]:
    return [
        None
        if rate is None
        else [
            *(rate.rate, rate.n_effective, rate.n_pairs, rate.n_annotators, rate.n_choices),
            *(rate.interval.low, rate.interval.high),
        ]
        for rate in rates
    ]


def _nearly(figures: list[list[float] | None]) -> list[Any]:
    return [numbers and pytest.approx(numbers, rel=1e-6, abs=1e-9) for numbers in figures]


def test_no_choices_have_no_rate() -> None:
    rates = preference_rates(EMPTY)
    assert rates.overall is rates.overall_micro is None
    assert rates.by_level == rates.by_level_micro == {}
    assert rates_by_arm(EMPTY) == {}


def test_nothing_but_ties_has_no_rate_and_counts_the_ties() -> None:
    rates = preference_rates(choices_from_rows([(1, 1, 1, np.nan, True), (2, 1, 1, np.nan, False)]))
    assert rates.overall is None
    assert rates.n_ties == 2


def test_pairs_without_a_level_count_overall_only() -> None:
    rates = preference_rates(choices_from_votes([(1, 2), (2, 2)], levels=[0, 3]))
    assert rates.overall is not None
    assert rates.overall.n_pairs == 2
    assert list(rates.by_level) == [3]


def test_rate_0_counts_every_cluster_as_one_answer_where_no_correlation_is_known() -> None:
    """3 pairs x 4 people: Σw² = 1/12, ΣW² = 1/3 by pair and 1/4 by person; 1/n_eff = 1/3 + 1/4 - 1/12 = ½."""
    rate = preference_rates(choices_from_votes([(0, 4)] * 3)).overall
    assert rate is not None
    assert (rate.rate, rate.method, rate.se) == (0, "wilson_effective_n", None)
    assert rate.n_effective == pytest.approx(2)
    assert rate.interval == wilson(0, rate.n_effective)


def test_rate_0_at_a_level_borrows_the_correlations_of_all_levels() -> None:
    choices = choices_from_votes([(0, 4), (0, 4), (1, 4), (3, 4), (2, 4)], levels=[1, 1, 2, 2, 2])
    sums = margins_of(choices)
    rate = preference_rates(choices).by_level[1]
    assert rate == clustered_rate(sums.at_level(1), pooled=_icc_of_all(choices))
    alone = clustered_rate(sums.at_level(1))
    assert alone is not None
    assert rate.n_effective > alone.n_effective


def _icc_of_all(choices: Choices) -> Icc:
    people = np.unique(choices.annotator)
    own = [choices.prefers_sycophantic[choices.annotator == person] for person in people]
    pairs = [choices.prefers_sycophantic[choices.pair == pair] for pair in np.unique(choices.pair)]
    return Icc(
        anova_icc([len(y) for y in pairs], [y.sum() for y in pairs]),
        anova_icc([len(y) for y in own], [y.sum() for y in own]),
    )


def test_one_person_says_as_much_about_people_as_one_answer_does() -> None:
    rate = preference_rates(choices_from_rows([(pair, 1, 1, pair % 2, True) for pair in range(40)])).overall
    assert rate is not None
    assert rate.method == "wilson_effective_n"
    assert rate.n_effective == pytest.approx(1)


def test_effective_n_of_equal_clusters_is_n_over_the_design_effect() -> None:
    """5 votes of 5 different people on each pair, everybody once: only the pairs correlate."""
    rng = np.random.default_rng(2)
    votes = rng.binomial(5, rng.beta(1, 2, size=30))
    rows = [(pair, 5 * pair + i, 1, float(i < s), True) for pair, s in enumerate(votes) for i in range(5)]
    choices = choices_from_rows(rows)
    icc = _icc_of_all(choices).pair
    rate = preference_rates(choices).overall
    assert rate is not None
    assert icc is not None
    assert rate.n_effective == pytest.approx(150 / (1 + 4 * icc))


def test_macro_gives_every_pair_and_micro_every_choice_the_same_weight() -> None:
    rates = preference_rates(choices_from_votes([(1, 1), (0, 3)]))
    assert rates.overall is not None
    assert rates.overall_micro is not None
    assert (rates.overall.rate, rates.overall_micro.rate) == (0.5, 0.25)


def test_arms_are_analysed_apart() -> None:
    choices = simulated(4, pairs_per_level=3)
    arm = choices.annotator % 2
    split = Choices(
        choices.pair, choices.annotator, choices.level, choices.prefers_sycophantic, choices.truthful_left, arm=arm
    )
    rates = rates_by_arm(split)
    assert list(rates) == [0, 1]
    for code in (0, 1):
        assert rates[code] == preference_rates(split.where(arm == code))
    assert rates_by_arm(choices)[0] == preference_rates(choices)


def test_sums_from_elsewhere_give_the_same_numbers() -> None:
    choices = simulated(6, pairs_per_level=5)
    sums = margins_of(choices)
    lists: dict[str, Any] = {name: list(getattr(sums, name)) for name in Margins.__dataclass_fields__}
    copied = Margins(**lists)
    assert rates_of(copied) == preference_rates(choices)


@settings(max_examples=100)
@given(any_choices(), st.data())
def test_sums_of_some_are_those_of_a_study_that_has_no_others(choices: Choices, data: st.DataObject) -> None:
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(choices), max_size=len(choices))), np.bool_)
    some, alone = Coded.of(choices).margins(keep), margins_of(choices.where(keep))
    for name in Margins.__dataclass_fields__:
        np.testing.assert_allclose(getattr(some, name), getattr(alone, name), rtol=1e-14, atol=1e-15, err_msg=name)


def test_level_intervals_cover_the_planted_rates() -> None:
    """120 small studies, 4 levels each: 95 % nominal; a coarse guard, benchmarks/validity measures it."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    truth = [float(weights @ (1 / (1 + np.exp(-(a + np.hypot(0.9, 0.6) * nodes))))) for a in np.linspace(-1.3, -0.7, 4)]
    covered = [
        truth[level - 1] in rate.interval
        for seed in range(120)
        for level, rate in preference_rates(simulated(seed, n_levels=4, pairs_per_level=25)).by_level.items()
    ]
    assert 0.92 <= np.mean(covered) <= 0.985
