"""Which choices the crossed random-effects model is fitted to, and whether they are still those of a stored fit."""

from collections.abc import Iterable
from dataclasses import replace

from app.analysis.choices import Choices
from app.analysis.crossed_design import choices_hash
from app.results.crossed.fit import ModelFit
from app.results.finding.views import analysed
from app.results.observed import Observed, choices_of


def choices_of_arm(observed: Observed, arm: str) -> Choices | None:
    """Return the choices that an arm's main results are of; None where the study has no such arm."""
    names = [each.name for each in observed.facts.arms]
    return choices_of(observed, analysed(observed), [names.index(arm)]) if arm in names else None


def held_against(observed: Observed, fits: Iterable[ModelFit]) -> tuple[ModelFit, ...]:
    """Return the fits of this study's arms in the order of the arms, each with whether its choices have changed."""
    by_arm = {fit.arm: fit for fit in fits}
    found = []
    for arm in observed.facts.arms:
        choices = choices_of_arm(observed, arm.name) if arm.name in by_arm else None
        if choices is not None:
            fit = by_arm[arm.name]
            found.append(replace(fit, outdated=choices_hash(choices) != fit.choices_hash))
    return tuple(found)
