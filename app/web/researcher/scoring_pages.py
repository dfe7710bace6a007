"""The contexts of the pages on which a study's scoring runs are met."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRun:
    """One run in the table. `href` shows it, where it is done; `random_weights` labels a model that was made up."""

    run: str
    model: str
    scorer: str
    random_weights: bool
    variants: str
    state: str
    href: str
    current: bool
    started_at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """A run that is not done: how far it is of `n_all`, in words, and why it failed if it did."""

    model: str
    n_done: int
    n_all: int
    said: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """One thing that a run's record says; several lines where it says several."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPoint:
    """A rate of one level in the chart, in percent."""

    level: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSeries:
    """What is drawn with one shape. `offset` moves it aside within its level, `label_y` is the height of its name."""

    name: str
    shape: str
    offset: float
    points: tuple[ModelPoint, ...]
    label_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRow:
    """A row of the table under a chart, in words; what people do not have is a dash."""

    level: str
    pairs: str
    rate: str
    interval: str
    ties: str
    near_ties: str
    beyond: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateGroup:
    """The rows of one series."""

    name: str
    rows: tuple[RateRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigure:
    """One chart with its table: against one truthful kind."""

    finding: str
    said: str
    levels: tuple[int, ...]
    series: tuple[ModelSeries, ...]
    groups: tuple[RateGroup, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """The run that is shown whole. `source` is the line under each chart; `limits` says what it can and cannot tell."""

    run: str
    model: str
    random_weights: bool
    figures: tuple[ModelFigure, ...]
    source: str
    limits: tuple[str, ...]
    record: tuple[RecordFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsPage(SignedInPage):
    """The scoring runs of a study. `refresh_seconds` is how often the page is fetched while one runs, else 0."""

    template: ClassVar[str] = "researcher/models.html"
    slug: str
    study_title: str
    synthetic: bool
    underway: tuple[Underway, ...]
    runs: tuple[ModelRun, ...]
    shown: ShownRun | None
    as_of: datetime
    refresh_seconds: int
    done: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresImport(SignedInPage):
    """The form that takes a score file; `faults` are those of the file that was sent, by line and field."""

    template: ClassVar[str] = "researcher/scores_import.html"
    slug: str
    study_title: str
    action: str
    largest: str
    error: str = ""
    faults: tuple[str, ...] = ()
