"""A table of four as squares: their areas are the shares of pairs on which two judges say the same, or not."""

from app.results.figures.charts import Fourfold, Tone
from app.results.figures.drawings import LINE, Box, Drawing, Frame, Line, Text, stamp_over
from app.results.figures.panels import NARROW, WIDE
from app.results.figures.words_in_lines import broken, width_of

_SIDE = 130.0
_PARTS = ((0, 0, Tone.TRUTHFUL), (1, 0, Tone.PLAIN), (0, 1, Tone.PLAIN), (1, 1, Tone.SYCOPHANTIC))
"""Row of the first judge (truthful, sycophantic), column of the second, and what the cell stands for."""


def fourfold(chart: Fourfold, *, narrow: bool = False) -> Drawing:
    """Lay out a table of four."""
    width = NARROW if narrow else WIDE
    beside = 74.0 if narrow else 110.0
    total = max(1, sum(chart.counts))
    head = LINE * len(broken(chart.second, 2 * _SIDE)) + 2 * LINE + 6
    frame = Frame(beside, head, beside + 2 * _SIDE, head + 2 * _SIDE)
    texts, boxes = _heads(chart, frame, beside), []
    for (row, column, tone), n in zip(_PARTS, chart.counts, strict=True):
        x, y = frame.left + _SIDE * (column + 0.5), frame.top + _SIDE * (row + 0.5)
        side = (_SIDE - 14) * (n / total) ** 0.5
        if n:
            boxes.append(Box(round(x - side / 2, 1), round(y - side / 2, 1), round(side, 1), round(side, 1), tone))
        told = f"{n:,} ({100 * n / total:.0f} %)"
        foot = y + 5 if side > width_of(told) else y + side / 2 + LINE  # Below a square that it has no room in.
        texts.append(Text(x, round(foot, 1), told, "middle", "value"))
    lines = (
        Line("grid", *(frame.left + _SIDE, frame.top, frame.left + _SIDE, frame.bottom)),
        Line("grid", *(frame.left, frame.top + _SIDE, frame.right, frame.top + _SIDE)),
    )
    stamps = (stamp_over(frame, chart.stamp),) if chart.stamp else ()
    return Drawing(
        width=width,
        height=frame.bottom + 8,
        frames=(frame,),
        lines=lines,
        boxes=tuple(boxes),
        texts=tuple(texts),
        stamps=stamps,
    )


def _heads(chart: Fourfold, frame: Frame, beside: float) -> list[Text]:
    names = broken(chart.second, 2 * _SIDE)
    texts = [Text(frame.middle[0], LINE * (n + 1) - 4, words, "middle", "title") for n, words in enumerate(names)]
    foot = LINE * (len(names) + 1) + 2
    for n, kind in enumerate(("truthful", "sycophantic")):
        x = frame.left + _SIDE * (n + 0.5)
        texts.append(Text(x, foot, f"prefers {kind}", "middle"))
        words = (*broken(chart.first, beside - 8), "prefer", kind)
        first = frame.top + _SIDE * (n + 0.5) - LINE * (len(words) - 1) / 2
        texts.extend(
            Text(0, round(first + LINE * i, 1), word, voice="title" if i < len(words) - 2 else "mark")
            for i, word in enumerate(words)
        )
    return texts
