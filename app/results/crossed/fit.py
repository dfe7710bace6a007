"""A fit of the crossed random-effects model, as it is stored and told."""

from dataclasses import dataclass

from app.analysis.intervals import Interval


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One parameter of the crossed random-effects model, in logits.

    Attributes
    ----------
    name
        `intercept`; `level` (a level); `side` (truthful response left rather than right); `length` (a standard
        deviation over pairs of the log ratio of lengths); `sd_pair` and `sd_annotator`, standard deviations of the
        random intercepts of misconceptions and of annotators.
    mean, median, sd
        Of the posterior.
    interval_50, interval
        Its central 50 % and 95 %.
    rhat
        Rank-normalised split R-hat; 1 is converged. None where all draws are the same.
    ess_bulk, ess_tail
        Effective sample sizes for the centre and for the ends of intervals; None where all draws are the same.
    """

    name: str
    mean: float
    median: float
    sd: float
    interval_50: Interval
    interval: Interval
    rhat: float | None
    ess_bulk: float | None
    ess_tail: float | None


@dataclass(frozen=True, slots=True)
class ImpliedRate:
    """A preference rate that the model implies.

    Attributes
    ----------
    rate, interval
        Mean and central 95 % of its posterior, in (0, 1).
    """

    rate: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class ModelFit:
    """The crossed random-effects logistic model of one arm, fitted offline and stored.

    Attributes
    ----------
    arm
        Name of the arm.
    data_version
        Version of the study's data that it was fitted to; None where it was fitted to files.
    choices_hash
        SHA-256 of the choices that it was fitted to, as the model is told of them.
    fitted_at
        When, ISO 8601, UTC.
    versions
        Of the programs that fitted it.
    n_choices, n_pairs, n_annotators
        What it was fitted to: decided choices, pairs (one a misconception) and people.
    coefficients
        Fixed effects and standard deviations of the random intercepts.
    left_out
        Name of a term that the model does without, to why.
    marginal
        Difficulty level to the rate over misconceptions and annotators like these, half of the choices on either side,
        at the mean log ratio of lengths; 0 is overall, each pair counting the same.
    conditional
        The same of the one misconception and the one annotator in the middle, without what they vary by.
    priors
        Name of a coefficient to its prior.
    level_mean, length_mean, length_sd
        Mean level over pairs, mean and standard deviation over pairs of ln(words sycophantic / words truthful): what
        the terms are centred on and scaled by. None where the term is left out.
    n_divergences
        Divergent transitions; should be 0.
    n_chains, n_warm_up, n_draws, seed
        How it was sampled: chains, draws of each thrown away and kept, and the study's seed.
    precision
        Of the arithmetic.
    seconds
        How long it took.
    warnings
        What its diagnostics say against it, in words; empty where they say nothing.
    outdated
        Whether the arm's choices are others than those that it was fitted to; None where that was not asked.
    """

    arm: str
    data_version: str | None
    choices_hash: str
    fitted_at: str
    versions: dict[str, str]
    n_choices: int
    n_pairs: int
    n_annotators: int
    coefficients: tuple[Coefficient, ...]
    left_out: dict[str, str]
    marginal: dict[int, ImpliedRate]
    conditional: dict[int, ImpliedRate]
    priors: dict[str, str]
    level_mean: float | None
    length_mean: float | None
    length_sd: float | None
    n_divergences: int
    n_chains: int
    n_warm_up: int
    n_draws: int
    seed: int
    precision: str
    seconds: float
    warnings: tuple[str, ...]
    outdated: bool | None = None
