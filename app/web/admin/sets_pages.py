"""The contexts of the admins' pages about sets."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.admin.pages import SetRow
from app.web.pages import Link, Page
from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What can be chosen in a list: its value, and its words."""

    value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUploadForm(SignedInPage):
    """The form that sends a file. What was typed is kept after a fault; the file has to be chosen again."""

    template: ClassVar[str] = "admin/set_upload.html"
    formats: tuple[Option, ...]
    largest: int
    """The most bytes that a file may have."""
    slug: str = ""
    set_title: str = ""
    licence: str = ""
    read_as: str = ""
    columns: str = ""
    texts: str = ""
    error: str = ""
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of words and figures. The first column names the row; the others are figures."""

    title: str
    lead: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One finding: where it is, what is wrong and how to mend it. `href` is the misconception's page, if it has one."""

    place: str
    key: str
    href: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """The findings of one kind, or the first hundred of them. `href` lists the misconceptions that have one."""

    severity: str
    code: str
    n: int
    href: str
    rows: tuple[FindingRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckShown:
    """What a check found: what there is to mend, then the figures. `numbers` sums it up: what is counted, how many."""

    numbers: tuple[tuple[str, str], ...]
    errors: tuple[FindingKind, ...]
    warnings: tuple[FindingKind, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChecked(SignedInPage):
    """What the check of a file found, before anything of it is stored, and the question whether to store it.

    `whole` and `in_part` say whether all of it can be stored, or only what has no error; neither may be so.
    """

    template: ClassVar[str] = "admin/set_checked.html"
    file_name: str
    read_as: str
    slug: str
    version: int
    set_title: str
    licence: str
    check: CheckShown
    whole: bool
    in_part: bool
    n_stored: int
    n_left_out: int
    address: str
    expires_at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCheckPage(SignedInPage):
    """What the check of a stored version found; None where it was not run yet."""

    template: ClassVar[str] = "admin/set_check.html"
    address: str
    back: Link
    n_misconceptions: int
    check: CheckShown | None


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
class ResponseShown:
    """One response: what it was written to be, its text, its length in words, and the hash of its text."""

    kind: str
    text: str
    n_words: int
    text_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShown:
    """Where a fact can be read; `url` is empty where there is no link."""

    publisher: str
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MisconceptionDetail(SignedInPage):
    """One misconception whole. `edit` is empty where its version is not the newest."""

    template: ClassVar[str] = "admin/set_misconception.html"
    back: Link
    key: str
    prompt: str
    fact: str
    category: str
    level: str
    sources: tuple[SourceShown, ...]
    verified_by: str
    origin: str
    responses: tuple[ResponseShown, ...]
    findings: tuple[FindingRow, ...]
    checked: bool
    preview: str
    edit: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPreview(Page):
    """A pair as an annotator sees it, but that nothing can be chosen. `told` says which response is which."""

    template: ClassVar[str] = "admin/set_preview.html"
    question: str
    prompt: str
    first: str
    second: str
    told: str
    links: tuple[Link, ...]
    back: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class EditField:
    """A field of the form that changes a misconception: what the macros of forms read."""

    name: str
    label: str
    value: str
    help: str = ""
    errors: tuple[str, ...] = ()
    kind: str = "text"
    rows: int = 3
    example: str = ""
    unit: str = ""
    rendered: None = None

    @property
    def id(self) -> str:
        """The element that mends it."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class EditSection:
    """Fields that belong together."""

    name: str
    title: str
    lead: str
    fields: tuple[EditField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditFault:
    """What is wrong with a field, and the element that mends it."""

    id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MisconceptionEdit(SignedInPage):
    """The form that changes a misconception."""

    template: ClassVar[str] = "admin/set_edit.html"
    action: str
    back: str
    version: int
    sections: tuple[EditSection, ...]
    faults: tuple[EditFault, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a text: the `same` in both, `out` or `in`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChanged:
    """A field, and what went out of it and came in."""

    field: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MisconceptionChanged:
    """What changed in a misconception."""

    key: str
    href: str
    fields: tuple[FieldChanged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditConfirm(SignedInPage):
    """What an edit changes, before it is stored; `cells` is what was typed."""

    template: ClassVar[str] = "admin/set_edit_confirm.html"
    action: str
    version: int
    studies: tuple[str, ...]
    changed: MisconceptionChanged
    cells: tuple[tuple[str, str], ...]


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
