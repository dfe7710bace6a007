"""Clustered variances and design effects, against loops, closed forms and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.clustering import Components, anova_icc, design_effect, one_way_variance, two_way

rows = st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


@settings(max_examples=200)
@given(rows)
def test_components_are_those_of_a_loop(given_rows: list[tuple[float, int, int]]) -> None:
    influence, pair, annotator = zip(*given_rows, strict=True)
    parts = two_way(influence, pair, annotator)

    def loop(keys: list[object]) -> float:
        return float(
            sum(sum(value for value, own in zip(influence, keys, strict=True) if own == key) ** 2 for key in set(keys))
        )

    assert parts.by_pair == pytest.approx(loop(list(pair)))
    assert parts.by_annotator == pytest.approx(loop(list(annotator)))
    assert parts.by_cell == pytest.approx(loop(list(zip(pair, annotator, strict=True))))
    assert (parts.n_pairs, parts.n_annotators) == (len(set(pair)), len(set(annotator)))
    assert parts.n_cells == len(set(zip(pair, annotator, strict=True)))


def test_where_nobody_is_on_a_pair_twice_cells_need_not_be_looked_for() -> None:
    rng = np.random.default_rng(8)
    cells = rng.permutation(60)[:40]
    influence = rng.normal(size=40)
    known, found = (two_way(influence, cells // 8, cells % 8, one_a_cell=one) for one in (True, False))
    assert known.by_cell == pytest.approx(found.by_cell)
    assert (known.n_cells, known.by_pair, known.by_annotator) == (found.n_cells, found.by_pair, found.by_annotator)


def test_people_who_answer_once_leave_clustering_by_pair() -> None:
    rng = np.random.default_rng(3)
    influence, pair = rng.normal(size=40), np.repeat(np.arange(8), 5)
    parts = two_way(influence, pair, np.arange(40))
    assert parts.plain == pytest.approx(parts.by_pair)
    assert parts.variance() == pytest.approx(parts.by_pair * 8 / 7)


def test_a_two_way_variance_of_at_least_half_the_larger_one_stands() -> None:
    parts = Components(by_pair=0.4, by_annotator=0.1, by_cell=0.25, n_pairs=1000, n_annotators=1000, n_cells=1000)
    assert parts.variance() == pytest.approx(0.25 * 1000 / 999)
    nearly_cancelled = Components(0.4, 0.1, 0.4999, 1000, 1000, 1000)
    assert nearly_cancelled.variance() == pytest.approx(0.4 * 1000 / 999)


def test_a_variance_that_is_not_positive_falls_back_to_the_larger_clustering() -> None:
    parts = Components(by_pair=0.1, by_annotator=0.2, by_cell=0.9, n_pairs=5, n_annotators=9, n_cells=45)
    assert parts.plain < 0
    assert parts.variance() == pytest.approx(max(0.1 * 5 / 4, 0.2 * 9 / 8))
    assert parts.variance(n_parameters=2) == pytest.approx(max(0.1 * 5 / 4, 0.2 * 9 / 8) * 4 / 3)


@pytest.mark.parametrize(("n_pairs", "n_annotators"), [(1, 5), (5, 1), (0, 0), (1, 1)])
def test_one_cluster_has_no_variance(n_pairs: int, n_annotators: int) -> None:
    assert Components(0.1, 0.1, 0.1, n_pairs, n_annotators, 5).variance() is None


def test_two_pairs_have_no_variance_about_a_line() -> None:
    assert Components(0.1, 0.1, 0.1, 2, 5, 5).variance(n_parameters=2) is None


def test_one_way_variance_needs_two_clusters() -> None:
    assert one_way_variance([0.1, -0.1], [4, 4], corrected=True) is None


def test_icc_by_hand() -> None:
    """Clusters 0/2, 1/2, 2/2: mean ½; SSB = 2(¼+0+¼) = 1, MSB = ½; SSW = ½, MSW = 1/6; (½-1/6)/(½+1/6) = ½."""
    assert anova_icc([2, 2, 2], [0, 1, 2]) == pytest.approx(0.5)


def test_icc_of_unequal_clusters_by_hand() -> None:
    """1/1, 0/3: N 4, mean ¼; SSB = 9/16 + 3/16 = ¾ = MSB; MSW = 0; m₀ = 4 - 10/4 = 1.5; ¾/¾ = 1."""
    assert anova_icc([1, 3], [1, 0]) == pytest.approx(1)


@given(st.lists(st.integers(0, 5).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=12))
def test_icc_is_analysis_of_variance_of_the_answers(clusters: list[tuple[int, int]]) -> None:
    groups = [np.array([1.0] * yes + [0.0] * (n - yes)) for n, yes in clusters if n]
    answers = np.concatenate(groups) if groups else np.empty(0)
    found = anova_icc([n for n, _ in clusters], [yes for _, yes in clusters])
    if len(groups) < 2 or len(answers) == len(groups) or not 0 < answers.mean() < 1:
        assert found is None
        return
    between = sum(len(group) * (group.mean() - answers.mean()) ** 2 for group in groups) / (len(groups) - 1)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (len(answers) - len(groups))
    m0 = (len(answers) - sum(len(group) ** 2 for group in groups) / len(answers)) / (len(groups) - 1)
    if found is None:
        assert between + (m0 - 1) * within == pytest.approx(0, abs=1e-12)
    else:
        assert found == pytest.approx((between - within) / (between + (m0 - 1) * within))
        assert found <= 1 + 1e-12


def test_icc_finds_the_planted_one() -> None:
    rng = np.random.default_rng(5)
    rates = rng.beta(2, 6, size=60_000)  # ICC of a beta-binomial: 1 / (2 + 6 + 1)
    assert anova_icc(np.full(60_000, 5), rng.binomial(5, rates)) == pytest.approx(1 / 9, abs=0.005)


def test_design_effect_of_equal_and_unequal_clusters() -> None:
    assert design_effect([5, 5, 5], 0.3) == pytest.approx(1 + 4 * 0.3)
    assert design_effect([1, 3], 0.5) == pytest.approx(1 + (10 / 4 - 1) * 0.5)
    assert design_effect([1, 1], 0.9) == 1
