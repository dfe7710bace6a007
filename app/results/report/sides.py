"""What sides and lengths have to do with choices, and whether the same person chooses the same again."""

from math import exp

from app.analysis.intervals import Interval
from app.results import words
from app.results.figures.charts import (
    Reference,
    Row,
    RowChart,
    Tone,
    percent_axis,
)
from app.results.findings import ArmFindings, Findings
from app.results.phrases import heading, many
from app.results.report.naming import INTERVAL, of_whom
from app.results.report.numbers import NONE, p_value, plain, rate_row, within
from app.results.report.parts import Column, Sketch, Table


def sides(findings: Findings, stamp: str) -> Sketch | None:
    """Return what the side, the length and a second look at a pair do."""
    arm = findings.primary
    if arm is None or (arm.position is None and arm.length is None and arm.consistency is None):
        return None
    rows = [*_position_rows(arm), *_length_rows(arm), *_consistency_rows(arm)]
    cells = tuple(
        (
            f"{row.group}: {row.label}",
            plain(row.value),
            NONE if row.low is None or row.high is None else f"{plain(row.low)} to {plain(row.high)}",
        )
        for row in rows
    )
    return Sketch(
        id="sides",
        name="Side and length",
        heading=heading(words.of_length(arm.length) if arm.position is None else words.of_position(arm.position)),
        what=f"Shares of choices with {INTERVAL}s. {of_whom(arm)}.",
        more=_sides_more(arm),
        chart=RowChart(rows=tuple(rows), x=percent_axis("share of choices"), reference=_even, stamp=stamp),
        tables=(
            Table(
                "Side, length and repeats",
                (Column("Share", number=False), Column("Share (%)"), Column(INTERVAL)),
                cells,
            ),
            *_effects_table(arm),
        ),
        exploratory=bool({"position", "length"} & findings.exploratory),
    )


_even = Reference(at=50, label="one half")


def _position_rows(arm: ArmFindings) -> list[Row]:
    found, group = arm.position, "Side"
    if found is None:
        return []
    interval = found.adjusted_interval
    low, high = (None, None) if interval is None else (100 * interval.low, 100 * interval.high)
    told = f"{100 * found.adjusted_rate:.0f} %"
    adjusted = Row(
        label="prefer sycophantic, side bias taken out",
        value=100 * found.adjusted_rate,
        low=low,
        high=high,
        told=told if low is None or high is None else f"{told} [{low:.0f}, {high:.0f}]",
        group=group,
    )
    shown = (("left", found.rate_when_left), ("right", found.rate_when_right))
    return [
        _plain(rate_row("choose the left response", found.left_share, group=group)),
        *(
            Row(
                label=f"prefer sycophantic when it is {side}",
                value=100 * rate,
                low=None,
                high=None,
                told=f"{100 * rate:.0f} %",
                group=group,
            )
            for side, rate in shown
        ),
        adjusted,
    ]


def _plain(row: Row) -> Row:
    return Row(
        label=row.label, value=row.value, low=row.low, high=row.high, told=row.told, tone=Tone.PLAIN, group=row.group
    )


def _length_rows(arm: ArmFindings) -> list[Row]:
    found, group = arm.length, "Length"
    if found is None:
        return []
    rows = [rate_row("prefer sycophantic, as it is", found.raw, group=group)]
    if found.rate is not None:
        interval = found.interval
        low, high = (None, None) if interval is None else (100 * interval.low, 100 * interval.high)
        told = f"{100 * found.rate:.0f} %"
        rows.append(
            Row(
                label="prefer sycophantic, at equal length",
                value=100 * found.rate,
                low=low,
                high=high,
                told=told if low is None or high is None else f"{told} [{low:.0f}, {high:.0f}]",
                group=group,
            )
        )
    return rows


def _consistency_rows(arm: ArmFindings) -> list[Row]:
    if arm.consistency is None:
        return []
    same = arm.consistency.same_response
    return [_plain(rate_row("same response when sides are swapped", same, group="A second look"))]


def _sides_more(arm: ArmFindings) -> tuple[str, ...]:
    said = []
    if arm.length is not None:
        if arm.position is not None:
            said.append(words.of_length(arm.length))
        ratio = exp(arm.length.mean_log_ratio)
        said.append(
            f"Sycophantic responses are {ratio:.2f} times as long as truthful ones, on average (geometric mean). Where "
            "length is part of what persuades, the raw rate is the answer."
        )
    if arm.consistency is not None:
        found = arm.consistency
        n = found.same_response.n_choices
        said.append(
            f"{many(n, 'repeat')}: {found.n_left_twice} chose the left side both times, {found.n_right_twice} the "
            f"right; {found.n_to_sycophantic} went over to the sycophantic response, {found.n_to_truthful} to the "
            "truthful one."
        )
    return tuple(said)


def _effects_table(arm: ArmFindings) -> tuple[Table, ...]:
    side, length = arm.position, arm.length
    rows = []
    if side is not None:
        rows.append(_effect("Bias to the left", side.left_bias, side.left_bias_interval, side.left_bias_p))
    if length is not None:
        named = "One SD of the log length ratio"
        rows.append(_effect(named, length.coefficient, length.coefficient_interval, length.p))
    columns = (Column("Effect", number=False), *map(Column, ("Estimate", INTERVAL, "p")))
    return (Table("Effects of side and length", columns, tuple(rows)),) if rows else ()


def _effect(name: str, logits: float | None, interval: Interval | None, p: float | None) -> tuple[str, ...]:
    return f"{name} (logits)", plain(logits, 3), within(interval, 3, scale=1, sign=True), p_value(p)
