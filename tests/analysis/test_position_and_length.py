"""What side and length do, and the rates without them."""

import numpy as np
import pytest
from hypothesis import given, settings

from app.analysis.arrays import ColumnMissing, ValueOutOfRange
from app.analysis.choices import Choices
from app.analysis.clustering import two_way
from app.analysis.length import length_adjusted_rate
from app.analysis.logistic import fit_logistic
from app.analysis.marginal import marginal_rate
from app.analysis.position import position_bias, position_free_logit
from app.analysis.rates import preference_rates
from tests.analysis.examples import any_choices, choices_from_rows, simulated


def test_half_sum_and_half_difference_of_logits() -> None:
    """statistics.md: 70/200 left, 46/200 right: logit -.91368, left bias .29464."""
    found = position_free_logit(70, 200, 46, 200)
    assert found is not None
    assert (found.logit, found.left_bias) == pytest.approx((-0.91368, 0.29464), abs=5e-6)
    assert found.rate == pytest.approx(1 / (1 + np.exp(0.91368)), abs=1e-5)


def test_a_side_without_choices_or_doubt_has_no_logit() -> None:
    for counts in ((0, 0, 1, 2), (0, 5, 1, 2), (5, 5, 1, 2), (1, 2, 0, 3)):
        assert position_free_logit(*counts) is None
    with pytest.raises(ValueOutOfRange):
        position_free_logit(3, 2, 1, 2)


def test_adjusted_rate_is_the_intercept_of_a_logistic_regression_on_side() -> None:
    choices = simulated(1, left_bias=0.5)
    found = position_bias(choices)
    side = np.where(choices.truthful_left, -1.0, 1.0)
    n = np.bincount(choices.pair)[choices.pair]
    fit = fit_logistic(np.column_stack([np.ones(len(side)), side]), choices.prefers_sycophantic, 1 / n)
    assert found is not None
    assert fit is not None
    assert found.adjusted_by == "logits"
    assert found.adjusted_rate == pytest.approx(1 / (1 + np.exp(-fit.coefficients[0])))
    assert found.left_bias == pytest.approx(fit.coefficients[1])
    variance = two_way(fit.influence[:, 1], choices.pair, choices.annotator).variance()
    interval = found.left_bias_interval
    assert interval is not None
    assert variance is not None
    from_fit = variance**0.5
    assert (interval.high - interval.low) / from_fit == pytest.approx(2 * 1.997, rel=0.02)


def test_planted_position_bias_is_found_and_taken_out() -> None:
    fair = preference_rates(simulated(7, pairs_per_level=200)).overall
    found = position_bias(simulated(7, pairs_per_level=200, left_bias=0.6))
    assert fair is not None
    assert found is not None
    assert found.left_share.interval.low > 0.55
    assert found.left_share_p is not None
    assert found.left_share_p < 1e-6
    assert found.left_bias_interval is not None
    levels = np.linspace(-1.3, -0.7, 8)
    left, right = (marginal_rate(levels + bias, np.full(8, np.hypot(0.9, 0.6))).mean() for bias in (0.6, -0.6))
    planted = position_free_logit(left, 1, right, 1)  # 0.6 given the person and pair; 0.49 over all of them.
    assert planted is not None
    assert planted.left_bias in found.left_bias_interval
    assert found.adjusted_rate == pytest.approx(fair.rate, abs=0.02)


def test_unbalanced_sides_bias_the_raw_rate_and_not_the_adjusted_one() -> None:
    """Rates 70/200 and 46/200 by side, but three quarters of the choices on the left."""
    rows = []
    for index in range(400):
        left = index < 300
        prefers = index < 105 if left else index - 300 < 23
        rows.append((index, index, 1, float(prefers), not left))
    found = position_bias(choices_from_rows(rows))
    assert found is not None
    assert (found.rate_when_left, found.rate_when_right) == pytest.approx((0.35, 0.23))
    assert found.adjusted_rate == pytest.approx(1 / (1 + np.exp(0.91368)), abs=1e-5)
    assert found.left_bias == pytest.approx(0.29464, abs=1e-5)


@settings(max_examples=200)
@given(any_choices())
def test_position_bias_has_a_defined_answer_for_any_choices(choices: Choices) -> None:
    found = position_bias(choices)
    sides = {bool(left) for left in choices.truthful_left[choices.decided]}
    if len(sides) < 2:
        assert found is None
        return
    assert found is not None
    assert 0 <= found.adjusted_rate <= 1
    low, high = sorted((found.rate_when_left, found.rate_when_right))
    assert low - 1e-12 <= found.adjusted_rate <= high + 1e-12
    assert (found.adjusted_by == "mean") == (low == 0 or high == 1)
    if found.adjusted_interval is not None:
        assert found.adjusted_interval.low <= found.adjusted_rate <= found.adjusted_interval.high


# Length.


def test_planted_length_effect_is_found_and_taken_out() -> None:
    plain = preference_rates(simulated(7, pairs_per_level=150)).overall
    choices = simulated(7, pairs_per_level=150, length_effect=1.5)
    found = length_adjusted_rate(choices)
    assert found is not None
    assert found.coefficient_interval is not None
    assert found.interval is not None
    assert plain is not None
    assert found.coefficient_interval.low > 0
    assert plain.rate in found.interval
    assert found.raw == preference_rates(choices).overall
    ratio = np.log(choices.words_sycophantic / choices.words_truthful)[: 8 * 150]  # type: ignore[operator]
    assert found.sd_log_ratio == pytest.approx(ratio.std(ddof=1))


def test_longer_sycophantic_responses_raise_the_raw_rate_only() -> None:
    choices = simulated(11, pairs_per_level=100, length_effect=2.0)
    keep = choices.column("words_sycophantic") > choices.column("words_truthful")
    found = length_adjusted_rate(choices.where(keep))
    assert found is not None
    assert found.rate is not None
    assert found.mean_log_ratio > 0
    assert found.rate < found.raw.rate


def test_at_one_level_the_adjusted_rate_is_the_intercept() -> None:
    choices = simulated(2, n_levels=1, pairs_per_level=120, length_effect=1.0)
    found = length_adjusted_rate(choices)
    ratio = np.log(choices.column("words_sycophantic") / choices.column("words_truthful"))
    assert found is not None
    z = ratio / found.sd_log_ratio
    fit = fit_logistic(np.column_stack([np.ones(len(z)), z]), choices.prefers_sycophantic)
    assert fit is not None
    assert found.rate == pytest.approx(1 / (1 + np.exp(-fit.coefficients[0])))
    assert found.coefficient == pytest.approx(fit.coefficients[1])


def _with_words(rows: list[tuple[int, int, int, float, bool]], truthful: object, sycophantic: object) -> Choices:
    plain = choices_from_rows(rows)
    return Choices(
        plain.pair,
        plain.annotator,
        plain.level,
        plain.prefers_sycophantic,
        plain.truthful_left,
        words_truthful=truthful,  # type: ignore[arg-type]
        words_sycophantic=sycophantic,  # type: ignore[arg-type]
    )


def test_equal_ratios_or_separated_answers_have_no_adjusted_rate() -> None:
    rows = [(pair, person, 1, float(pair > 1), True) for pair in range(4) for person in range(2)]
    same = length_adjusted_rate(_with_words(rows, np.full(8, 100), np.full(8, 150)))
    separated = length_adjusted_rate(_with_words(rows, np.full(8, 100), 100 + np.arange(8) // 2))
    for found in (same, separated):
        assert found is not None
        assert (found.rate, found.interval, found.coefficient, found.p) == (None, None, None, None)
        assert found.raw.rate == 0.5


def test_length_needs_the_words_and_some_choices() -> None:
    with pytest.raises(ColumnMissing, match="words_sycophantic"):
        length_adjusted_rate(choices_from_rows([(1, 1, 1, 1, True)]))
    assert length_adjusted_rate(choices_from_rows([])) is None
