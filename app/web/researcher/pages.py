"""The contexts of the researchers' pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.pages import Link
from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One study in the list. `state` is draft, live, paused or closed; counts are of slots."""

    slug: str
    title: str
    state: str
    synthetic: bool
    set_name: str
    n_filled: int
    n_slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Studies(SignedInPage):
    """The list of studies; when it is empty, the next step in words (`candor study create …`)."""

    template: ClassVar[str] = "researcher/studies.html"
    studies: tuple[StudyRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelProgress:
    """How far one difficulty level of one arm is."""

    arm: str
    level: int
    n_pairs: int
    n_slots: int
    n_filled: int
    n_held: int
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDetail(SignedInPage):
    """One study: its state, its design in a definition list, progress by level, and the exports.

    `entry` is the address that annotators are sent to. `synthetic` stamps the page: the data are made up.
    """

    template: ClassVar[str] = "researcher/study.html"
    slug: str
    state: str
    synthetic: bool
    design: tuple[tuple[str, str], ...]
    entry: str
    levels: tuple[LevelProgress, ...]
    n_slots: int
    n_filled: int
    n_held: int
    people: tuple[tuple[str, int], ...]
    exports: tuple[Link, ...]
    as_of: datetime
