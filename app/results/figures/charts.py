"""What a chart shows: numbers with their intervals and words, before anything is laid out.

Every number is in the unit of its axis, as a reader sees it: percent, points, answers; never a share of 1.
"""

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """How a value is marked: people, majority votes, preference models, the non-sycophantic one; or a line alone."""

    CIRCLE = "circle"
    SQUARE = "square"
    DIAMOND = "diamond"
    TRIANGLE = "triangle"
    LINE = "line"


class Tone(StrEnum):
    """What colour stands for: the sycophantic response, the truthful one, or neither.

    The values name colours, as the stylesheet that they are classes of is loaded by annotators too.
    """

    SYCOPHANTIC = "amber"
    TRUTHFUL = "blue"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value with its interval, if it has one: `low` and `high` are in the unit of `y`."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one kind, labelled at their end. `joined` draws a line through them."""

    label: str
    points: tuple[Point, ...]
    shape: Shape = Shape.CIRCLE
    tone: Tone = Tone.SYCOPHANTIC
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis from `low` to `high`; `title` names what it measures with its unit, `ends` say what its ends mean.

    `short` is its title where there is little room.
    """

    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...]
    ends: tuple[str, str] = ("", "")
    short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A dashed line that values are compared with."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One plot of a chart. `spans` gives it the whole width."""

    title: str
    series: tuple[Series, ...]
    spans: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelChart:
    """Plots that share their axes. `stamp` lies across each of them."""

    panels: tuple[Panel, ...]
    x: Axis
    y: Axis
    reference: Reference | None = None
    stamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A value on a line of its own. `told` says it in figures; `value` is missing where it cannot be estimated."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    told: str
    shape: Shape = Shape.CIRCLE
    tone: Tone = Tone.SYCOPHANTIC
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChart:
    """Values one above the other on one axis; rows of one `group` stand together under its name."""

    rows: tuple[Row, ...]
    x: Axis
    reference: Reference | None = None
    stamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fourfold:
    """How two judges agree: counts for (both truthful, first sycophantic alone, second alone, both sycophantic)."""

    first: str
    second: str
    counts: tuple[int, int, int, int]
    stamp: str = ""


Chart = PanelChart | RowChart | Fourfold


def percent_axis(title: str) -> Axis:
    """Return the axis of rates, 0 to 100."""
    ticks = tuple(Tick(at=at, text=f"{at} %") for at in (0, 25, 50, 75, 100))
    return Axis(title=title, low=0, high=100, ticks=ticks)


def level_axis(levels: tuple[int, ...]) -> Axis:
    """Return the axis of difficulty levels, easiest to hardest."""
    return Axis(
        title="difficulty level",
        short="level",
        low=min(levels),
        high=max(levels),
        ticks=tuple(Tick(at=level, text=str(level)) for level in levels),
        ends=("easiest", "hardest") if len(levels) > 1 else ("", ""),
    )
