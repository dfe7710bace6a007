"""Values one above the other, each with its name, its interval on a common axis, and its figures in words."""

from itertools import pairwise

from app.results.figures.charts import Row, RowChart
from app.results.figures.drawings import LINE, Drawing, Frame, Line, Mark, Text, stamp_over
from app.results.figures.panels import NARROW, WIDE
from app.results.figures.scales import Scale
from app.results.figures.words_in_lines import broken, width_of

_LABEL = 216.0
_INSET = 12.0
_PAD = 10.0


class _Rows:
    """A chart of rows in the making: `y` is where the next row begins."""

    def __init__(self, chart: RowChart, *, narrow: bool) -> None:
        self.chart, self.narrow = chart, narrow
        self.width = NARROW if narrow else WIDE
        told = max((width_of(row.told) for row in chart.rows), default=0)
        left, right = (0.0, self.width) if narrow else (_LABEL, self.width - told - 16)
        self.left, self.right = left, round(right, 1)
        self.x = Scale(chart.x.low, chart.x.high, self.left + _INSET, self.right - _INSET)
        self.lines: list[Line] = []
        self.marks: list[Mark] = []
        self.texts: list[Text] = []
        self.y = 0.0

    def head(self, words: str) -> None:
        self.y += 6 if self.y else 0
        for line in broken(words, self.width):
            self.texts.append(Text(0, round(self.y + LINE - 4, 1), line, voice="title"))
            self.y += LINE

    def row(self, row: Row) -> None:
        if self.narrow:
            self._narrow_row(row)
        else:
            self._wide_row(row)

    def _wide_row(self, row: Row) -> None:
        lines = broken(row.label, _LABEL - 16)
        height = LINE * len(lines) + _PAD
        middle = round(self.y + height / 2, 1)
        first = middle - LINE * (len(lines) - 1) / 2 + 5
        self.texts.extend(Text(0, round(first + LINE * n, 1), line, voice="label") for n, line in enumerate(lines))
        self.texts.append(Text(self.width, round(middle + 5, 1), row.told, anchor="end", voice="value"))
        self._value(row, middle)
        self.y += height

    def _narrow_row(self, row: Row) -> None:
        beside = self.width - width_of(row.told) - 12
        lines = broken(row.label, beside)
        for n, line in enumerate(lines):
            self.texts.append(Text(0, round(self.y + LINE * (n + 1) - 4, 1), line, voice="label"))
        self.texts.append(Text(self.width, round(self.y + LINE - 4, 1), row.told, anchor="end", voice="value"))
        middle = round(self.y + LINE * len(lines) + 9, 1)
        self._value(row, middle)
        self.y += LINE * len(lines) + 26

    def _value(self, row: Row, at: float) -> None:
        self.lines.append(Line("grid", self.left, at, self.right, at))
        if self.narrow and self.chart.reference is not None:
            # Each row has its own piece of the dashed line, which would cross the names above.
            x = self.x(self.chart.reference.at)
            self.lines.append(Line("reference", x, at - 9, x, at + 9))
        if row.value is None:
            return
        if row.low is not None and row.high is not None:
            self.lines.append(Line("interval", self.x(row.low), at, self.x(row.high), at, row.tone))
        self.marks.append(Mark(row.shape, self.x(row.value), at, tone=row.tone))

    def axis(self, top: float) -> float:
        """Draw the axis below the rows; return where the drawing ends."""
        bottom = self.y + 4
        foot = round(bottom + LINE, 1)
        for tick in self._ticks():
            self.texts.append(Text(self.x(tick[0]), foot, tick[1], anchor="middle"))
        if self.chart.reference is not None:
            at = self.x(self.chart.reference.at)
            if not self.narrow:
                self.lines.append(Line("reference", at, top, at, bottom))
            foot = round(foot + LINE, 1)
            self.texts.append(Text(at, foot, self.chart.reference.label, anchor="middle"))
        return self._under(foot)

    def _under(self, foot: float) -> float:
        """Say under the axis what it measures, and what its ends mean."""
        first, last = self.chart.x.ends
        if first:
            foot += LINE
            self.texts.append(Text(self.left, round(foot, 1), first))
            self.texts.append(Text(self.right, round(foot, 1), last, anchor="end"))
        for words in broken(self.chart.x.title, self.right - self.left):
            foot += LINE
            self.texts.append(Text(round((self.left + self.right) / 2, 1), round(foot, 1), words, anchor="middle"))
        return foot + 8

    def _ticks(self) -> list[tuple[float, str]]:
        """Return the ticks that have room beside each other: all of them, or every second."""
        ticks = [(tick.at, tick.text) for tick in self.chart.x.ticks]
        gaps = [self.x(b[0]) - self.x(a[0]) for a, b in pairwise(ticks)]
        wide = max((width_of(text) for _, text in ticks), default=0) + 8
        return ticks if not gaps or min(gaps) >= wide else ticks[::2]


def rows(chart: RowChart, *, narrow: bool = False) -> Drawing:
    """Lay out a chart of rows; if `narrow`, each name stands above its value."""
    made, group, frames, stamps = _Rows(chart, narrow=narrow), "", [], []
    top = 0.0
    for row in chart.rows:
        if row.group and row.group != group:
            made.head(row.group)
            group = row.group
            top = top or made.y
        made.row(row)
    frame = Frame(made.left, top, made.right, round(made.y, 1))
    frames.append(frame)
    if chart.stamp:
        stamps.append(stamp_over(frame, chart.stamp, made.marks, made.lines))
    height = made.axis(top)
    return Drawing(
        width=made.width,
        height=round(height, 1),
        frames=tuple(frames),
        lines=tuple(made.lines),
        marks=tuple(made.marks),
        texts=tuple(made.texts),
        stamps=tuple(stamps),
    )
