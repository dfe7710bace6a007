"""The context of the progress page."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCell:
    """How many pairs of a level have so many ratings; `share` of the level's pairs, 0 to 1."""

    n_pairs: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """One difficulty level: its pairs by the number of their ratings, one cell a column."""

    level: int
    n_pairs: int
    cells: tuple[CoverageCell, ...]
    n_filled: int
    n_slots: int
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The coverage of one arm. `arm` is its name; `columns` are numbers of ratings, or ranges of them."""

    arm: str
    finding: str
    columns: tuple[str, ...]
    rows: tuple[CoverageRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The people who came within an hour or a day. `label` stands under the bar, where there is one."""

    at: str
    label: str
    n: int
    n_judged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Who came when. `unit` is hour or day; `top` ends the axis; `newest` is the table, the latest first."""

    finding: str
    unit: str
    bars: tuple[Bar, ...]
    top: int
    newest: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where people are or left: the share is of all who came, in percent. `ended` says that they left there."""

    name: str
    n: int
    percent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody who came, each counted once."""

    finding: str
    n: int
    on_their_way: tuple[Step, ...]
    gone_quiet: tuple[Step, ...]
    ended: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number in a table: what it is of, the number with its unit, and what it rests on."""

    name: str
    value: str
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The quartiles of a time, in words, and of how many."""

    name: str
    quarter: str
    median: str
    three_quarters: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When the study may be full: in a few words, and the sentence that hedges them."""

    value: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that is shown of a study that has been opened. Counts are of slots, but for `n_retired` pairs."""

    n_filled: int
    n_slots: int
    n_open: int
    n_held: int
    held_said: str
    n_retired: int
    ending: Ending
    coverage: tuple[Coverage, ...]
    arrivals: Arrivals | None
    people: People | None
    times: tuple[Taken, ...]
    times_finding: str
    judgements: tuple[Fact, ...]
    judgements_finding: str
    sample_said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressPage(SignedInPage):
    """How far a study is. `overview` is missing in a draft."""

    template: ClassVar[str] = "researcher/progress.html"
    slug: str
    study_title: str
    state: str
    synthetic: bool
    overview: Overview | None
    as_of: datetime
    refresh_seconds: int
