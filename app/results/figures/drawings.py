"""What is drawn: lines, marks and words at places, in units of which a letter is 14 high. y grows downwards."""

from dataclasses import dataclass
from typing import Literal

from app.results.figures.charts import Shape, Tone

LETTER = 14.0
LINE = 18.0
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


def stamp_over(frame: Frame, words: str) -> Stamp:
    """Return the stamp that lies across a plot, as large as it has room."""
    x, y = frame.middle
    return Stamp(x, y + 8, words, large=frame.right - frame.left > 300 and frame.bottom - frame.top > 90)
