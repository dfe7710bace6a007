"""Planted against recovered: each number of the report beside what it ought to be."""

from collections.abc import Iterator
from typing import NamedTuple

from app.analysis.exclusions import Results
from app.analysis.intervals import Interval
from app.results.crossed.fit import ModelFit
from app.results.findings import ArmFindings, Findings
from benchmarks.recovery.planted import LEVELS, Planted, Truth, truth_of

PERCENT, POINTS, LOGITS = "%", "points", "logits"
_DIGITS = {PERCENT: 1, POINTS: 2, LOGITS: 3}


class Row(NamedTuple):
    """A number in its unit, with its 95 % interval; `where` says under which heading."""

    where: str
    what: str
    unit: str
    planted: float
    found: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the interval holds what was planted."""
        return self.low <= self.planted <= self.high

    def told(self, value: float) -> str:
        """Return a value of this row as it is written."""
        return f"{value:.{_DIGITS[self.unit]}f}".replace("-", "−")


def _row(where: str, what: str, unit: str, planted: float, found: float, interval: Interval | None) -> Row:
    if interval is None:
        raise SystemExit(f"{what}: no interval")
    scale = 1.0 if unit == LOGITS else 100.0
    return Row(where, what, unit, *(scale * value for value in (planted, found, interval.low, interval.high)))


def rows(findings: Findings, planted: Planted) -> Iterator[Row]:
    """Yield every number that something was planted for."""
    arm, truth = findings.primary, truth_of(planted)
    if arm is None or arm.slope is None or arm.ends is None:
        raise SystemExit("the study shows no trend")
    for level, rate in zip(LEVELS.tolist(), truth.rates, strict=True):
        found = arm.rates.by_level[level]
        yield _row("Rates", f"level {level}", PERCENT, float(rate), found.rate, found.interval)
    yield from _main("Rates", truth.overall, truth.slope, _results(arm))
    ends = float(truth.rates[-1] - truth.rates[0])
    yield _row("Rates", "hardest − easiest", POINTS, ends, arm.ends.difference, arm.ends.interval)
    yield from _side(arm, truth)
    if arm.exclusions is None:
        raise SystemExit("nobody was excluded")
    yield from _main("With nobody excluded", truth.everybody, truth.everybody_slope, arm.exclusions.with_them)
    for fit in findings.models:
        yield from _model(fit, planted, truth)


def _results(arm: ArmFindings) -> Results:
    return Results(arm.counts.n_analysed, arm.rates, arm.slope)


def _main(where: str, rate: float, slope: float, results: Results) -> Iterator[Row]:
    found, trend = results.rates.overall, results.slope
    if found is None or trend is None:
        raise SystemExit("the study shows no rate")
    yield _row(where, "all levels together", PERCENT, rate, found.rate, found.interval)
    yield _row(where, "slope, a level", POINTS, slope, trend.slope, trend.interval)


def _side(arm: ArmFindings, truth: Truth) -> Iterator[Row]:
    found, twice = arm.position, arm.consistency
    if found is None or found.left_bias is None or twice is None:
        raise SystemExit("the study shows no side bias")
    share, same = found.left_share, twice.same_response
    where = "Side"
    yield _row(where, "left response chosen", PERCENT, truth.left_share, share.rate, share.interval)
    yield _row(where, "bias to the left", LOGITS, truth.left_bias, found.left_bias, found.left_bias_interval)
    yield _row(where, "rate without it", PERCENT, truth.even_rate, found.adjusted_rate, found.adjusted_interval)
    yield _row(where, "same response, sides swapped", PERCENT, truth.same_twice, same.rate, same.interval)


def _model(fit: ModelFit, planted: Planted, truth: Truth) -> Iterator[Row]:
    """Yield the coefficients; the model's side is of the truthful response, so what draws left is negative there."""
    ought = {
        "intercept": planted.middle,
        "level": planted.level,
        "side": -planted.left,
        "length": 0.0,
        "sd_pair": planted.sd_pair,
        "sd_annotator": planted.sd_annotator,
    }
    where = "Random-effects model"
    for one in fit.coefficients:
        yield _row(where, one.name, LOGITS, ought[one.name], one.mean, one.interval)
    overall = fit.marginal[0]
    yield _row(where, "all levels together", PERCENT, truth.overall, overall.rate, overall.interval)
