"""Fits of the crossed model whose draws were made up, so that what is done with fits is tested without the extra."""

from typing import Any
from unittest.mock import patch

import numpy as np

from app.analysis.crossed_design import CrossedDesign
from app.results.crossed import model as crossed_model
from app.results.crossed.fit import ModelFit
from app.results.crossed.model import Sampling, fit_crossed
from app.results.crossed.posterior import Draws
from app.results.observed import Observed

_CENTRES = {"intercept": -1.0, "level": 0.15, "side": -0.4, "length": 0.1, "sd_pair": 0.9, "sd_annotator": 0.6}
_SPREAD = 0.05


def made_up_draws(design: CrossedDesign, sampling: Sampling, n_divergences: int = 0) -> Draws:
    """Return independent normal draws about fixed centres, instead of a posterior's."""
    rng = np.random.default_rng(1)
    shape = (sampling.chains, sampling.draws)
    names = ("intercept", *design.terms, "sd_pair", "sd_annotator")
    return Draws({name: rng.normal(_CENTRES[name], _SPREAD, shape) for name in names}, n_divergences)


def made_up_sampler(n_divergences: int = 0) -> Any:
    """Return what stands in for the extra: nothing is imported, nothing is sampled."""
    return patch.multiple(
        crossed_model,
        require=lambda: None,
        version=lambda name: "0.0",
        _sample=lambda bayes, design, sampling, key: made_up_draws(design, sampling, n_divergences),
    )


def made_up_fit(observed: Observed, arm: str, n_divergences: int = 0) -> ModelFit:
    """Return a fit of an arm's choices, all of it real but for the draws."""
    with made_up_sampler(n_divergences):
        return fit_crossed(observed, arm, Sampling(4, 500), "d4" * 32)
