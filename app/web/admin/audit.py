"""The page of the audit log, its filters in the address, and its download."""

import csv
import io
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict, replace
from datetime import date
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from app.db import Sessions
from app.study import audit, events
from app.study.audit import Act, Wanted
from app.web.admin import audit_words
from app.web.admin.pages import ActRow, Audit, AuditFilter
from app.web.deps import ReadSession, app_sessions
from app.web.desk import frame
from app.web.fields import FieldFaulty, kept_day
from app.web.pages import render
from app.web.signed_in import Admin, CurrentAccount
from app.web.streaming import Sent

T = TypeVar("T")
router = APIRouter()

_PAGE = 50
_HERE = "/admin/audit"
_COLUMNS = ("at", "act", "kind", "by", "about", "study", "detail")
_CHUNK = 64 * 1024
_LARGEST_ID = 2**63 - 1

Chosen = Annotated[str, Query(max_length=200)]


def _filter(
    kind: Chosen = "", account: Chosen = "", study: Chosen = "", since: Chosen = "", until: Chosen = ""
) -> AuditFilter:
    return AuditFilter(kind=kind, account=account, study=study, since=since, until=until)


Filter = Annotated[AuditFilter, Depends(_filter)]


@router.get("/audit")
async def show(
    account: Admin,
    session: ReadSession,
    chosen: Filter,
    before: Annotated[int | None, Query(ge=1, le=_LARGEST_ID)] = None,
) -> Response:
    """Show a page of the audit log."""
    known = await audit.known(session)
    try:
        acts = await audit.page(session, _wanted(chosen), before=before, limit=_PAGE + 1)
    except FieldFaulty as fault:
        return render(_page(account, chosen, known, [], None, fault), 422)
    return render(_page(account, chosen, known, acts, before))


def _wanted(chosen: AuditFilter) -> Wanted:
    account_id = _read(chosen.account, int, "account", "Choose an account")
    if account_id is not None and not 0 < account_id <= _LARGEST_ID:
        raise FieldFaulty("Choose an account", "account")
    since = _read(chosen.since, date.fromisoformat, "since", "Enter the first day as a date, such as 2027-01-31")
    until = _read(chosen.until, _day_with_a_next, "until", "Enter the last day as a date, such as 2027-01-31")
    return Wanted(kind=chosen.kind, account_id=account_id, study=chosen.study, since=since, until=until)


def _day_with_a_next(text: str) -> date:
    if (day := date.fromisoformat(text)) == date.max:
        raise ValueError(text)
    return day


def _read(text: str, to: Callable[[str], T], field: str, otherwise: str) -> T | None:
    try:
        return to(text) if text else None
    except ValueError:
        raise FieldFaulty(otherwise, field) from None


def _page(
    account: CurrentAccount,
    chosen: AuditFilter,
    known: audit.Known,
    acts: list[Act],
    before: int | None,
    fault: FieldFaulty | None = None,
) -> Audit:
    shown = acts[:_PAGE]
    query = {name: value for name, value in asdict(chosen).items() if value}
    return Audit(
        title="Audit log",
        **frame(account, "audit"),
        chosen=replace(chosen, since=kept_day(chosen.since), until=kept_day(chosen.until)),
        kinds=tuple((kind, words) for kind, (words, _) in audit_words.KINDS.items()),
        accounts=tuple((str(account_id), email) for account_id, email in known.accounts),
        studies=tuple((slug, slug) for slug in known.studies),
        acts=tuple(map(_row, shown)),
        filtered=bool(query),
        newest=_address("", query) if before is not None else "",
        older=_address("", query | {"before": shown[-1].id}) if len(acts) > _PAGE else "",
        download=_address(".csv", query),
        error=str(fault) if fault else "",
        error_field=fault.field if fault else "",
    )


def _address(ending: str, query: dict[str, str | int]) -> str:
    return f"{_HERE}{ending}{'?' if query else ''}{urlencode(query)}"


def _row(act: Act) -> ActRow:
    return ActRow(
        at=act.at,
        what=audit_words.name(act.kind),
        told=audit_words.told(act),
        who=audit_words.who(act),
        about=act.about or "",
        study=act.study or "",
    )


async def _audited(account: Admin, sessions: Annotated[Sessions, Depends(app_sessions)], chosen: Filter) -> Wanted:
    """Record who takes the log away, in a transaction that is over before the download's begins."""
    wanted = _wanted(chosen)
    async with sessions.begin() as session:
        await events.record(session, "audit_exported", account_id=account.who.account_id)
    return wanted


@router.get("/audit.csv")
async def download(session: ReadSession, wanted: Annotated[Wanted, Depends(_audited)]) -> Response:
    """Stream the audit log."""
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Sent(_lines(session, wanted), media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(session: ReadSession, wanted: Wanted) -> AsyncGenerator[str, None]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    async for act in audit.everything(session, wanted):
        said = (audit_words.name(act.kind), act.kind, audit_words.who(act), act.about, act.study, audit_words.told(act))
        writer.writerow((act.at.isoformat(), *map(_safe, said)))
        if text.tell() >= _CHUNK:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _safe(value: str | None) -> str:
    """Return a value that a spreadsheet does not take for a formula."""
    value = value or ""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
