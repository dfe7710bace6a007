"""What the results page and the report show: figures with their words and tables, ready for the templates."""

from dataclasses import dataclass

from app.results.figures.charts import Chart
from app.results.figures.drawings import Drawing
from app.results.figures.laying_out import laid_out


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column, with its unit; `number` columns are aligned right."""

    text: str
    number: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a figure, in words and figures as they are shown; the first column names the row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A figure before it is laid out.

    Attributes
    ----------
    id, name
        Its anchor, and what it is called in the contents.
    heading
        Its finding, in a sentence.
    what
        What is plotted, of whom, in which unit, with n.
    more
        What else a reader has to know.
    chart
        Missing where a table says it better.
    exploratory
        Whether no hypothesis was written down for it.
    open
        Whether its tables are seen without being asked for.
    """

    id: str
    name: str
    heading: str
    what: str
    chart: Chart | None
    tables: tuple[Table, ...]
    more: tuple[str, ...] = ()
    exploratory: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure as the templates show it: drawn for a page (`wide`) and for a phone (`narrow`)."""

    id: str
    name: str
    heading: str
    what: str
    more: tuple[str, ...]
    exploratory: bool
    wide: Drawing | None
    narrow: Drawing | None
    tables: tuple[Table, ...]
    open: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that is shown of a study.

    Attributes
    ----------
    stamped
        Whether programs made the choices.
    notices
        What stands above everything: a pilot, random weights, a study that is not finished.
    answer
        The question's answer in a few sentences; what is missing where there are no figures.
    made
        From what, of which version, the numbers were made.
    left_out
        What is not shown, and why.
    """

    stamped: bool
    notices: tuple[str, ...]
    answer: tuple[str, ...]
    made: str
    figures: tuple[Figure, ...]
    left_out: tuple[str, ...]


def unbroken(sentence: str) -> str:
    """Return a sentence in which no line ends between a number and its sign of percent."""
    return sentence.replace(" %", "\u00a0%")


def figure(sketch: Sketch, source: str) -> Figure:
    """Lay a figure out."""
    chart = sketch.chart
    return Figure(
        id=sketch.id,
        name=sketch.name,
        heading=unbroken(sketch.heading),
        what=sketch.what,
        more=sketch.more,
        exploratory=sketch.exploratory,
        wide=None if chart is None else laid_out(chart),
        narrow=None if chart is None else laid_out(chart, narrow=True),
        tables=sketch.tables,
        open=sketch.open or chart is None,
        source=source,
    )
