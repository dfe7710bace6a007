"""The contexts of the pages on which a file of misconceptions is sent and checked."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.admin.pages import Option
from app.web.pages import Link
from app.web.signed_in import SignedInPage


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
