"""Figures as geometry: what is drawn lies where its number says, within the frame, and not on anything else."""

from itertools import pairwise
from math import radians, tan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.results.figures.charts import (
    Fourfold,
    Panel,
    PanelChart,
    Point,
    Reference,
    Row,
    RowChart,
    Series,
    Shape,
    Tone,
    level_axis,
    percent_axis,
)
from app.results.figures.drawings import Drawing, Frame
from app.results.figures.laying_out import laid_out
from app.results.figures.scales import Scale, round_axis
from app.results.figures.words_in_lines import apart, broken, width_of

PERCENT = st.floats(0, 100)
SHAPES = (Shape.CIRCLE, Shape.SQUARE, Shape.DIAMOND, Shape.TRIANGLE)


@st.composite
def points(draw: st.DrawFn, levels: int) -> tuple[Point, ...]:
    found = []
    for level in range(1, levels + 1):
        low, y, high = sorted(draw(st.tuples(PERCENT, PERCENT, PERCENT)))
        found.append(Point(x=level, y=y, low=low, high=high))
    return tuple(found)


@st.composite
def panel_charts(draw: st.DrawFn) -> PanelChart:
    levels = draw(st.integers(1, 8))
    panels = tuple(
        Panel(
            title=draw(st.sampled_from(["", "PM against the helpful truthful response"])),
            series=tuple(
                Series(label=f"a series called {n}", points=draw(points(levels)), shape=SHAPES[n])
                for n in range(draw(st.integers(1, 4)))
            ),
            spans=draw(st.booleans()),
        )
        for _ in range(draw(st.integers(1, 4)))
    )
    reference = draw(st.sampled_from([None, Reference(at=50, label="no preference")]))
    x = level_axis(tuple(range(1, levels + 1)))
    return PanelChart(panels=panels, x=x, y=percent_axis("Choices (%)"), reference=reference, stamp="Synthetic data")


def holds(frame: Frame, x: float, y: float) -> bool:
    return frame.left < x < frame.right and frame.top < y < frame.bottom


def one_panel(*series: Series, reference: Reference | None = None) -> PanelChart:
    return PanelChart(
        panels=(Panel(title="", series=series),), x=level_axis((1, 8)), y=percent_axis("%"), reference=reference
    )


@settings(max_examples=40)
@given(panel_charts(), st.booleans())
def test_every_mark_lies_in_a_frame_or_beside_it_as_a_label(chart: PanelChart, narrow: bool) -> None:
    drawing = laid_out(chart, narrow=narrow)
    inside = [mark for mark in drawing.marks if any(holds(frame, mark.x, mark.y) for frame in drawing.frames)]
    expected = sum(len(series.points) for panel in chart.panels for series in panel.series)
    assert len(inside) == expected
    for mark in inside:
        frame = next(frame for frame in drawing.frames if holds(frame, mark.x, mark.y))
        room = min(mark.x - frame.left, frame.right - mark.x, mark.y - frame.top, frame.bottom - mark.y)
        assert room >= mark.size, "a mark touches its frame"


@settings(max_examples=40)
@given(panel_charts(), st.booleans())
def test_everything_lies_within_the_drawing(chart: PanelChart, narrow: bool) -> None:
    drawing = laid_out(chart, narrow=narrow)
    within(drawing)
    assert len(drawing.stamps) == len(chart.panels) == len(drawing.frames)
    for stamp, frame in zip(drawing.stamps, drawing.frames, strict=True):
        assert holds(frame, stamp.x, stamp.y)


def within(drawing: Drawing) -> None:
    for frame in drawing.frames:
        assert 0 <= frame.left < frame.right <= drawing.width
        assert 0 <= frame.top < frame.bottom <= drawing.height
    for line in drawing.lines:
        assert 0 <= min(line.x1, line.x2) <= max(line.x1, line.x2) <= drawing.width
        assert 0 <= min(line.y1, line.y2) <= max(line.y1, line.y2) <= drawing.height
    for text in drawing.texts:
        reach = {"start": (0.0, 1.0), "middle": (0.5, 0.5), "end": (1.0, 0.0)}[text.anchor]
        wide = width_of(text.words)
        assert text.x - reach[0] * wide >= -15
        assert text.x + reach[1] * wide <= drawing.width + 15
        assert 0 < text.y <= drawing.height


@settings(max_examples=40)
@given(panel_charts(), st.booleans())
def test_words_beside_a_plot_do_not_lie_on_each_other(chart: PanelChart, narrow: bool) -> None:
    drawing = laid_out(chart, narrow=narrow)
    for frame in drawing.frames:
        beside = [t for t in drawing.texts if 0 < t.x - frame.right < 30 and frame.top - 30 < t.y < frame.bottom + 15]
        for above, below in pairwise(sorted(t.y for t in beside)):
            assert below - above >= 14


@given(st.lists(PERCENT, min_size=2, max_size=20, unique=True))
def test_a_scale_keeps_the_order(values: list[float]) -> None:
    rising, falling = Scale(0, 100, 40, 600), Scale(0, 100, 300, 20)
    for low, high in pairwise(sorted(values)):
        assert rising(low) <= rising(high)
        assert falling(low) >= falling(high)
    assert (rising(0), rising(100), falling(0), falling(100)) == (40, 600, 300, 20)


@given(st.lists(st.floats(-1e4, 1e4).map(lambda value: round(value, 6)), min_size=1, max_size=20))
def test_round_ticks_hold_all_values_and_are_few(values: list[float]) -> None:
    axis = round_axis("points", values)
    assert axis.low <= min(values)
    assert max(values) <= axis.high
    assert 2 <= len(axis.ticks) <= 7
    assert [tick.at for tick in axis.ticks] == sorted({tick.at for tick in axis.ticks})
    assert len({tick.text for tick in axis.ticks}) == len(axis.ticks)


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(5, 30)), min_size=1, max_size=6))
def test_things_are_moved_apart_in_their_order(things: list[tuple[float, float]]) -> None:
    places, heights = [place for place, _ in things], [height for _, height in things]
    moved = apart(places, heights, 0, 200)
    order = sorted(range(len(things)), key=lambda i: places[i])
    for above, below in pairwise(order):
        assert moved[below] - moved[above] >= (heights[above] + heights[below]) / 2 - 0.2
    for place, height in zip(moved, heights, strict=True):
        assert place - height / 2 >= -0.2
        assert place + height / 2 <= 200.2


def test_what_has_room_stays_where_it_is() -> None:
    assert apart([20, 80, 150], [18, 18, 36], 0, 200) == [20, 80, 150]


@given(st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=60))
def test_lines_of_words_are_not_too_wide(words: str) -> None:
    for line in broken(words, 90):
        assert width_of(line) <= 90


def test_a_higher_rate_is_drawn_higher_and_a_harder_level_further_right() -> None:
    rates = (10.0, 30.0, 70.0)
    series = Series(label="", points=tuple(Point(x=n + 1, y=rate) for n, rate in enumerate(rates)))
    marks = laid_out(one_panel(series)).marks
    assert [mark.y for mark in marks] == sorted((mark.y for mark in marks), reverse=True)
    assert [mark.x for mark in marks] == sorted(mark.x for mark in marks)


def test_the_dashed_line_lies_at_its_value() -> None:
    half = Reference(at=50, label="no preference")
    drawing = laid_out(one_panel(Series(label="", points=(Point(x=1, y=50),)), reference=half))
    (line,) = [line for line in drawing.lines if line.kind == "reference"]
    assert line.y1 == line.y2 == drawing.marks[0].y


def test_what_the_dashed_line_means_is_written_at_it() -> None:
    half = Reference(at=50, label="no preference")
    near = [Series(label=name, points=(Point(x=1, y=rate),)) for name, rate in (("a", 51), ("b", 49), ("c", 50))]
    drawing = laid_out(one_panel(*near, reference=half))
    (line,) = [line for line in drawing.lines if line.kind == "reference"]
    (words,) = [text for text in drawing.texts if text.words == "no preference"]
    assert abs(words.y - 5 - line.y1) < 1


def test_two_series_at_one_level_do_not_hide_each_other() -> None:
    point = (Point(x=4, y=40, low=30, high=50),)
    drawing = laid_out(one_panel(Series(label="", points=point), Series(label="", points=point, shape=Shape.SQUARE)))
    first, second = (line for line in drawing.lines if line.kind == "interval")
    assert abs(first.x1 - second.x1) >= 5


def test_plots_stand_side_by_side_but_on_a_phone() -> None:
    series = (Series(label="PM", points=(Point(x=1, y=40),)),)
    panels = (
        Panel(title="a", series=series, spans=True),
        Panel(title="b", series=series),
        Panel(title="c", series=series),
    )
    chart = PanelChart(panels=panels, x=level_axis((1, 8)), y=percent_axis("%"))
    a, b, c = laid_out(chart).frames
    assert a.bottom < b.top == c.top
    assert b.right < c.left
    assert a.right - a.left > 2 * (b.right - b.left) - 100
    a, b, c = laid_out(chart, narrow=True).frames
    assert a.bottom < b.top < b.bottom < c.top


@given(
    st.lists(st.tuples(PERCENT, PERCENT, PERCENT).map(sorted), min_size=1, max_size=6),
    st.booleans(),
    st.sampled_from([None, Reference(at=50, label="no preference")]),
)
def test_rows_lie_below_each_other_within_the_drawing(
    values: list[list[float]], narrow: bool, reference: Reference | None
) -> None:
    rows = tuple(
        Row(
            label=f"a row with a longer name {n}",
            value=y,
            low=low,
            high=high,
            told=f"{y:.0f} %",
            group=f"group {n // 2}",
        )
        for n, (low, y, high) in enumerate(values)
    )
    chart = RowChart(rows=rows, x=percent_axis("prefer"), reference=reference, stamp="Synthetic data")
    drawing = laid_out(chart, narrow=narrow)
    within(drawing)
    heights = [mark.y for mark in drawing.marks]
    assert len(heights) == len(values)
    for above, below in pairwise(heights):
        assert below - above >= 18
    (frame,) = drawing.frames
    for mark in drawing.marks:
        assert holds(frame, mark.x, mark.y)


@pytest.mark.parametrize("rate", [10, 50, 90])
@pytest.mark.parametrize("narrow", [False, True])
def test_the_stamp_lies_on_no_value_where_there_is_room(rate: float, narrow: bool) -> None:
    values = tuple(Point(x=level, y=rate, low=rate - 8, high=rate + 8) for level in range(1, 9))
    series = Series(label="people", points=values)
    panels_ = (Panel(title="", series=(series,)),)
    chart = PanelChart(panels=panels_, x=level_axis(tuple(range(1, 9))), y=percent_axis("%"), stamp="Synthetic data")
    drawing = laid_out(chart, narrow=narrow)
    (stamp,), (frame,) = drawing.stamps, drawing.frames
    height = 30 if stamp.large else 20
    slope = tan(radians(12))
    middles = [stamp.y - 8 - slope * (mark.x - stamp.x) for mark in drawing.marks]
    beneath = [
        abs(mark.y - middle) < height / 2
        for mark, middle in zip(drawing.marks, middles, strict=True)
        if holds(frame, mark.x, mark.y) and abs(mark.x - stamp.x) < len(stamp.words) * height * 0.25
    ]
    assert beneath
    assert not any(beneath)


def test_an_axis_says_what_it_is_where_there_is_little_room() -> None:
    series = (Series(label="non-sycophantic PM", points=(Point(x=1, y=40),)),)
    half = (Panel(title="b", series=series), Panel(title="c", series=series))
    drawing = laid_out(PanelChart(panels=half, x=level_axis((1, 8)), y=percent_axis("%")))
    assert [text.words for text in drawing.texts if "level" in text.words] == ["level", "level"]


def test_a_count_stands_below_a_square_that_it_has_no_room_in() -> None:
    drawing = laid_out(Fourfold(first="People", second="PM", counts=(200, 3, 3, 3)))
    counts = [text for text in drawing.texts if "%" in text.words]
    for box, text in zip(drawing.boxes, counts, strict=True):
        within_box = box.y < text.y < box.y + box.height
        assert within_box == (box.width > width_of(text.words))
        assert text.y < box.y + box.height + 20


def test_a_row_that_cannot_be_estimated_says_so_and_has_no_mark() -> None:
    row = Row(label="majority", value=None, low=None, high=None, told="cannot be estimated")
    drawing = laid_out(RowChart(rows=(row,), x=percent_axis("prefer")))
    assert drawing.marks == ()
    assert "cannot be estimated" in {text.words for text in drawing.texts}


@pytest.mark.parametrize("narrow", [False, True])
def test_the_squares_of_a_table_of_four_are_its_shares(narrow: bool) -> None:
    drawing = laid_out(
        Fourfold(
            first="People",
            second="Made-up/reward-model with a long name, standard PM",
            counts=(40, 20, 30, 10),
            stamp="",
        ),
        narrow=narrow,
    )
    within(drawing)
    areas = [box.width * box.height for box in drawing.boxes]
    assert [area / sum(areas) for area in areas] == pytest.approx([0.4, 0.2, 0.3, 0.1], abs=0.01)
    both_true, first_alone, second_alone, both_false = drawing.boxes
    assert (both_true.tone, both_false.tone) == (Tone.TRUTHFUL, Tone.SYCOPHANTIC)
    # The first judge is told in rows: where it alone is fooled lies below, where the second alone is lies to the right.
    assert first_alone.y > both_true.y + both_true.height
    assert second_alone.x > both_true.x + both_true.width
    assert second_alone.y < first_alone.y
