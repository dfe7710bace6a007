"""Bootstraps, McNemar, paired differences and multiplicity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.analysis.arrays import LengthsDiffer, ValueOutOfRange
from app.analysis.multiplicity import benjamini_hochberg, holm, holm_of
from app.analysis.paired import mcnemar, mcnemar_of, paired_difference, two_by_two
from app.analysis.resampling import Bootstrap, bootstrap_p, mean_over_pairs, percentile_interval, resampled_sums

p_values = st.lists(st.floats(0, 1), max_size=20)
answers = st.lists(st.tuples(st.sampled_from([0, 0.5, 1]), st.sampled_from([0, 0.5, 1])), max_size=40)


def test_resampled_sums_have_the_moments_of_drawing_pairs() -> None:
    rng = np.random.default_rng(2)
    rows = np.column_stack([rng.integers(0, 4, 60), rng.normal(size=60)])
    sums = resampled_sums(rows, 20_000, np.random.default_rng(1))
    assert sums.mean(axis=0) == pytest.approx(rows.sum(axis=0), abs=0.3)
    assert np.cov(sums.T) == pytest.approx(np.cov(rows.T, ddof=0) * 60, rel=0.05, abs=0.5)


def test_a_seed_gives_the_same_resamples_however_they_are_pieced(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(3).normal(size=(50, 2))
    whole = resampled_sums(rows, 300, np.random.default_rng(7))
    monkeypatch.setattr("app.analysis.resampling._CELLS", 400)
    assert np.array_equal(whole, resampled_sums(rows, 300, np.random.default_rng(7)))


def test_a_bootstrap_needs_pairs_and_resamples() -> None:
    with pytest.raises(ValueOutOfRange, match="at least one pair"):
        resampled_sums(np.zeros((0, 1)), 10, np.random.default_rng(1))
    with pytest.raises(ValueOutOfRange, match="n_resamples is 0"):
        resampled_sums(np.zeros((2, 1)), 0, np.random.default_rng(1))
    assert mean_over_pairs([], Bootstrap(np.random.default_rng(1))) is None


def test_percentiles_and_p_agree_about_zero() -> None:
    draws = np.random.default_rng(1).normal(1.9, 1, 999)
    interval, p = percentile_interval(draws), bootstrap_p(draws)
    assert interval.low == pytest.approx(np.percentile(draws, 2.5))
    assert (0 in interval) == (p > 0.05)
    assert bootstrap_p(np.zeros(10)) == 1
    assert bootstrap_p(np.ones(999)) == pytest.approx(2 / 1000)


def test_mcnemar_by_fagerland() -> None:
    """statistics.md: 5 against 14: exact .06357, mid-p .04139."""
    test = mcnemar(5, 14)
    assert (test.p_exact, test.p_mid) == pytest.approx((0.06357, 0.04139), abs=5e-6)


@given(st.integers(0, 60), st.integers(0, 60))
def test_exact_mcnemar_is_a_binomial_test_and_mid_p_is_smaller(b: int, c: int) -> None:
    test = mcnemar(b, c)
    assert test.p_exact == pytest.approx(stats.binomtest(b, b + c).pvalue if b + c else 1.0)
    assert 0 <= test.p_mid <= test.p_exact <= 1
    turned = mcnemar(c, b)
    assert (test.p_mid, test.p_exact) == (turned.p_mid, turned.p_exact)
    assert test.p_mid == pytest.approx(1.0 if b == c else test.p_exact - stats.binom.pmf(min(b, c), b + c, 0.5))


def test_mcnemar_without_discordant_pairs_finds_nothing() -> None:
    test = mcnemar_of([1, 0, 0.5, 1], [1, 0, 1, 0.5])
    assert (test.p_mid, test.p_exact, test.chi2, test.p_chi2) == (1, 1, None, None)
    with pytest.raises(ValueOutOfRange):
        mcnemar(-1, 2)
    with pytest.raises(LengthsDiffer):
        mcnemar_of([1], [1, 0])


@given(answers)
def test_the_two_by_two_adds_up_and_mcnemar_reads_its_corners(pairs: list[tuple[float, float]]) -> None:
    first, second = zip(*pairs, strict=True) if pairs else ((), ())
    table, test = two_by_two(first, second), mcnemar_of(first, second)
    assert table.both + table.first_only + table.second_only + table.neither + table.n_ties == len(pairs)
    assert (table.first_only, table.second_only) == (test.n_first_only, test.n_second_only)
    assert table.n_ties == sum(0.5 in pair for pair in pairs)


def test_paired_difference_has_the_standard_error_of_paired_pairs() -> None:
    rng = np.random.default_rng(5)
    people = rng.integers(0, 6, 200) / 5
    judge = np.where(rng.random(200) < 0.7, people > 0.5, rng.random(200) < 0.5).astype(float)
    found = paired_difference(people, judge, Bootstrap(np.random.default_rng(1), 8000))
    assert found is not None
    assert found.difference == pytest.approx((people - judge).mean())
    assert found.se == pytest.approx((people - judge).std() / 200**0.5, rel=0.03)
    assert found.interval is not None
    assert found.interval.low < found.difference < found.interval.high


def test_paired_difference_without_spread_has_no_interval() -> None:
    how = Bootstrap(np.random.default_rng(1), 100)
    found = paired_difference([0.2, 0.4, 0.6], [0.2, 0.4, 0.6], how)
    assert found is not None
    assert (found.difference, found.interval, found.p) == (0, None, None)
    assert paired_difference([], [], how) is None


@given(p_values)
def test_holm_is_the_closed_definition(p: list[float]) -> None:
    adjusted = holm(p)
    for index, own in enumerate(p):
        steps = [value * sum(other >= value for other in p) for value in p if value <= own]
        assert adjusted[index] == pytest.approx(min(1, max(steps)))


def test_a_named_family_leaves_out_tests_without_a_p() -> None:
    family = {(1, "standard"): 0.01, (2, "standard"): None, (1, "non-sycophantic"): 0.03}
    assert holm_of(family) == pytest.approx({(1, "standard"): 0.02, (1, "non-sycophantic"): 0.03})


@given(p_values)
def test_benjamini_hochberg_is_scipys(p: list[float]) -> None:
    theirs = stats.false_discovery_control(p) if p else []
    assert benjamini_hochberg(p) == pytest.approx(np.asarray(theirs), abs=1e-12)


def test_p_values_outside_0_to_1_are_refused() -> None:
    for method in (holm, benjamini_hochberg):
        with pytest.raises(ValueOutOfRange):
            method([0.2, 1.2])
        with pytest.raises(ValueOutOfRange):
            method([0.2, np.nan])
