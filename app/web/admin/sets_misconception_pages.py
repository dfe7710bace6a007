"""The contexts of one misconception's pages: itself, its pair as annotators see it, and its change."""

from dataclasses import dataclass
from typing import ClassVar

from app.web.admin.sets_check_pages import FindingRow
from app.web.pages import Link, Page
from app.web.signed_in import SignedInPage


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
