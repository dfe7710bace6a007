"""The admins' pages about sets: their versions, one version's misconceptions, its check, its download."""

from collections.abc import AsyncGenerator, Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.study import gradings, progress_queries, set_browsing, set_checks
from app.study.progress_queries import SetListed
from app.study.set_browsing import PER_PAGE, UNLEVELLED, Listing, Wanted
from app.study.set_checks import Outcome
from app.study.sets import SetUnknown, find_set
from app.web.admin.pages import Option, Sets
from app.web.admin.sets_check_pages import SetCheckPage
from app.web.admin.sets_contexts import (
    SECTION,
    SETS,
    check_shown,
    diff_shown,
    grading_row,
    misconception_address,
    set_row,
    version_address,
)
from app.web.admin.sets_pages import MisconceptionRow, SetDetail, SetFilter, SetVersions
from app.web.deps import ReadSession, app_sessions
from app.web.desk import frame
from app.web.fields import FieldFaulty
from app.web.pages import Link, render
from app.web.signed_in import Admin, CurrentAccount, OwnForm
from app.web.streaming import Sent

router = APIRouter(prefix="/sets")

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
Chosen = Annotated[str, Query(max_length=200)]
_LEVELS = (*map(str, range(1, 9)), UNLEVELLED)
_DONE = {
    "stored": "The set was stored.",
    "known": "This very content was there already as this version, so nothing was stored.",
    "edited": "The changed misconception was stored in a new version.",
    "checked": "The check is done.",
    "discarded": "The file was thrown away. Nothing of it was stored.",
}


@router.get("")
async def show_all(account: Admin, session: ReadSession, done: str = "") -> Response:
    """List every version of every misconception set."""
    listed = tuple(map(set_row, await progress_queries.sets(session)))
    return render(Sets(title="Sets", **frame(account, SECTION), sets=listed, done=_DONE.get(done, "")))


@router.get("/{slug}")
async def show_newest(slug: str, _admin: Admin, session: ReadSession) -> Response:
    """Lead to the newest version of a set."""
    newest = await find_set(session, slug)
    return RedirectResponse(version_address(slug, newest.version), 303)


@router.get("/{slug}/versions")
async def show_versions(
    slug: str,
    account: Admin,
    session: ReadSession,
    a: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    b: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """List the versions of a set, and say what changed between two of them: the last two, if not said which."""
    versions = await _versions(session, slug)
    numbers = [found.version for found in versions]
    newer = b or numbers[0]
    older = a or next((number for number in numbers if number < newer), newer)
    diff = None
    if older != newer:
        before, after = await find_set(session, slug, older), await find_set(session, slug, newer)
        compared = await set_browsing.compare(session, before, after)
        diff = diff_shown(compared, version_address(slug, older), version_address(slug, newer))
    page = SetVersions(
        title=f"Versions of {versions[0].title}",
        **frame(account, SECTION),
        address=f"{SETS}/{slug}",
        versions=tuple(map(set_row, versions)),
        a=older,
        b=newer,
        diff=diff,
    )
    return render(page)


async def _versions(session: AsyncSession, slug: str) -> list[SetListed]:
    """Return the versions of a set, the newest first."""
    found = [listed for listed in await progress_queries.sets(session) if listed.slug == slug]
    if not found:
        raise SetUnknown(slug)
    return sorted(found, key=lambda listed: -listed.version)


def _filter(q: Chosen = "", level: Chosen = "", category: Chosen = "", finding: Chosen = "") -> SetFilter:
    return SetFilter(q=q, level=level, category=category, finding=finding)


@router.get("/{slug}/{version}")
async def show(  # noqa: PLR0913 - what an address says
    slug: str,
    version: Version,
    account: Admin,
    session: ReadSession,
    *,
    chosen: Annotated[SetFilter, Depends(_filter)],
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    done: str = "",
) -> Response:
    """Show one version of a set, and a page of its misconceptions."""
    versions = await _versions(session, slug)
    if version not in {listed.version for listed in versions}:
        raise SetUnknown(slug, version)
    stored = await find_set(session, slug, version)
    categories = await set_browsing.categories(session, stored.id)
    outcome = await set_checks.kept(session, stored.id)
    graded = await gradings.gradings(session, slug)
    fault: FieldFaulty | None = None
    try:
        listing = await set_browsing.listing(session, stored.id, _wanted(chosen), page)
    except FieldFaulty as faulty:
        fault, listing = faulty, Listing([], 0)
    address = version_address(slug, version)
    newest = versions[0].version
    shown = SetDetail(
        title=stored.title,
        **frame(account, SECTION),
        set=set_row(next(listed for listed in versions if listed.version == version)),
        address=address,
        newest=None if newest == version else Link(text=f"Version {newest}", href=version_address(slug, newest)),
        checked=outcome is not None,
        check=_told(outcome),
        chosen=chosen,
        categories=tuple(Option(value=name, text=f"{name} ({n:,})") for name, n in categories),
        findings=_findings(outcome),
        filtered=chosen != SetFilter(),
        misconceptions=_rows(listing, address),
        total=listing.total,
        first=(page - 1) * PER_PAGE + 1,
        before=_page_address(address, chosen, page - 1) if page > 1 else "",
        after=_page_address(address, chosen, page + 1) if page * PER_PAGE < listing.total else "",
        gradings=tuple(map(grading_row, graded)),
        done=_DONE.get(done, ""),
        error=str(fault or ""),
        error_field=fault.field if fault else "",
    )
    return render(shown, 422 if fault else 200)


def _wanted(chosen: SetFilter) -> Wanted:
    if chosen.level and chosen.level not in _LEVELS:
        raise FieldFaulty("Choose one of the levels", "level")
    return Wanted(words=chosen.q, level=chosen.level, category=chosen.category, finding=chosen.finding)


def _told(outcome: Outcome | None) -> str:
    if outcome is None:
        return "This version was not checked yet"
    numbers = ((outcome.n_errors, "error"), (outcome.n_warnings, "warning"))
    return ", ".join(f"{n or 'no'} {noun}{'' if n == 1 else 's'}" for n, noun in numbers).capitalize()


def _findings(outcome: Outcome | None) -> tuple[Option, ...]:
    if outcome is None:
        return ()
    with_key = {found.code for found in outcome.report.findings if found.key is not None}
    numbers = {kind.code: kind.n for kind in outcome.kinds if kind.code in with_key}
    return tuple(Option(value=code, text=f"{code} ({n:,})") for code, n in sorted(numbers.items()))


def _rows(listing: Listing, address: str) -> tuple[MisconceptionRow, ...]:
    return tuple(
        MisconceptionRow(
            href=misconception_address(address, found.key),
            key=found.key,
            claim=found.claim,
            category=found.category,
            level=str(found.difficulty_level or "none"),
            words_truthful=found.words_truthful,
            words_sycophantic=found.words_sycophantic,
        )
        for found in listing.misconceptions
    )


def _page_address(address: str, chosen: SetFilter, page: int) -> str:
    kept = {"q": chosen.q, "level": chosen.level, "category": chosen.category, "finding": chosen.finding}
    query = {name: value for name, value in kept.items() if value} | ({"page": str(page)} if page > 1 else {})
    return f"{address}?{urlencode(query)}" if query else address


# Its download.

_FILES: dict[str, tuple[str, Callable[[AsyncSession, int], AsyncGenerator[str, None]]]] = {
    "jsonl": ("application/x-ndjson", set_browsing.as_jsonl),
    "csv": ("text/csv", set_browsing.as_csv),
}


@router.get("/{slug}/{version}/export.jsonl")
async def download_jsonl(slug: str, version: Version, _admin: Admin, session: ReadSession) -> Response:
    """Send a version as JSON Lines."""
    return await _download(session, slug, version, "jsonl")


@router.get("/{slug}/{version}/export.csv")
async def download_csv(slug: str, version: Version, _admin: Admin, session: ReadSession) -> Response:
    """Send a version as CSV."""
    return await _download(session, slug, version, "csv")


async def _download(session: AsyncSession, slug: str, version: int, ending: str) -> Response:
    stored = await find_set(session, slug, version)
    media_type, lines = _FILES[ending]
    named = {"Content-Disposition": f'attachment; filename="{slug}-{version}.{ending}"'}
    return Sent(lines(session, stored.id), media_type=f"{media_type}; charset=utf-8", headers=named)


# Its check.


@router.get("/{slug}/{version}/check")
async def show_check(slug: str, version: Version, account: Admin, session: ReadSession) -> Response:
    """Show what the check of a version found, or offer to run it."""
    stored = await find_set(session, slug, version)
    outcome = await set_checks.kept(session, stored.id)
    listing = await set_browsing.listing(session, stored.id, Wanted())
    return render(_check_page(account, slug, version, outcome, listing.total))


def _check_page(
    account: CurrentAccount, slug: str, version: int, outcome: Outcome | None, n_misconceptions: int
) -> SetCheckPage:
    address = version_address(slug, version)
    return SetCheckPage(
        title=f"Check of {slug}, version {version}",
        **frame(account, SECTION),
        address=f"{address}/check",
        back=Link(text="Back to the set", href=address),
        n_misconceptions=n_misconceptions,
        check=None if outcome is None else check_shown(outcome, address),
    )


@router.post("/{slug}/{version}/check")
async def check(
    slug: str, version: Version, _admin: Admin, _: OwnForm, sessions: Annotated[Sessions, Depends(app_sessions)]
) -> Response:
    """Check a version, once: it never changes. No connection is held while the check runs."""
    async with sessions() as reading:
        stored = await find_set(reading, slug, version)
        work = None if await set_checks.kept(reading, stored.id) else await set_checks.check_of(reading, stored)
    if work is not None:
        found = await set_checks.aside(work)
        async with sessions.begin() as writing:
            await set_checks.keep(writing, stored.id, found)
    return RedirectResponse(f"{version_address(slug, version)}/check", 303)
