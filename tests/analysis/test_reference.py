"""Every reference case, to its tolerance. Sources and published values stand beside the figures in reference.json."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.analysis import best_of_n as bon
from app.analysis.aggregation import condorcet, majority_of_j
from app.analysis.agreement import fleiss_kappa, gwet_ac1, krippendorff_alpha, rating_counts
from app.analysis.bradley_terry import bradley_terry
from app.analysis.calibration import calibration
from app.analysis.choices import Choices
from app.analysis.classification import accuracy, auc, cohen_kappa
from app.analysis.clustering import one_way_variance, two_way
from app.analysis.convergence import rank_normalised_rhat
from app.analysis.dawid_skene import dawid_skene
from app.analysis.intervals import Interval, clopper_pearson, wilson
from app.analysis.laplace import laplace_mode
from app.analysis.logistic import logistic_slope
from app.analysis.majority import majority_rates
from app.analysis.marginal import marginal_rate
from app.analysis.multiplicity import benjamini_hochberg, holm
from app.analysis.paired import TwoByTwo, mcnemar
from app.analysis.power import sample_size
from app.analysis.rates import preference_rates
from app.analysis.resampling import Bootstrap, mean_over_pairs
from app.analysis.trend import cochran_armitage
from tests.analysis.examples import choices_from_votes
from tests.analysis.reference import CASES

Inputs = Any
Computed = Any


def test_wilson() -> None:
    assert _misses("wilson_95", lambda given: [_ends(wilson(x, n, given["conf"])) for x, n in given["x_n"]]) == []


def test_clopper_pearson() -> None:
    assert (
        _misses(
            "clopper_pearson_95", lambda given: [_ends(clopper_pearson(x, n, given["conf"])) for x, n in given["x_n"]]
        )
        == []
    )


def _ends(interval: Interval | None) -> list[float]:
    assert interval is not None
    return [interval.low, interval.high]


def test_cochran_armitage() -> None:
    def compute(given: Inputs) -> Computed:
        trend = cochran_armitage(given["x"], given["n"], given["scores"])
        assert trend is not None
        return {"z": trend.z, "chi2": trend.chi2, "p_two_sided": trend.p, "mantel_M2_(N-1)r2": trend.mantel}

    assert _misses("cochran_armitage_infant_malformation", compute) == []


def test_logistic_slope() -> None:
    def compute(given: Inputs) -> Computed:
        fit = logistic_slope(given["x"], given["n"], given["levels"])
        assert fit is not None
        return {
            "intercept": fit.intercept,
            "slope": fit.slope,
            "se": [fit.se_intercept, fit.se_slope],
            "odds_ratio_per_level": fit.odds_ratio,
        }

    assert _misses("logistic_slope_8_levels", compute) == []


def test_majority_of_k_hypergeometric() -> None:
    def compute(given: Inputs) -> Computed:
        n = given["n_ratings"]
        found = {}
        for s in range(n + 1):
            for k in range(1, n + 1):
                chances = majority_of_j([s], [n], k)
                found[f"s={s},n={n},k={k}"] = [chances.strict[0], chances.tie[0], chances.half[0]]
        return found

    assert _misses("majority_of_k_hypergeometric", compute) == []


def test_majority_of_k_binomial() -> None:
    assert (
        _misses(
            "majority_of_k_binomial",
            lambda given: {f"p={p},k={k}": condorcet(p, k) for p in given["p"] for k in given["k"]},
        )
        == []
    )


def test_average_and_majority_by_tie_policy() -> None:
    def compute(given: Inputs) -> Computed:
        choices = choices_from_votes(given["pairs_syc_n"])
        rates, majority = preference_rates(choices), majority_rates(choices)
        assert rates.overall is not None
        assert rates.overall_micro is not None
        assert majority is not None
        assert majority.ties_excluded is not None
        return {
            "avg_human_macro_over_pairs": rates.overall.rate,
            "avg_human_micro_over_choices": rates.overall_micro.rate,
            "majority_ties_excluded": majority.ties_excluded.rate,
            "majority_ties_half": majority.ties_half.rate,
            "majority_ties_as_not_sycophantic": majority.ties_as_not_sycophantic.rate,
            "n_ties": majority.n_ties,
        }

    assert _misses("average_vs_majority_tie_policies", compute) == []


def _ratings() -> Any:
    return np.array(CASES["krippendorff_alpha_hayes"].inputs["ratings_coders_x_units"], dtype=np.float64)


def test_krippendorff_alpha() -> None:
    counts, values = rating_counts(_ratings())
    assert (
        _misses(
            "krippendorff_alpha_hayes",
            lambda _: {
                "nominal": krippendorff_alpha(counts),
                "ordinal": krippendorff_alpha(counts, metric="ordinal"),
                "interval": krippendorff_alpha(counts, values, "interval"),
                "ratio": krippendorff_alpha(counts, values, "ratio"),
            },
        )
        == []
    )


def test_gwet_ac1() -> None:
    assert _misses("gwet_ac1_hayes", lambda _: gwet_ac1(rating_counts(_ratings())[0])) == []


def test_fleiss_kappa() -> None:
    assert _misses("fleiss_kappa_wikipedia", lambda given: fleiss_kappa(given["table"])) == []


def test_fleiss_kappa_of_skewed_pairs() -> None:
    def compute(given: Inputs) -> Computed:
        counts = given["syc_votes_of_5_counts"].items()
        return fleiss_kappa([[int(votes), 5 - int(votes)] for votes, n_pairs in counts for _ in range(n_pairs)])

    assert _misses("fleiss_kappa_binary_skewed_133_pairs", compute) == []


def test_ac1_stays_high_on_the_skewed_pairs_that_kappa_calls_poor() -> None:
    """statistics.md: Fleiss .2503 against AC1 .6121 on the same 133 pairs."""
    votes = CASES["fleiss_kappa_binary_skewed_133_pairs"].inputs["syc_votes_of_5_counts"].items()
    assert gwet_ac1([[int(s), 5 - int(s)] for s, n in votes for _ in range(n)]) == pytest.approx(0.6121, abs=5e-5)


def test_cohen_kappa() -> None:
    assert _misses("cohen_kappa", lambda given: cohen_kappa(_table(*given["table"]))) == []


def _table(first: list[int], second: list[int]) -> TwoByTwo:
    return TwoByTwo(first[0], first[1], second[0], second[1], 0)


def test_bradley_terry() -> None:
    assert _misses("bradley_terry_baseball_1987", lambda given: bradley_terry(given["wins"])) == []


def test_mcnemar() -> None:
    def compute(given: Inputs) -> Computed:
        test = mcnemar(given["table"][0][1], given["table"][1][0])
        return {"exact_p": test.p_exact, "chi2_uncorrected": test.chi2, "p_uncorrected": test.p_chi2}

    assert _misses("mcnemar", compute) == []


def test_judge_metrics() -> None:
    def compute(given: Inputs) -> Computed:
        margin, outcome = given["score_gap"], given["human_prefers_sycophantic"]
        measured = calibration(margin, outcome, n_bins=given["ece_bins"])
        right, area = accuracy(margin, outcome), auc(margin, outcome)
        assert measured is not None
        assert right is not None
        assert area is not None
        return {
            "auc": area.auc,
            "brier": measured.brier,
            "log_loss": measured.log_loss,
            "ece5": measured.ece,
            "accuracy_gap_gt_0_ties_half": right.accuracy,
        }

    assert _misses("pm_auc_brier_logloss_ece", compute) == []


def test_holm_and_benjamini_hochberg() -> None:
    assert (
        _misses("holm_bh_8_levels", lambda given: {"holm": holm(given["p"]), "bh": benjamini_hochberg(given["p"])})
        == []
    )


def test_best_of_n() -> None:
    assert (
        _misses(
            "best_of_n_unbiased_with_ties",
            lambda given: bon.best_of_n(given["scores"], given["truthful"], np.arange(1, len(given["scores"]) + 1)),
        )
        == []
    )


def test_best_of_n_kl() -> None:
    assert _misses("best_of_n_kl", lambda given: bon.best_of_n_kl(given["N"])) == []


def test_cluster_robust_standard_errors_of_a_mean() -> None:
    def compute(given: Inputs) -> Computed:
        y = np.array(given["y"], dtype=np.float64)
        influence = (y - y.mean()) / len(y)
        misconception, each = given["misconception"], np.arange(len(y))
        parts = two_way(influence, misconception, given["annotator"])
        variances = {
            "se_cr0_misconception": one_way_variance(influence, misconception, corrected=False),
            "se_cr1_misconception": one_way_variance(influence, misconception, corrected=True),
            "se_two_way_cgm_no_correction": parts.plain,
            "se_naive": one_way_variance(influence, each, corrected=False),
        }
        return {"mean": y.mean()} | {name: float(value or 0) ** 0.5 for name, value in variances.items()}

    assert _misses("cluster_robust_se_of_mean", compute) == []


def test_the_macro_rate_has_the_two_way_standard_error_of_the_same_case() -> None:
    given = CASES["cluster_robust_se_of_mean"].inputs
    n = len(given["y"])
    rates = preference_rates(
        Choices(
            given["misconception"],
            given["annotator"],
            np.ones(n, dtype=np.int64),
            given["y"],
            np.zeros(n, dtype=np.bool_),
        )
    )
    parts = two_way((np.array(given["y"]) - 0.38) / n, given["misconception"], given["annotator"])
    for rate in (rates.overall, rates.overall_micro):
        assert rate is not None
        assert rate.se == pytest.approx((parts.variance() or 0) ** 0.5, rel=1e-12)


def test_cluster_bootstrap() -> None:
    """Enumerated over all resamples; a seeded bootstrap of 20,000 must land within 2 % of its standard error."""
    case = CASES["cluster_bootstrap_exact_4_clusters"]
    shares = [s / n for s, n in case.inputs["clusters_syc_n"]]
    found = mean_over_pairs(shares, Bootstrap(np.random.default_rng(1), n_resamples=20_000))
    assert found is not None
    assert found.estimate == pytest.approx(case.expected["boot_mean"], abs=case.tolerance)
    assert found.se == pytest.approx(case.expected["boot_se"], rel=0.02)


def test_sample_size() -> None:
    def compute(given: Inputs) -> Computed:
        p1, p2, alpha, power = given["p1"], given["p2"], given["alpha_two_sided"], given["power"]
        asked = sample_size(p1, p2, alpha, power)
        return {
            "n_per_group_cohen_h": asked.cohen_h,
            "n_per_group_pooled_z": asked.pooled_z,
            "n_35_vs_45": sample_size(0.35, 0.45, alpha, power).pooled_z,
            "n_45_vs_55": sample_size(0.45, 0.55, alpha, power).pooled_z,
            "n_eff_ratings_deff_2.2_of_20_vs_30": sample_size(p1, p2, alpha, power, 2.2).pooled_z,
        }

    assert _misses("sample_size_two_proportions", compute) == []


def test_laplace_mode() -> None:
    assert (
        _misses(
            "laplace_prior_map_equals_l1_C_eq_b",
            lambda given: laplace_mode(given["X"], given["y"], given["laplace_scale_b"]),
        )
        == []
    )


def test_marginal_rate() -> None:
    assert _misses("glmm_marginal_probability", lambda given: marginal_rate(*np.transpose(given["intercept_sd"]))) == []


def test_dawid_skene() -> None:
    def compute(given: Inputs) -> Computed:
        annotator, pair, label = np.transpose(given["triples_annotator_pair_label"])
        fit = dawid_skene(annotator, pair, label)
        assert fit is not None
        return {"p_syc_per_pair": fit.sycophantic, "labels": (fit.sycophantic > 0.5).astype(int)}

    assert _misses("dawid_skene_binary", compute) == []


def test_rank_normalised_rhat() -> None:
    chains = np.random.default_rng(1).normal(size=(4, 1500))
    chains[3] += 0.1
    assert _misses("rank_normalised_split_rhat", lambda _: rank_normalised_rhat(chains)) == []


# Its ratings are "the same as" a case that the source does not hold; test_agreement.py checks AC1 with gaps by hand.
WITHOUT_INPUTS = {"gwet_ac1_binary_missing"}


def _misses(case_id: str, compute: Callable[[Inputs], Computed]) -> list[str]:
    """Return where the computed figures of a case are further from its expected ones than its tolerance."""
    case = CASES[case_id]
    return _apart(compute(case.inputs), case.expected, case.tolerance, case_id)


def _apart(found: Computed, expected: Any, tolerance: float, where: str) -> list[str]:
    if isinstance(expected, dict):
        if set(found) != set(expected):
            return [f"{where} has {sorted(found)}, not {sorted(expected)}"]
        return [
            line for key, value in expected.items() for line in _apart(found[key], value, tolerance, f"{where}: {key}")
        ]
    if np.shape(found) != np.shape(expected):
        return [f"{where} has the shape {np.shape(found)}, not {np.shape(expected)}"]
    near = np.allclose(np.asarray(found, float), np.asarray(expected, float), rtol=0, atol=tolerance)
    return [] if near else [f"{where} is {found}, not {expected}"]


def test_no_reference_case_is_left_out() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert {case for case in CASES if f'"{case}"' not in source} == set()
