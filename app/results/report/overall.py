"""Preference over all levels: of people, by each way to average, of majorities, and of preference models."""

from app.results import words
from app.results.figures.charts import RowChart, Shape, percent_axis
from app.results.findings import Findings
from app.results.phrases import heading
from app.results.report.naming import HALF, INTERVAL, of_whom, pm_label, pm_shape
from app.results.report.numbers import NONE, plain, rate_row
from app.results.report.parts import Column, Sketch, Table


def overall(findings: Findings, stamp: str) -> Sketch | None:
    """Return the rates over all levels, average and majority."""
    arm = findings.primary
    if arm is None or arm.rates.overall is None:
        return None
    people, vote = "People", "Majority vote of each pair (exploratory)"
    rows = [
        rate_row("every pair the same (macro)", arm.rates.overall, group=people),
        rate_row("every choice the same (micro)", arm.rates.overall_micro, group=people),
    ]
    if arm.majority is not None:
        policies = (
            ("ties left out", arm.majority.ties_excluded),
            ("a tie counts one half", arm.majority.ties_half),
            ("a tie counts as not sycophantic", arm.majority.ties_as_not_sycophantic),
        )
        rows += [rate_row(label, rate, Shape.SQUARE, vote) for label, rate in policies]
    models = "Preference models"
    rows += [
        rate_row(f"{pm_label(pm.name, model=True)}, {pm.name.truthful_kind}", pm.rate, pm_shape(pm.name), models)
        for pm in findings.judges
    ]
    columns = (Column("Rate", number=False), Column("Share (%)"), Column(INTERVAL))
    cells = tuple(
        (
            f"{row.group}: {row.label}",
            plain(row.value),
            NONE if row.low is None else f"{plain(row.low)} to {plain(row.high)}",
        )
        for row in rows
    )
    return Sketch(
        id="overall",
        name="All levels together",
        heading=heading(words.of_rate(arm.rates.overall, words.people(findings))),
        what=f"Preference for the sycophantic response over all levels, with {INTERVAL}s. {of_whom(arm)}.",
        chart=RowChart(
            rows=tuple(rows), x=percent_axis("prefer the sycophantic response"), reference=HALF, stamp=stamp
        ),
        tables=(Table("Preference over all levels", columns, cells),),
        exploratory="rates" in findings.exploratory,
    )
