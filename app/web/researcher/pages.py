"""The contexts of the researchers' pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.terms import Purpose
from app.web.pages import Link
from app.web.researcher.downloads import Downloads
from app.web.researcher.preregistration import PreregistrationBlock
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
    """The list of studies, and the way to a new one."""

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
class Paste:
    """One value to copy to where the annotators come from; `name` is its element, `note` says what it is for."""

    name: str
    term: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recruiting:
    """What whoever sends the annotators has to be given: the address, the codes, and what belongs to them."""

    title: str
    values: tuple[Paste, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that can be done with a study: by a button that posts, or on the page that a link leads to."""

    text: str
    href: str
    posts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotRow:
    """One pilot of a study."""

    href: str
    slug: str
    state: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentRow:
    """A change of a live design, in words, and the design hash that held from then on."""

    said: str
    reason: str
    made_at: datetime
    design_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDetail(SignedInPage):
    """One study: its state, its design in a definition list, progress by level, and the exports.

    `recruiting` is missing where nobody can be sent. `synthetic` stamps the page: the data are made up. `original` is
    the study that this one is a pilot or a preview of. `next_act` is the one to take next; `done` says what has just
    been done.
    """

    template: ClassVar[str] = "researcher/study.html"
    slug: str
    state: str
    synthetic: bool
    design: tuple[tuple[str, str], ...]
    recruiting: Recruiting | None
    levels: tuple[LevelProgress, ...]
    n_slots: int
    n_filled: int
    n_held: int
    people: tuple[tuple[str, int], ...]
    exports: Downloads | None
    as_of: datetime
    purpose: str = Purpose.STUDY
    original: Link | None = None
    next_act: Act | None = None
    acts: tuple[Act, ...] = ()
    pilots: tuple[PilotRow, ...] = ()
    amendments: tuple[AmendmentRow, ...] = ()
    done: str = ""
    preregistration: PreregistrationBlock | None = None
