"""The first figures: preference by difficulty level, of people and of preference models; the trend; all levels."""

from app.results import words
from app.results.figures.charts import (
    Panel,
    PanelChart,
    Point,
    Reference,
    RowChart,
    Series,
    Shape,
    Tone,
    level_axis,
    percent_axis,
)
from app.results.findings import ArmFindings, Findings
from app.results.judged import STANDARD, JudgeFindings, JudgeName
from app.results.report.numbers import (
    NONE,
    count,
    difference_cells,
    many,
    p_value,
    percent,
    plain,
    points,
    rate_cells,
    rate_point,
    rate_row,
    within,
)
from app.results.report.parts import Column, Sketch, Table

PREFER = "Preference for the sycophantic response (%)"
HALF = Reference(at=50, label="no preference")
INTERVAL = "95 % interval"
_VARIANTS = {STANDARD: "standard PM", "non-sycophantic": "non-sycophantic PM"}


def of_whom(arm: ArmFindings) -> str:
    """Return what an arm's main numbers were taken over."""
    n = arm.counts
    return f"{many(n.n_decided, 'choice')} by {whom(arm)} on {many(n.n_pairs, 'pair')}"


def whom(arm: ArmFindings) -> str:
    """Return how many people chose; programs are called what they are."""
    return who(arm, arm.counts.n_annotators)


def who(arm: ArmFindings, n: int) -> str:
    """Return a number of those who chose in an arm."""
    counts = arm.counts
    if counts.n_synthetic and counts.n_synthetic == counts.n_analysed:
        return many(n, "synthetic annotator")
    return many(n, "person", "people")


def pm_label(name: JudgeName, *, model: bool) -> str:
    """Return what a preference model is called beside its points."""
    called = _VARIANTS.get(name.variant, f"PM, {name.variant}")
    if name.scorer == "oracle":
        called = "oracle"
    elif name.scorer == "judge":
        called = f"judge, {name.variant}"
    weights = " (random weights)" if name.random_weights else ""
    return f"{name.model}, {called}{weights}" if model else f"{called}{weights}"


def pm_named(findings: Findings, name: JudgeName) -> str:
    """Return a PM's label, with its model where a study has several."""
    return pm_label(name, model=len(models_of(findings)) > 1)


def pm_shape(name: JudgeName) -> Shape:
    """Return how a preference model is marked."""
    return Shape.DIAMOND if name.variant == STANDARD else Shape.TRIANGLE


def models_of(findings: Findings) -> list[str]:
    """Return the preference models that were scored, each once, in order."""
    return list(dict.fromkeys(judge.name.model for judge in findings.judges))


def levels(findings: Findings, stamp: str) -> Sketch | None:
    """Return figures 7 a and b of the paper for this study."""
    arm = findings.primary
    if arm is None or not arm.rates.by_level:
        return None
    shown = tuple(sorted(set(arm.rates.by_level) | {level for pm in findings.judges for level in pm.by_level}))
    people = Panel(title=f"a. {_called(arm)}" if findings.judges else "", series=_people(arm), spans=True)
    panels = (people, *_pm_panels(findings))
    tables = [_people_table(arm)]
    if findings.judges:
        tables.append(_pm_table(findings))
    return Sketch(
        id="levels",
        name="By difficulty level",
        heading=words.heading(_hardest_and_easiest(findings, arm)),
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


def _people(arm: ArmFindings) -> tuple[Series, ...]:
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
                together.setdefault((kind, pm.name.model), []).append(pm)
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


def slope(findings: Findings, stamp: str) -> Sketch | None:
    """Return the primary test: the linear slope over the levels, and the isotonic fit beside it."""
    arm = findings.primary
    if arm is None or arm.slope is None or not arm.rates.by_level:
        return None
    found, shown = arm.slope, sorted(arm.rates.by_level)
    line = tuple(Point(x=level, y=100 * (found.intercept + found.slope * level)) for level in shown)
    series = [
        Series(label="average person", points=_people(arm)[0].points),
        Series(label="linear trend", points=line, shape=Shape.LINE, tone=Tone.PLAIN),
    ]
    if arm.isotonic:
        steps = tuple(Point(x=level, y=100 * rate) for level, rate in sorted(arm.isotonic.items()))
        series.append(Series(label="never falling fit", points=steps, shape=Shape.LINE, tone=Tone.TRUTHFUL))
    return Sketch(
        id="slope",
        name="The trend: primary test",
        heading=words.heading(words.of_slope(found)),
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
        heading=words.heading(words.of_rate(arm.rates.overall, words.people(findings))),
        what=f"Preference for the sycophantic response over all levels, with {INTERVAL}s. {of_whom(arm)}.",
        chart=RowChart(
            rows=tuple(rows), x=percent_axis("prefer the sycophantic response"), reference=HALF, stamp=stamp
        ),
        tables=(Table("Preference over all levels", columns, cells),),
        exploratory="rates" in findings.exploratory,
    )
