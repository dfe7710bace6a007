"""The progress page: how far a study is, how it got there, and when it may end."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.models import Study
from app.study.progress import Progress, progress
from app.terms import StudyState
from app.web.deps import SnapshotSession
from app.web.desk import frame
from app.web.pages import render
from app.web.researcher.access import visible_study
from app.web.researcher.progress_overview import overview
from app.web.researcher.progress_pages import ProgressPage
from app.web.signed_in import CurrentAccount, Researcher

router = APIRouter()

_REFRESH_SECONDS = 20


@router.get("/studies/{slug}/progress")
async def show_progress(slug: str, account: Researcher, session: SnapshotSession) -> Response:
    """Show how far a study is. All numbers are of one moment."""
    study = await visible_study(session, slug, account)
    return render(progress_page(account, study, await progress(session, study)))


def progress_page(account: CurrentAccount, study: Study, read: Progress) -> ProgressPage:
    """Return the progress page of a study."""
    return ProgressPage(
        title=f"Progress of {study.title}",
        **frame(account, "studies"),
        slug=study.slug,
        study_title=study.title,
        state=study.state,
        synthetic=study.synthetic or any(group.synthetic for group in read.groups),
        overview=None if study.state == StudyState.DRAFT else overview(study, read),
        as_of=read.as_of,
        refresh_seconds=_REFRESH_SECONDS,
    )
