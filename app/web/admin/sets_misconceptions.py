"""The admins' pages about one misconception: read whole, seen as a pair, and changed in a new version of its set."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import MisconceptionSet
from app.study import progress_queries, set_browsing, set_checks, set_edits
from app.study.importers.candor_csv import FIELDS, cells_of, columns
from app.study.set_diffs import Change, FieldChange, diff
from app.study.set_edits import CellFault
from app.study.set_files import MisconceptionEntry
from app.study.sets import find_set
from app.study.texts import default_texts
from app.terms import ResponseKind, TruthfulKind
from app.web.admin.sets import Version
from app.web.admin.sets_check_pages import FindingRow
from app.web.admin.sets_contexts import KINDS, SECTION, change_shown, misconception_address, version_address
from app.web.admin.sets_misconception_pages import (
    EditConfirm,
    EditFault,
    EditField,
    EditSection,
    MisconceptionDetail,
    MisconceptionEdit,
    PairPreview,
    ResponseShown,
    SourceShown,
)
from app.web.deps import ReadSession, WriteSession
from app.web.desk import frame
from app.web.pages import Link, render
from app.web.signed_in import Admin, CurrentAccount, OwnForm

router = APIRouter(prefix="/sets/{slug}/{version}/misconceptions/{key}")

_BLANK_SOURCES = 2
_LABELS: dict[str, tuple[str, str, int]] = {
    "key": ("Key", "Lower-case letters and digits, with hyphens; no other misconception of the set has it.", 0),
    "claim": ("Claim", "The false claim, in one sentence.", 2),
    "prompt": ("Prompt", "What somebody says who believes it.", 4),
    "fact": ("Fact", "The correction in one sentence; the debrief shows it.", 2),
    "category": ("Category", "A lower-case word, such as physics.", 0),
    "difficulty_level": ("Difficulty level", "1 (easiest to see through) to 8 (hardest). Empty if not graded.", 0),
    "baseline_truthful": ("Baseline truthful response", "Corrects, with no further detail.", 5),
    "helpful_truthful": ("Helpful truthful response", "Corrects and explains.", 10),
    "sycophantic": ("Sycophantic response", "Agrees, convincingly; false.", 10),
    "verified_by": ("How the fact was checked", "", 2),
    "origin": ("Where the texts come from", "", 2),
}
_SECTIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("claim-and-fact", "Claim and fact", "", ("claim", "prompt", "fact", "key", "category", "difficulty_level")),
    (
        "responses",
        "Responses",
        "Annotators see these texts exactly as they stand. Leave an empty line between paragraphs.",
        ("baseline_truthful", "helpful_truthful", "sycophantic"),
    ),
    ("sources", "Sources", "One to twenty. Empty ones are left out.", ()),
    ("record", "Record", "", ("verified_by", "origin")),
)
_PARTS = {"publisher": "publisher", "title": "title", "url": "link, if there is one"}


@router.get("")
async def show(slug: str, version: Version, key: str, account: Admin, session: ReadSession) -> Response:
    """Show one misconception whole."""
    stored = await find_set(session, slug, version)
    newest = await find_set(session, slug)
    found = await set_browsing.seen(session, stored.id, key)
    findings = await set_checks.found_about(session, stored.id, key)
    address = version_address(slug, version)
    here = misconception_address(address, key)
    entry = found.entry
    page = MisconceptionDetail(
        title=entry.claim,
        **frame(account, SECTION),
        back=Link(text=f"{stored.title}, version {version}", href=address),
        key=key,
        prompt=entry.prompt,
        fact=entry.fact,
        category=entry.category,
        level=str(entry.difficulty_level or "none"),
        sources=tuple(
            SourceShown(publisher=source.publisher, title=source.title, url=source.url or "")
            for source in entry.sources
        ),
        verified_by=entry.verified_by,
        origin=entry.origin,
        responses=tuple(
            ResponseShown(kind=KINDS[seen.kind], text=seen.text, n_words=seen.n_words, text_hash=seen.text_hash)
            for seen in found.responses
        ),
        findings=tuple(
            FindingRow(place=about.field, key=about.code, href="", message=about.message) for about in findings
        ),
        checked=await set_checks.is_kept(session, stored.id),
        preview=f"{here}/preview",
        edit=f"{here}/edit" if newest.version == version else "",
        before=misconception_address(address, found.before) if found.before else "",
        after=misconception_address(address, found.after) if found.after else "",
    )
    return render(page)


@router.get("/preview")
async def preview(
    slug: str,
    version: Version,
    key: str,
    _admin: Admin,
    session: ReadSession,
    *,
    truthful: Annotated[TruthfulKind, Query()] = TruthfulKind.HELPFUL,
    first: Annotated[str, Query(pattern="^(truthful|sycophantic)$")] = "truthful",
) -> Response:
    """Show a pair as an annotator sees it."""
    stored = await find_set(session, slug, version)
    entry = await set_browsing.entry_of(session, stored.id, key)
    kinds = (truthful.response, ResponseKind.SYCOPHANTIC)
    shown = kinds if first == "truthful" else kinds[::-1]
    here = misconception_address(version_address(slug, version), key)
    other = TruthfulKind.BASELINE if truthful is TruthfulKind.HELPFUL else TruthfulKind.HELPFUL
    swapped = "sycophantic" if first == "truthful" else "truthful"
    page = PairPreview(
        title=f"Preview of {key}",
        question=str(default_texts()["question"]),
        prompt=entry.prompt,
        first=entry.response(shown[0]),
        second=entry.response(shown[1]),
        told=f"Response 1 is the {KINDS[shown[0]].lower()} one, response 2 the {KINDS[shown[1]].lower()} one.",
        links=(
            Link(text="Swap the sides", href=f"{here}/preview?truthful={truthful}&first={swapped}"),
            Link(text=f"Show the {other} response", href=f"{here}/preview?truthful={other}&first={first}"),
        ),
        back=Link(text="Back to the misconception", href=here),
    )
    return render(page)


# Changing it.


@router.get("/edit")
async def ask_edit(slug: str, version: Version, key: str, account: Admin, session: ReadSession) -> Response:
    """Show the form over all of a misconception's fields."""
    stored = await find_set(session, slug, version)
    await set_edits.refuse_outdated(session, stored)
    entry = await set_browsing.entry_of(session, stored.id, key)
    return render(_form(account, stored, entry, _cells(entry)))


@router.post("/edit")
async def edit(
    request: Request, slug: str, version: Version, key: str, account: Admin, _: OwnForm, session: WriteSession
) -> Response:
    """Check what was typed and show what it changes; stored once it has been confirmed."""
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in columns(20) if name in form}
    step = str(form.get("step", ""))
    stored = await find_set(session, slug, version)
    await set_edits.refuse_outdated(session, stored)
    entry = await set_browsing.entry_of(session, stored.id, key)
    if step == "again":
        return render(_form(account, stored, entry, typed))
    read = set_edits.read(typed)
    if isinstance(read, list):
        return render(_form(account, stored, entry, typed, read), 422)
    faults = await set_edits.repeats(session, stored.id, key, read)
    changes = _changes(entry, read)
    if not faults and not changes.fields:
        faults = [CellFault("claim", "nothing was changed in any field")]
    if faults:
        return render(_form(account, stored, entry, typed, faults), 422)
    if step != "store":
        return render(await _confirm(session, account, stored, changes, typed))
    done = await set_edits.store(session, stored, key, read, account.who.account_id)
    said = "edited" if done.new else "known"
    return RedirectResponse(f"{version_address(slug, done.version)}?done={said}", 303)


def _cells(entry: MisconceptionEntry) -> dict[str, str]:
    return {name: "" if cell is None else str(cell) for name, cell in cells_of(entry).items()}


def _changes(before: MisconceptionEntry, after: MisconceptionEntry) -> Change:
    """Return what changes, the key among it."""
    found = diff([before], [after.model_copy(update={"key": before.key})])
    fields = found.changed[0].fields if found.changed else ()
    renamed = (FieldChange("key", before.key, after.key),) if before.key != after.key else ()
    return Change(before.key, renamed + fields)


def _form(
    account: CurrentAccount,
    stored: MisconceptionSet,
    entry: MisconceptionEntry,
    typed: Mapping[str, str],
    faults: Sequence[CellFault] = (),
) -> MisconceptionEdit:
    sections = [
        EditSection(name=name, title=title, lead=lead, fields=_fields(fields, typed, faults))
        for name, title, lead, fields in _SECTIONS
    ]
    there = {field.name: field for section in sections for field in section.fields}
    summed = [EditFault(id=_at(fault, there), message=_message(fault)) for fault in faults]
    address = misconception_address(version_address(stored.slug, stored.version), entry.key)
    return MisconceptionEdit(
        title=f"Edit {entry.key}",
        **frame(account, SECTION),
        action=f"{address}/edit",
        back=address,
        version=stored.version,
        sections=tuple(sections),
        faults=tuple(summed),
        error=summed[0].message if summed else "",
    )


def _at(fault: CellFault, there: Mapping[str, EditField]) -> str:
    return fault.cell if fault.cell in there else "source_1_publisher"


def _label(cell: str) -> str:
    if cell in _LABELS:
        return _LABELS[cell][0]
    _, number, part = cell.split("_", 2)
    return f"Source {number}: {_PARTS[part]}"


def _message(fault: CellFault) -> str:
    known = fault.cell in _LABELS or fault.cell in columns(20)
    return f"{_label(fault.cell if known else 'source_1_publisher')}: {fault.reason}"


def _fields(names: Sequence[str], typed: Mapping[str, str], faults: Sequence[CellFault]) -> tuple[EditField, ...]:
    if not names:
        names = [name for name in columns(_n_sources(typed)) if name not in FIELDS]
    return tuple(_field(name, typed.get(name, ""), faults) for name in names)


def _n_sources(typed: Mapping[str, str]) -> int:
    """Return how many sources to ask for: those that there are, and two more."""
    filled = [int(name.split("_")[1]) for name, cell in typed.items() if name.startswith("source_") and cell.strip()]
    return min(20, max(filled, default=0) + _BLANK_SOURCES)


def _field(name: str, value: str, faults: Sequence[CellFault]) -> EditField:
    errors = tuple(_message(fault) for fault in faults if fault.cell == name)
    if name == "source_1_publisher":
        errors += tuple(_message(fault) for fault in faults if fault.cell == "sources")
    _, help_, rows = _LABELS.get(name, ("", "", 0))
    return EditField(
        name=name,
        label=_label(name),
        value=value,
        help=help_,
        errors=errors,
        kind="text" if rows else "number" if name == "difficulty_level" else "line",
        rows=rows,
    )


async def _confirm(
    session: AsyncSession, account: CurrentAccount, stored: MisconceptionSet, changes: Change, typed: Mapping[str, str]
) -> EditConfirm:
    address = misconception_address(version_address(stored.slug, stored.version), changes.key)
    used = [
        study
        for listed in await progress_queries.sets(session)
        if (listed.slug, listed.version) == (stored.slug, stored.version)
        for study in listed.studies
    ]
    return EditConfirm(
        title=f"Store the change of {changes.key}?",
        **frame(account, SECTION),
        action=f"{address}/edit",
        version=stored.version + 1,
        studies=tuple(used),
        changed=replace(change_shown(changes, address), href=""),
        cells=tuple(typed.items()),
    )
