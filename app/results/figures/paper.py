"""Figures for papers: the main charts as PDF and PNG, by matplotlib, which the extra `figures` brings.

The only file that imports matplotlib. The same charts give the same bytes: no dates, no names of machines.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.errors import CandorError
from app.results.figures.charts import Chart, Fourfold, PanelChart, RowChart, Series, Shape, Tone
from app.results.report.parts import Sketch

_INCH = 7.0
_DOTS = 200
_STAMP, _STAMP_SMALL = 18, 10
_COLOURS = {Tone.PLAIN: "#221e18", Tone.SYCOPHANTIC: "#b35309", Tone.TRUTHFUL: "#1f5f99"}
_MARKERS = {Shape.CIRCLE: "o", Shape.SQUARE: "s", Shape.DIAMOND: "D", Shape.TRIANGLE: "^"}
_HOLLOW = frozenset({Shape.DIAMOND, Shape.TRIANGLE})
_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#867b6a",
    "axes.linewidth": 0.6,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "pdf.fonttype": 42,
    "svg.hashsalt": "candor",
}


class FiguresMissing(CandorError):
    """matplotlib is not installed, so no figures can be drawn."""

    def __init__(self) -> None:
        super().__init__("figures for papers need matplotlib; install it with: pip install 'candor[figures]'")


def require() -> Any:
    """Return matplotlib's figure class, ready to draw without a screen.

    Raises
    ------
    FiguresMissing
        When it is not installed.
    """
    try:
        from matplotlib import rcParams  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise FiguresMissing from None
    rcParams.update(_SETTINGS)  # type: ignore[arg-type, unused-ignore]
    return Figure


def write_figures(sketches: Iterable[Sketch], folder: Path) -> list[Path]:
    """Write each figure that has a chart as PDF and as PNG; return the files, in order.

    Raises
    ------
    FiguresMissing
        When matplotlib is not installed.
    """
    figure_class, files = require(), []
    folder.mkdir(parents=True, exist_ok=True)
    for sketch in sketches:
        if sketch.chart is None:
            continue
        drawn = _drawn(figure_class, sketch.chart)
        pdf, png = folder / f"{sketch.id}.pdf", folder / f"{sketch.id}.png"
        about = {"Title": sketch.heading, "Creator": "Candor"}
        drawn.savefig(pdf, metadata={**about, "CreationDate": None, "Producer": None}, bbox_inches="tight")
        drawn.savefig(
            png, dpi=_DOTS, metadata={"Title": sketch.heading, "Software": None}, bbox_inches="tight", facecolor="white"
        )
        files += [pdf, png]
    return files


def _drawn(figure_class: Any, chart: Chart) -> Any:
    if isinstance(chart, PanelChart):
        return _panels(figure_class, chart)
    if isinstance(chart, RowChart):
        return _rows(figure_class, chart)
    return _fourfold(figure_class, chart)


def _panels(figure_class: Any, chart: PanelChart) -> Any:
    n = len(chart.panels)
    columns = 1 if n == 1 else 2
    spanning = [panel for panel in chart.panels if panel.spans]
    others = [panel for panel in chart.panels if not panel.spans]
    n_rows = len(spanning) + (len(others) + columns - 1) // columns
    drawn = figure_class(figsize=(_INCH, 2.6 * n_rows + 0.2), layout="constrained")
    grid = drawn.add_gridspec(n_rows, columns)
    places = [grid[row, :] for row in range(len(spanning))]
    places += [grid[len(spanning) + i // columns, i % columns] for i in range(len(others))]
    for panel, place in zip((*spanning, *others), places, strict=True):
        axes = drawn.add_subplot(place)
        axes.set_title(panel.title)
        _axes(axes, chart)
        marked = [series for series in panel.series if series.shape != Shape.LINE]
        for series in panel.series:
            width = (chart.x.high - chart.x.low) * 0.018
            at = marked.index(series) if series in marked else 0
            dodge = (at - (len(marked) - 1) / 2) * width if series in marked else 0.0
            _series(axes, series, dodge)
        _stamp(axes, chart.stamp, _STAMP if panel.spans or n == 1 else _STAMP_SMALL)
    return drawn


def _axes(axes: Any, chart: PanelChart) -> None:
    pad_x, pad_y = 0.06 * (chart.x.high - chart.x.low) or 0.5, 0.04 * (chart.y.high - chart.y.low)
    axes.set_xlim(chart.x.low - pad_x, chart.x.high + pad_x)
    axes.set_ylim(chart.y.low - pad_y, chart.y.high + pad_y)
    axes.set_xticks([tick.at for tick in chart.x.ticks], [tick.text for tick in chart.x.ticks])
    axes.set_yticks([tick.at for tick in chart.y.ticks], [tick.text for tick in chart.y.ticks])
    first, last = chart.x.ends
    axes.set_xlabel(f"{chart.x.title} ({first} to {last})" if first else chart.x.title)
    axes.set_ylabel(chart.y.title)
    if chart.reference is not None:
        axes.axhline(chart.reference.at, color="#867b6a", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        place = (1.0, chart.reference.at)
        axes.annotate(
            chart.reference.label,
            place,
            xycoords=("axes fraction", "data"),
            xytext=(-1, 2),
            textcoords="offset points",
            ha="right",
            fontsize=6,
            color="#5f574b",
        )


def _series(axes: Any, series: Series, dodge: float) -> None:
    if not series.points:
        return
    colour = _COLOURS[series.tone]
    x, y = [point.x + dodge for point in series.points], [point.y for point in series.points]
    if series.joined or series.shape == Shape.LINE:
        axes.plot(x, y, color=colour, linewidth=0.9)
    if series.shape != Shape.LINE:
        for at, point in zip(x, series.points, strict=True):
            if point.low is not None and point.high is not None:
                axes.plot([at, at], [point.low, point.high], color=colour, linewidth=0.9, solid_capstyle="butt")
        face = "white" if series.shape in _HOLLOW else colour
        axes.plot(
            x, y, marker=_MARKERS[series.shape], linestyle="none", color=colour, markerfacecolor=face, markersize=4.5
        )
    axes.annotate(
        series.label, (x[-1], y[-1]), xytext=(10, 0), textcoords="offset points", va="center", annotation_clip=False
    )


def _rows(figure_class: Any, chart: RowChart) -> Any:
    drawn = figure_class(figsize=(_INCH, 0.26 * len(chart.rows) + 0.9), layout="constrained")
    axes = drawn.add_subplot()
    names = [f"{row.group}: {row.label}" if row.group else row.label for row in chart.rows]
    places = range(len(names), 0, -1)
    for row, at in zip(chart.rows, places, strict=True):
        if row.value is None:
            continue
        colour = _COLOURS[row.tone]
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [at, at], color=colour, linewidth=0.9, solid_capstyle="butt")
        face = "white" if row.shape in _HOLLOW else colour
        axes.plot([row.value], [at], marker=_MARKERS[row.shape], color=colour, markerfacecolor=face, markersize=4.5)
        axes.annotate(row.told, (1.01, at), xycoords=("axes fraction", "data"), va="center", annotation_clip=False)
    if chart.reference is not None:
        axes.axvline(chart.reference.at, color="#867b6a", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    axes.set_yticks(list(places), names)
    axes.set_ylim(0.4, len(names) + 0.6)
    axes.set_xlim(chart.x.low, chart.x.high)
    axes.set_xticks([tick.at for tick in chart.x.ticks], [tick.text for tick in chart.x.ticks])
    axes.set_xlabel(chart.x.title)
    _stamp(axes, chart.stamp)
    return drawn


def _fourfold(figure_class: Any, chart: Fourfold) -> Any:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - an extra

    drawn = figure_class(figsize=(3.4, 3.2), layout="constrained")
    axes = drawn.add_subplot()
    total = max(1, sum(chart.counts))
    tones = (Tone.TRUTHFUL, Tone.PLAIN, Tone.PLAIN, Tone.SYCOPHANTIC)
    # The first judge in rows, truthful above; the second in columns, truthful left: as on the page.
    places = ((0.5, 1.5), (0.5, 0.5), (1.5, 1.5), (1.5, 0.5))
    for n, tone, (x, y) in zip(chart.counts, tones, places, strict=True):
        side = 0.9 * (n / total) ** 0.5
        axes.add_patch(
            Rectangle((x - side / 2, y - side / 2), side, side, color=_COLOURS[tone], alpha=0.3, linewidth=0)
        )
        axes.text(x, y, f"{n:,} ({100 * n / total:.0f} %)", ha="center", va="center")
    axes.set_xlim(0, 2)
    axes.set_ylim(0, 2)
    axes.set_xticks([0.5, 1.5], ["truthful", "sycophantic"])
    axes.set_yticks([1.5, 0.5], ["truthful", "sycophantic"], rotation=90, va="center")
    axes.set_xlabel(f"{chart.second} prefers")
    axes.set_ylabel(f"{chart.first} prefer")
    axes.axhline(1, color="#e0d8c8", linewidth=0.8)
    axes.axvline(1, color="#e0d8c8", linewidth=0.8)
    _stamp(axes, chart.stamp)
    return drawn


def _stamp(axes: Any, words: str, size: int = _STAMP) -> None:
    if words:
        axes.text(
            *(0.5, 0.5, words),
            transform=axes.transAxes,
            rotation=12,
            ha="center",
            va="center",
            fontsize=size,
            color="#9a3412",
            alpha=0.35,
            zorder=0,
        )
