"""The first figure: preference by difficulty level, of people and of preference models."""

from app.results import words
from app.results.figures.charts import (
    Panel,
    PanelChart,
    Series,
    Shape,
    level_axis,
    percent_axis,
)
from app.results.findings import ArmFindings, Findings
from app.results.judged import JudgeFindings
from app.results.phrases import heading, many
from app.results.report.naming import HALF, INTERVAL, PREFER, models_of, of_whom, pm_label, pm_shape
from app.results.report.numbers import NONE, count, rate_cells, rate_point
from app.results.report.parts import Column, Sketch, Table


def levels(findings: Findings, stamp: str) -> Sketch | None:
    """Return figures 7 a and b of the paper for this study."""
    arm = findings.primary
    if arm is None or not arm.rates.by_level:
        return None
    shown = tuple(sorted(set(arm.rates.by_level) | {level for pm in findings.judges for level in pm.by_level}))
    people = Panel(title=f"a. {_called(arm)}" if findings.judges else "", series=people_series(arm), spans=True)
    panels = (people, *_pm_panels(findings))
    tables = [_people_table(arm)]
    if findings.judges:
        tables.append(_pm_table(findings))
    return Sketch(
        id="levels",
        name="By difficulty level",
        heading=heading(_hardest_and_easiest(findings, arm)),
        what=(
            f"Share of choices for the sycophantic response at each difficulty level, with {INTERVAL}s: the average "
            f"of people, and the majority vote of each pair. {of_whom(arm)}{_against(findings)}."
        ),
        more=(*_ties(arm), *_within(findings)),
        chart=PanelChart(panels=panels, x=level_axis(shown), y=percent_axis(PREFER), reference=HALF, stamp=stamp),
        tables=tuple(tables),
        exploratory="rates" in findings.exploratory,
    )


def _hardest_and_easiest(findings: Findings, arm: ArmFindings) -> str:
    if arm.ends is None:
        return words.of_rate(arm.rates.overall, words.people(findings))
    return words.of_ends(arm.ends)


def people_series(arm: ArmFindings) -> tuple[Series, ...]:
    """Return the average person at each level, then the majority vote, where there is one."""
    average = tuple(rate_point(level, rate) for level, rate in sorted(arm.rates.by_level.items()))
    majority = tuple(
        rate_point(level, rates.ties_excluded)
        for level, rates in sorted(arm.majority_by_level.items())
        if rates.ties_excluded is not None
    )
    series = [Series(label="average person", points=average)]
    if majority:
        series.append(Series(label="majority vote", points=majority, shape=Shape.SQUARE))
    return tuple(series)


def _pm_panels(findings: Findings) -> tuple[Panel, ...]:
    """Return a plot for each truthful kind and model; each holds all variants of the model."""
    several = len(models_of(findings)) > 1
    together: dict[tuple[str, str], list[JudgeFindings]] = {}
    for kind in ("helpful", "baseline"):
        for pm in findings.judges:
            if pm.name.truthful_kind == kind:
                together.setdefault((kind, pm.name.called), []).append(pm)
    panels = []
    for n, ((kind, model), pms) in enumerate(together.items()):
        letter = chr(ord("b") + n) if n < 25 else ""
        named = f"{model} against" if several else "PM against"
        panels.append(
            Panel(title=f"{letter}. {named} the {kind} truthful response", series=tuple(map(_pm_series, pms)))
        )
    return tuple(panels)


def _pm_series(pm: JudgeFindings) -> Series:
    found = tuple(rate_point(level, rate) for level, rate in sorted(pm.by_level.items()))
    return Series(label=pm_label(pm.name, model=False), points=found, shape=pm_shape(pm.name))


def _against(findings: Findings) -> str:
    if not findings.judges:
        return ""
    models = many(len(models_of(findings)), "preference model")
    return f". Preference models (PMs): {models}, one answer on each pair that was scored"


def _called(arm: ArmFindings) -> str:
    return "Synthetic annotators" if arm.counts.n_synthetic else "People"


def _within(findings: Findings) -> tuple[str, ...]:
    """Say what of the figure is exploratory where not all of it is."""
    if "rates" in findings.exploratory:
        return ()
    models = " and the preference models" if findings.judges else ""
    return (
        f"The average was written down beforehand; the majority vote{models} {'are' if models else 'is'} exploratory.",
    )


def _ties(arm: ArmFindings) -> tuple[str, ...]:
    said = []
    if arm.majority is not None and arm.majority.n_ties:
        said.append(
            f"{many(arm.majority.n_ties, 'pair')} without a majority {'is' if arm.majority.n_ties == 1 else 'are'} "
            "left out of the majority vote; the table of all levels has the other ways to count them."
        )
    if arm.counts.n_ties:
        said.append(f"{many(arm.counts.n_ties, 'choice')} of no preference count in no rate.")
    return tuple(said)


def _people_table(arm: ArmFindings) -> Table:
    columns = ("Pairs", "Choices", "Average (%)", INTERVAL, "Majority (%)", INTERVAL, "Ties (pairs)")
    rows = []
    for level, rate in sorted(arm.rates.by_level.items()):
        majority = arm.majority_by_level.get(level)
        rows.append(
            (
                str(level),
                count(rate.n_pairs),
                count(rate.n_choices),
                *rate_cells(rate),
                *rate_cells(None if majority is None else majority.ties_excluded),
                NONE if majority is None else count(majority.n_ties),
            )
        )
    return Table("People, by level", (Column("Level", number=False), *map(Column, columns)), tuple(rows))


def _pm_table(findings: Findings) -> Table:
    columns = (
        Column("Preference model", number=False),
        Column("Truthful response", number=False),
        *map(Column, ("Level", "Pairs", "Prefers sycophantic (%)", INTERVAL, "Equal scores (pairs)")),
    )
    rows = []
    for pm in findings.judges:
        named = pm_label(pm.name, model=True)
        whole = [] if pm.rate is None else [("all", pm.rate)]
        for level, rate in (*((str(level), rate) for level, rate in sorted(pm.by_level.items())), *whole):
            cells = (count(rate.n_pairs), *rate_cells(rate), count(rate.n_ties))
            rows.append((named, pm.name.truthful_kind, level, *cells))
    return Table("Preference models, by level", columns, tuple(rows))
