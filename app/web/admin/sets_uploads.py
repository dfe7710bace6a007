"""The admins' pages that bring a set in: a file is sent, its check is read, and then it is stored or thrown away."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile

from app.db import Sessions
from app.errors import CandorError
from app.study import set_templates, set_uploads
from app.study.importers.mapping import MappingFaulty, parse
from app.study.importers.reading import Format, FormatUnknown
from app.study.set_files import SetFileFaulty
from app.study.set_uploads import LARGEST, Sent, UploadEmpty, UploadRefused, UploadTooLarge, Waiting
from app.study.sets import SetNameFaulty, SetUnknown, claims_of_sets, find_set
from app.study.tokens import same
from app.web.addresses import SET_UPLOADS
from app.web.admin.pages import Option
from app.web.admin.sets_check_pages import SetChecked, SetUploadForm
from app.web.admin.sets_contexts import FORMATS, SECTION, SETS, UPLOADS, check_shown, version_address
from app.web.deps import ReadSession, WriteSession, app_sessions
from app.web.desk import frame
from app.web.fields import FieldFaulty, Typed, sentence
from app.web.pages import render
from app.web.signed_in import Admin, CurrentAccount, FormTokenWrong, OwnForm

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
_NOT_STATED = "not stated"
_FORM = ("slug", "set_title", "licence", "read_as", "columns", "texts")
_MOST_FIELDS = 20
_LONGEST = {"set_title": 200, "licence": 500}


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed into the form, beside the file."""

    slug: str = ""
    set_title: str = ""
    licence: str = ""
    read_as: str = ""
    columns: str = ""
    texts: str = ""


@router.get("/set-uploads/new")
async def ask(account: Admin, session: ReadSession, slug: str = "") -> Response:
    """Ask for a file; `slug` is the set that it is to be a new version of."""
    if not slug:
        return render(_form(account, _Typed(licence=_NOT_STATED)))
    newest = await find_set(session, slug)
    return render(_form(account, _Typed(slug=slug, set_title=newest.title, licence=newest.licence)))


@router.get("/set-uploads/template.{ending}")
async def template(ending: str, _admin: Admin) -> Response:
    """Send a file to begin with."""
    text, kind = {
        "csv": (set_templates.as_csv, "text/csv"),
        "jsonl": (set_templates.as_jsonl, "application/x-ndjson"),
    }.get(ending, (None, ""))
    if text is None:
        raise SetUnknown(f"template.{ending}")
    named = {"Content-Disposition": f'attachment; filename="misconceptions.{ending}"'}
    return Response(text(), media_type=f"{kind}; charset=utf-8", headers=named)


@router.post(SET_UPLOADS.removeprefix("/admin"))
async def send(request: Request, account: Admin, sessions: Annotated[Sessions, Depends(app_sessions)]) -> Response:
    """Take a file and check it; nothing of it is in a set yet.

    The form is read here and not by a parameter, so that nobody but an admin can make the server take a large one. No
    connection is held while the check runs.
    """
    async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
        if not same(str(form.get("form_token", "")), account.form_token):
            raise FormTokenWrong
        typed = _Typed(**{name: str(form.get(name, "")).strip() for name in _FORM})
        try:
            sent = await _sent(form, typed)
        except CandorError as fault:
            return _again(account, typed, fault)
    async with sessions() as reading:
        sent = await _named(reading, sent)
        known = await claims_of_sets(reading, but=sent.slug)
    try:
        found = await set_uploads.check(sent, known)
    except CandorError as fault:
        return _again(account, typed, fault)
    async with sessions.begin() as writing:
        number = await set_uploads.keep(writing, sent, found, account.who.account_id)
    return RedirectResponse(f"{UPLOADS}/{number}", 303)


async def _sent(form: FormData, typed: _Typed) -> Sent:
    """Return what was sent, if it can be checked at all."""
    _refuse_unstorable(typed)
    if typed.read_as not in {"", *Format}:
        raise FieldFaulty("Choose one of the formats", "read_as")
    mapped = parse(_lines(typed.columns), _lines(typed.texts))
    file = form.get("file")
    given = file if isinstance(file, UploadFile) else None
    set_uploads.refuse_size((given and given.size) or 0)
    assert given is not None
    name, slug = set_uploads.checked_name(given.filename or "", typed.slug)
    return Sent(
        file_name=name,
        content=await given.read(),
        read_as=Format(typed.read_as) if typed.read_as else None,
        mapped=mapped,
        slug=slug,
        title=typed.set_title,
        licence=typed.licence or _NOT_STATED,
    )


def _refuse_unstorable(typed: _Typed) -> None:
    for field in ("set_title", "licence", "columns", "texts"):
        if "\x00" in getattr(typed, field):
            raise FieldFaulty("This holds a NUL character; remove it", field)
    for field, longest in _LONGEST.items():
        if len(getattr(typed, field)) > longest:
            raise FieldFaulty(f"This is too long; give at most {longest} characters", field)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


async def _named(reading: AsyncSession, sent: Sent) -> Sent:
    """Return what was sent under the title that it was given, or that its set has already."""
    if sent.title:
        return sent
    try:
        return replace(sent, title=(await find_set(reading, sent.slug)).title)
    except SetUnknown:
        return replace(sent, title=sent.slug)


def _again(account: CurrentAccount, typed: _Typed, fault: CandorError) -> Response:
    """Return the form with what was typed, saying what was wrong with what was sent."""
    if isinstance(fault, FieldFaulty):
        at = fault.field
    elif isinstance(fault, SetNameFaulty):
        at = "slug"
    else:
        at = "columns" if isinstance(fault, FormatUnknown | MappingFaulty) else "file"
    # What is wrong with a file begins with its name, which stays as it is.
    said = sentence(fault) if isinstance(fault, FieldFaulty | UploadEmpty | UploadTooLarge) else str(fault)
    said = said.replace("--map ", "").replace("--fill ", "")
    return render(_form(account, typed, said, at), 422)


def _form(account: CurrentAccount, typed: _Typed, error: str = "", at: str = "") -> SetUploadForm:
    return SetUploadForm(
        title="Upload a set",
        **frame(account, SECTION),
        formats=tuple(Option(value=value, text=text) for value, text in FORMATS.items()),
        largest=LARGEST,
        slug=typed.slug,
        set_title=typed.set_title,
        licence=typed.licence,
        read_as=typed.read_as,
        columns=typed.columns,
        texts=typed.texts,
        error=error,
        error_field=at,
    )


@router.get("/set-uploads/{number}")
async def show(number: Number, account: Admin, session: ReadSession) -> Response:
    """Show what the check of a file found, and ask whether to store it."""
    return render(_page(account, await set_uploads.waiting(session, number, account.who.account_id)))


def _page(account: CurrentAccount, waiting: Waiting, error: str = "") -> SetChecked:
    outcome = waiting.outcome
    return SetChecked(
        title=f"Check of {waiting.file_name}",
        **frame(account, SECTION),
        file_name=waiting.file_name,
        read_as=FORMATS.get(outcome.format, outcome.format),
        slug=waiting.slug,
        version=waiting.next_version,
        set_title=waiting.title,
        licence=waiting.licence,
        check=check_shown(outcome),
        whole=outcome.whole,
        in_part=outcome.in_part,
        n_stored=outcome.n_sound,
        n_left_out=outcome.rejected + len(outcome.refused_rows),
        address=f"{UPLOADS}/{waiting.id}",
        expires_at=waiting.expires_at,
        error=error,
    )


@router.post("/set-uploads/{number}/store")
async def store(number: Number, account: Admin, _: OwnForm, session: WriteSession, leave_out: Typed = "") -> Response:
    """Store a file that was checked: a new set, or the next version of one."""
    by = account.who.account_id
    try:
        done = await set_uploads.store(session, number, by, leave_out=leave_out == "on")
    except (UploadRefused, SetFileFaulty) as fault:
        return render(_page(account, await set_uploads.waiting(session, number, by), sentence(fault)), 422)
    return RedirectResponse(f"{version_address(done.slug, done.version)}?done={'stored' if done.new else 'known'}", 303)


@router.post("/set-uploads/{number}/discard")
async def discard(number: Number, account: Admin, _: OwnForm, session: WriteSession) -> Response:
    """Throw a file away."""
    await set_uploads.discard(session, number, account.who.account_id)
    return RedirectResponse(f"{SETS}?done=discarded", 303)
