"""The trend over the levels: the primary test, with the isotonic fit beside it."""

from app.results import words
from app.results.figures.charts import Panel, PanelChart, Point, Series, Shape, Tone, level_axis, percent_axis
from app.results.findings import ArmFindings, Findings
from app.results.phrases import heading, many
from app.results.report.levels import people_series
from app.results.report.naming import HALF, INTERVAL, PREFER, who
from app.results.report.numbers import NONE, count, difference_cells, p_value, percent, plain, points, within
from app.results.report.parts import Column, Sketch, Table


def slope(findings: Findings, stamp: str) -> Sketch | None:
    """Return the primary test: the linear slope over the levels, and the isotonic fit beside it."""
    arm = findings.primary
    if arm is None or arm.slope is None or not arm.rates.by_level:
        return None
    found, shown = arm.slope, sorted(arm.rates.by_level)
    line = tuple(Point(x=level, y=100 * (found.intercept + found.slope * level)) for level in shown)
    series = [
        Series(label="average person", points=people_series(arm)[0].points),
        Series(label="linear trend", points=line, shape=Shape.LINE, tone=Tone.PLAIN),
    ]
    if arm.isotonic:
        steps = tuple(Point(x=level, y=100 * rate) for level, rate in sorted(arm.isotonic.items()))
        series.append(Series(label="never falling fit", points=steps, shape=Shape.LINE, tone=Tone.TRUTHFUL))
    return Sketch(
        id="slope",
        name="The trend: primary test",
        heading=heading(words.of_slope(found)),
        what=(
            "The average of people at each level, the linear trend of pair-level rates that is tested, and the "
            f"fit that may only rise or stay. {many(found.n_pairs, 'pair')}, {who(arm, found.n_annotators)}, "
            f"{many(found.n_levels, 'level')}."
        ),
        more=("The never falling fit is exploratory: levels are an order, and the trend need not be a straight line.",)
        if arm.isotonic
        else (),
        chart=PanelChart(
            panels=(Panel(title="", series=tuple(series), spans=True),),
            x=level_axis(tuple(shown)),
            y=percent_axis(PREFER),
            reference=HALF,
            stamp=stamp,
        ),
        tables=(_slope_table(findings), *_isotonic_table(arm)),
        exploratory="slope" in findings.exploratory,
    )


def _slope_table(findings: Findings) -> Table:
    columns = (
        Column("Arm", number=False),
        *map(
            Column, ("Slope (points a level)", INTERVAL, "t", "Degrees of freedom", "p", "Hardest − easiest (points)")
        ),
        *map(Column, (INTERVAL, "p")),
    )
    rows = []
    for arm in findings.arms:
        found = arm.slope
        cells: tuple[str, ...] = (NONE,) * 5
        if found is not None:
            interval = within(found.interval, 2, sign=True)
            cells = (points(found.slope, 2), interval, plain(found.t, 2), count(found.df), p_value(found.p))
        name = f"{arm.arm.name} (primary)" if arm.primary else arm.arm.name
        rows.append((name, *cells, *difference_cells(arm.ends)))
    return Table("Linear trend over the levels", columns, tuple(rows))


def _isotonic_table(arm: ArmFindings) -> tuple[Table, ...]:
    if not arm.isotonic:
        return ()
    rows = tuple(
        (str(level), percent(arm.rates.by_level[level].rate if level in arm.rates.by_level else None), percent(fitted))
        for level, fitted in sorted(arm.isotonic.items())
    )
    columns = (Column("Level", number=False), Column("Average (%)"), Column("Never falling fit (%)"))
    return (Table("The fit that may only rise or stay (exploratory)", columns, rows),)
