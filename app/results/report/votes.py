"""More people on a pair, and how far they agree."""

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
from app.results.findings import Findings
from app.results.phrases import heading, many
from app.results.report.naming import HALF, INTERVAL
from app.results.report.numbers import percent, plain, rate_cells, rate_point, resampled_cells, signed
from app.results.report.parts import Column, Sketch, Table


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
        heading=heading(words.of_aggregation(curve)),
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
        low, high = (None, None) if one.interval is None else (one.interval.low, one.interval.high)
        told = signed(one.estimate, 2).removeprefix("+")
        told = told if one.interval is None else f"{told} [{plain(low, 2)}, {plain(high, 2)}]"
        rows.append(Row(label=label, value=one.estimate, low=low, high=high, told=told, tone=Tone.PLAIN))
    lowest = min(end for row in rows for end in (row.low, row.value, 0) if end is not None)
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
        heading=heading(words.of_agreement(found.alpha, found.raw)),
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
