"""Plots side by side, or on a phone one above the other: points with intervals, labelled at their end."""

from dataclasses import dataclass, field
from itertools import groupby

from app.results.figures.charts import Panel, PanelChart, Point, Series, Shape, Tone
from app.results.figures.drawings import (
    LETTER,
    LINE,
    Drawing,
    Frame,
    Line,
    Mark,
    Path,
    Stamp,
    Text,
    Voice,
    stamp_over,
)
from app.results.figures.scales import Scale
from app.results.figures.words_in_lines import apart, broken, width_of

WIDE, NARROW = 680.0, 340.0
_GAP = 28.0
_INSET = 12.0
_DODGE = 7.0
_LABEL_MOST = 118.0
_LABEL_SMALL_MOST = 92.0
_TALL = 220.0
_SMALL = 180.0


@dataclass(slots=True)
class _Parts:
    """A drawing in the making."""

    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    stamps: list[Stamp] = field(default_factory=list)

    def drawing(self, width: float, height: float) -> Drawing:
        return Drawing(
            width=width,
            height=round(height, 1),
            frames=tuple(self.frames),
            lines=tuple(self.lines),
            paths=tuple(self.paths),
            marks=tuple(self.marks),
            texts=tuple(self.texts),
            stamps=tuple(self.stamps),
        )


def panels(chart: PanelChart, *, narrow: bool = False) -> Drawing:
    """Lay out a chart of plots, in one column if `narrow`."""
    width = NARROW if narrow else WIDE
    parts, top = _Parts(), 0.0
    for row in _rows(chart.panels, narrow=narrow):
        top = _row(parts, chart, row, width, top)
    return parts.drawing(width, top)


def _rows(all_panels: tuple[Panel, ...], *, narrow: bool) -> list[tuple[Panel, ...]]:
    """Return which plots stand side by side: two at most; one that spans stands alone."""
    if narrow or len(all_panels) == 1:
        return [(panel,) for panel in all_panels]
    rows: list[tuple[Panel, ...]] = []
    for spans, together in groupby(all_panels, key=lambda panel: panel.spans):
        run = tuple(together)
        step = 1 if spans else 2
        rows.extend(run[at : at + step] for at in range(0, len(run), step))
    return rows


def _row(parts: _Parts, chart: PanelChart, row: tuple[Panel, ...], width: float, top: float) -> float:
    """Lay out plots side by side; return where the next row begins."""
    alone = len(row) == 1 and (row[0].spans or len(chart.panels) == 1 or width == NARROW)
    each = width if alone else (width - _GAP) / 2
    titles = [broken(panel.title, each, LETTER) if panel.title else () for panel in row]
    axis_title = broken(chart.y.title, each)
    head = LINE * (max(map(len, titles)) + len(axis_title)) + 8
    height = _TALL if alone else _SMALL
    bottom = top + head + height
    for i, panel in enumerate(row):
        left = i * (each + _GAP)
        for n, words in enumerate(titles[i]):
            parts.texts.append(Text(left, round(top + LINE * (n + 1) - 4, 1), words, voice="title"))
        below = top + LINE * len(titles[i])
        for n, words in enumerate(axis_title):
            parts.texts.append(Text(left, round(below + LINE * (n + 1) - 4, 1), words))
        _plot(parts, chart, panel, Frame(left, top + head, left + each, bottom))
    return bottom + LINE * (2 + bool(chart.x.ends[0] or chart.x.title)) + 4


def _plot(parts: _Parts, chart: PanelChart, panel: Panel, space: Frame) -> None:
    """Lay out one plot within a space: axis at the left, labels of series at the right."""
    marks = max((width_of(tick.text) for tick in chart.y.ticks), default=0) + 8
    beside = _beside(chart, panel, _LABEL_MOST if space.right - space.left > 400 else _LABEL_SMALL_MOST)
    room = max((width_of(line) for one in beside for line in one.lines), default=0) + 22 if beside else 8
    frame = Frame(round(space.left + marks, 1), space.top, round(space.right - room, 1), space.bottom)
    x = Scale(chart.x.low, chart.x.high, frame.left + _INSET + _DODGE, frame.right - _INSET - _DODGE)
    y = Scale(chart.y.low, chart.y.high, frame.bottom - _INSET, frame.top + _INSET)
    parts.frames.append(frame)
    _axes(parts, chart, frame, x, y)
    dodges = _dodges(panel.series)
    for series, dodge in zip(panel.series, dodges, strict=True):
        _series(parts, series, dodge, x, y)
    _write_beside(parts, beside, frame, y)
    if chart.stamp:
        parts.stamps.append(stamp_over(frame, chart.stamp, parts.marks, parts.lines))


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is written at the right of a plot: a series at its end, or (without one) what the dashed line means."""

    value: float
    lines: tuple[str, ...]
    series: Series | None


def _beside(chart: PanelChart, panel: Panel, most: float) -> list[_Beside]:
    named = [
        _Beside(one.points[-1].y, broken(one.label, most), one) for one in panel.series if one.label and one.points
    ]
    if chart.reference is not None:
        named.append(_Beside(chart.reference.at, broken(chart.reference.label, most), None))
    return named


def _axes(parts: _Parts, chart: PanelChart, frame: Frame, x: Scale, y: Scale) -> None:
    for tick in chart.y.ticks:
        at = y(tick.at)
        if chart.reference is None or tick.at != chart.reference.at:
            parts.lines.append(Line("grid", frame.left, at, frame.right, at))
        parts.texts.append(Text(frame.left - 8, round(at + 5, 1), tick.text, anchor="end"))
    if chart.reference is not None:
        at = y(chart.reference.at)
        parts.lines.append(Line("reference", frame.left, at, frame.right, at))
    foot = round(frame.bottom + LINE + 2, 1)
    parts.texts.extend(Text(x(tick.at), foot, tick.text, anchor="middle") for tick in chart.x.ticks)
    foot = round(foot + LINE, 1)
    first, last = chart.x.ends
    wide = frame.right - frame.left
    if first:
        parts.texts.append(Text(frame.left, foot, first))
        parts.texts.append(Text(frame.right, foot, last, anchor="end"))
        wide -= width_of(first) + width_of(last) + 24
    # An axis without words at its ends always says what it is.
    title = chart.x.title if width_of(chart.x.title) <= wide or not first else chart.x.short
    if title and (width_of(title) <= wide or not first):
        parts.texts.append(Text(frame.middle[0], foot, title, anchor="middle"))


def _dodges(series: tuple[Series, ...]) -> list[float]:
    """Return how far each series is moved aside, so that intervals of two never lie on each other."""
    marked = [one for one in series if one.shape != Shape.LINE]
    step = min(_DODGE, 2 * _DODGE / max(1, len(marked) - 1)) if len(marked) > 1 else 0.0
    places = iter(round((i - (len(marked) - 1) / 2) * step, 1) for i in range(len(marked)))
    return [0.0 if one.shape == Shape.LINE else next(places) for one in series]


def _series(parts: _Parts, series: Series, dodge: float, x: Scale, y: Scale) -> None:
    places = [(round(x(point.x) + dodge, 1), y(point.y)) for point in series.points]
    if (series.joined or series.shape == Shape.LINE) and len(places) > 1:
        parts.paths.append(Path(tuple(places), series.tone))
    if series.shape != Shape.LINE:
        for (at, height), point in zip(places, series.points, strict=True):
            _interval(parts, point, at, y, series.tone)
            parts.marks.append(Mark(series.shape, at, height, tone=series.tone))


def _interval(parts: _Parts, point: Point, at: float, y: Scale, tone: Tone) -> None:
    if point.low is not None and point.high is not None:
        parts.lines.append(Line("interval", at, y(point.low), at, y(point.high), tone))


def _apart_from_the_line(beside: list[_Beside], heights: list[float], frame: Frame, y: Scale) -> list[float]:
    """Return where words go: those of the dashed line stay at it if there is room for the others above and below."""
    wanted, top, bottom = [y(one.value) for one in beside], frame.top - 4, frame.bottom + 8
    line = next((i for i, one in enumerate(beside) if one.series is None), None)
    if line is not None:
        upper, lower = wanted[line] - heights[line] / 2, wanted[line] + heights[line] / 2
        above = [i for i, place in enumerate(wanted) if i != line and place <= wanted[line]]
        below = [i for i, place in enumerate(wanted) if i != line and place > wanted[line]]
        if sum(heights[i] for i in above) <= upper - top and sum(heights[i] for i in below) <= bottom - lower:
            places = list(wanted)
            for group, low, high in ((above, top, upper), (below, lower, bottom)):
                moved = apart([wanted[i] for i in group], [heights[i] for i in group], low, high)
                for i, place in zip(group, moved, strict=True):
                    places[i] = place
            return places
    return apart(wanted, heights, top, bottom)


def _write_beside(parts: _Parts, beside: list[_Beside], frame: Frame, y: Scale) -> None:
    """Write what each series is beside its end, and what the dashed line means, apart from each other."""
    heights = [LINE * len(one.lines) + 4 for one in beside]
    places = _apart_from_the_line(beside, heights, frame, y)
    for one, place in zip(beside, places, strict=True):
        first = place - LINE * (len(one.lines) - 1) / 2 + 5
        at = frame.right + 20
        if one.series is None:
            at = frame.right + 5
        elif one.series.shape == Shape.LINE:
            parts.lines.append(Line("trend", frame.right + 3, place, frame.right + 15, place, one.series.tone))
        else:
            parts.marks.append(Mark(one.series.shape, round(frame.right + 10, 1), place, 4.5, one.series.tone))
        voice: Voice = "mark" if one.series is None else "label"
        parts.texts.extend(
            Text(round(at, 1), round(first + LINE * n, 1), words, voice=voice) for n, words in enumerate(one.lines)
        )
