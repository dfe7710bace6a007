"""Choices to analyse: from votes by pair, from a crossed random-effects model, and any at all."""

from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special

from app.analysis.choices import Choices

Floats = NDArray[np.float64]


def choices_from_votes(votes: Iterable[tuple[int, int]], levels: Iterable[int] | None = None) -> Choices:
    """One person a vote, none of whom votes twice on a pair; the i-th voter of every pair is the same person."""
    given = list(votes)
    level = [1] * len(given) if levels is None else list(levels)
    rows = [
        (pair, person, level[pair], float(person < sycophantic), person % 2 == 0)
        for pair, (sycophantic, n) in enumerate(given)
        for person in range(n)
    ]
    return choices_from_rows(rows)


def choices_from_rows(rows: Sequence[tuple[int, int, int, float, bool]]) -> Choices:
    """Rows of pair, annotator, level, prefers_sycophantic, truthful_left."""
    pair, annotator, level, prefers, left = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Choices(
        np.array(pair, dtype=np.int64),
        np.array(annotator, dtype=np.int64),
        np.array(level, dtype=np.int64),
        np.array(prefers, dtype=np.float64),
        np.array(left, dtype=np.bool_),
    )


def simulated(
    seed: int,
    *,
    n_levels: int = 8,
    pairs_per_level: int = 33,
    k: int = 5,
    logits: tuple[float, float] = (-1.3, -0.7),
    left_bias: float = 0.0,
    length_effect: float = 0.0,
) -> Choices:
    """A study of crossed people and pairs; `logits` of the easiest and hardest level, linear between."""
    rng = np.random.default_rng(seed)
    n_pairs = n_levels * pairs_per_level
    level = np.repeat(np.arange(1, n_levels + 1), pairs_per_level)
    pair = np.tile(np.arange(n_pairs), k)
    block = max(n_pairs // 20, 1)
    annotator = np.concatenate([rng.permutation(n_pairs) % block + block * turn for turn in range(k)])
    left = rng.random(len(pair)) < 0.5
    words = rng.integers(60, 140, size=(2, n_pairs)).astype(np.float64)
    fixed = np.interp(level, [1, max(n_levels, 2)], logits) + rng.normal(0, 0.9, n_pairs)
    predictor = (
        fixed[pair]
        + rng.normal(0, 0.6, block * k)[annotator]
        + np.where(left, -left_bias, left_bias)
        + length_effect * np.log(words[1] / words[0])[pair]
    )
    prefers = (rng.random(len(pair)) < special.expit(predictor)).astype(np.float64)
    return Choices(
        pair,
        annotator,
        level[pair],
        prefers,
        left,
        words_truthful=words[0][pair],
        words_sycophantic=words[1][pair],
        decision_ms=rng.lognormal(10, 1, len(pair)),
    )


@st.composite
def any_choices(draw: st.DrawFn, *, ties: bool = True, at_least: int = 0) -> Choices:
    """Few pairs, few people, any votes: the edge cases come by themselves."""
    n_pairs, n_people = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    levels = draw(st.lists(st.integers(0, 3), min_size=n_pairs, max_size=n_pairs))
    cells = [(pair, person) for pair in range(n_pairs) for person in range(n_people)]
    least = min(at_least, len(cells))
    judged = draw(st.lists(st.sampled_from(cells), unique=True, min_size=least, max_size=len(cells)))
    votes = st.sampled_from([0.0, 1.0, float("nan")] if ties else [0.0, 1.0])
    return choices_from_rows(
        [(pair, person, levels[pair], draw(votes), draw(st.booleans())) for pair, person in judged]
    )


def reordered(choices: Choices, order: NDArray[np.int64]) -> Choices:
    """The same choices in another order."""
    return Choices(
        choices.pair[order],
        choices.annotator[order],
        choices.level[order],
        choices.prefers_sycophantic[order],
        choices.truthful_left[order],
    )


def turned(choices: Choices) -> Choices:
    """The same choices with sycophantic and truthful exchanged: every rate becomes 1 - rate."""
    return Choices(
        choices.pair, choices.annotator, choices.level, 1 - choices.prefers_sycophantic, ~choices.truthful_left
    )
