"""What exclusions do: results with and without, at other thresholds, and without what was looked up."""

from math import isfinite

from app.analysis.exclusions import Results
from app.analysis.response_times import AtThreshold
from app.results import exclusion_words
from app.results.figures.charts import (
    RowChart,
    percent_axis,
)
from app.results.findings import Findings
from app.results.phrases import heading
from app.results.report.naming import HALF, INTERVAL
from app.results.report.numbers import (
    NONE,
    count,
    p_value,
    points,
    rate_cells,
    rate_row,
    within,
)
from app.results.report.parts import Column, Sketch, Table


def exclusions(findings: Findings, stamp: str) -> Sketch | None:
    """Return the flow from all stored choices to those analysed, and the numbers with and without."""
    arm = findings.primary
    if arm is None:
        return None
    steps = (("stored", arm.flow.total), *((_reason(step.reason), step) for step in arm.flow.excluded))
    rows = tuple(
        (label, count(step.n_choices), count(step.n_annotators), count(step.n_pairs))
        for label, step in (*steps, ("analysed", arm.flow.kept))
    )
    columns = (Column("Choices", number=False), *map(Column, ("Choices (n)", "With a person of (n)", "On pairs (n)")))
    flow = Table("From stored to analysed choices", columns, rows)
    both = arm.exclusions
    tables: tuple[Table, ...] = (flow,)
    chart = None
    if both is not None:
        compared = (("as analysed", both.without), ("with nobody excluded", both.with_them))
        chart = _compared(compared, stamp)
        tables += (_compared_table("With and without exclusions", compared),)
    return Sketch(
        id="exclusions",
        name="Exclusions",
        heading=heading(exclusion_words.of_analysed(arm.flow)),
        what=(
            "What was stored, what is left out and why, and what is analysed; one person or pair can be on several "
            "lines." + (" Below, the primary numbers with and without." if both is not None else "")
        ),
        chart=chart,
        tables=tables,
        open=True,
        more=() if both is not None else ("No rule left a choice out, so there is nothing to compare.",),
        exploratory="exclusions" in findings.exploratory,
    )


def _reason(reason: str) -> str:
    return f"left out: {exclusion_words.reason(reason)}"


def _compared(compared: tuple[tuple[str, Results], ...], stamp: str) -> RowChart:
    """Return the overall rate of several sets of choices, one above the other."""
    rows = tuple(rate_row(label, results.rates.overall) for label, results in compared)
    return RowChart(rows=rows, x=percent_axis("prefer the sycophantic response"), reference=HALF, stamp=stamp)


def _compared_table(caption: str, compared: tuple[tuple[str, Results], ...]) -> Table:
    columns = (
        Column("Choices", number=False),
        *map(Column, ("Choices (n)", "Average (%)", INTERVAL, "Slope (points a level)", INTERVAL, "p")),
    )
    return Table(caption, columns, tuple((label, *_results(results)) for label, results in compared))


def _results(results: Results) -> tuple[str, ...]:
    slope = results.slope
    return (
        count(results.n_choices),
        *rate_cells(results.rates.overall),
        NONE if slope is None else points(slope.slope, 2),
        NONE if slope is None else within(slope.interval, 2, sign=True),
        NONE if slope is None else p_value(slope.p),
    )


def response_times(findings: Findings, stamp: str) -> Sketch | None:
    """Return the primary numbers at thresholds of the time to decide."""
    arm = findings.primary
    if arm is None or arm.response_times is None or not arm.response_times.at:
        return None
    times = arm.response_times
    by_strictness = sorted(times.at, key=lambda at: at.n_too_fast)
    named = tuple((_threshold(at), at.results) for at in by_strictness)
    declared = "declared in the design" if times.declared else "not declared: 600 words a minute was taken"
    left_out = "; ".join(
        f"{count(at.n_too_fast)} ({_threshold(at)})" for at in by_strictness if at.threshold is not None
    )
    name = "response_times" if times.declared else "response_times_undeclared"
    return Sketch(
        id="response-times",
        name="Response times",
        heading=heading(exclusion_words.of_response_times(times.at)),
        what=f"The preference rate without choices too fast to have read both responses; the threshold is {declared}.",
        more=(f"Choices that each threshold leaves out as too fast: {left_out}.",),
        chart=_compared(named, stamp),
        tables=(_compared_table("At thresholds of the time to decide", named),),
        exploratory=name in findings.exploratory,
    )


def _threshold(at: AtThreshold) -> str:
    if at.threshold is None:
        return "all choices"
    parts = []
    if isfinite(at.threshold.words_per_minute):
        parts.append(f"{at.threshold.words_per_minute:,.0f} words a minute")
    if at.threshold.floor_ms:
        parts.append(f"{at.threshold.floor_ms / 1000:g} s")
    return "slower than " + " and ".join(parts) if parts else "all choices"


def looked_up(findings: Findings, stamp: str) -> Sketch | None:
    """Return the primary numbers with and without those who looked something up."""
    arm = findings.primary
    if arm is None or arm.looked_up is None:
        return None
    compared = (("those who looked nothing up", arm.looked_up.without), ("with those who did", arm.looked_up.with_them))
    return Sketch(
        id="looked-up",
        name="Looked-up answers",
        heading=heading(exclusion_words.of_looked_up(arm.looked_up)),
        what=f"The preference rate with and without people who said that they looked something up, with {INTERVAL}s.",
        chart=_compared(compared, stamp),
        tables=(_compared_table("With and without those who looked something up", compared),),
        exploratory="looked_up" in findings.exploratory,
    )
