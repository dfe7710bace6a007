"""The contexts of the admins' pages about sets."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.admin.pages import Option, SetRow
from app.web.admin.sets_misconception_pages import MisconceptionChanged
from app.web.pages import Link
from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class MisconceptionRow:
    """A misconception in the list; lengths are in words."""

    href: str
    key: str
    claim: str
    category: str
    level: str
    words_truthful: int
    words_sycophantic: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFilter:
    """What is chosen above the misconceptions, as it was typed."""

    q: str = ""
    level: str = ""
    category: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingRow:
    """A grading, and how it agrees with the levels of the version that it grades; "none" where that cannot be told.

    `asked` says how many people or questions it is from, `at_cuts` how many claims a point would carry over a cut.
    """

    number: int
    version: Link
    by: str
    asked: str
    made_at: datetime
    spearman: str
    interval: str
    weighted_kappa: str
    at_cuts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDetail(SignedInPage):
    """One version of a set: what it is, and its misconceptions, searched, filtered, a page at a time.

    `gradings` are those of every version. `newest` is the newest version where this is not it. `check` says what its
    check found, or that it was not run.
    """

    template: ClassVar[str] = "admin/set.html"
    set: SetRow
    address: str
    newest: Link | None
    checked: bool
    check: str
    chosen: SetFilter
    categories: tuple[Option, ...]
    findings: tuple[Option, ...]
    filtered: bool
    misconceptions: tuple[MisconceptionRow, ...]
    total: int
    first: int
    before: str
    after: str
    gradings: tuple[GradingRow, ...] = ()
    done: str = ""
    error: str = ""
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffShown:
    """What changed from one version to another. `more` says that not all of it is shown."""

    numbers: tuple[tuple[str, str], ...]
    added: tuple[Link, ...]
    removed: tuple[Link, ...]
    changed: tuple[MisconceptionChanged, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVersions(SignedInPage):
    """Every version of a set, and what changed between two of them."""

    template: ClassVar[str] = "admin/set_versions.html"
    address: str
    versions: tuple[SetRow, ...]
    a: int
    b: int
    diff: DiffShown | None
