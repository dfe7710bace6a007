"""What is drawn: lines, marks and words at places, in units of which a letter is 14 high. y grows downwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Literal

from app.results.figures.charts import Shape, Tone

LETTER = 14.0
LINE = 18.0
_LARGE, _SMALL = 30.0, 20.0
_STAMP_WIDE = 0.55
_TILT = radians(12)
"""Heights of a stamp's letters, their width as a share of that, and how far the stamp is turned, as they are drawn."""
Anchor = Literal["start", "middle", "end"]
Kind = Literal["grid", "reference", "interval", "trend", "leader"]
Voice = Literal["mark", "label", "title", "value"]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; `kind` says what it is."""

    kind: Kind
    x1: float
    y1: float
    x2: float
    y2: float
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Path:
    """A line through several points."""

    points: tuple[tuple[float, float], ...]
    tone: Tone = Tone.PLAIN

    @property
    def written(self) -> str:
        """The points as SVG has them."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)


@dataclass(frozen=True, slots=True)
class Mark:
    """A value: a circle, square, diamond or triangle around a place."""

    shape: Shape
    x: float
    y: float
    size: float = 5.0
    tone: Tone = Tone.PLAIN

    @property
    def corners(self) -> str:
        """The corners of a shape that has some, as SVG has them."""
        n = self.size
        offsets = {
            Shape.SQUARE: ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
            Shape.DIAMOND: ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
            Shape.TRIANGLE: ((0, -1.25), (1.15, 0.85), (-1.15, 0.85)),
        }[self.shape]
        return " ".join(f"{self.x + dx * n:.1f},{self.y + dy * n:.1f}" for dx, dy in offsets)


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Text:
    """Words at a place: `y` is their foot."""

    x: float
    y: float
    words: str
    anchor: Anchor = "start"
    voice: Voice = "mark"
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Frame:
    """Where values lie: a rectangle that no mark touches."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        """The place of the centre."""
        return round((self.left + self.right) / 2, 1), round((self.top + self.bottom) / 2, 1)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Words that lie across a plot."""

    x: float
    y: float
    words: str
    large: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A whole drawing; frames say where its values lie."""

    width: float
    height: float
    frames: tuple[Frame, ...]
    lines: tuple[Line, ...] = ()
    paths: tuple[Path, ...] = ()
    boxes: tuple[Box, ...] = ()
    marks: tuple[Mark, ...] = ()
    texts: tuple[Text, ...] = ()
    stamps: tuple[Stamp, ...] = ()


def stamp_over(frame: Frame, words: str, marks: Sequence[Mark] = (), lines: Sequence[Line] = ()) -> Stamp:
    """Return the stamp that lies across a plot, as large as it has room, where it lies on fewest values."""
    large = frame.right - frame.left > 300 and frame.bottom - frame.top > 90
    half = len(words) * (_LARGE if large else _SMALL) * _STAMP_WIDE / 2
    reach_x, reach_y = half * cos(_TILT), half * sin(_TILT)
    busy = [(mark.x, mark.y) for mark in marks]
    busy += [place for line in lines if line.kind == "interval" for place in _along(line)]

    def covered(place: tuple[float, float]) -> float:
        return sum(_covers(place, at, half, _LARGE if large else _SMALL) for at in busy)

    across = _places(frame.left + reach_x, frame.right - reach_x)
    down = _places(frame.top + reach_y + 10, frame.bottom - reach_y - 10)
    x, y = min(((x, y) for y in down for x in across), key=covered)
    return Stamp(round(x, 1), round(y + 8, 1), words, large=large)


def _places(low: float, high: float) -> tuple[float, ...]:
    """Return the middle, and then other places between two ends; the middle alone where there is no room."""
    middle = (low + high) / 2
    if high <= low:
        return (middle,)
    return middle, (low + middle) / 2, (middle + high) / 2, low, high


def _along(line: Line) -> list[tuple[float, float]]:
    return [(line.x1 + (line.x2 - line.x1) * n / 4, line.y1 + (line.y2 - line.y1) * n / 4) for n in range(5)]


def _covers(stamp: tuple[float, float], at: tuple[float, float], half: float, letter: float) -> bool:
    """Tell whether a stamp in the middle of which a place is would lie on another."""
    dx, dy = at[0] - stamp[0], at[1] - stamp[1]
    along, aside = dx * cos(_TILT) - dy * sin(_TILT), dx * sin(_TILT) + dy * cos(_TILT)
    return abs(along) < half + 6 and abs(aside) < letter / 2 + 6
