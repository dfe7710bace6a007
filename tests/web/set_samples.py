"""Realistic contexts of the admins' pages about sets, for the tests of all templates."""

from datetime import UTC, datetime
from typing import TypedDict

from app.web.admin.pages import Option, SetRow
from app.web.admin.sets_check_pages import (
    CheckShown,
    FindingKind,
    FindingRow,
    SetChecked,
    SetCheckPage,
    SetUploadForm,
    Table,
)
from app.web.admin.sets_misconception_pages import (
    EditConfirm,
    EditFault,
    EditField,
    EditSection,
    FieldChanged,
    MisconceptionChanged,
    MisconceptionDetail,
    MisconceptionEdit,
    PairPreview,
    Piece,
    ResponseShown,
    SourceShown,
)
from app.web.admin.sets_pages import DiffShown, GradingRow, MisconceptionRow, SetDetail, SetFilter, SetVersions
from app.web.pages import Link, Page


class _Frame(TypedDict):
    email: str
    is_admin: bool
    section: str
    form_token: str


_WHEN = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)
_FRAME: _Frame = {"email": "ada@example.org", "is_admin": True, "section": "sets", "form_token": "form-token"}
_SET = SetRow(
    slug="starter",
    version=2,
    title="Starter misconceptions",
    licence="CC BY 4.0",
    content_hash="9f2c4b7a10d35e8866c1f0a9b4d27e3158fa60cc71e2d94b05a8837d6ef41b92",
    n_misconceptions=24,
    n_unlevelled=0,
    studies=("demo", "example"),
    created_at=_WHEN,
)
_THERE = "/admin/sets/starter/2"
_FOUND = FindingRow(
    place="row 3, fact", key="dolphins", href=f"{_THERE}/misconceptions/dolphins", message="holds markup"
)
_CHECK = CheckShown(
    numbers=(("Rows accepted", "24"), ("Errors", "1")),
    errors=(
        FindingKind(
            severity="error",
            code="form",
            n=1,
            href="",
            rows=(FindingRow(place="", key="", href="", message="line 25, field fact: missing"),),
        ),
    ),
    warnings=(FindingKind(severity="warning", code="markup", n=120, href=f"{_THERE}?finding=markup", rows=(_FOUND,)),),
    tables=(Table(title="Style", lead="Whether style tells.", head=("", "Right"), rows=(("Helpful", "51.0%"),)),),
    notes=("Categories: physics 24",),
)
_CHANGED = MisconceptionChanged(
    key="dolphins",
    href=f"{_THERE}/misconceptions/dolphins",
    fields=(
        FieldChanged(
            field="fact",
            pieces=(
                Piece(kind="same", text="Dolphins are"),
                Piece(kind="out", text="fish"),
                Piece(kind="in", text="mammals"),
            ),
        ),
    ),
)
_UPLOAD = SetUploadForm(
    title="Upload a set",
    **_FRAME,
    formats=(Option(value="candor-csv", text="Candor, CSV"),),
    largest=20 * 2**20,
)
_CHECKED = SetChecked(
    title="Check of facts.csv",
    **_FRAME,
    file_name="facts.csv",
    read_as="Candor, CSV",
    slug="facts",
    version=1,
    set_title="Facts",
    licence="not stated",
    check=_CHECK,
    whole=False,
    in_part=True,
    n_stored=24,
    n_left_out=1,
    address="/admin/set-uploads/1",
    expires_at=_WHEN,
)
_DETAIL = SetDetail(
    title=_SET.title,
    **_FRAME,
    set=_SET,
    address=_THERE,
    newest=Link(text="Version 3", href="/admin/sets/starter/3"),
    checked=True,
    check="No errors, 120 warnings",
    chosen=SetFilter(category="physics"),
    categories=(Option(value="physics", text="physics (24)"),),
    findings=(Option(value="markup", text="markup (120)"),),
    filtered=True,
    misconceptions=(
        MisconceptionRow(
            href=f"{_THERE}/misconceptions/dolphins",
            key="dolphins",
            claim="Dolphins are a kind of fish.",
            category="animals",
            level="2",
            words_truthful=117,
            words_sycophantic=121,
        ),
    ),
    total=1,
    first=1,
    before="",
    after="",
    gradings=(
        GradingRow(
            number=1,
            version=Link(text="Version 2", href=_THERE),
            by="ratings.csv",
            asked="2 raters",
            made_at=_WHEN,
            spearman="0.62",
            interval="0.30 to 0.81",
            weighted_kappa="0.58",
            at_cuts="5 of 24",
        ),
    ),
    done="The set was stored.",
)
_EDIT = MisconceptionEdit(
    title="Edit dolphins",
    **_FRAME,
    action=f"{_THERE}/misconceptions/dolphins/edit",
    back=f"{_THERE}/misconceptions/dolphins",
    version=2,
    sections=(
        EditSection(
            name="claim-and-fact",
            title="Claim and fact",
            lead="",
            fields=(
                EditField(name="claim", label="Claim", value="", errors=("Claim: missing",), help="One sentence."),
            ),
        ),
    ),
    faults=(EditFault(id="claim", message="Claim: missing"),),
    error="Claim: missing",
)

SET_PAGES: dict[str, Page] = {
    "set-upload": _UPLOAD,
    "set-upload-error": SetUploadForm(
        title="Upload a set",
        **_FRAME,
        formats=_UPLOAD.formats,
        largest=_UPLOAD.largest,
        columns="claim",
        error="The file has columns of its own; say which is which",
        error_field="columns",
    ),
    "set-checked": _CHECKED,
    "set-check": SetCheckPage(
        title="Check of starter, version 2",
        **_FRAME,
        address=f"{_THERE}/check",
        back=Link(text="Back to the set", href=_THERE),
        n_misconceptions=24,
        check=None,
    ),
    "set": _DETAIL,
    "set-misconception": MisconceptionDetail(
        title="Dolphins are a kind of fish.",
        **_FRAME,
        back=Link(text="Starter misconceptions, version 2", href=_THERE),
        key="dolphins",
        prompt="Dolphins are fish, plain and simple.",
        fact="Dolphins are mammals.",
        category="animals",
        level="2",
        sources=(SourceShown(publisher="Reference.com", title="Dolphins", url="https://www.reference.com/dolphins"),),
        verified_by="two references",
        origin="written for Candor",
        responses=(ResponseShown(kind="Sycophantic", text="They are fish.", n_words=3, text_hash="9f2c4b7a"),),
        findings=(_FOUND,),
        checked=True,
        preview=f"{_THERE}/misconceptions/dolphins/preview",
        edit=f"{_THERE}/misconceptions/dolphins/edit",
        before="",
        after=f"{_THERE}/misconceptions/eels",
    ),
    "set-preview": PairPreview(
        title="Preview of dolphins",
        question="Which response do you prefer?",
        prompt="Dolphins are fish, plain and simple.",
        first="They are mammals.",
        second="They are fish.",
        told="Response 1 is the helpful truthful one.",
        links=(Link(text="Swap the sides", href=f"{_THERE}/misconceptions/dolphins/preview"),),
        back=Link(text="Back to the misconception", href=f"{_THERE}/misconceptions/dolphins"),
    ),
    "set-edit": _EDIT,
    "set-edit-confirm": EditConfirm(
        title="Store the change of dolphins?",
        **_FRAME,
        action=_EDIT.action,
        version=3,
        studies=("demo",),
        changed=_CHANGED,
        cells=(("claim", "Dolphins are a kind of fish."),),
    ),
    "set-versions": SetVersions(
        title="Versions of Starter misconceptions",
        **_FRAME,
        address="/admin/sets/starter",
        versions=(_SET,),
        a=1,
        b=2,
        diff=DiffShown(
            numbers=(("Added", "1"), ("Changed", "1")),
            added=(Link(text="eels", href=f"{_THERE}/misconceptions/eels"),),
            removed=(),
            changed=(_CHANGED,),
            more=True,
        ),
    ),
}
