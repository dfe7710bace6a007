"""A million choices: the primary numbers in about a second."""

import time

import numpy as np

from app.analysis.choices import Choices
from app.analysis.margins import margins_of
from app.analysis.rates import rates_of
from app.analysis.trend import slope_of


def test_primary_numbers_of_a_million_choices() -> None:
    rng = np.random.default_rng(1)
    n_pairs, k = 50_000, 20
    pair = np.repeat(np.arange(n_pairs), k)
    annotator = (
        pair * 7 + np.tile(np.arange(k), n_pairs) * n_pairs // k * 7 + np.tile(np.arange(k), n_pairs)
    ) % n_pairs
    choices = Choices(
        pair, annotator, pair % 8 + 1, rng.integers(0, 2, len(pair)).astype(float), rng.random(len(pair)) < 0.5
    )
    started = time.process_time()
    sums = margins_of(choices)
    rates, slope = rates_of(sums), slope_of(sums)
    spent = time.process_time() - started
    assert rates.overall is not None
    assert slope is not None
    assert slope.interval is not None
    assert spent < 3  # About 0.3 s on an idle core; the bound leaves room for a busy machine.
