"""What is planted in simulated studies, and what the analysis ought to find: the truth that intervals have to cover."""

from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from app.analysis.arrays import Floats
from app.analysis.marginal import marginal_rate
from app.results.planning.plans import Plan
from app.results.planning.simulation import centres

_NODES = 80


class Case(NamedTuple):
    """Studies of one kind; `planted` is what is told of them."""

    name: str
    planted: str
    plan: Plan

    @property
    def is_null(self) -> bool:
        """Whether no slope is planted."""
        return len(set(self.plan.rates)) == 1


class Truth(NamedTuple):
    """What holds in the population of pairs and people that studies are drawn from.

    Attributes
    ----------
    rates
        Rate at each level: E[σ(a + pair + person)] over pairs and people, shape (L,).
    slope
        Change of that rate a level, by least squares over the levels, each with the same number of pairs.
    majorities
        Chance at each level that k people drawn for a pair have a sycophantic majority, given that they have one,
        shape (L,).
    """

    rates: Floats
    slope: float
    majorities: Floats


def truth_of(plan: Plan) -> Truth:
    """Return the truth of a plan; nothing of it is estimated by simulation."""
    rates = marginal_rate(centres(plan), [sqrt(plan.sd_pair**2 + plan.sd_annotator**2)] * len(plan.rates))
    levels = np.arange(1, len(rates) + 1) - (len(rates) + 1) / 2
    majorities = [_majority(centre, plan) for centre in centres(plan)]
    return Truth(rates, float(levels @ rates / (levels @ levels)), np.array(majorities))


def _majority(centre: float, plan: Plan) -> float:
    """Average over pairs: given the pair, k different people vote independently, each with the pair's rate."""
    at, weight = special.roots_hermitenorm(_NODES)
    weight = weight / weight.sum()
    of_pair = marginal_rate(centre + plan.sd_pair * at, np.full(_NODES, plan.sd_annotator))
    k = plan.ratings_per_pair
    won = stats.binom.sf(k // 2, k, of_pair)
    tied = stats.binom.pmf(k // 2, k, of_pair) if k % 2 == 0 else np.zeros(_NODES)
    return float(weight @ won / (weight @ (1 - tied)))


def cases(studies: int, many: int) -> tuple[Case, ...]:
    """Return the cases: of the paper's size, `studies` of each, and of many votes a pair, `many` of them."""
    given = (
        ("flat", "25 % at all levels", (0.25, 0.25), 1),
        ("rising", "20 % to 30 %", (0.20, 0.30), 2),
        ("steep", "20 % to 80 %", (0.20, 0.80), 3),
        ("rare", "5 % at all levels", (0.05, 0.05), 4),
    )
    small = tuple(
        Case(name, f"{planted}; 33 pairs × 5", Plan(rates=rates, simulations=studies, seed=seed))
        for name, planted, rates, seed in given
    )
    wide = Plan(pairs=(25,), ratings_per_pair=50, rates=(0.25, 0.45), simulations=many, seed=5)
    return (*small, Case("many votes", "25 % to 45 %; 25 pairs × 50", wide))
