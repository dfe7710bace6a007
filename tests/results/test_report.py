"""The report: one file that is the same at every run, asks nothing of the network, and says what was really run."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.analysis.resampling import Resampled
from app.results.facts import Facts
from app.results.figures.charts import Fourfold, PanelChart, RowChart
from app.results.figures.paper import write_figures
from app.results.finding.find import find
from app.results.findings import EXPLORATORY, Findings
from app.results.report.contents import results, sketches
from app.results.report.document import report
from app.results.report.parts import Results, Sketch
from tests.results.observed_study import FACTS, first_choices, observed, untouched

VERSION = "d4" * 32
THEN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def findings() -> Findings:
    return find(observed())


@pytest.fixture(scope="module")
def html(findings: Findings) -> str:
    return report(findings, VERSION, made_at=THEN)


@pytest.fixture(scope="module")
def shown(findings: Findings) -> Results:
    return results(findings, VERSION)


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html.partition("</head>")[2])).split())


def sketch(findings: Findings, name: str) -> Sketch:
    (found,) = [one for one in sketches(findings) if one.id == name]
    return found


def with_facts(findings: Findings, facts: Facts) -> Findings:
    return replace(findings, facts=facts)


def test_it_is_the_same_at_every_run_but_for_the_time(html: str) -> None:
    again = report(find(observed()), VERSION, made_at=THEN)
    assert again == html
    later = report(find(observed()), VERSION, made_at=THEN.replace(hour=13))
    assert later != html
    assert later.replace("13:00", "12:00") == html


class _Asks(HTMLParser):
    """Collects what a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "embed", "base", "form"}:
            self.asks.append(tag)
        self.asks += [
            f"{tag} {name}={value}"
            for name, value in attrs
            if name.startswith("on")
            or name in {"style", "src", "srcset", "action"}
            or (name == "href" and not (value or "").startswith("#"))
        ]


def test_it_asks_no_network_and_runs_nothing(html: str) -> None:
    asking = _Asks()
    asking.feed(html)
    assert asking.asks == []
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


def test_contents_lead_to_every_figure_and_no_id_is_there_twice(html: str, shown: Results) -> None:
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    (contents,) = re.findall(r'<nav class="contents".*?</nav>', html, re.DOTALL)
    assert re.findall(r'href="#([^"]+)"', contents) == [figure.id for figure in shown.figures]
    described = re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', html)
    assert {name for names in described for name in names.split()} <= set(ids)


def test_figures_come_in_the_order_of_a_reader(shown: Results) -> None:
    assert [figure.id for figure in shown.figures] == [
        "levels",
        "slope",
        "overall",
        "aggregation",
        "sides",
        "agreement",
        "exclusions",
        "response-times",
        "looked-up",
        "people-and-pms",
        "fooled-1",
        "fooled-2",
        "calibration",
        "variants",
        "prior-belief",
        "confidence",
        "background-english",
        "arms",
    ]
    for figure in shown.figures:
        assert figure.tables, "a figure without its table"
        assert all(table.rows for table in figure.tables)
        for table in figure.tables:
            assert {len(row) for row in table.rows} == {len(table.columns)}
        assert not figure.heading.endswith(".")
        assert VERSION[:12] in figure.source


def test_the_first_figure_has_people_and_each_pm_against_each_truthful_kind(findings: Findings) -> None:
    chart = sketch(findings, "levels").chart
    assert isinstance(chart, PanelChart)
    assert [panel.title for panel in chart.panels] == [
        "a. Synthetic annotators",
        "b. PM against the helpful truthful response",
        "c. PM against the baseline truthful response",
    ]
    people, helpful, baseline = chart.panels
    assert [series.label for series in people.series] == ["average person", "majority vote"]
    assert [series.label for series in helpful.series] == ["standard PM", "non-sycophantic PM"]
    assert [series.label for series in baseline.series] == ["standard PM"]
    assert findings.primary is not None
    for point in people.series[0].points:
        rate = findings.primary.rates.by_level[int(point.x)]
        assert (point.y, point.low, point.high) == pytest.approx(
            (100 * rate.rate, 100 * rate.interval.low, 100 * rate.interval.high)
        )


def test_numbers_in_tables_are_the_findings(findings: Findings) -> None:
    assert findings.primary is not None
    slope = findings.primary.slope
    assert slope is not None
    row = sketch(findings, "slope").tables[0].rows[0]
    assert row[1] == f"{100 * slope.slope:+.2f}".replace("-", "−")
    flow = sketch(findings, "exclusions").tables[0].rows
    total, *left_out, kept = (int(cells[1].replace(",", "")) for cells in flow)
    assert total == sum(left_out) + kept


def test_the_table_of_four_has_each_judge_in_its_place(findings: Findings) -> None:
    assert findings.primary is not None
    likeness = findings.primary.judges[0].likeness
    assert likeness is not None
    four = likeness.fooled
    assert four.first_only != four.second_only, "the two cannot be told apart"
    found = sketch(findings, "fooled-1")
    assert isinstance(found.chart, Fourfold)
    assert found.chart.counts == (four.neither, four.first_only, four.second_only, four.both)
    assert found.tables[0].rows == (
        ("truthful", str(four.neither), str(four.second_only)),
        ("sycophantic", str(four.first_only), str(four.both)),
    )


def test_synthetic_data_are_stamped_on_every_plot_and_the_page(findings: Findings, html: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) > 30
    assert all("Synthetic data</text>" in drawing for drawing in drawings)
    assert "<strong>Synthetic data.</strong>" in html
    real = report(with_facts(findings, replace(FACTS, synthetic=False)), VERSION, made_at=THEN)
    assert "Synthetic data" not in real.partition("</head>")[2]


def test_what_is_exploratory_is_marked(findings: Findings) -> None:
    marked = {figure.id for figure in results(findings, VERSION).figures if figure.exploratory}
    assert {"aggregation", "agreement", "people-and-pms", "looked-up"} <= marked
    assert not {"levels", "slope", "overall", "exclusions", "response-times", "arms"} & marked
    planned = {"slope", "rates", "ends", "arms_compared", "exclusions", "response_times"}
    bare = replace(findings, facts=replace(FACTS, preregistration=None), exploratory=frozenset(EXPLORATORY | planned))
    figures = results(bare, VERSION).figures
    assert all(figure.exploratory for figure in figures)
    assert "everything is exploratory" in results(bare, VERSION).made


def test_agreement_without_an_interval_is_a_mark_alone(findings: Findings) -> None:
    arm = findings.arms[0]
    assert arm.agreement is not None
    alike = Resampled(-0.11, None, None, 2000, 0)
    agreed = replace(arm.agreement, alpha=alike, ac1=None, raw=alike)
    shown = sketch(replace(findings, arms=(replace(arm, agreement=agreed), *findings.arms[1:])), "agreement")
    assert isinstance(shown.chart, RowChart)
    assert [(row.told, row.low) for row in shown.chart.rows] == [
        ("−0.11", None),
        ("not defined", None),
        ("−0.11", None),
    ]
    assert shown.chart.x.low < -0.11
    assert shown.tables[0].rows[0][1:] == ("−0.11", "–")


def test_random_weights_are_labelled(findings: Findings) -> None:
    judges = tuple(replace(pm, name=replace(pm.name, random_weights=True)) for pm in findings.judges)
    page = words_of(report(replace(findings, judges=judges), VERSION, made_at=THEN))
    assert "Random weights: pm-small knows nothing" in page
    assert "standard PM (random weights)" in page


def test_methods_say_what_was_run(findings: Findings, html: str) -> None:
    said = words_of(html).partition("How these numbers were made")[2]
    assert findings.primary is not None
    assert findings.primary.slope is not None
    for told in (
        VERSION,
        f"{findings.n_resamples:,} resamples each, seed {findings.seed}",
        f"t with {findings.primary.slope.df} degrees of freedom",
        "words a minute: 600",
        FACTS.set_hash or "",
        FACTS.design_hash or "",
        FACTS.preregistration or "",
        "pm-small, non-sycophantic PM, run run1",
    ):
        assert told in said
    without = report(replace(findings, judges=()), VERSION, made_at=THEN)
    assert "Wilson intervals" not in words_of(without).partition("How these numbers were made")[2]


def test_what_was_written_down_is_in_the_report_below_its_heading_and_cannot_mark_up(findings: Findings) -> None:
    page = report(findings, VERSION, made_at=THEN, preregistration="# Plan\n\n<b>slope</b>")
    _, _, written = page.partition("What was written down before the study opened</h2>")
    assert "<h3>Plan</h3>" in written
    assert "&lt;b&gt;slope&lt;/b&gt;" in written


@pytest.mark.parametrize("n", [0, 1, 2, 7, 40])
def test_few_choices_make_a_calm_report(n: int) -> None:
    found = find(first_choices(n))
    page = report(found, VERSION, made_at=THEN)
    if n:
        assert "By difficulty level" in page
    else:
        assert "<svg" not in page
        assert "No choice can be analysed yet" in page
    for odd in ("nan", "None", "inf"):
        assert not re.search(rf"\b{odd}\b", words_of(page)), odd


def test_before_anybody_came_there_is_nothing_but_a_sentence() -> None:
    shown = results(find(untouched()), VERSION)
    assert shown.figures == ()
    (answer,) = shown.answer
    assert answer.startswith("No choice can be analysed yet.")


def test_figures_for_papers_are_the_same_bytes_at_every_run(findings: Findings, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra figures is not installed")
    few = [sketch(findings, name) for name in ("levels", "overall", "fooled-1")]
    first, second = (write_figures(few, tmp_path / name) for name in ("one", "two"))
    assert [file.name for file in first] == [f"{one.id}.{kind}" for one in few for kind in ("pdf", "png")]
    for one, other in zip(first, second, strict=True):
        content = one.read_bytes()
        assert content == other.read_bytes()
        assert content.startswith(b"%PDF" if one.suffix == ".pdf" else b"\x89PNG")
        assert b"CreationDate" not in content


def test_without_matplotlib_it_says_what_to_install() -> None:
    script = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from app.results.figures.paper import FiguresMissing, require
try:
    require()
except FiguresMissing as missing:
    print(missing)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'candor[figures]'" in done.stdout
