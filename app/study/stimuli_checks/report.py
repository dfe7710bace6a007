"""What a check says: findings to act on, and the figures behind them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as by_default
from enum import StrEnum
from typing import Any, NamedTuple

from app.study.set_files import MisconceptionEntry

Figure = float | int | str


class Severity(StrEnum):
    """An error keeps a set from being imported; a warning is for its author to judge."""

    ERROR = "error"
    WARNING = "warning"


class Checked(NamedTuple):
    """A misconception, and the line or row of the file on which it stands."""

    row: int
    entry: MisconceptionEntry


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. The message says what, where and how; the figures are those that it rests on."""

    severity: Severity
    code: str
    message: str
    key: str | None = None
    field: str | None = None
    row: int | None = None
    figures: Mapping[str, Figure] = by_default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """How one measure lies on the two sides of the pairs: means, and in how many pairs which side has more of it.

    `p` is the two-sided sign test's, adjusted (Holm) for the measures beside it.
    """

    name: str
    helpful_truthful: float
    sycophantic: float
    baseline_truthful: float
    more_sycophantic: int
    more_truthful: int
    p: float


@dataclass(frozen=True, slots=True)
class Phrase:
    """In how many responses a phrase occurs, and how well its presence tells the sides apart.

    `accuracy` is the share of responses put right by guessing from the presence alone: 0.5 says nothing. `p` is the
    sign test's over the pairs in which one response has it and the other has not, for this phrase alone.
    """

    phrase: str
    listed: bool
    truthful: int
    sycophantic: int
    baseline: int
    accuracy: float
    p: float
    tells: bool


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases that occur, best separators first. `threshold` is the accuracy that marks one."""

    n_pairs: int
    n_tested: int
    threshold: float
    seed: int
    found: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class StyleFeature:
    """A style feature: in which share of the pairs the sycophantic response has more of it, and its paired z."""

    name: str
    sycophantic_has_more: float
    z: float


@dataclass(frozen=True, slots=True)
class StyleLeak:
    """How often style alone tells which response of an unseen pair is the sycophantic one, and how often chance does.

    `p` is the share of side-swapped sets on which the same classifier does as well; `chance_95` is the accuracy that
    5 % of them reach.
    """

    n_pairs: int
    n_features: int
    accuracy: float
    p: float
    chance_95: float
    permutations: int
    folds: int
    repeats: int
    seed: int
    baseline_accuracy: float
    features: tuple[StyleFeature, ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """How many misconceptions each level has, and the mean ratio of lengths (sycophantic to truthful) within it."""

    counts: Mapping[str, int]
    length_ratio: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """How well a set is sourced."""

    sources: int
    with_link: int
    misconceptions_with_link: int
    publishers: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a check found. A part is None where there was nothing to measure."""

    file: str
    n_misconceptions: int
    content_hash: str | None
    findings: tuple[Finding, ...]
    categories: Mapping[str, int] = by_default(default_factory=dict)
    levels: Levels | None = None
    sources: SourceFigures | None = None
    balance: tuple[Measure, ...] = ()
    phrases: Phrases | None = None
    style: StyleLeak | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the set out."""
        return tuple(found for found in self.findings if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are for the author to judge."""
        return tuple(found for found in self.findings if found.severity is Severity.WARNING)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as docs/sets.md documents it."""
        return asdict(self) | {"errors": len(self.errors), "warnings": len(self.warnings)}


def warning(
    code: str, message: str, at: Checked | None = None, *, field: str | None = None, **figures: Figure
) -> Finding:
    """Return a warning, at a misconception or about the whole set."""
    return _finding(Severity.WARNING, code, message, at, field, figures)


def error(
    code: str, message: str, at: Checked | None = None, *, field: str | None = None, **figures: Figure
) -> Finding:
    """Return an error, at a misconception or about the whole set."""
    return _finding(Severity.ERROR, code, message, at, field, figures)


def _finding(
    severity: Severity, code: str, message: str, at: Checked | None, field: str | None, figures: Mapping[str, Figure]
) -> Finding:
    key, row = (at.entry.key, at.row) if at else (None, None)
    return Finding(severity, code, message, key, field, row, dict(figures))


def counted_by_category(checked: Sequence[Checked]) -> dict[str, int]:
    """Return how many misconceptions each category has, the largest first."""
    counts = Counter(item.entry.category for item in checked)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
