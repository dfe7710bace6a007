"""Sharing results: a read-only link, made and revoked on the results page, and the page that it shows."""

from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from app.study import result_links
from app.web.deps import AppSettings, ReadSession, SnapshotSession, WriteSession
from app.web.desk import Confirm, ShownOnce, frame, outward
from app.web.pages import Link, render
from app.web.researcher.access import visible_study
from app.web.researcher.results import Kept, shown_of
from app.web.researcher.results_pages import SharedResults
from app.web.signed_in import OwnForm, Researcher

router = APIRouter()


def _results(slug: str) -> str:
    return f"/studies/{quote(slug)}/results"


@router.post("/studies/{slug}/results/link")
async def make_link(
    request: Request, slug: str, account: Researcher, _: OwnForm, session: WriteSession, settings: AppSettings
) -> Response:
    """Make a read-only link and show it, once."""
    study = await visible_study(session, slug, account)
    token = await result_links.make(session, study.id, account.who.account_id)
    page = ShownOnce(
        title="The link is ready",
        **frame(account, "studies"),
        paragraphs=(
            "Copy the link now: it is stored as a hash, so it cannot be shown again.",
            "Who has it sees the results as they are at that moment, without signing in, and nothing else.",
            "It works until it is revoked on the results page. Making a new one revokes it too.",
        ),
        what="link",
        value=outward(request, settings, "/r/", token),
        back=Link(text="Back to the results", href=_results(slug)),
    )
    return render(page)


@router.get("/studies/{slug}/results/link/revoke")
async def ask_revoke(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Ask once whether to revoke the link."""
    study = await visible_study(session, slug, account)
    page = Confirm(
        title=f"Revoke the link to the results of “{study.title}”?",
        **frame(account, "studies"),
        paragraphs=("Who has it sees nothing any more, from now on. A new one can be made at any time.",),
        action=f"{_results(slug)}/link/revoke",
        button="Revoke the link",
        back=f"{_results(slug)}#sharing",
    )
    return render(page)


@router.post("/studies/{slug}/results/link/revoke")
async def revoke_link(slug: str, account: Researcher, _: OwnForm, session: WriteSession) -> Response:
    """Make the link worthless."""
    study = await visible_study(session, slug, account)
    await result_links.revoke(session, study.id, account.who.account_id)
    return RedirectResponse(f"{_results(slug)}?done=revoked", 303)


@router.get("/r/{token}")
async def shared(token: str, session: SnapshotSession, kept: Kept) -> Response:
    """Show the results to who has the link; any other token is no address of ours."""
    study = await result_links.shown_by(session, token)
    if study is None:
        raise HTTPException(404)
    shown = await shown_of(session, study, kept)
    return render(SharedResults(title=f"Results of {study.title}", results=shown.results, methods=shown.methods))
