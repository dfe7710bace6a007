"""People by pairs as a table: the same sums as a loop, and as the functions that go through choices one by one."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from app.analysis.arrays import ValueOutOfRange
from app.analysis.ceiling import human_ceiling
from app.analysis.choices import Choices
from app.analysis.clustering import two_way
from app.analysis.contrasts import level_difference, rate_difference
from app.analysis.intervals import student_quantile
from app.analysis.margins import Margins, margins_of
from app.analysis.position import position_bias
from app.analysis.rates import rates_of
from app.analysis.resampling import resampled_sums
from app.analysis.trend import slope_of
from tests.analysis.examples import any_choices, choices_from_rows, reordered, simulated


@settings(max_examples=150)
@given(any_choices(), st.randoms(use_true_random=False))
def test_the_table_holds_every_vote_that_is_no_tie_once(choices: Choices, chance: object) -> None:
    order = np.array(chance.sample(range(len(choices)), len(choices)), dtype=np.int64)  # type: ignore[attr-defined]
    crossing = reordered(choices, order).crossing
    person = np.repeat(crossing.person, np.diff(crossing.starts))
    votes = {
        (int(crossing.pair[pair]), int(who)): (yes, bool(left))
        for pair, who, yes, left in zip(
            crossing.of_pair, person, crossing.sycophantic, crossing.truthful_left, strict=True
        )
    }
    kept = np.flatnonzero(choices.decided)
    assert len(votes) == len(crossing) == len(kept)
    for row in kept:
        where = int(choices.pair[row]), int(choices.annotator[row])
        assert votes[where] == (choices.prefers_sycophantic[row], bool(choices.truthful_left[row]))
    level = dict(zip(choices.pair.tolist(), choices.level.tolist(), strict=True))
    assert crossing.level.tolist() == [level[pair] for pair in crossing.pair.tolist()]
    assert reordered(choices, order).pair[crossing.row].tolist() == crossing.pair.tolist()


@settings(max_examples=150)
@given(any_choices())
def test_parts_are_the_tables_of_a_study_that_has_no_other_pairs(choices: Choices) -> None:
    whole = choices.crossing
    by_level = whole.by_level()
    assert list(by_level) == sorted(set(whole.level.tolist()) - {0})
    parts = {level: choices.where(choices.level == level).crossing for level in by_level}
    several = choices.where(np.isin(choices.pair, whole.pair[whole.n >= 2])).crossing
    for part, alone in (*((by_level[level], parts[level]) for level in parts), (whole.where(whole.n >= 2), several)):
        for name in ("pair", "level", "person", "starts", "of_pair", "sycophantic", "truthful_left", "n"):
            assert np.array_equal(getattr(part, name), getattr(alone, name)), name


def test_influences_of_pair_and_vote_cluster_as_those_of_choices_do() -> None:
    choices = simulated(3, pairs_per_level=6)
    crossing = choices.crossing
    rng = np.random.default_rng(0)
    truthful, sycophantic = rng.normal(size=(2, len(crossing.pair)))
    place = np.searchsorted(crossing.pair, choices.pair)
    influence = np.where(choices.prefers_sycophantic == 1, sycophantic[place], truthful[place])
    found, expected = crossing.components(truthful, sycophantic), two_way(influence, choices.pair, choices.annotator)
    for name in ("by_pair", "by_annotator", "by_cell", "n_pairs", "n_annotators", "n_cells"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12), name


def test_a_pair_at_two_levels_is_refused() -> None:
    with pytest.raises(ValueOutOfRange, match="pair 4 has choices at two levels"):
        _ = choices_from_rows([(4, 0, 1, 1.0, True), (4, 1, 2, 0.0, True)]).crossing


@settings(max_examples=100)
@given(any_choices(), st.sampled_from([(1, 2), (3, 1)]))
def test_two_levels_differ_by_their_sums_as_by_their_choices(choices: Choices, levels: tuple[int, int]) -> None:
    masks = [choices.level == level for level in levels]
    found, expected = level_difference(margins_of(choices), *levels), rate_difference(choices, masks[0], masks[1])
    if expected is None or found is None:
        assert found is expected is None
        return
    assert (found.difference, found.df) == (expected.difference, expected.df)
    assert (found.first, found.second) == (expected.first, expected.second)
    assert (found.se is None) == (expected.se is None)
    assert found.se is None or found.se == pytest.approx(expected.se, rel=1e-9)
    assert found.interval.low == pytest.approx(expected.interval.low)
    assert found.interval.high == pytest.approx(expected.interval.high)


def test_people_who_judge_both_levels_are_clustered_over_both() -> None:
    choices = simulated(5, n_levels=3, pairs_per_level=40)
    found = level_difference(margins_of(choices), 3, 1)
    expected = rate_difference(choices, choices.level == 3, choices.level == 1)
    assert found is not None
    assert expected is not None
    assert found.se == pytest.approx(expected.se, rel=1e-12)
    assert found.p == pytest.approx(expected.p, rel=1e-9)


def test_sums_in_any_order_give_the_same_rates_and_slope() -> None:
    sums = margins_of(simulated(6, pairs_per_level=5))
    assert (np.diff(sums.annotator_level) >= 0).all()  # So that a level is one piece.
    order = np.random.default_rng(1).permutation(len(sums.annotator))
    rows = {name: getattr(sums, name) for name in Margins.__dataclass_fields__}
    mixed = Margins(
        **{name: column[order] if name.startswith("annotator") else column for name, column in rows.items()}
    )
    one, other = rates_of(mixed), rates_of(sums)
    for level, rate in other.by_level.items():
        assert one.by_level[level].rate == rate.rate
        assert one.by_level[level].interval.low == pytest.approx(rate.interval.low, rel=1e-12)
    slope, expected = slope_of(mixed), slope_of(sums)
    assert slope is not None
    assert expected is not None
    assert slope.se == pytest.approx(expected.se, rel=1e-12)


@settings(max_examples=150)
@given(any_choices())
def test_people_are_held_against_the_majority_of_the_others_as_a_loop_does(choices: Choices) -> None:
    agree: dict[int, list[bool]] = defaultdict(list)
    n_ties = 0
    kept = choices.where(choices.decided)
    for row in range(len(kept)):
        others = (kept.pair == kept.pair[row]) & (kept.annotator != kept.annotator[row])
        lead = float((2 * kept.prefers_sycophantic[others] - 1).sum())
        n_ties += lead == 0
        if lead:
            agree[int(kept.pair[row])].append(bool((kept.prefers_sycophantic[row] == 1) == (lead > 0)))
    found = human_ceiling(choices)
    if not agree:
        assert found is None
        return
    assert found is not None
    assert found.human.rate == pytest.approx(np.mean([np.mean(each) for each in agree.values()]))
    assert (found.human.n_choices, found.n_rest_ties) == (sum(map(len, agree.values())), n_ties)


def test_errors_of_the_sides_are_clustered_as_those_of_choices_are() -> None:
    choices = simulated(4, pairs_per_level=6, left_bias=0.3)
    found = position_bias(choices)
    weight = 1 / np.bincount(choices.pair)[choices.pair]
    errors = []
    for shown in (~choices.truthful_left, choices.truthful_left):
        each = weight * shown / weight[shown].sum()
        rate = float(each @ choices.prefers_sycophantic)
        errors.append(each * (choices.prefers_sycophantic - rate) / (rate * (1 - rate)))
    share = (choices.truthful_left != (choices.prefers_sycophantic == 1)).mean()
    assert found is not None
    assert found.left_share.rate == pytest.approx(share)
    t = student_quantile(0.95, min(len(np.unique(codes)) for codes in (choices.pair, choices.annotator)) - 1)
    for sign, middle, interval in (
        (-1, found.left_bias, found.left_bias_interval),
        (1, special.logit(found.adjusted_rate), found.adjusted_interval),
    ):
        variance = two_way((errors[0] + sign * errors[1]) / 2, choices.pair, choices.annotator).variance()
        assert middle is not None
        assert interval is not None
        assert variance is not None
        high = interval.high if sign < 0 else special.logit(interval.high)
        assert high - middle == pytest.approx(t * np.sqrt(variance), rel=1e-9)


def test_rows_that_were_counted_before_are_drawn_as_they_would_be_one_by_one() -> None:
    kinds, counts = np.array([[0.0, 1.0], [1.0, 1.0], [0.5, 1.0], [0.0, 1.0]]), np.array([5, 2, 3, 1])
    alone = resampled_sums(np.repeat(kinds, counts, axis=0), 50, np.random.default_rng(9))
    assert np.array_equal(resampled_sums(kinds, 50, np.random.default_rng(9), counts), alone)
    assert (alone[:, 1] == 11).all()
