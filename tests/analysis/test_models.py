"""The models beside the rates: second implementations, recovery of planted values, edges."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats
from sklearn.linear_model import LogisticRegression

from app.analysis.arrays import LengthsDiffer, ValueOutOfRange
from app.analysis.best_of_n import best_of_n, best_of_n_kl, oracle_best_of_n
from app.analysis.bradley_terry import bradley_terry
from app.analysis.convergence import rank_normalised_rhat
from app.analysis.dawid_skene import dawid_skene
from app.analysis.laplace import laplace_mode
from app.analysis.logistic import fit_logistic, logistic_slope
from app.analysis.marginal import marginal_rate
from app.analysis.power import sample_size


def test_weighted_logistic_regression_is_sklearns() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(500), rng.normal(size=(500, 2)) * [1, 30]])
    y = (rng.random(500) < special.expit(x @ [-1, 0.8, 0.02])).astype(float)
    weights = rng.random(500)
    found = fit_logistic(x, y, weights)
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
    theirs.fit(x, y, sample_weight=weights)
    assert found is not None
    assert found.coefficients == pytest.approx(theirs.coef_[0], abs=1e-6)
    assert found.influence.sum(axis=0) == pytest.approx(0, abs=1e-8)
    numeric = np.linalg.inv((x.T * (weights * found.fitted * (1 - found.fitted))) @ x)
    assert found.se == pytest.approx(np.sqrt(np.diag(numeric)))


@pytest.mark.parametrize(
    ("design", "y"),
    [
        ([[1, 0], [1, 1], [1, 2], [1, 3]], [0, 0, 1, 1]),  # separated
        ([[1, 0], [1, 1], [1, 2]], [1, 1, 1]),  # all the same
        ([[1, 2], [1, 2], [1, 2]], [0, 1, 0]),  # columns depend on each other
        (np.zeros((0, 2)), []),
        ([[0.0], [0.0]], [0, 1]),
    ],
)
def test_no_maximum_is_no_fit(design: object, y: object) -> None:
    assert fit_logistic(design, y) is None  # type: ignore[arg-type]


def test_faulty_designs_are_refused() -> None:
    with pytest.raises(LengthsDiffer):
        fit_logistic([[1.0]], [1, 0])
    with pytest.raises(ValueOutOfRange):
        fit_logistic([1.0], [1])
    with pytest.raises(ValueOutOfRange):
        fit_logistic([[np.inf]], [1])
    with pytest.raises(ValueOutOfRange):
        logistic_slope([3], [2], [1])


def test_empty_groups_do_not_change_a_logistic_slope() -> None:
    assert logistic_slope([1, 2, 0], [5, 5, 0], [1, 2, 9]) == logistic_slope([1, 2], [5, 5], [1, 2])
    assert logistic_slope([0, 0], [5, 5], [1, 2]) is None


def test_laplace_mode_is_an_l1_penalty_with_c_equal_to_the_scale() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(-1, 2, size=(300, 5)).astype(float)
    y = rng.random(300) < special.expit(x @ [0.8, -0.4, 0, 0.2, 0])
    theirs = LogisticRegression(l1_ratio=1, C=0.05, fit_intercept=False, solver="saga", tol=1e-12, max_iter=100_000)
    theirs.fit(x, y)
    assert laplace_mode(x, y, 0.05) == pytest.approx(theirs.coef_[0], abs=1e-6)


def test_a_laplace_prior_keeps_separated_answers_finite_and_a_tight_one_makes_all_effects_0() -> None:
    found = laplace_mode([[1], [1], [-1]], [1, 1, 0], 1.0)
    assert found is not None
    assert np.isfinite(found).all()
    assert laplace_mode([[1], [1], [-1]], [1, 1, 0], 1e-3) == pytest.approx([0])
    assert laplace_mode(np.zeros((0, 2)), [], 1.0) == pytest.approx([0, 0])
    with pytest.raises(ValueOutOfRange, match="scale"):
        laplace_mode([[1]], [1], 0)


def test_two_items_of_bradley_terry_are_the_logit_of_the_rate() -> None:
    assert bradley_terry([[0, 30], [10, 0]]) == pytest.approx([np.log(3), 0])
    assert bradley_terry([[0, 3], [0, 0]]) is None
    assert bradley_terry(np.zeros((0, 0))) is not None
    with pytest.raises(ValueOutOfRange):
        bradley_terry([[0, -1], [1, 0]])


def test_dawid_skene_finds_the_careless_annotator() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(300) < 0.4
    right = [0.9, 0.85, 0.8, 0.5]
    rows = [(who, pair, truth[pair] == (rng.random() < right[who])) for pair in range(300) for who in range(4)]
    found = dawid_skene(*np.transpose(rows))
    assert found is not None
    assert ((found.sycophantic > 0.5) == truth).mean() > 0.85
    contrast = found.says_sycophantic[:, 1] - found.says_sycophantic[:, 0]
    assert contrast.argmin() == 3
    assert dawid_skene([], [], []) is None


@given(st.integers(0, 2**20))
@settings(max_examples=10)
def test_dawid_skene_does_not_depend_on_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    person, pair = np.divmod(np.arange(60), 15)
    vote = rng.integers(0, 2, 60)
    order = rng.permutation(60)
    one, two = dawid_skene(person, pair, vote), dawid_skene(person[order], pair[order], vote[order])
    assert one is not None
    assert two is not None
    assert one.sycophantic == pytest.approx(two.sycophantic, abs=1e-5)


@pytest.mark.parametrize(("logit", "sd"), [(-1, 0), (-1, 1), (0.5, 1.2), (2, 3), (-3, 5), (1, 40)])
def test_marginal_rate_is_the_integral(logit: float, sd: float) -> None:
    def density(z: float) -> float:
        return float(special.expit(logit + sd * z) * stats.norm.pdf(z))

    assert marginal_rate([logit], [sd])[0] == pytest.approx(integrate.quad(density, -12, 12, limit=500)[0], abs=1e-8)


def test_rhat_tells_chains_that_agree_from_chains_that_do_not() -> None:
    draws = np.random.default_rng(4).normal(size=(4, 1000))
    assert rank_normalised_rhat(draws) == pytest.approx(1, abs=0.01)
    for shift in (draws + np.arange(4)[:, None], draws * np.array([1, 1, 1, 4])[:, None]):
        found = rank_normalised_rhat(shift)
        assert found is not None
        assert found > 1.05
    assert rank_normalised_rhat(draws**3) is not None
    assert rank_normalised_rhat(np.ones((2, 10))) is None
    with pytest.raises(ValueOutOfRange):
        rank_normalised_rhat([[1, 2, 3]])


def test_rhat_does_not_depend_on_a_rising_transformation_of_the_bulk() -> None:
    draws = np.random.default_rng(5).normal(size=(4, 500)) + np.arange(4)[:, None]
    assert rank_normalised_rhat(draws) == pytest.approx(rank_normalised_rhat(3 * draws + 7))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 1)), min_size=1, max_size=7))
def test_best_of_n_is_the_mean_over_all_subsets(pool: list[tuple[float, int]]) -> None:
    scores, values = np.transpose(pool)
    sizes = np.arange(1, len(pool) + 1)
    found = best_of_n(scores, values, sizes)
    for n in sizes:
        best = []
        for subset in combinations(range(len(pool)), int(n)):
            own = scores[list(subset)]
            best.append(values[list(subset)][own == own.max()].mean())
        assert found[n - 1] == pytest.approx(np.mean(best))


def test_an_oracles_best_of_n_is_pass_at_k() -> None:
    """1 - C(4,3)/C(10,3) with 6 of 10 truthful."""
    assert oracle_best_of_n([1] * 6 + [0] * 4, [1, 3, 10]) == pytest.approx([0.6, 1 - 4 / 120, 1])


def test_best_of_4096_is_exact_enough() -> None:
    rng = np.random.default_rng(6)
    scores, values = rng.permutation(4096), rng.integers(0, 2, 4096)
    found = best_of_n(scores, values, [1, 4095, 4096])
    best, second = values[np.argsort(scores)[[-1, -2]]]
    assert found == pytest.approx([values.mean(), (4095 * best + second) / 4096, best], abs=1e-8)


def test_best_of_n_refuses_what_the_pool_does_not_hold() -> None:
    for sizes in ([0], [3], [1.5]):
        with pytest.raises(ValueOutOfRange):
            best_of_n([1, 2], [0, 1], sizes)
    with pytest.raises(ValueOutOfRange):
        best_of_n([], [], [1])
    with pytest.raises(ValueOutOfRange):
        best_of_n_kl([0])


def test_sample_sizes_double_with_the_design_effect_and_refuse_no_difference() -> None:
    one, two = sample_size(0.2, 0.3), sample_size(0.2, 0.3, design_effect=2)
    assert (two.pooled_z, two.cohen_h) == pytest.approx((2 * one.pooled_z, 2 * one.cohen_h))
    for arguments in ((0.2, 0.2), (0.2, 1.3), (0.2, 0.3, 0), (0.2, 0.3, 0.05, 1), (0.2, 0.3, 0.05, 0.8, 0)):
        with pytest.raises(ValueOutOfRange):
            sample_size(*arguments)
