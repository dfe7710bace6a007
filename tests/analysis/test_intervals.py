"""Intervals: published tables, scipy's own, edges at 0 and n, and properties for any counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.analysis.arrays import ValueOutOfRange
from app.analysis.intervals import (
    Interval,
    clopper_pearson,
    jeffreys,
    logit_interval,
    newcombe_difference,
    student_interval,
    student_p,
    wilson,
)

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))

# Newcombe 1998, Statistics in Medicine 17:857-872, Table I: x, n, method 3 (score), method 5 (exact).
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0, 0.1611), (0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("x", "n", "score", "exact"), NEWCOMBE)
def test_published_table(x: int, n: int, score: tuple[float, float], exact: tuple[float, float]) -> None:
    assert _ends(wilson(x, n)) == pytest.approx(score, abs=5e-5)
    assert _ends(clopper_pearson(x, n)) == pytest.approx(exact, abs=5e-5)


def test_published_difference() -> None:
    """Newcombe 1998, Statistics in Medicine 17:873-890, method 10: 56/70 - 48/80."""
    assert _ends(newcombe_difference(56, 70, 48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def _ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


@given(counts, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_and_clopper_pearson_are_scipys(xn: tuple[int, int], confidence: float) -> None:
    test = stats.binomtest(*xn)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = test.proportion_ci(confidence, method)
        assert _ends(ours(*xn, confidence)) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(counts)
def test_jeffreys_holds_the_quantiles_of_its_posterior(xn: tuple[int, int]) -> None:
    low, high = _ends(jeffreys(*xn))
    x, n = xn
    assert stats.beta.cdf([low, high], x + 0.5, n - x + 0.5) == pytest.approx([0.025, 0.975], abs=1e-9)


@given(counts)
def test_intervals_mirror_when_success_and_failure_are_exchanged(xn: tuple[int, int]) -> None:
    x, n = xn
    for method in (wilson, clopper_pearson, jeffreys):
        low, high = _ends(method(x, n))
        assert 0 <= low <= x / n <= high <= 1 or method is jeffreys
        assert _ends(method(n - x, n)) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(counts, counts)
def test_a_difference_holds_its_estimate_and_turns_with_its_order(one: tuple[int, int], two: tuple[int, int]) -> None:
    low, high = _ends(newcombe_difference(*one, *two))
    assert -1 - 1e-12 <= low <= one[0] / one[1] - two[0] / two[1] <= high <= 1 + 1e-12
    assert _ends(newcombe_difference(*two, *one)) == pytest.approx((-high, -low), abs=1e-12)


def test_wilson_takes_fractions_and_ends_exactly_at_0_and_1() -> None:
    assert _ends(wilson(0, 7.3))[0] == 0
    assert _ends(wilson(7.3, 7.3))[1] == 1
    assert _ends(wilson(1.5, 7.5)) == pytest.approx(_ends(wilson(1.5, 7.5)))


def test_no_units_have_no_interval() -> None:
    assert wilson(0, 0) is clopper_pearson(0, 0) is jeffreys(0, 0) is newcombe_difference(0, 0, 1, 2) is None


def test_shares_and_confidences_that_cannot_be_are_refused() -> None:
    for method in (wilson, clopper_pearson, jeffreys):
        with pytest.raises(ValueOutOfRange, match="3 of 2 is no share"):
            method(3, 2)
        with pytest.raises(ValueOutOfRange, match="confidence is 95"):
            method(1, 2, 95)


def test_student_and_logit_intervals_are_scipys() -> None:
    assert _ends(student_interval(2.0, 0.5, 7, 0.9)) == pytest.approx(stats.t.interval(0.9, 7, 2.0, 0.5))
    low, high = stats.t.interval(0.95, 9, np.log(0.2 / 0.8), 0.05 / 0.16)
    assert _ends(logit_interval(0.2, 0.05, 9)) == pytest.approx((1 / (1 + np.exp(-low)), 1 / (1 + np.exp(-high))))
    assert student_p(1.2, 0.5, 11) == pytest.approx(2 * stats.t.sf(2.4, 11))
