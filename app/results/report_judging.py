"""What surrounds the main rates: more people a pair, sides and lengths, agreement, and what exclusions do."""

from math import isfinite

from app.analysis.exclusions import Results
from app.analysis.response_times import AtThreshold
from app.results import words
from app.results.figures.charts import (
    Axis,
    Panel,
    PanelChart,
    Reference,
    Row,
    RowChart,
    Series,
    Shape,
    Tick,
    Tone,
    percent_axis,
)
from app.results.findings import ArmFindings, Findings
from app.results.report_levels import HALF, INTERVAL, of_whom
from app.results.report_numbers import (
    NONE,
    count,
    many,
    p_value,
    percent,
    plain,
    points,
    rate_cells,
    rate_point,
    rate_row,
    resampled_cells,
    signed,
    within,
)
from app.results.report_parts import Column, Sketch, Table


def aggregation(findings: Findings, stamp: str) -> Sketch | None:
    """Return how the vote changes as more people vote."""
    arm = findings.primary
    if arm is None or arm.aggregation is None or len(arm.aggregation.by_j) < 2:
        return None
    curve = arm.aggregation
    found = tuple(rate_point(j, share) for j, share in sorted(curve.by_j.items()))
    sizes = tuple(curve.by_j)
    step = max(1, len(sizes) // 10)
    ticks = tuple(Tick(at=j, text=str(j)) for j in sizes if (j - sizes[0]) % step == 0)
    rows = tuple(
        (str(j), *rate_cells(share), percent(curve.strict.get(j)), percent(curve.tie.get(j)))
        for j, share in sorted(curve.by_j.items())
    )
    left_out = many(curve.n_left_out, "pair")
    return Sketch(
        id="aggregation",
        name="More people on a pair",
        heading=words.heading(words.of_aggregation(curve)),
        what=(
            "Chance that the majority of so many people prefers the sycophantic response, ties counting one half, "
            f"with {INTERVAL}s; the same {many(curve.n_pairs, 'pair')} at every number."
        ),
        more=(f"{left_out} with fewer votes {'is' if curve.n_left_out == 1 else 'are'} left out.",)
        if curve.n_left_out
        else (),
        chart=PanelChart(
            panels=(
                Panel(title="", series=(Series(label="majority", points=found, shape=Shape.SQUARE, joined=True),)),
            ),
            x=Axis(title="people who vote on each pair", low=min(sizes), high=max(sizes), ticks=ticks),
            y=percent_axis("Majorities for the sycophantic response (%)"),
            reference=HALF,
            stamp=stamp,
        ),
        tables=(
            Table(
                "The majority of j people, on the same pairs",
                (
                    Column("People", number=False),
                    *map(Column, ("Sycophantic (%)", INTERVAL, "Strict majority (%)", "Tie (%)")),
                ),
                rows,
            ),
        ),
        exploratory="aggregation" in findings.exploratory,
    )


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
        heading=words.heading(words.of_length(arm.length) if arm.position is None else words.of_position(arm.position)),
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
        ratio = 2.718281828459045**arm.length.mean_log_ratio
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
    rows = []
    if arm.position is not None:
        found = arm.position
        rows.append(
            (
                "Bias to the left (logits)",
                plain(found.left_bias, 3),
                within(found.left_bias_interval, 3, scale=1, sign=True),
                p_value(found.left_bias_p),
            )
        )
    if arm.length is not None:
        length = arm.length
        rows.append(
            (
                "One SD of the log length ratio (logits)",
                plain(length.coefficient, 3),
                within(length.coefficient_interval, 3, scale=1, sign=True),
                p_value(length.p),
            )
        )
    columns = (Column("Effect", number=False), *map(Column, ("Estimate", INTERVAL, "p")))
    return (Table("Effects of side and length", columns, tuple(rows)),) if rows else ()


def agreement(findings: Findings, stamp: str) -> Sketch | None:
    """Return how far different people agree on a pair."""
    arm = findings.primary
    if arm is None or arm.agreement is None:
        return None
    found = arm.agreement
    named = (("Krippendorff’s alpha", found.alpha), ("Gwet’s AC1", found.ac1), ("raw agreement", found.raw))
    if all(one is None for _, one in named):
        return None
    rows = []
    for label, one in named:
        if one is None:
            rows.append(Row(label=label, value=None, low=None, high=None, told="not defined"))
            continue
        told = (
            f"{signed(one.estimate, 2).removeprefix('+')} [{plain(one.interval.low, 2)}, {plain(one.interval.high, 2)}]"
        )
        rows.append(
            Row(
                label=label,
                value=one.estimate,
                low=one.interval.low,
                high=one.interval.high,
                told=told,
                tone=Tone.PLAIN,
            )
        )
    lowest = min((row.low for row in rows if row.low is not None), default=0)
    ticks = (-1, -0.5, 0, 0.5, 1) if lowest < -0.5 else (-0.5, 0, 0.5, 1) if lowest < 0 else (0, 0.25, 0.5, 0.75, 1)
    axis = Axis(
        title="agreement of different people on the same pair (1 is complete)",
        low=ticks[0],
        high=1,
        ticks=tuple(Tick(at=at, text=f"{at:g}".replace("-", "−")) for at in ticks),
    )
    return Sketch(
        id="agreement",
        name="Agreement",
        heading=words.heading(words.of_agreement(found.alpha, found.raw)),
        what=(
            f"Agreement on which response is preferred, with {INTERVAL}s from drawing pairs again. "
            f"{many(found.n_pairs, 'pair')} with at least two votes."
        ),
        more=(
            "Alpha is near 0 where nearly all votes are the same, however well people agree; AC1 is not.",
            "There is no true preference that disagreement would be an error of.",
        ),
        chart=RowChart(rows=tuple(rows), x=axis, reference=Reference(at=0, label="chance"), stamp=stamp),
        tables=(
            Table(
                "Agreement",
                (Column("Measure", number=False), Column("Estimate"), Column(INTERVAL)),
                tuple((label, *resampled_cells(one)) for label, one in named),
            ),
        ),
        exploratory="agreement" in findings.exploratory,
    )


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
        heading=words.heading(words.of_analysed(arm.flow)),
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
    return f"left out: {words.reason(reason)}"


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
        heading=words.heading(words.of_response_times(times.at)),
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
        heading=words.heading(words.of_looked_up(arm.looked_up)),
        what=f"The preference rate with and without people who said that they looked something up, with {INTERVAL}s.",
        chart=_compared(compared, stamp),
        tables=(_compared_table("With and without those who looked something up", compared),),
        exploratory="looked_up" in findings.exploratory,
    )
