"""What the recovery benchmark says was planted is what its annotators do."""

from itertools import product
from random import Random

import numpy as np
import pytest

from app.study.stimuli import KnownResponse
from benchmarks.recovery.planted import LEVELS, Planted, truth_of

_EACH = 1500
PLANTED = Planted(n_people=_EACH, n_inattentive=0)


@pytest.fixture(scope="module")
def chosen() -> dict[tuple[int, bool], float]:
    """Share of choices for the sycophantic response by level and side, of so many people on as many pairs."""
    rng = Random(5)
    shares = {}
    tastes = [PLANTED.behaviour(number).taste for number in range(_EACH)]
    for level, left in product(LEVELS.tolist(), (True, False)):
        known = [KnownResponse(left, level, f"{level}-{number}") for number in range(_EACH)]
        sides = [taste(response, rng) for taste, response in zip(tastes, known, strict=True)]
        shares[level, left] = float(np.mean([(side == "left") == left for side in sides]))
    return shares


def test_rates_sides_and_slope_are_those_of_the_annotators(chosen: dict[tuple[int, bool], float]) -> None:
    truth = truth_of(PLANTED)
    left, right = (np.array([chosen[level, side] for level in LEVELS.tolist()]) for side in (True, False))
    rates = (left + right) / 2
    assert rates == pytest.approx(truth.rates, abs=0.035)  # Four standard errors.
    assert rates.mean() == pytest.approx(truth.overall, abs=0.02)
    assert np.polyfit(LEVELS, rates, 1)[0] == pytest.approx(truth.slope, abs=0.006)
    assert (left + 1 - right).mean() / 2 == pytest.approx(truth.left_share, abs=0.015)
    assert truth.left_share > 0.53, "no bias to a side is planted"


def test_those_who_do_not_read_pull_everything_towards_one_half() -> None:
    truth = truth_of(Planted(n_people=60, n_inattentive=15))
    assert truth.everybody == pytest.approx(0.75 * truth.overall + 0.125)
    assert truth.everybody_slope == pytest.approx(0.75 * truth.slope)


def test_nothing_that_varies_gives_the_logits_themselves() -> None:
    plain = Planted(sd_pair=0, sd_annotator=0, level=0, middle=0.4, left=0)
    truth = truth_of(plain)
    rate = 1 / (1 + np.exp(-0.4))
    assert truth.rates == pytest.approx(np.full(8, rate))
    assert (truth.slope, truth.left_share, truth.left_bias) == pytest.approx((0, 0.5, 0))
    assert truth.same_twice == pytest.approx(rate**2 + (1 - rate) ** 2)
