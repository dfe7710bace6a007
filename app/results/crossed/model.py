"""The crossed random-effects logistic model, sampled: the one module that knows jax and numpyro, the `bayes` extra.

logit P(sycophantic) = intercept + level + side + length + misconception + annotator, as `app.analysis.crossed_design`
codes them. Its posterior is sampled by the no-U-turn sampler (Hoffman & Gelman 2014), the random intercepts non-centred
(Papaspiliopoulos, Roberts & Sköld 2007), the chains side by side in one process.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from platform import python_version
from types import ModuleType
from typing import Any
from zlib import crc32

import numpy as np

from app.analysis.crossed_design import CrossedDesign, choices_hash, crossed_design
from app.errors import CandorError
from app.results.crossed import posterior
from app.results.crossed.data import choices_of_arm
from app.results.crossed.fit import ModelFit
from app.results.crossed.posterior import INTERCEPT, SD_ANNOTATOR, SD_PAIR, Draws
from app.results.observed import Observed

PRECISION = "float64"
_WARM_UP = 500
_ACCEPT = 0.9  # Above the usual 0.8: shorter steps, so that a small standard deviation brings no divergences.

# In logits. A level may change the odds by a factor of 2.7 (two standard deviations); sides and lengths by 7.4.
_NORMAL = {INTERCEPT: 1.5, "level": 0.5, "side": 1.0, "length": 1.0}
_HALF_NORMAL = {SD_PAIR: 1.0, SD_ANNOTATOR: 1.0}


class BayesMissing(CandorError):
    """The extra with which models are fitted is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "fitting the crossed random-effects model needs numpyro and jax, which are not installed; install them "
            "with pip install 'candor[bayes]'"
        )


class NothingToFit(CandorError):
    """An arm has too few choices for a model with random intercepts."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: chains, at least 2, and draws of each that are kept, at least 100."""

    chains: int = 4
    draws: int = 1000


@dataclass(frozen=True, slots=True)
class _Bayes:
    jax: ModuleType
    numpyro: ModuleType
    infer: ModuleType
    dist: ModuleType


def require() -> _Bayes:
    """Return the modules of the extra, set to double precision.

    Raises
    ------
    BayesMissing
        When they are not installed.
    """
    try:
        import jax  # noqa: PLC0415 - an extra
        import numpyro  # noqa: PLC0415 - an extra
        from numpyro import distributions, infer  # noqa: PLC0415 - an extra
    except ImportError:
        raise BayesMissing from None
    numpyro.enable_x64()
    return _Bayes(jax, numpyro, infer, distributions)


def fit_crossed(
    observed: Observed, arm: str, sampling: Sampling | None = None, data_version: str | None = None
) -> ModelFit:
    """Fit the model to the analysed choices of one arm. The same choices and seed give the same draws on one machine.

    Parameters
    ----------
    arm
        Name of the arm, truthful kind / instructions.
    data_version
        Of the study, where it was read from the database.

    Raises
    ------
    BayesMissing
        When the extra is not installed.
    NothingToFit
        When the arm has fewer than two pairs or two people with a preference.
    """
    bayes = require()
    sampling = sampling or Sampling()
    choices = choices_of_arm(observed, arm)
    if choices is None:
        raise NothingToFit(f"study {observed.facts.slug!r} has no arm {arm!r}")
    design = crossed_design(choices)
    if min(design.n_pairs, design.n_annotators) < 2:
        raise NothingToFit(
            f"arm {arm} has {len(design):,} decided choices, of {design.n_annotators:,} annotators on "
            f"{design.n_pairs:,} pairs; the model needs two annotators and two pairs at least"
        )
    seed, began = observed.facts.seed or 0, time.monotonic()
    draws = _sample(bayes, design, sampling, _key(seed, arm))
    found, implied = posterior.coefficients(draws), posterior.rates(design, draws)
    return ModelFit(
        arm=arm,
        data_version=data_version,
        choices_hash=choices_hash(choices),
        fitted_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={"python": python_version()} | {name: version(name) for name in ("candor", "jax", "numpyro", "numpy")},
        n_choices=len(design),
        n_pairs=design.n_pairs,
        n_annotators=design.n_annotators,
        coefficients=found,
        left_out=design.left_out,
        marginal=implied.marginal,
        conditional=implied.conditional,
        priors=_priors(design),
        level_mean=design.level_mean,
        length_mean=design.length_mean,
        length_sd=design.length_sd,
        n_divergences=draws.n_divergences,
        n_chains=sampling.chains,
        n_warm_up=_WARM_UP,
        n_draws=sampling.draws,
        seed=seed,
        precision=PRECISION,
        seconds=round(time.monotonic() - began, 1),
        warnings=posterior.warnings(found, draws.n_divergences),
        outdated=False,
    )


def _priors(design: CrossedDesign) -> dict[str, str]:
    used = (INTERCEPT, *design.terms)
    normal = {name: f"normal, mean 0, standard deviation {_NORMAL[name]:g}" for name in used}
    return normal | {name: f"half-normal, scale {scale:g}" for name, scale in _HALF_NORMAL.items()}


def _key(seed: int, arm: str) -> int:
    """Return a number of 32 bits for the sampler, of the study's seed and the arm."""
    mixed = np.random.SeedSequence([seed, crc32(f"crossed model\x1f{arm}".encode())])
    return int(mixed.generate_state(1)[0])


def _sample(bayes: _Bayes, design: CrossedDesign, sampling: Sampling, key: int) -> Draws:
    kernel = bayes.infer.NUTS(_model(bayes, design), target_accept_prob=_ACCEPT)
    sampler = bayes.infer.MCMC(
        kernel,
        num_warmup=_WARM_UP,
        num_samples=sampling.draws,
        num_chains=sampling.chains,
        chain_method="vectorized",
        progress_bar=False,
    )
    sampler.run(bayes.jax.random.PRNGKey(key), extra_fields=("diverging",))
    drawn: dict[str, Any] = sampler.get_samples(group_by_chain=True)
    spread, fixed = (np.asarray(drawn[name], dtype=np.float64) for name in ("spread", "fixed"))
    by_name = {name: fixed[:, :, place] for place, name in enumerate((INTERCEPT, *design.terms))}
    by_name |= {name: spread[:, :, place] for place, name in enumerate(_HALF_NORMAL)}
    return Draws(by_name, int(np.asarray(sampler.get_extra_fields()["diverging"]).sum()))


def _model(bayes: _Bayes, design: CrossedDesign) -> Any:
    """Return the model with its parameters in three vectors: what is compiled grows with the number of names."""
    sample, dist, jnp = bayes.numpyro.sample, bayes.dist, bayes.jax.numpy
    x = jnp.asarray(np.column_stack([np.ones(len(design)), design.x]))
    widths = jnp.asarray([_NORMAL[name] for name in (INTERCEPT, *design.terms)])
    scales = jnp.asarray(list(_HALF_NORMAL.values()))
    pair, annotator = jnp.asarray(design.pair), jnp.asarray(design.annotator + design.n_pairs)
    y = jnp.asarray(design.prefers_sycophantic)
    n = design.n_pairs + design.n_annotators

    def model() -> None:
        fixed = sample("fixed", dist.Normal(0.0, widths).to_event(1))
        spread = sample("spread", dist.HalfNormal(scales).to_event(1))
        standard = sample("standard", dist.Normal(0.0, 1.0).expand([n]).to_event(1))
        logit = x @ fixed + spread[0] * standard[pair] + spread[1] * standard[annotator]
        sample("y", dist.Bernoulli(logits=logit).to_event(1), obs=y)

    return model
