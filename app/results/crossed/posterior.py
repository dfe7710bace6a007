"""What the draws of the crossed random-effects model say: coefficients, rates, and whether to believe them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from app.analysis.arrays import Floats
from app.analysis.convergence import rank_normalised_rhat
from app.analysis.crossed_design import CrossedDesign
from app.analysis.effective_size import bulk_ess, tail_ess
from app.analysis.intervals import Interval
from app.analysis.marginal import marginal_rate
from app.results.crossed.fit import Coefficient, ImpliedRate

Matrix = NDArray[np.float64]

INTERCEPT, SD_PAIR, SD_ANNOTATOR = "intercept", "sd_pair", "sd_annotator"
OVERALL = 0
"""The level under which the rate over all levels stands."""

RHAT_BELOW = 1.01
ESS_AT_LEAST = 400
_SIDES = (0.5, -0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Draws after warm-up. `by_name`: name of each parameter to shape (chains, draws), in logits."""

    by_name: Mapping[str, Matrix]
    n_divergences: int

    def of(self, name: str) -> Floats:
        """Return all draws of a parameter, shape (chains x draws,); of a term that was left out, zero."""
        found = self.by_name.get(name)
        return np.zeros(next(iter(self.by_name.values())).size) if found is None else found.ravel()


@dataclass(frozen=True, slots=True)
class Rates:
    """Difficulty level to rate; `OVERALL` beside them, each pair counting the same."""

    marginal: dict[int, ImpliedRate]
    conditional: dict[int, ImpliedRate]


def coefficients(draws: Draws) -> tuple[Coefficient, ...]:
    """Return each parameter's posterior with its diagnostics."""
    return tuple(_coefficient(name, np.asarray(chains, dtype=np.float64)) for name, chains in draws.by_name.items())


def _coefficient(name: str, chains: Matrix) -> Coefficient:
    low, lower, median, upper, high = np.quantile(chains, (0.025, 0.25, 0.5, 0.75, 0.975)).tolist()
    return Coefficient(
        name=name,
        mean=float(chains.mean()),
        median=median,
        sd=float(chains.std(ddof=1)),
        interval_50=Interval(lower, upper),
        interval=Interval(low, high),
        rhat=rank_normalised_rhat(chains),
        ess_bulk=bulk_ess(chains),
        ess_tail=tail_ess(chains),
    )


def rates(design: CrossedDesign, draws: Draws) -> Rates:
    """Return the rates that the model implies, by level where it has that term, and overall.

    Marginal: the mean over both sides of E[σ(a + b (level - mean) ± side / 2 + s Z)], Z standard normal and
    s² = sd_pair² + sd_annotator², of each draw. Conditional: σ(a + b (level - mean)), which is further from one half.
    Both at the mean log ratio of lengths.
    """
    levels, n = np.unique(design.level_of_pair, return_counts=True)
    a, side = draws.of(INTERCEPT), draws.of("side")
    s = np.hypot(draws.of(SD_PAIR), draws.of(SD_ANNOTATOR))
    marginal: dict[int, Floats] = {}
    conditional: dict[int, Floats] = {}
    by_level = design.level_mean is not None
    for level in levels.tolist() if by_level else [OVERALL]:
        logit = a if design.level_mean is None else a + draws.of("level") * (level - design.level_mean)
        at_sides = [marginal_rate(logit + at * side, s) for at in (_SIDES if "side" in design.terms else (0.0,))]
        marginal[level] = np.asarray(np.mean(at_sides, axis=0), dtype=np.float64)
        conditional[level] = np.asarray(special.expit(logit), dtype=np.float64)
    if by_level:
        for found in (marginal, conditional):
            found[OVERALL] = np.average([found[level] for level in levels.tolist()], axis=0, weights=n)
    return Rates(_summed_up(marginal), _summed_up(conditional))


def _summed_up(by_level: dict[int, Floats]) -> dict[int, ImpliedRate]:
    found = {}
    for level in sorted(by_level):
        low, high = np.quantile(by_level[level], (0.025, 0.975)).tolist()
        found[level] = ImpliedRate(float(by_level[level].mean()), Interval(low, high))
    return found


def warnings(found: tuple[Coefficient, ...], n_divergences: int) -> tuple[str, ...]:
    """Return what the diagnostics say against the fit, in words."""
    said = []
    apart = [one for one in found if one.rhat is None or one.rhat > RHAT_BELOW]
    few = [one for one in found if min(one.ess_bulk or 0.0, one.ess_tail or 0.0) < ESS_AT_LEAST]
    if apart:
        said.append(
            f"The chains do not agree on {_names(apart)}: R-hat is above {RHAT_BELOW}. Do not use these numbers; draw "
            "more with --samples."
        )
    if few:
        said.append(
            f"Too few effective draws of {_names(few)}: fewer than {ESS_AT_LEAST}, so the ends of the intervals are "
            "rough. Draw more with --samples."
        )
    if n_divergences:
        transitions = "1 divergent transition" if n_divergences == 1 else f"{n_divergences:,} divergent transitions"
        said.append(
            f"{transitions}: part of the posterior was not reached, so intervals may be too narrow. "
            "Do not rely on these numbers."
        )
    return tuple(said)


def _names(found: list[Coefficient]) -> str:
    return ", ".join(one.name for one in found)
