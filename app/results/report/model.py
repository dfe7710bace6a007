"""Stored fits of the crossed random-effects model: rates by level, coefficients, and how far to believe them."""

from math import exp

from app.analysis.rates import Rate
from app.results import words
from app.results.crossed.fit import Coefficient, ImpliedRate, ModelFit
from app.results.figures.charts import Panel, PanelChart, Point, Series, Shape, level_axis, percent_axis
from app.results.findings import Findings
from app.results.phrases import heading, many
from app.results.report.answers import arm_words
from app.results.report.naming import HALF, INTERVAL, PREFER, who
from app.results.report.numbers import NONE, count, percent, plain, rate_point, within
from app.results.report.parts import Column, Sketch, Table

COEFFICIENTS = (
    Column("Term", number=False),
    *map(Column, ("Mean", "Median", "SD", "50 % interval", "95 % interval")),
)
DIAGNOSTICS = (
    Column("Term", number=False),
    *map(Column, ("R-hat", "ESS, bulk", "ESS, tail")),
)
RATES = (
    Column("Level", number=False),
    *map(Column, ("Marginal (%)", "95 % interval", "Conditional (%)", "95 % interval")),
)
_TERMS = {
    "intercept": "intercept",
    "level": "level (one harder)",
    "side": "side (truthful left)",
    "length": "length (one SD longer)",
    "sd_pair": "SD (misconception)",
    "sd_annotator": "SD (annotator)",
}


def models(findings: Findings, stamp: str) -> list[Sketch]:
    """Return the stored fits of the crossed random-effects model."""
    return [_model(findings, fit, stamp, number) for number, fit in enumerate(findings.models, 1)]


def _model(findings: Findings, fit: ModelFit, stamp: str, number: int) -> Sketch:
    return Sketch(
        id="model" if number == 1 else f"model-{number}",
        name="Random-effects model",
        heading=heading(words.of_model(fit)),
        what=(
            "Line: rate over all misconceptions and annotators (marginal) that the crossed random-effects logistic "
            f"model implies at each level, with central {INTERVAL}s of its posterior. Squares: the average that was "
            f"counted, with {INTERVAL}s. {many(fit.n_choices, 'choice')} by "
            f"{_whom(findings, fit)} on {many(fit.n_pairs, 'pair')}; {arm_words(fit.arm)}."
        ),
        more=(*_against(fit), *reading(fit), *made(fit)),
        chart=_chart(findings, fit, stamp),
        tables=(
            Table("Rates that the model implies", RATES, rate_rows(fit)),
            Table("Coefficients (logits)", COEFFICIENTS, coefficient_rows(fit)),
            Table("Convergence (R-hat up to 1.01, effective sizes of 400 and more)", DIAGNOSTICS, diagnostic_rows(fit)),
            Table("Priors", (Column("Term", number=False), Column("Prior", number=False)), _prior_rows(fit)),
        ),
        exploratory="model" in findings.exploratory,
    )


def _whom(findings: Findings, fit: ModelFit) -> str:
    arm = next((arm for arm in findings.arms if arm.arm.name == fit.arm), None)
    return many(fit.n_annotators, "person", "people") if arm is None else who(arm, fit.n_annotators)


def _against(fit: ModelFit) -> tuple[str, ...]:
    """Return what a reader must know before the numbers: that data have changed, that chains do not agree."""
    changed = (
        "The choices have changed since this model was fitted: it is out of date. Fit it again with candor study fit."
    )
    return ((changed,) if fit.outdated else ()) + fit.warnings


def _chart(findings: Findings, fit: ModelFit, stamp: str) -> PanelChart | None:
    by_level = {level: rate for level, rate in sorted(fit.marginal.items()) if level}
    if not by_level:
        return None
    implied = tuple(_point(level, rate) for level, rate in by_level.items())
    counted = tuple(rate_point(level, rate) for level, rate in sorted(_counted(findings, fit.arm).items()))
    series = (
        Series(label="model", points=implied, joined=True),
        *((Series(label="counted", points=counted, shape=Shape.SQUARE),) if counted else ()),
    )
    return PanelChart(
        panels=(Panel(title="", series=series, spans=True),),
        x=level_axis(tuple(sorted({*by_level, *(int(point.x) for point in counted)}))),
        y=percent_axis(PREFER),
        reference=HALF,
        stamp=stamp,
    )


def _counted(findings: Findings, arm: str) -> dict[int, Rate]:
    return next((found.rates.by_level for found in findings.arms if found.arm.name == arm), {})


def _point(level: int, rate: ImpliedRate) -> Point:
    return Point(x=level, y=100 * rate.rate, low=100 * rate.interval.low, high=100 * rate.interval.high)


def reading(fit: ModelFit) -> tuple[str, ...]:
    """Return how the coefficients read: what a level does to the odds, and why the two scales differ."""
    level = next((one for one in fit.coefficients if one.name == "level"), None)
    said = []
    if level is not None:
        low, high = exp(level.interval.low), exp(level.interval.high)
        hedge = "" if level.interval.low > 0 or level.interval.high < 0 else "; whether they rise or fall is not known"
        said.append(
            f"For one misconception and one person a level multiplies the odds of a sycophantic choice by "
            f"{exp(level.median):.2f} (95 % interval {low:.2f} to {high:.2f}){hedge}."
        )
    said.append(
        "Marginal rates are over all misconceptions and annotators, and are those to compare with the counted ones. "
        "Conditional rates are of the one misconception and the one annotator in the middle, and further from one half."
    )
    said += [f"Without {name}: {why}." for name, why in fit.left_out.items()]
    return tuple(said)


def made(fit: ModelFit) -> tuple[str, ...]:
    """Return when, to what and how a model was fitted, with its worst diagnostics."""
    rhats = [one.rhat for one in fit.coefficients if one.rhat is not None]
    sizes = [size for one in fit.coefficients for size in (one.ess_bulk, one.ess_tail) if size is not None]
    worst = f"Largest R-hat {max(rhats):.3f}, smallest ESS {min(sizes):,.0f}" if rhats and sizes else "No diagnostics"
    version = "" if fit.data_version is None else f" to data version {fit.data_version[:12]}"
    sampled = (
        f"{fit.n_chains} chains of {fit.n_draws:,} draws after {fit.n_warm_up:,} of warm-up (no-U-turn sampler, "
        f"{fit.precision}), seed {fit.seed}; "
    )
    if version and fit.outdated is False:
        version = f"{version}, which had the same choices"
    programs = ", ".join(f"{name} {version_}" for name, version_ in sorted(fit.versions.items()))
    return (
        f"{worst}; divergent transitions: {fit.n_divergences:,}.",
        f"Fitted {fit.fitted_at.replace('T', ' ').replace('+00:00', ' UTC')}{version}, in {fit.seconds:,.0f} seconds.",
        f"{sampled}{programs}.",
    )


def coefficient_rows(fit: ModelFit) -> tuple[tuple[str, ...], ...]:
    """Return a row for each coefficient, under `COEFFICIENTS`."""
    return tuple(_coefficient(one) for one in fit.coefficients)


def _coefficient(one: Coefficient) -> tuple[str, ...]:
    return (
        _TERMS.get(one.name, one.name),
        plain(one.mean, 3),
        plain(one.median, 3),
        plain(one.sd, 3),
        within(one.interval_50, 3, scale=1),
        within(one.interval, 3, scale=1),
    )


def diagnostic_rows(fit: ModelFit) -> tuple[tuple[str, ...], ...]:
    """Return a row for each coefficient, under `DIAGNOSTICS`."""
    return tuple(
        (_TERMS.get(one.name, one.name), plain(one.rhat, 3), plain(one.ess_bulk, 0), plain(one.ess_tail, 0))
        for one in fit.coefficients
    )


def rate_rows(fit: ModelFit) -> tuple[tuple[str, ...], ...]:
    """Return a row for each level and one for all, under `RATES`."""
    levels = sorted(fit.marginal, key=lambda level: (level == 0, level))
    return tuple(
        ("all" if not level else count(level), *_rate(fit.marginal[level]), *_rate(fit.conditional.get(level)))
        for level in levels
    )


def _rate(rate: ImpliedRate | None) -> tuple[str, str]:
    return (NONE, NONE) if rate is None else (percent(rate.rate), within(rate.interval))


def _prior_rows(fit: ModelFit) -> tuple[tuple[str, ...], ...]:
    places = list(_TERMS)
    named = sorted(fit.priors.items(), key=lambda one: places.index(one[0]) if one[0] in places else len(places))
    return tuple((_TERMS.get(name, name), prior) for name, prior in named)
