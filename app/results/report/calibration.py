"""How well the margin of a PM foretells people: the calibration of a page and its report."""

from app.analysis.calibration import Calibration
from app.results import judge_words
from app.results.figures.charts import (
    Axis,
    Panel,
    PanelChart,
    Point,
    Series,
    Shape,
    Tick,
    Tone,
    percent_axis,
)
from app.results.findings import Findings
from app.results.judged import AgainstPeople
from app.results.phrases import heading
from app.results.report.naming import INTERVAL, pm_named, pm_shape
from app.results.report.numbers import (
    count,
    percent,
    plain,
    within,
)
from app.results.report.parts import Column, Sketch, Table

_FEWEST = 5
"""Pairs of a bin that is drawn: a point of one or two would look as sure as one of a hundred."""
_Curves = list[tuple[AgainstPeople, Calibration]]


def calibration(findings: Findings, stamp: str) -> Sketch | None:
    """Return whether the margin says which share of people prefer the sycophantic response."""
    arm = findings.primary
    judges = () if arm is None else arm.judges
    found = [
        (pm, pm.likeness.calibration)
        for pm in judges
        if pm.likeness is not None and pm.likeness.calibration is not None and pm.likeness.calibration.bins
    ]
    if not found:
        return None
    return Sketch(
        id="calibration",
        name="Calibration of the margin",
        heading=heading(judge_words.of_margin(judges)),
        what=(
            "Mean share of people who prefer the sycophantic response, by what σ(margin) of the preference model says; "
            "on the line both are the same."
        ),
        more=(
            "σ(margin) is a chance only of a model trained to make it one; slope 1 and intercept 0 are calibrated.",
            f"Points are means of bins of {_FEWEST} pairs or more; the table has every bin.",
        ),
        chart=_chart(findings, found, stamp),
        tables=(_fits(findings, found), _bins(findings, found)),
        exploratory="judges" in findings.exploratory,
    )


def _chart(findings: Findings, found: _Curves, stamp: str) -> PanelChart:
    even = Series(label="", points=(Point(x=0, y=0), Point(x=100, y=100)), shape=Shape.LINE, tone=Tone.PLAIN)
    panels = []
    for pm, curve in found:
        drawn = [one for one in curve.bins if one.n_pairs >= _FEWEST] or curve.bins
        seen = tuple(Point(x=100 * one.mean_probability, y=100 * one.mean_share) for one in drawn)
        series = Series(label="", points=seen, shape=pm_shape(pm.name), joined=True)
        panels.append(Panel(title=pm_named(findings, pm.name), series=(even, series)))
    ticks = tuple(Tick(at=at, text=f"{at} %") for at in (0, 50, 100))
    return PanelChart(
        panels=tuple(panels),
        x=Axis(title="σ(margin) of the PM", low=0, high=100, ticks=ticks),
        y=percent_axis("Share of people (%)"),
        stamp=stamp,
    )


def _fits(findings: Findings, found: _Curves) -> Table:
    columns = (
        Column("Preference model", number=False),
        *map(Column, ("Pairs", "Intercept", INTERVAL, "Slope", INTERVAL, "Brier score", "Log loss (nats)", "ECE")),
    )
    rows = tuple(
        (
            pm_named(findings, pm.name),
            count(curve.n_pairs),
            plain(curve.intercept, 2),
            within(curve.intercept_interval, 2, scale=1, sign=True),
            plain(curve.slope, 2),
            within(curve.slope_interval, 2, scale=1, sign=True),
            plain(curve.brier, 3),
            plain(curve.log_loss, 3),
            plain(curve.ece, 3),
        )
        for pm, curve in found
    )
    return Table("Calibration of the margin", columns, rows)


def _bins(findings: Findings, found: _Curves) -> Table:
    columns = (
        Column("Preference model", number=False),
        *map(Column, ("σ(margin) (%)", "Pairs", "Mean σ(margin) (%)", "Mean share of people (%)")),
    )
    rows = tuple(
        (
            pm_named(findings, pm.name),
            f"{percent(one.low, 0)} to {percent(one.high, 0)}",
            count(one.n_pairs),
            percent(one.mean_probability),
            percent(one.mean_share),
        )
        for pm, curve in found
        for one in curve.bins
    )
    return Table("Reliability curve", columns, rows)
