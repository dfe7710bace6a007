"""The planner: the same assignment as a study's, the planned rates, the analysis itself, and a power table to meet."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.choices import Choices
from app.analysis.contrasts import rate_difference
from app.analysis.rates import preference_rates
from app.analysis.trend import preference_slope
from app.results.planning.plans import Plan, PlanFaulty, cost_of, percentages, plan_from, stated_pay
from app.results.planning.simulation import _draw, analysed, centres, deal, expect, simulate
from app.study.sizes import StudySize

SIZES = st.tuples(*[st.integers(1, 9)] * 8)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    pairs = draw(SIZES)
    return Plan(
        pairs=pairs,
        ratings_per_pair=draw(st.integers(1, 7)),
        pairs_per_annotator=draw(st.integers(1, sum(pairs))),
        seed=draw(st.integers(0, 99)),
        simulations=2,
    )


# Who judges what.


@settings(max_examples=150)
@given(plans())
def test_everybody_gets_distinct_pairs_and_every_pair_exactly_k(plan: Plan) -> None:
    shape = deal(plan, np.random.default_rng(plan.seed))
    assert np.bincount(shape.pair).tolist() == [plan.ratings_per_pair] * sum(plan.pairs)
    cells = Counter(zip(shape.annotator.tolist(), shape.pair.tolist(), strict=True))
    assert set(cells.values()) == {1}, "nobody meets a pair twice"
    each = np.bincount(shape.annotator)
    assert (each[:-1] == plan.pairs_per_annotator).all()
    assert 1 <= each[-1] <= plan.pairs_per_annotator
    assert len(each) == plan.annotators
    levels = np.bincount(shape.level[np.unique(shape.pair, return_index=True)[1]], minlength=9)[1:]
    assert tuple(levels) == plan.pairs


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 7), st.integers(1, 40), st.integers(0, 99))
def test_with_levels_of_one_size_everybody_is_spread_over_them_within_one(size: int, k: int, n: int, seed: int) -> None:
    plan = Plan(pairs=(size,), ratings_per_pair=k, pairs_per_annotator=min(n, 8 * size))
    shape = deal(plan, np.random.default_rng(seed))
    for person in range(plan.annotators):
        counts = np.bincount(shape.level[shape.annotator == person], minlength=9)[1:]
        assert counts.max() - counts.min() <= 1


def test_the_pairs_of_a_level_are_mixed_anew_in_each_round() -> None:
    plan = Plan(pairs=(33,), pairs_per_annotator=24)
    shape = deal(plan, np.random.default_rng(1))
    people = [frozenset(shape.pair[shape.annotator == person].tolist()) for person in range(plan.annotators)]
    assert len(set(people)) == plan.annotators


# What is drawn, and what is found.


def test_the_planned_rates_are_those_of_the_average_person_and_pair() -> None:
    plan = Plan(rates=(0.1, 0.8), simulations=150, sd_pair=1.5, sd_annotator=1.0)
    for row in expect(plan).levels:
        assert row.rate.value == pytest.approx(row.planned, abs=4.5 * row.rate.error)
    assert plan.rates[0] == 0.1
    assert plan.rates[7] == pytest.approx(0.8)


def test_variances_spread_pairs_and_people() -> None:
    def spread(plan: Plan, by: str) -> float:
        plan = replace(plan, rates=(0.5, 0.5))
        shape = deal(plan, np.random.default_rng(0))
        answers = _draw(plan, shape, centres(plan), 30, np.random.default_rng(1)).astype(float)
        codes = getattr(shape, by)
        means = np.array([np.bincount(codes, row) / np.bincount(codes) for row in answers])
        return float(means.var())

    none = Plan(sd_pair=0, sd_annotator=0)
    assert spread(replace(none, sd_pair=2), "pair") > 2 * spread(none, "pair")
    assert spread(replace(none, sd_annotator=2), "annotator") > 2 * spread(none, "annotator")
    assert spread(none, "annotator") == pytest.approx(0.25 / none.pairs_per_annotator, rel=0.1)


def test_each_simulated_study_is_given_to_the_analysis_itself() -> None:
    rng = np.random.default_rng(5)
    plan = Plan(pairs=(4,), ratings_per_pair=3, pairs_per_annotator=8)
    shape = deal(plan, rng)
    answers = rng.random(plan.choices) < 0.4
    found = analysed(shape, answers)
    choices = Choices(shape.pair, shape.annotator, shape.level, answers.astype(float), np.zeros(plan.choices, np.bool_))
    assert found.slope == preference_slope(choices)
    assert found.ends == rate_difference(choices, choices.level == 8, choices.level == 1)
    assert found.rates == preference_rates(choices).by_level


def test_the_same_seed_gives_the_same_numbers() -> None:
    plan = Plan(pairs=(3,), ratings_per_pair=2, pairs_per_annotator=6, simulations=20)
    assert expect(plan) == expect(plan)
    assert expect(plan) != expect(replace(plan, seed=2))


# A power table of 400 simulations each. Fewer are made here; both have their Monte Carlo error.
TABLE = [
    (33, 5, 0.43, 0.67),
    (66, 5, 0.70, 0.92),
    (100, 5, 0.86, 0.97),
    (33, 15, 0.67, 0.87),
]


@pytest.mark.parametrize(("pairs", "k", "ends", "slope"), TABLE)
def test_the_power_table_is_met(pairs: int, k: int, ends: float, slope: float) -> None:
    found = expect(Plan(pairs=(pairs,), ratings_per_pair=k, simulations=150))
    for estimate, published in ((found.ends_power, ends), (found.slope_power, slope)):
        theirs = sqrt(published * (1 - published) / 400)
        assert abs(estimate.value - published) < 3 * sqrt(estimate.error**2 + theirs**2)


def test_without_a_trend_it_is_found_as_seldom_as_promised() -> None:
    found = expect(Plan(pairs=(12,), rates=(0.3, 0.3), simulations=250))
    assert found.slope_power.value < 0.05 + 3 * sqrt(0.05 * 0.95 / 250)
    assert found.slope is not None
    assert abs(found.slope.value) < 4 * found.slope.error


def test_more_misconceptions_narrow_the_intervals() -> None:
    small, large = (expect(Plan(pairs=(size,), simulations=20)) for size in (16, 64))
    assert small.slope_width is not None
    assert large.slope_width is not None
    assert large.slope_width.value == pytest.approx(small.slope_width.value / 2, rel=0.15)
    for before, after in zip(small.levels, large.levels, strict=True):
        assert after.width.value < before.width.value
        assert after.low < after.planned < after.high


def test_a_share_of_all_or_none_has_an_error_too() -> None:
    found = expect(Plan(pairs=(2,), ratings_per_pair=1, pairs_per_annotator=4, rates=(0.3, 0.3), simulations=10))
    assert 0 < found.ends_power.error < 0.2


# Progress, and an end before it.


def test_progress_is_told_after_each_study() -> None:
    told: list[tuple[int, int]] = []
    expect(Plan(pairs=(2,), pairs_per_annotator=8, simulations=5), lambda *given: told.append(given))
    assert told == [(n, 5) for n in range(1, 6)]


@pytest.mark.parametrize(("after", "kept"), [(7, 7), (2, 2), (1, None)])
def test_interrupted_it_says_so_of_what_it_has(after: int, kept: int | None) -> None:
    plan = Plan(pairs=(2,), pairs_per_annotator=8, simulations=500)

    def interrupt(done: int, _wanted: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    if kept is None:
        with pytest.raises(KeyboardInterrupt):
            expect(plan, interrupt)
        return
    found = expect(plan, interrupt)
    assert found.simulations == kept
    studies = simulate(plan)
    mean = np.mean([next(studies).rates[1].rate for _ in range(kept)])
    assert found.levels[0].rate.value == pytest.approx(mean)


# What a plan can be.


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"pairs": (1, 2)}, "pairs"),
        ({"pairs": (3, 3, 3, 0, 3, 3, 3, 3)}, "pairs"),
        ({"pairs": (100_000,)}, "pairs"),
        ({"rates": (0.2,)}, "rates"),
        ({"rates": (0.2, 1.0)}, "rates"),
        ({"ratings_per_pair": 0}, "ratings_per_pair"),
        ({"pairs_per_annotator": 265}, "pairs_per_annotator"),
        ({"arms": 0}, "arms"),
        ({"sd_pair": -1.0}, "sd_pair"),
        ({"sd_annotator": inf}, "sd_annotator"),
        ({"simulations": 1}, "simulations"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_its_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(PlanFaulty) as refusal:
        Plan(**values)  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert str(refusal.value).startswith(field.replace("_", " ") + ": ")


TYPED = {
    "pairs": "33",
    "ratings_per_pair": "5",
    "pairs_per_annotator": "20",
    "arms": "2",
    "rates": "20 %, 30 %",
    "sd_pair": "0.9",
    "sd_annotator": "0",
    "simulations": "50",
    "seed": "4",
}


def test_a_plan_is_read_from_what_is_typed() -> None:
    plan = plan_from(TYPED | {"rates": "20%; 30.5"})
    assert (plan.pairs, plan.arms, plan.sd_annotator, plan.seed) == ((33,) * 8, 2, 0.0, 4)
    assert plan.rates[0] == 0.2
    assert plan.rates[-1] == pytest.approx(0.305)
    assert plan_from(TYPED | {"pairs": "1,2 3, 4 5 6 7 8", "pairs_per_annotator": "9"}).pairs == tuple(range(1, 9))
    assert percentages("rates", "1 2 3 4 5 6 7 8") == tuple(n / 100 for n in range(1, 9))


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("pairs", ""),
        ("pairs", "33.5"),
        ("pairs", "²"),
        ("rates", "0.2, 0.3"),
        ("rates", "twenty"),
        ("rates", "20, 120"),
        ("sd_pair", "nan"),
        ("sd_pair", "-1"),
        ("sd_annotator", "1e5"),
        ("seed", "1 2"),
        ("simulations", "9" * 30),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_field(field: str, typed: str) -> None:
    with pytest.raises(PlanFaulty) as refusal:
        plan_from(TYPED | {field: typed})
    assert refusal.value.field == field


@settings(max_examples=300)
@given(st.sampled_from(sorted(TYPED)), st.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused(field: str, typed: str) -> None:
    with suppress(PlanFaulty):
        assert isinstance(plan_from(TYPED | {field: typed}), Plan)


# People and money.


@settings(max_examples=60)
@given(plans(), st.integers(1, 3))
def test_people_are_those_of_the_study(plan: Plan, arms: int) -> None:
    size = StudySize(plan.pairs, plan.ratings_per_pair, plan.pairs_per_annotator, arms)
    assert size.annotators == plan.annotators * arms
    assert size.choices == plan.choices * arms


@pytest.mark.parametrize(
    ("pay", "fee", "total", "written"),
    [
        ("£2.50", 33.3, Decimal("439.89"), "£439.89"),
        ("2.50 EUR", 0.0, Decimal("330.00"), "330.00 EUR"),
        ("  3 ", 10.0, Decimal("435.60"), "435.60"),
        ("$1000", 0.0, Decimal("132000.00"), "$132,000.00"),
    ],
)
def test_pay_and_fee_add_up_over_all_arms(pay: str, fee: float, total: Decimal, written: str) -> None:
    cost = cost_of(Plan(arms=2), pay, fee)
    assert cost is not None
    assert (cost.people, cost.total, cost.written(cost.total)) == (132, total, written)
    assert cost.pay + cost.fee == cost.total


def test_pay_in_words_costs_nothing_that_can_be_added_up() -> None:
    assert cost_of(Plan(), "") is None
    assert stated_pay("unpaid") == ""
    assert stated_pay(" £2.50 ") == "£2.50"
    with pytest.raises(PlanFaulty) as refusal:
        cost_of(Plan(), "a voucher")
    assert refusal.value.field == "pay"
