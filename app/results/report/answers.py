"""Preference by what people said of themselves, and by what they were told: confidence, belief, background, arms."""

from app.analysis.curves import Curve
from app.results import words
from app.results.figures.charts import (
    Axis,
    Panel,
    PanelChart,
    RowChart,
    Series,
    Tick,
    level_axis,
    percent_axis,
)
from app.results.findings import Background, Findings
from app.results.phrases import heading, many
from app.results.report.naming import HALF, INTERVAL, PREFER
from app.results.report.numbers import (
    NONE,
    count,
    difference_cells,
    p_value,
    points,
    rate_cells,
    rate_point,
    rate_row,
    within,
)
from app.results.report.parts import Column, Sketch, Table

_ARMS = {"neutral": "neutral instructions", "prefer_truth": "told to prefer the truth"}


def arm_words(name: str) -> str:
    """Return an arm in words from its name, truthful kind / instructions."""
    kind, _, instructions = name.partition("/")
    return f"{kind} truthful response, {_ARMS.get(instructions, instructions)}"


def confidence(findings: Findings, stamp: str) -> Sketch | None:
    """Return preference by how sure people said they were."""
    arm = findings.primary
    if arm is None or arm.confidence is None or not arm.confidence.points:
        return None
    axis = Axis(
        title="how sure they said they were",
        low=1,
        high=5,
        ticks=tuple(Tick(at=n, text=str(n)) for n in range(1, 6)),
        ends=("not at all", "completely"),
    )
    return Sketch(
        id="confidence",
        name="Confidence",
        heading=heading(words.of_confidence(arm.confidence)),
        what=f"Choices for the sycophantic response by the confidence given after them, with {INTERVAL}s.",
        more=(*_unanswered(arm.confidence), "What people say after choosing is not a cause of the choice."),
        chart=_curve(arm.confidence, axis, stamp),
        tables=(_curve_table("By confidence", "Confidence (1 to 5)", "one step", arm.confidence),),
        exploratory="confidence" in findings.exploratory,
    )


def prior_belief(findings: Findings, stamp: str) -> Sketch | None:
    """Return preference by what people believed before."""
    arm = findings.primary
    if arm is None or arm.prior_belief is None or not arm.prior_belief.points:
        return None
    ticks = tuple(Tick(at=at, text=f"{at} %") for at in (0, 25, 50, 75, 100))
    axis = Axis(title="how likely the claim seemed before", low=0, high=100, ticks=ticks)
    return Sketch(
        id="prior-belief",
        name="Prior belief",
        heading=heading(words.of_prior_belief(arm.prior_belief)),
        what=(
            "Choices for the sycophantic response by how likely people had held the claim to be true, before they read "
            f"the responses, with {INTERVAL}s."
        ),
        more=_unanswered(arm.prior_belief),
        chart=_curve(arm.prior_belief, axis, stamp),
        tables=(_curve_table("By prior belief", "Belief (%)", "one point of belief", arm.prior_belief),),
        exploratory="prior_belief" in findings.exploratory,
    )


def _unanswered(curve: Curve) -> tuple[str, ...]:
    return (f"{many(curve.n_unanswered, 'choice')} came without an answer.",) if curve.n_unanswered else ()


def _curve(curve: Curve, axis: Axis, stamp: str) -> PanelChart:
    found = tuple(rate_point((point.low + point.high) / 2, point.rate) for point in curve.points)
    panel = Panel(title="", series=(Series(label="", points=found, joined=True),))
    return PanelChart(panels=(panel,), x=axis, y=percent_axis(PREFER), reference=HALF, stamp=stamp)


def _curve_table(caption: str, answer: str, unit: str, curve: Curve) -> Table:
    rows = [
        (
            f"{point.low:g}" if point.low == point.high else f"{point.low:g} to {point.high:g}",
            count(point.rate.n_choices),
            *rate_cells(point.rate),
        )
        for point in curve.points
    ]
    trend = f"change for {unit} (points): {points(curve.slope, 2)}"
    rows.append((trend, f"p {p_value(curve.p)}", "", within(curve.slope_interval, 2, sign=True)))
    columns = (Column(answer, number=False), *map(Column, ("Choices (n)", "Sycophantic (%)", INTERVAL)))
    return Table(caption, columns, tuple(rows))


def backgrounds(findings: Findings, stamp: str) -> list[Sketch]:
    """Return preference by the answers to each background question."""
    arm = findings.primary
    return [] if arm is None else [_background(findings, one, stamp) for one in arm.background]


def _background(findings: Findings, found: Background, stamp: str) -> Sketch:
    columns = (
        Column("Answer", number=False),
        *map(Column, ("People (n)", "Average (%)", INTERVAL, "Difference (points)", INTERVAL, "p", "p (Holm)")),
    )
    rows = tuple(
        (
            f"{group.answer} (reference)" if group.answer == found.reference else group.answer,
            count(group.n_annotators),
            *rate_cells(group.rate),
            *difference_cells(group.difference),
            p_value(group.p_holm),
        )
        for group in found.groups
    )
    return Sketch(
        id=f"background-{found.key}",
        name=f"By background: {found.key}",
        heading=heading(words.of_background(found)),
        what=(
            f"Preference for the sycophantic response by the answer to “{found.question}”, with {INTERVAL}s. "
            "Differences are on the pairs that both groups judged."
        ),
        more=("People chose their answers, not their groups: a difference need not come from the answer.",),
        chart=RowChart(
            rows=tuple(rate_row(f"{group.answer} (n = {group.n_annotators:,})", group.rate) for group in found.groups),
            x=percent_axis("prefer the sycophantic response"),
            reference=HALF,
            stamp=stamp,
        ),
        tables=(Table(f"By the answer to “{found.question}”", columns, rows),),
        exploratory="background" in findings.exploratory,
    )


def arms(findings: Findings, stamp: str) -> Sketch | None:
    """Return the arms beside each other, by level, and their differences."""
    if len(findings.arms) < 2:
        return None
    shown = sorted({level for arm in findings.arms for level in arm.rates.by_level})
    if not shown:
        return None
    panels = tuple(
        Panel(
            title=arm_words(arm.arm.name),
            series=(
                Series(
                    label="",
                    points=tuple(rate_point(level, rate) for level, rate in sorted(arm.rates.by_level.items())),
                ),
            ),
        )
        for arm in findings.arms
    )
    columns = (
        Column("Arm", number=False),
        *map(Column, ("People (n)", "Average (%)", INTERVAL, "Difference (points)", INTERVAL, "p", "p (Holm)")),
    )
    compared = {contrast.arm: contrast for contrast in findings.arms_compared}
    rows = []
    for arm in findings.arms:
        contrast = compared.get(arm.arm.name)
        rows.append(
            (
                arm_words(arm.arm.name) + (" (first)" if arm.primary else ""),
                count(arm.counts.n_annotators),
                *rate_cells(arm.rates.overall),
                *difference_cells(None if contrast is None else contrast.difference),
                NONE if contrast is None else p_value(contrast.p_holm),
            )
        )
    return Sketch(
        id="arms",
        name="Arms compared",
        heading=heading(words.of_arms(findings.arms_compared)),
        what=f"Average of people by level in each arm, with {INTERVAL}s; differences are from the first arm.",
        chart=PanelChart(
            panels=panels, x=level_axis(tuple(shown)), y=percent_axis(PREFER), reference=HALF, stamp=stamp
        ),
        tables=(Table("Arms compared, on the pairs that both judged", columns, tuple(rows)),),
        exploratory="arms_compared" in findings.exploratory,
    )
