"""People against preference models on the same pairs: differences, who is fooled, likeness, margins, variants."""

from app.results import judge_words, words
from app.results.figures.charts import (
    Axis,
    Fourfold,
    Panel,
    PanelChart,
    Point,
    Reference,
    Series,
    Shape,
    Tone,
    level_axis,
)
from app.results.figures.scales import round_axis
from app.results.findings import Findings
from app.results.judged import AgainstPeople, VariantContrast
from app.results.phrases import heading, many
from app.results.report.naming import INTERVAL, pm_named
from app.results.report.numbers import count, p_value, percent, plain, points, within
from app.results.report.parts import Column, Sketch, Table

_NO_DIFFERENCE = Reference(at=0, label="no difference")


def people_and_pms(findings: Findings, stamp: str) -> Sketch | None:
    """Return people's rate minus each PM's, by level, on the same pairs."""
    arm = findings.primary
    compared = [] if arm is None else [pm for pm in arm.judges if pm.by_level]
    if arm is None or not compared:
        return None
    panels = tuple(
        Panel(
            title=f"people − {pm_named(findings, pm.name)}",
            series=(Series(label="", points=_minus(pm), tone=Tone.PLAIN),),
        )
        for pm in compared
    )
    shown = tuple(sorted({level for pm in compared for level in pm.by_level}))
    return Sketch(
        id="people-and-pms",
        name="People against PMs",
        heading=heading(judge_words.of_judge(arm.judges[0], words.people(findings))),
        what=(
            "Rate of people minus rate of the preference model at each level, on exactly the same pairs, in points, "
            f"with {INTERVAL}s from drawing pairs again. Above 0: people prefer the sycophantic response more often."
        ),
        more=(
            "p is adjusted by Holm over all levels and PMs.",
            "A PM gives one answer a pair: nothing is said of how it would answer if it were trained again.",
        ),
        chart=PanelChart(
            panels=panels,
            x=level_axis(shown),
            y=_points_axis([point for panel in panels for series in panel.series for point in series.points]),
            reference=_NO_DIFFERENCE,
            stamp=stamp,
        ),
        tables=(_compared_table(findings, compared), _likeness_table(findings, compared)),
        exploratory="judges" in findings.exploratory,
    )


def _points_axis(found: list[Point]) -> Axis:
    ends = [end for point in found for end in (point.y, point.low, point.high) if end is not None]
    return round_axis("Difference (points)", [*ends, 0.0])


def _minus(pm: AgainstPeople) -> tuple[Point, ...]:
    found = []
    for level, one in sorted(pm.by_level.items()):
        paired = one.compared.paired
        low = None if paired.interval is None else 100 * paired.interval.low
        high = None if paired.interval is None else 100 * paired.interval.high
        found.append(Point(x=level, y=100 * paired.difference, low=low, high=high))
    return tuple(found)


def _compared_table(findings: Findings, compared: list[AgainstPeople]) -> Table:
    columns = (
        Column("Preference model", number=False),
        *map(Column, ("Level", "Pairs", "People (%)", "PM (%)", "Difference (points)", INTERVAL)),
        *map(Column, ("Clustered by people too", "p (Holm)", "Majority and PM differ, p (Holm)")),
    )
    rows = []
    for pm in compared:
        lines = [
            (str(level), one.compared, one.p_holm, one.mcnemar_p_holm) for level, one in sorted(pm.by_level.items())
        ]
        whole = [] if pm.overall is None else [("all", pm.overall, pm.overall.paired.p, pm.overall.majority.p_mid)]
        for level, one, p, p_majority in (*lines, *whole):
            rows.append(
                (
                    pm_named(findings, pm.name),
                    level,
                    count(one.paired.n_pairs),
                    percent(one.human_rate),
                    percent(one.judge_rate),
                    points(one.paired.difference),
                    within(one.paired.interval, sign=True),
                    within(one.clustered_interval, sign=True),
                    p_value(p),
                    p_value(p_majority),
                )
            )
    return Table(
        "People and preference models on the same pairs (over all levels, p is not adjusted)", columns, tuple(rows)
    )


def _likeness_table(findings: Findings, compared: list[AgainstPeople]) -> Table:
    columns = (
        Column("Preference model", number=False),
        *map(
            Column,
            ("Pairs", "Accuracy (%)", INTERVAL, "Kappa", "AUC", INTERVAL, "One person (%)", "PM in their place (%)"),
        ),
    )
    rows = []
    for pm in compared:
        like, ceiling = pm.likeness, pm.ceiling
        accuracy = None if like is None else like.accuracy
        auc = None if like is None else like.auc
        rows.append(
            (
                pm_named(findings, pm.name),
                count(pm.n_pairs),
                percent(None if accuracy is None else accuracy.accuracy),
                within(None if accuracy is None else accuracy.interval),
                plain(None if like is None else like.kappa, 2),
                plain(None if auc is None else auc.auc, 2),
                within(None if auc is None else auc.interval, 2, scale=1),
                percent(None if ceiling is None else ceiling.human.rate),
                percent(None if ceiling is None or ceiling.judge is None else ceiling.judge.rate),
            )
        )
    caption = "How PMs agree with people’s majority; one person against the majority of the others is the ceiling"
    return Table(caption, columns, tuple(rows))


def fooled(findings: Findings, stamp: str) -> list[Sketch]:
    """Return who is fooled on which pairs, one table of four for each PM."""
    arm = findings.primary
    sketches = []
    for n, pm in enumerate(() if arm is None else arm.judges):
        if pm.likeness is None:
            continue
        four, named = pm.likeness.fooled, pm_named(findings, pm.name)
        counts = (four.neither, four.first_only, four.second_only, four.both)
        if not sum(counts):
            continue
        ties = f"; {many(four.n_ties, 'pair')} where either ties left out" if four.n_ties else ""
        columns = (
            Column("Majority of people", number=False),
            Column("PM truthful (pairs)"),
            Column("PM sycophantic (pairs)"),
        )
        rows = (
            ("truthful", count(four.neither), count(four.second_only)),
            ("sycophantic", count(four.first_only), count(four.both)),
        )
        sketches.append(
            Sketch(
                id=f"fooled-{n + 1}",
                name=f"Who is fooled: {named}",
                heading=heading(judge_words.of_fooled(four)),
                what=(
                    f"Pairs by what the majority of people and the {named} prefer; the area of a square is its share "
                    f"of {many(sum(counts), 'pair')}{ties}."
                ),
                chart=Fourfold(first="People", second=named[:1].upper() + named[1:], counts=counts, stamp=stamp),
                tables=(Table("Pairs by who prefers the sycophantic response", columns, rows),),
                exploratory="judges" in findings.exploratory,
            )
        )
    return sketches


def contrasts(findings: Findings, stamp: str) -> Sketch | None:
    """Return each variant of a PM minus its standard one, on the same pairs."""
    if not findings.judge_contrasts:
        return None
    panels = []
    for one in findings.judge_contrasts:
        found = []
        for level, compared in sorted(one.by_level.items()):
            paired = compared.paired
            low = None if paired.interval is None else 100 * paired.interval.low
            high = None if paired.interval is None else 100 * paired.interval.high
            found.append(Point(x=level, y=100 * paired.difference, low=low, high=high))
        series = Series(label="", points=tuple(found), shape=Shape.TRIANGLE, tone=Tone.PLAIN)
        panels.append(Panel(title=_contrast(findings, one), series=(series,)))
    shown = tuple(sorted({level for one in findings.judge_contrasts for level in one.by_level}))
    if not shown:
        return None
    return Sketch(
        id="variants",
        name="PM variants compared",
        heading=heading(judge_words.of_variant(findings.judge_contrasts[0])),
        what=(
            "Rate of a variant minus rate of the standard PM at each level, on the same pairs, in points, "
            f"with {INTERVAL}s from drawing pairs again. Below 0: the variant is less sycophantic."
        ),
        chart=PanelChart(
            panels=tuple(panels),
            x=level_axis(shown),
            y=_points_axis([point for panel in panels for series in panel.series for point in series.points]),
            reference=_NO_DIFFERENCE,
            stamp=stamp,
        ),
        tables=(_contrast_table(findings),),
        exploratory="judge_contrasts" in findings.exploratory,
    )


def _contrast(findings: Findings, one: VariantContrast) -> str:
    named = pm_named(findings, one.first)
    return f"{named} − standard, {one.first.truthful_kind} truthful response"


def _contrast_table(findings: Findings) -> Table:
    columns = (
        Column("Variant", number=False),
        Column("Truthful response", number=False),
        *map(Column, ("Level", "Pairs", "Variant (%)", "Standard (%)", "Difference (points)", INTERVAL)),
        *map(Column, ("p (Holm)", "McNemar, mid-p")),
    )
    rows = []
    for one in findings.judge_contrasts:
        lines = [(str(level), found, one.p_holm.get(level)) for level, found in sorted(one.by_level.items())]
        for level, found, p in (*lines, ("all", one.overall, one.overall.paired.p)):
            rows.append(
                (
                    pm_named(findings, one.first),
                    one.first.truthful_kind,
                    level,
                    count(found.paired.n_pairs),
                    percent(found.first_rate),
                    percent(found.second_rate),
                    points(found.paired.difference),
                    within(found.paired.interval, sign=True),
                    p_value(p),
                    p_value(found.mcnemar.p_mid),
                )
            )
    return Table("Variants against the standard model (over all levels, p is not adjusted)", columns, tuple(rows))
